//! The `ferry` binary.

use std::process::ExitCode;

/// Many threads make and drop batches. The system's own allocator keeps a heap for each of them: a run took twice the memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Checking and planning recurse as deep as an expression is nested: far below this, in bytes.
const STACK_BYTES: usize = 64 << 20;

fn main() -> ExitCode {
    let verb = std::thread::Builder::new()
        .name("ferry".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(|| ferry::cli::start::start(std::env::args_os()));
    let Ok(verb) = verb else { return ExitCode::from(7) };
    // A panic has told its message already; it is a bug of ours.
    ExitCode::from(verb.join().unwrap_or(4))
}
