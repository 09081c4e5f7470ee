//! The `ferry` binary.

use std::process::ExitCode;

/// Checking and planning recurse as deep as an expression is nested: far below this, in bytes.
const STACK_BYTES: usize = 64 << 20;

fn main() -> ExitCode {
    with_few_heaps();
    let verb = std::thread::Builder::new()
        .name("ferry".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(|| ferry::cli::start::start(std::env::args_os()));
    let Ok(verb) = verb else { return ExitCode::from(7) };
    // A panic has told its message already; it is a bug of ours.
    ExitCode::from(verb.join().unwrap_or(4))
}

/// Heaps at the most: what a thread gave back stays in its own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const HEAPS_AT_MOST: usize = 4;

/// Begins once more with a heap for each core, four at the most, and not eight for each, which is what the GNU library's allocator keeps: a run of a million rows took
/// 430 MB with sixteen of them, 275 with two, and with one 260, but a plan of the bench took a fifth longer. Their number can only be said before a process begins.
/// <https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html>
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn with_few_heaps() {
    use std::os::unix::process::CommandExt;

    const HEAPS: &str = "MALLOC_ARENA_MAX";
    // A build for development is slow to begin, and is begun thousands of times by its tests.
    if cfg!(debug_assertions) || std::env::var_os(HEAPS).is_some() {
        return;
    }
    let heaps = std::thread::available_parallelism().map_or(1, usize::from).min(HEAPS_AT_MOST);
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| "ferry".into());
    // Where it cannot be done the program goes on as it is.
    let _failed = std::process::Command::new(program).arg0(name).args(arguments).env(HEAPS, heaps.to_string()).exec();
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn with_few_heaps() {}
