//! A second run over an unchanged world writes nothing, and lists the same failures.
//!
//! The jobs out of the box run on seeded worlds with all their special rows, and generated jobs on their own worlds. In the home of the
//! first run what was refused is remembered and not sent again. Another home remembers nothing: it sends what Gainsight will refuse
//! again, and only that. `cargo test -- --ignored idempotence` takes all 200 generated jobs.

use std::collections::BTreeSet;

use ferry::app::runs;
use ferry::app::workspace::{Setting, Workspace};
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::sandbox::{Options, start};

use crate::generated::served::{Served, served};
use crate::schedules::held::{difference, held};
use crate::stage::{CHAIN, COMPANIES, PEOPLE, SCALE, Stage, USERS, errors};

/// Generated jobs in all; the ordinary run takes every tenth.
const GENERATED: usize = 200;

/// The rows that failed, with why; a refusal that is remembered is the same refusal.
fn failed(report: &Report) -> BTreeSet<(String, String)> {
    let code = |code: &str| if code == "REFUSED_BEFORE" { "REFUSED".to_owned() } else { code.to_owned() };
    errors(report).iter().map(|line| (line["source_key"].clone(), code(&line["code"]))).collect()
}

fn changed(report: &Report) -> u64 {
    report.counts.inserted + report.counts.updated + report.counts.deleted
}

async fn seeded(rows: usize, seed: u64) -> Stage {
    let options = Options { rows, seed, limits_scale: SCALE, ..Options::default() };
    Stage::on(start(options).await.expect("the sandbox starts"))
}

async fn run_in(stage: &Stage, setting: &Setting, name: &str) -> Vec<Report> {
    let workspace = Workspace::of(stage.text(&[]), setting).await.expect("both services answer");
    let workspace = workspace.or_mistakes().expect("the project is right");
    let mut reports = Vec::new();
    let ended = runs::run(&workspace, setting, name, &silent(), |report| reports.push(report.clone())).await;
    ended.expect("the run ends");
    reports
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_the_jobs_out_of_the_box_is_idle_the_second_time() {
    for (rows, seed) in [(40, 1), (40, 2), (150, 3)] {
        let stage = seeded(rows, seed).await;
        let first = stage.run(CHAIN).await;
        assert!(first.iter().all(|r| changed(r) > 0 && r.counts.failed() > 0), "there is something to do: {first:?}");
        let before = held(&stage.sandbox);
        for (one, two) in first.iter().zip(stage.run(CHAIN).await) {
            assert_eq!((two.calls.gainsight_writes, changed(&two)), (0, 0), "seed {seed}: {two:?}");
            assert_eq!((two.counts.read, failed(&two)), (one.counts.read, failed(one)), "seed {seed}, {}", one.job);
        }
        for (job, one) in [USERS, COMPANIES, PEOPLE].into_iter().zip(&first) {
            let alone = stage.run(job).await.remove(0);
            assert_eq!((alone.calls.gainsight_writes, changed(&alone)), (0, 0), "seed {seed}: {alone:?}");
            assert_eq!(failed(&alone), failed(one), "seed {seed}, {job}");
        }
        assert_eq!(difference(&before, &held(&stage.sandbox)), "", "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_remembers_nothing_sends_only_what_is_refused_again() {
    for seed in [1, 2] {
        let stage = seeded(60, seed).await;
        let first = stage.run(CHAIN).await;
        let before = held(&stage.sandbox);
        let home = tempfile::tempdir().expect("a folder");
        let setting = Setting { home: home.path().join("home"), ..stage.setting.clone() };
        let fresh = run_in(&stage, &setting, CHAIN).await;
        for (one, two) in first.iter().zip(&fresh) {
            assert_eq!(failed(two), failed(one), "seed {seed}, {}", one.job);
            let refused = failed(two).into_iter().filter(|(_, code)| code == "REFUSED").count() as u64;
            assert_eq!(two.calls.gainsight_writes == 0, refused == 0, "seed {seed}: {two:?}");
            // Which user is whose is noted again, which costs Gainsight nothing.
            let of_gainsight = two.records.iter().filter(|(object, _)| !object.starts_with("Avatar_"));
            let written: u64 = of_gainsight.map(|(_, records)| records.inserted + records.updated).sum();
            assert_eq!(written, 0, "seed {seed}: {two:?}");
        }
        assert_eq!(difference(&before, &held(&stage.sandbox)), "", "seed {seed}");
        for two in run_in(&stage, &setting, CHAIN).await {
            assert_eq!((two.calls.gainsight_writes, changed(&two)), (0, 0), "seed {seed}: {two:?}");
        }
    }
}

/// Runs a generated job twice; says what is wrong, or how many rows the first run wrote.
async fn twice(job: &Served) -> Result<u64, String> {
    let stage = Stage::world("", "", "").await;
    job.put(&stage.sandbox);
    let text = job.written("generated");
    let mut both = Vec::new();
    for _ in 0..2 {
        let (mut reports, ended) = stage.try_run_with("generated", &[("own.ferry", &text)]).await;
        ended.map_err(|error| format!("{error}\n{text}"))?;
        both.push((reports.remove(0), held(&stage.sandbox)));
    }
    let [(first, before), (second, after)] = &both[..] else { return Err("two runs".to_owned()) };
    let told =
        |what: &str| Err(format!("{what}\nfirst {first:?}\nsecond {second:?}\n{}\n{text}", difference(before, after)));
    if second.calls.gainsight_writes > 0 || changed(second) > 0 || before != after {
        return told("the second run writes");
    }
    let is_balanced = [first, second].iter().all(|r| r.counts.balance() && errors(r).len() as u64 == r.counts.failed());
    if !is_balanced {
        return told("the books do not balance");
    }
    // What INSERT has inserted is in its way, even where what the record was to point at could not be created.
    let new: BTreeSet<_> = failed(second).difference(&failed(first)).cloned().collect();
    let is_expected = |(_, code): &(String, String)| job.inserts_only() && code == "ALREADY_THERE";
    let (unmet, same): (BTreeSet<_>, BTreeSet<_>) = failed(first)
        .into_iter()
        .partition(|(id, code)| code == "REFERENCE_FAILED" && new.iter().any(|(n, _)| n == id));
    let is_same = same.is_subset(&failed(second)) && new.iter().all(is_expected);
    let inserted = changed(first) + unmet.len() as u64;
    let counted = new.len() as u64 == if job.inserts_only() { inserted } else { 0 };
    if is_same && counted { Ok(changed(first)) } else { told(&format!("other rows fail: {new:?}")) }
}

async fn generated(jobs: impl Iterator<Item = (u64, Served)>) {
    let (mut wrong, mut writing, mut rows, mut count) = (Vec::new(), 0, 0, 0);
    for (seed, job) in jobs {
        count += 1;
        match twice(&job).await {
            Ok(written) => {
                writing += usize::from(written > 0);
                rows += written;
            }
            Err(why) => wrong.push(format!("job {seed}: {why}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(writing * 4 > count, "many have something to write: {writing} of {count}, {rows} rows");
}

fn all() -> impl Iterator<Item = (u64, Served)> {
    (0..).filter_map(|seed| Some((seed, served(seed)?))).take(GENERATED)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_of_generated_jobs_is_idle_the_second_time() {
    generated(all().step_by(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes"]
async fn all_generated_jobs_are_idle_the_second_time() {
    generated(all()).await;
}
