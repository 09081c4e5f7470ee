//! A process that is killed at a place of its way.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use crate::terminal::Desk;

impl Desk {
    /// Kills a process at a place; false if it came to its end without passing it so often.
    pub fn kill(&self, arguments: &[&str], at: &str) -> bool {
        let mut child = self.begin_with(arguments, Stdio::null(), &[("FERRY_STOP_AT", at)]);
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let is_there = lines.by_ref().any(|line| {
            said.push_str(&line);
            said.push('\n');
            line.starts_with("stopped at ")
        });
        if is_there {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), is_there.then_some(9), "{arguments:?} at {at}: {status}\n{said}");
        assert!(is_there || matches!(status.code(), Some(0 | 1)), "{arguments:?} at {at}: {status}\n{said}");
        is_there
    }
}
