//! `ferry`: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(ferry::cli::start::start(std::env::args_os()))
}
