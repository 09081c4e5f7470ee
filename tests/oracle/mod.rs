//! The oracle: the out-of-the-box chain computed a second time, in plain loops, and held against the product.
//!
//! It knows the jobs, the design and what both services hold; it shares no code with the engine, so it shares no mistake
//! with it. In: a world. Out: agreement on every record, every count and every line of the error files.

mod company;
mod compare;
mod expected;
mod person;
mod user;

use std::path::PathBuf;

use ferry::app::demo::{self, Demo, Step};
use ferry::run::progress::silent;

use expected::{Expected, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_agrees_with_the_oracle_on_a_real_looking_world() {
    agree(0, 1, Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/world").into())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_agrees_with_the_oracle_on_every_special_row() {
    agree(1000, 1, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_agrees_with_the_oracle_on_the_special_rows_of_another_seed() {
    agree(1000, 7, None).await;
}

/// A world in which the manager of a good user is refused.
#[tokio::test(flavor = "multi_thread")]
async fn the_chain_agrees_with_the_oracle_where_a_reference_fails() {
    agree(1000, 6, None).await;
}

async fn agree(rows: usize, seed: u64, world: Option<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder for the home");
    let demo = Demo { rows, seed, world, limits_scale: 1000.0, home: folder.path().join("home") };
    let mut start = None;
    let look = |step: Step<'_>| {
        if let Step::Serving(sandbox) = step {
            start = Some(World::of(sandbox));
        }
    };
    let (passes, sandbox) = demo::run(&demo, &silent(), look).await.expect("both passes run");
    let start = start.expect("the sandbox was shown before the first pass");
    let expected = Expected::of(&start);
    let mut wrong = compare::records(&start, &World::of(&sandbox), &expected);
    for (number, pass) in passes.iter().enumerate() {
        assert_eq!(pass.reports.len(), 3, "pass {} has a report for each job", number + 1);
        for (report, (job, ends)) in pass.reports.iter().zip(&expected.jobs) {
            assert_eq!(&report.job, job);
            wrong.extend(compare::report(number + 1, report, &ends.in_pass(number)));
        }
    }
    assert_eq!(passes.len(), 2);
    for report in &passes[1].reports {
        let written = (report.counts.inserted + report.counts.updated, report.calls.gainsight_writes);
        assert_eq!(written, (0, 0), "the second pass of {} wrote", report.job);
    }
    sandbox.stop().await;
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}
