//! What a process that runs for long gives up: it is nobody's to look into, and what it makes is its user's alone.

/// Has as many files open as the system allows: a join that does not fit into memory has some two hundred for each thread.
#[cfg(unix)]
pub(super) fn allow_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let _kept = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Has as many files open as the system allows.
#[cfg(not(unix))]
pub(super) fn allow_files() {}

/// Gives up what a service does not need. What a system does not allow stays as it is: it is a second wall, not the first.
#[cfg(unix)]
pub(super) fn harden() {
    use rustix::process::{Resource, Rlimit, setrlimit, umask};
    umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    // Memory holds secrets and rows: none of it is to lie in a file.
    let _kept = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _kept = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Gives up what a service does not need.
#[cfg(not(unix))]
pub(super) fn harden() {}
