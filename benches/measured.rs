//! Taking times: a warm-up, then the median of five, as rows and bytes a second.

use std::time::{Duration, Instant};

/// Times that are taken of one thing.
const TIMES: usize = 5;
/// Numbers of rows at which a stage is measured.
pub const ROWS: [u64; 3] = [10_000, 100_000, 1_000_000];

/// The median of five, after one that does not count. The work says itself how long it took, so that it may prepare something.
pub fn median(mut work: impl FnMut() -> Duration) -> Duration {
    work();
    let mut taken: Vec<Duration> = (0..TIMES).map(|_| work()).collect();
    taken.sort();
    taken[TIMES / 2]
}

/// The same of work that prepares nothing.
pub fn median_of<T>(mut work: impl FnMut() -> T) -> Duration {
    median(|| {
        let since = Instant::now();
        let made = work();
        let taken = since.elapsed();
        drop(std::hint::black_box(made));
        taken
    })
}

/// Prints a line: what, of how many rows and bytes, in what time.
pub fn say(what: &str, rows: u64, bytes: usize, taken: Duration) {
    let seconds = taken.as_secs_f64();
    println!(
        "{what:<44} {rows:>9} rows {:>9.1} ms {:>7.3} M rows/s {:>8.1} MB/s",
        seconds * 1e3,
        rows as f64 / seconds / 1e6,
        bytes as f64 / seconds / 1e6
    );
}

/// The most memory that a process held so far.
pub fn peak_bytes(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kilobytes| kilobytes * 1024.0)
}
