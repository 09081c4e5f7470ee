//! Schedules of faults: whatever strikes on the way, a job ends where it ends without faults.
//!
//! A seed draws a world, a job and a schedule. The job runs until it is through, each time going on with what was interrupted, and is
//! then held against a run without faults: the same records, the same totals, the same rows in the error file, and nothing left to
//! write. Where the faults changed the source, a run from scratch must find nothing to write; where they made Gainsight refuse good
//! records, those are replayed first. `cargo test -- schedules` runs a sample, and with `--ignored` all: FERRY_SEEDS of them from
//! FERRY_SEED_FROM on. FERRY_SEED=7 runs the seed 7 alone.

mod case;
pub mod held;
mod jobs;
mod road;
mod tally;
mod taught;
mod verdict;

use std::collections::VecDeque;
use std::sync::Mutex;

use ferry::diagnostic::render::for_people;
use ferry::diagnostic::report::Severity;

use crate::stage::Stage;
use case::Case;
use jobs::JOBS;
use tally::Tally;

/// Seeds that failed once; `taught` says what they taught.
const TAUGHT: [u64; 2] = [106, 479];

/// Cases under way at once: they wait more than they work.
const AT_ONCE: usize = 6;

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

/// Judges all, each of the threads with a runtime of its own: a run stays on its thread.
fn all_of(seeds: Vec<u64>, is_talking: bool) -> Tally {
    let (queue, tally) = (Mutex::new(VecDeque::from(seeds)), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    // Not in a `while let`, which would hold the queue while the case runs.
                    let next = queue.lock().expect("nobody panics with it").pop_front();
                    let Some(seed) = next else { break };
                    let judged = std::panic::catch_unwind(|| judged(seed));
                    let mut tally = tally.lock().expect("nobody panics with it");
                    match judged {
                        Ok((case, judged)) => tally.add(&case, judged),
                        Err(_) => tally.fail(seed, "it panicked; see above".to_owned()),
                    }
                    if is_talking {
                        tally.say();
                    }
                }
            });
        }
    });
    tally.into_inner().expect("nobody panics with it")
}

fn judged(seed: u64) -> (Case, Result<verdict::Told, String>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let case = Case::of(seed);
        let judged = verdict::judge(&case).await;
        (case, judged)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_of_the_list_is_right() {
    let stage = Stage::seeded(20).await;
    let files: Vec<(&str, &str)> = JOBS.iter().map(|job| (job.name, job.text)).collect();
    let workspace = stage.workspace(&files).await;
    let wrong = workspace.diagnostics.sorted().into_iter().find(|d| d.severity == Severity::Error);
    assert!(wrong.is_none(), "{}", for_people(wrong.unwrap(), &workspace.sources, false));
}

#[test]
fn a_sample_of_seeds_ends_as_without_faults() {
    let seeds = match number("FERRY_SEED") {
        Some(seed) => vec![seed],
        None => TAUGHT.into_iter().chain(0..16).collect(),
    };
    let tally = all_of(seeds, false);
    assert!(tally.failures.is_empty(), "{tally}");
}

#[test]
#[ignore = "it takes half an hour"]
fn all() {
    let (from, count) = (number("FERRY_SEED_FROM").unwrap_or(0), number("FERRY_SEEDS").unwrap_or(1_000));
    let tally = all_of((from..from + count).collect(), true);
    assert!(tally.failures.is_empty(), "{tally}");
    assert!(tally.struck() as u64 >= count, "the faults are about the jobs: {tally}");
}
