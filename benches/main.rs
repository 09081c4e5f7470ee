//! Benchmarks, in one binary. So far one: how long a whole plan of the out-of-the-box people job takes.
//!
//! Run with `cargo bench`. Nothing here is a test: a slow machine fails nothing.

#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use std::time::Instant;

use ferry::app::demo::{Demo, run};
use ferry::run::progress::silent;

fn main() {
    // `cargo test` also starts benches, with `--test`; there is nothing to check then.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let rows: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(10_000);
    let home = PathBuf::from(concat!(env!("CARGO_TARGET_TMPDIR"), "/bench"));
    let demo = Demo { rows, seed: 1, world: None, limits_scale: 1_000_000.0, home };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let since = Instant::now();
    let (passes, _sandbox) = runtime.block_on(run(&demo, &silent(), |_| {})).expect("the demo runs");
    for (number, pass) in passes.iter().enumerate() {
        for report in &pass.reports {
            let rate = report.counts.read as f64 / report.seconds;
            println!(
                "pass {} {:45} {:>9} rows {:>8.2} s {:>10.0} rows/s",
                number + 1,
                report.job,
                report.counts.read,
                report.seconds,
                rate
            );
        }
    }
    println!("in all {:.1} s", since.elapsed().as_secs_f64());
}
