//! Days: what a run that reads only what changed leaves behind is what a run from scratch leaves behind.
//!
//! Two sandboxes are the same world. Each day the same random things happen in both, in Dynamics and in Gainsight; then the chain out
//! of the box and twenty jobs of our own (`jobs/`) run in both: in one as every day, in the other with `--full`. What Gainsight holds
//! must be the same after each day. `cargo test -- days` runs a few days; with `--ignored`, FERRY_SEEDS seeds (1) from FERRY_SEED_FROM
//! (1) on, of FERRY_DAYS days (60) each. FERRY_JOBS holds names of jobs, with `,` between them, to run no others behind the chain.

mod compare;
mod deed;
mod draw;
mod pair;
mod ways;

use compare::difference;
use deed::{Deed, Named};
use draw::Draw;
use pair::Pair;

/// Contacts that the worlds begin with.
const ROWS: usize = 60;
/// Things that happen on a day, in each of both services.
const DEEDS_OF_A_DAY: usize = 12;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The things of a day, for people.
fn told(deeds: &[Deed], meanwhile: &[Deed]) -> String {
    let list = |deeds: &[Deed]| deeds.iter().map(|deed| format!("\n  {deed:?}")).collect::<String>();
    format!("that day:{}\nwhile it ran, unless pages came to an end before:{}", list(deeds), list(meanwhile))
}

/// Lives through days; the error says on which day what differs, or where only the counts of a job do.
#[allow(clippy::print_stdout)]
async fn live(seed: u64, days: u64, jobs: &[&str], is_talking: bool) -> Result<(), String> {
    let pair = Pair::of(seed, ROWS).await;
    let jobs: Vec<&str> = jobs.iter().filter(|job| pair.ways.suits(job)).copied().collect();
    let mut draw = Draw::of(seed);
    for day in 0..days {
        let deeds = if day == 0 { Vec::new() } else { draw.day(&pair.daily.sandbox, DEEDS_OF_A_DAY) };
        pair.dawn(day);
        for deed in &deeds {
            pair.both().for_each(|stage| deed.happen(&stage.sandbox));
        }
        let is_busy = pair.ways.is_written_meanwhile && day % 2 == 0;
        let meanwhile = if is_busy { draw.meanwhile(&pair.daily.sandbox, DEEDS_OF_A_DAY) } else { Vec::new() };
        let happened = told(&deeds, &meanwhile);
        let ran = pair.run(day, &jobs, meanwhile).await;
        let ran = ran.map_err(|why| format!("seed {seed}, day {day}: {why}\n{happened}"))?;
        if is_talking {
            println!("seed {seed}, day {day}: {} things happened; {ran}", deeds.len());
        }
        if let Some(difference) = difference(&pair.daily.sandbox, &pair.full.sandbox) {
            return Err(format!("seed {seed}, day {day}:\n{difference}\n{happened}"));
        }
    }
    // What nobody asks for is not held against anything.
    let asked = |what: &str| pair.daily.sandbox.calls().iter().any(|call| call.path.contains(what));
    assert!(asked("$deltatoken"), "changes of a table were read");
    assert_eq!(asked("record_delete_log"), pair.ways.fillers > 0, "changes of an object were read");
    let miscounts = pair.miscounts.lock().expect("no panic before");
    let told =
        miscounts.iter().map(|(job, (day, counts))| format!("seed {seed}, from day {day} on: \"{job}\" {counts}"));
    let told: Vec<String> = told.collect();
    if told.is_empty() { Ok(()) } else { Err(told.join("\n")) }
}

#[tokio::test]
async fn a_difference_is_seen_and_ids_are_none() {
    let pair = Pair::of(1, 0).await;
    let record = |id: &str, name: &str| {
        let record = serde_json::json!({"Name": name, "External_Account_ID_gainsight123__gc": id});
        Deed::Make("company", record)
    };
    let (one, other) = (record("days-1", "One"), record("days-2", "Other"));
    [&one, &other].into_iter().for_each(|deed| deed.happen(&pair.daily.sandbox));
    [&other, &one].into_iter().for_each(|deed| deed.happen(&pair.full.sandbox));
    let named = |value: &str| Named {
        object: "company",
        field: "External_Account_ID_gainsight123__gc",
        value: value.to_owned(),
    };
    let below = Deed::Point(named("days-1"), "ParentCompany", named("days-2"));
    pair.both().for_each(|stage| below.happen(&stage.sandbox));
    assert_eq!(difference(&pair.daily.sandbox, &pair.full.sandbox), None);
    Deed::Edit(named("days-1"), serde_json::json!({"Name": "Renamed"})).happen(&pair.full.sandbox);
    let seen = difference(&pair.daily.sandbox, &pair.full.sandbox).unwrap();
    assert!(
        seen.contains("only daily: company days-1 One") && seen.contains("only full: company days-1 Renamed"),
        "{seen}"
    );
    Deed::Edit(named("days-1"), serde_json::json!({"Name": "One"})).happen(&pair.full.sandbox);
    Deed::Remove(named("days-2")).happen(&pair.full.sandbox);
    let seen = difference(&pair.daily.sandbox, &pair.full.sandbox).unwrap();
    assert!(seen.contains("ParentCompany=[gone]") && seen.contains("only daily: company days-2"), "{seen}");
}

#[tokio::test]
async fn a_few_days_leave_what_full_runs_leave() {
    let jobs = ["Company parents", "Deals", "Closing soon", "Accounts of the enabled"];
    live(7, 5, &jobs, false).await.unwrap();
}

#[tokio::test]
#[allow(clippy::print_stdout)]
#[ignore = "sixty days of twenty jobs take a quarter of an hour"]
async fn sixty_days_leave_what_full_runs_leave() {
    let chosen = std::env::var("FERRY_JOBS").ok();
    let jobs: Vec<&str> = chosen.as_deref().map_or(pair::JOBS.to_vec(), |names| names.split(',').collect());
    let (from, count, days) = (number("FERRY_SEED_FROM", 1), number("FERRY_SEEDS", 1), number("FERRY_DAYS", 60));
    let mut failures = Vec::new();
    for seed in from..from + count {
        if let Err(why) = live(seed, days, &jobs, true).await {
            println!("{why}");
            failures.push(why);
        }
    }
    assert!(failures.is_empty(), "{} of {count} seeds:\n{}", failures.len(), failures.join("\n\n"));
}
