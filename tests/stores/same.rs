//! A home in an object store and one in a folder: what was read, planned, written and kept is the same.

use std::sync::Arc;

use ferry::app::{activity, cleaning};
use ferry::run::report::Report;
use object_store::memory::InMemory;

use super::{bucket, in_store, on_disk};
use crate::plans::applied::change;
use crate::plans::apply;
use crate::schedules::held::{difference, held};
use crate::stage::{CHAIN, COMPANIES, Stage, errors};

fn told(reports: &[Report]) -> Vec<String> {
    let one = |r: &Report| {
        format!(
            "{} {:?} {:?} {:?} {:?} {:?}",
            r.job,
            r.status,
            r.counts,
            r.records,
            r.calls.gainsight_writes,
            errors(r)
        )
    };
    reports.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_plans_and_what_is_kept_of_them() {
    let folder = Stage::seeded(80).await;
    let mut stored = Stage::seeded(80).await;
    let store = Arc::new(InMemory::new());
    stored.setting.runs = Some(bucket(store.clone()));
    assert_eq!(told(&stored.run(CHAIN).await), told(&folder.run(CHAIN).await));
    // The rows that a run begins with are copied where a folder links them, and what a plan was made of is set aside and put back.
    for stage in [&folder, &stored] {
        change(stage);
    }
    let mut applied = Vec::new();
    for stage in [&folder, &stored] {
        let (plan, _) = stage.plan(COMPANIES, 0).await;
        applied.push(told(&[apply(stage, &plan.run).await.expect("it is applied")]));
    }
    assert_eq!(applied[0], applied[1]);
    assert_eq!(told(&stored.run(CHAIN).await), told(&folder.run(CHAIN).await));
    assert_eq!(difference(&held(&folder.sandbox), &held(&stored.sandbox)), "");

    let (here, there) = (on_disk(&folder.setting.home), in_store(&*store).await);
    let names: Vec<_> = here.keys().collect();
    assert!(names.len() > 50, "{names:?}");
    assert_eq!(there.keys().collect::<Vec<_>>(), names);
    // Plans have ids of the sandbox's records in them, which are by chance; what was read of Dynamics has none.
    for (name, bytes) in here.iter().filter(|(name, _)| name.contains("/source/")) {
        assert_eq!(*bytes, there[name], "{name}");
    }
    let of_error_files = |name: &&String| name.ends_with("errors.csv");
    assert!(names.iter().filter(|name| of_error_files(name)).count() >= 3);
    assert!(on_disk(&stored.setting.home).keys().all(|name| name.ends_with("errors.csv")), "no rows lie beside");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_file_is_fetched_by_who_does_not_have_it() {
    let mut stage = Stage::seeded(60).await;
    let store = Arc::new(InMemory::new());
    stage.setting.runs = Some(bucket(store.clone()));
    let report = stage.run(COMPANIES).await.remove(0);
    let path = report.error_file.clone().expect("rows failed");
    let written = std::fs::read(&path).expect("it is there");
    for cut in [None, Some(&written[..written.len() / 2])] {
        match cut {
            None => std::fs::remove_dir_all(stage.setting.home.join("runs")).expect("it goes"),
            Some(half) => std::fs::write(&path, half).expect("it is cut"),
        }
        let kept = activity::show(&stage.setting, &report.run).await.expect("it is listed").kept;
        assert_eq!(kept.folder, Some(format!("s3://acme/ferry/runs/{}", report.run)));
        assert_eq!(std::fs::read(kept.error_file.expect("it is fetched")).expect("it is read"), written);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cleaned_away_is_gone_in_both_places() {
    let mut stage = Stage::seeded(60).await;
    let store = Arc::new(InMemory::new());
    stage.setting.runs = Some(bucket(store.clone()));
    let report = stage.run(COMPANIES).await.remove(0);
    stage.run(COMPANIES).await;
    let before = in_store(&*store).await;
    let cleaned = cleaning::clean(&stage.setting, 0).await.expect("it is cleaned");
    assert!(cleaned.runs.contains(&report.run) && cleaned.bytes > 0, "{cleaned:?}");
    let left = in_store(&*store).await;
    let is_of = |name: &String| name.starts_with(&report.run);
    assert!(before.keys().any(is_of) && !left.keys().any(is_of));
    assert!(!stage.setting.home.join("runs").join(&report.run).exists());
    let freed: usize = before.iter().filter(|(name, _)| !left.contains_key(*name)).map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(cleaned.bytes, freed as u64);
    let shown = activity::show(&stage.setting, &report.run).await.expect("it is listed");
    assert_eq!((shown.kept.folder, shown.kept.has_rows, shown.kept.error_file), (None, false, None));
}
