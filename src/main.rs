//! The `ferry` binary.

use std::process::ExitCode;

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
