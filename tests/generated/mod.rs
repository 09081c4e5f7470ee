//! Generated jobs over generated rows: the real plan and a naive interpreter must come to the same.
//!
//! Each case is a job with random clauses, rows of its source, of what its lookups search and of its target. The job goes
//! through the parser and the checker as text; the interpreter works on a tree of its own, row by row, and shares no code
//! with what it judges. `FERRY_CASES=from..to` runs other cases than the first ones.

mod convert;
mod coverage;
mod decide;
pub mod dice;
mod draw;
mod evaluate;
mod expression;
mod feed;
mod functions;
mod furnish;
mod grow;
mod job;
mod late;
mod search;
pub mod served;
mod stored;
mod tables;
mod value;
mod world;

use std::ops::Range;
use std::sync::Arc;

use ferry::app::workspace::Workspace;
use ferry::diagnostic::render::for_people;
use ferry::diagnostic::report::Severity;
use ferry::engine::trial::{TrialRow, trial};

use crate::stage::Stage;
use decide::{Verdict, verdicts};
use dice::Dice;
use job::Job;
use world::World;

/// When the runs begin: 2026-03-28 23:30 UTC, when it is another day in Berlin.
const NOW: i64 = 1_774_740_600_000;
const CASES: Range<u64> = 0..2_000;

struct Case {
    seed: u64,
    job: Job,
    world: World,
    verdicts: Vec<Verdict>,
}

fn case(seed: u64) -> Case {
    let mut dice = Dice::of(seed);
    let shape = if seed.is_multiple_of(4) { &tables::COMPANIES } else { &tables::SALES };
    let job = draw::job(shape, &mut dice);
    let mut world = world::world(shape, &mut dice);
    furnish::furnish(&job, &mut world, NOW, &mut dice);
    let verdicts = verdicts(&job, &world, NOW);
    Case { seed, job, world, verdicts }
}

fn name(seed: u64) -> String {
    format!("case {seed}")
}

fn wanted() -> Range<u64> {
    let Some(text) = std::env::var("FERRY_CASES").ok() else { return CASES };
    let (from, to) = text.split_once("..").expect("FERRY_CASES=from..to");
    from.parse().expect("a number")..to.parse().expect("a number")
}

/// All jobs in one project, which must be right.
async fn checked(stage: &Stage, cases: &[Arc<Case>]) -> Workspace {
    let files: Vec<(String, String)> = cases
        .chunks(100)
        .enumerate()
        .map(|(n, part)| (format!("{n}.ferry"), part.iter().map(|c| c.job.written(&name(c.seed))).collect()))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let workspace = stage.workspace(&files).await;
    let found = workspace.diagnostics.sorted();
    let wrong = found.iter().find(|d| d.severity == Severity::Error);
    assert!(wrong.is_none(), "{}", for_people(wrong.unwrap(), &workspace.sources, false));
    workspace
}

/// Where the plan and the interpreter differ in one row.
fn difference(case: &Case, at: usize, expected: &Verdict, found: &TrialRow) -> Option<String> {
    let code = found.code.map(|code| code.text());
    let action = if code.is_none() && expected.action.is_some() { found.actions[0].as_deref() } else { None };
    let values: Vec<_> = found.values.iter().map(feed::taken).collect();
    let is_same = found.outcome.text() == expected.outcome
        && code == expected.code
        && found.message.contains(&expected.hint)
        && action == expected.action
        && (expected.action.is_none() || values == expected.values);
    let said = || {
        let row = &case.world.source[at];
        format!("row {}: {row:?}\nexpected {expected:?}\nfound    {found:?}", at + 1)
    };
    (!is_same).then(said)
}

async fn judged(case: &Case, workspace: &Workspace) -> Result<(), String> {
    let job = workspace.project.jobs[&name(case.seed)].at(NOW);
    let rows = trial(&job, &feed::given(&case.job, &case.world, &workspace.catalog)).await;
    let script = case.job.written(&name(case.seed));
    let told = |what: String| {
        let world = format!("searched {:?}\ntarget {:?}", case.world.searched, case.world.target);
        format!("case {}\n{script}\n{what}\n{world}", case.seed)
    };
    let rows = rows.map_err(|error| told(error.to_string()))?;
    if rows.len() != case.verdicts.len() {
        return Err(told(format!("{} rows became {}", case.verdicts.len(), rows.len())));
    }
    let each = case.verdicts.iter().zip(&rows).enumerate();
    let different: Vec<String> = each.filter_map(|(at, (e, f))| difference(case, at, e, f)).collect();
    if different.is_empty() { Ok(()) } else { Err(told(different.join("\n"))) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_and_a_naive_interpreter_agree() {
    let stage = Stage::seeded(40).await;
    let cases: Vec<Arc<Case>> = wanted().map(|seed| Arc::new(case(seed))).collect();
    let workspace = Arc::new(checked(&stage, &cases).await);
    let half = |first: usize| {
        let (cases, workspace) = (cases.clone(), Arc::clone(&workspace));
        tokio::spawn(async move {
            let mut wrong = Vec::new();
            for case in cases.iter().skip(first).step_by(2) {
                wrong.extend(judged(case, &workspace).await.err());
            }
            wrong
        })
    };
    let (one, other) = (half(0), half(1));
    let wrong = [one.await.unwrap(), other.await.unwrap()].concat();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
