//! How long the out-of-the-box chain takes on a sandbox in this process, twice.

use std::path::PathBuf;
use std::time::Instant;

use ferry::app::demo::{Demo, run};
use ferry::run::progress::silent;

/// Runs the demo with this many contacts.
pub fn demo(rows: usize) {
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
