//! What a process that runs for long gives up: it is nobody's to look into, and what it makes is its user's alone.

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
