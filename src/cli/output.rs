//! Printing. A reader that has gone away (`ferry activity | head`) is no reason to fail.

use std::fmt::Arguments;
use std::io::Write;

/// A line of data on stdout.
macro_rules! say {
    () => { $crate::cli::output::line(format_args!("")) };
    ($($what:tt)*) => { $crate::cli::output::line(format_args!($($what)*)) };
}

/// A line of talk on stderr.
macro_rules! tell {
    ($($what:tt)*) => { $crate::cli::output::talk(format_args!($($what)*)) };
}

pub(super) use {say, tell};

pub(super) fn line(what: Arguments<'_>) {
    let _ = writeln!(std::io::stdout().lock(), "{what}");
}

/// Text that brings its own ends of lines.
pub(super) fn text(what: &str) {
    let _ = std::io::stdout().lock().write_all(what.as_bytes());
}

/// Talk may quote a service. Its control characters are shown, not obeyed: they could move the cursor or hide a line.
pub(super) fn talk(what: Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", shown(&what.to_string()));
}

/// A value in a table: ends of lines and other control characters are shown, not obeyed.
pub(super) fn on_one_line(value: &str) -> String {
    let line: String = value.chars().filter(|c| *c != '\r').map(|c| if c == '\n' { '⏎' } else { c }).collect();
    shown(&line)
}

/// Words of a service with their control characters made visible.
pub(super) fn shown(said: &str) -> String {
    said.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
