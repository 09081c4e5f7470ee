//! The mutation gate: bugs that somebody could write into the protocol of a run, and the scenario that catches each.
//!
//! A scenario runs real processes, kills some, disturbs the services, and holds the promises of Ferry against what came of it. It passes
//! with Ferry as it is; with a bug of `ferry::model::sabotage` it fails, and says the right thing. The table is in `README.md` beside
//! this file. In: nothing. Out: bugs that nobody sees, and scenarios that see what is not there.

mod changing;
mod guarding;
mod loading;
mod parting;
mod promises;
mod reading;
mod table;
mod trial;
mod world;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use promises::Verdict;
use table::{CAUGHT, HIDDEN, SCENARIOS, known, rendered, scenario};

/// Trials under way at once: most of a trial is waiting.
const AT_ONCE: usize = 4;

/// What scenarios say of bugs, in the order in which they were asked.
fn judged(asked: &[(&'static str, &'static str)]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let (sender, heard) = channel();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    let Some((bugs, by)) = asked.get(at) else { break };
                    sender.send((at, scenario(by)(bugs))).expect("somebody listens");
                }
            });
        }
    });
    drop(sender);
    let mut verdicts: Vec<(usize, Verdict)> = heard.into_iter().collect();
    verdicts.sort_by_key(|(at, _)| *at);
    assert_eq!(verdicts.len(), asked.len(), "each was judged");
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

#[test]
fn every_scenario_passes_without_a_bug_and_with_one_that_another_safeguard_hides() {
    let asked: Vec<(&str, &str)> = SCENARIOS.iter().map(|(name, _)| ("", *name)).chain(HIDDEN).collect();
    let verdicts = asked.iter().zip(judged(&asked));
    let wrong: Vec<String> =
        verdicts.filter_map(|((bugs, by), verdict)| Some(format!("{by} {bugs}: {}", verdict.err()?))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[allow(clippy::print_stdout)] // What was said, for whoever looks with --nocapture.
fn every_bug_is_caught_for_what_it_is() {
    let asked: Vec<(&str, &str)> = CAUGHT.iter().map(|one| (one.bugs, one.by)).collect();
    let mut wrong = Vec::new();
    for (one, verdict) in CAUGHT.iter().zip(judged(&asked)) {
        let (bugs, by) = (one.bugs, one.by);
        match verdict {
            Ok(()) => wrong.push(format!("{bugs} passes {by}")),
            Err(said) if !said.contains(one.says) => {
                wrong.push(format!("{bugs} fails {by} for another reason: {said}"))
            }
            Err(said) => println!("{bugs} | {by} | {said}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_bug_has_its_row_and_the_readme_has_the_table() {
    let single: BTreeSet<String> = CAUGHT.iter().map(|one| one.bugs.to_owned()).filter(|b| !b.contains(',')).collect();
    let known: BTreeSet<String> = known().into_iter().map(|(bug, _)| bug).collect();
    assert_eq!(single, known, "each bug of src/model/sabotage.rs has a row, and no other");
    let table = rendered();
    assert!(
        include_str!("README.md").contains(&table),
        "tests/mutants/README.md has another table than this:\n{table}"
    );
}
