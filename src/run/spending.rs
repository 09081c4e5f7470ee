//! Where the time and the memory of a run go, stage by stage: what `ferry run --profile` shows.
//!
//! The operating system says what the process has taken; where it does not, only the time on the wall is known. In: when a stage begins.
//! Out: what it took when it ended, with what DataFusion's operators counted.

use std::time::Instant;

use serde::Serialize;

use super::progress::Voice;

/// What a stage took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// `extract`, `map`, `compare`, `load`.
    pub stage: &'static str,
    /// Milliseconds on the wall.
    pub wall_ms: u64,
    /// Milliseconds of all cores that the process took, with whatever else it did meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// The most memory that the process has had by the end of the stage, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_bytes: Option<u64>,
    /// The physical plans that were carried out, with what their operators counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<String>,
}

/// A stage that has begun.
pub(super) struct Spending {
    since: Instant,
    cpu_ms: Option<u64>,
}

/// A tick of the times in `/proc`, in milliseconds: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>, 100 a second for programs.
const TICK_MS: u64 = 10;

impl Spending {
    pub(super) fn begin() -> Self {
        Self { since: Instant::now(), cpu_ms: cpu_ms() }
    }

    /// Tells what the stage took, and begins the next.
    pub(super) fn end(&mut self, stage: &'static str, plans: Vec<String>, progress: &Voice<'_>) {
        let wall_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now = Self::begin();
        let cpu_ms = now.cpu_ms.zip(self.cpu_ms).map(|(now, then)| now - then);
        progress.spent(Spent { stage, wall_ms, cpu_ms, peak_bytes: peak_bytes(), plans });
        *self = now;
    }
}

/// What the process has taken of all cores.
fn cpu_ms() -> Option<u64> {
    let said = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name, which may have blanks in it, stands in parentheses.
    let mut fields = said.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) * TICK_MS)
}

fn peak_bytes() -> Option<u64> {
    let said = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = said.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}
