//! A home in an object store and one in a folder: what was read, planned, written and kept is the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use ferry::app::{activity, cleaning, runs};
use ferry::run::planning::Wanted;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::staged::{Content, Form, read};
use ferry::store::export::Export;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path as StorePath;

use serde_json::json;

use super::{bucket, in_store, on_disk};
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

/// The rows of a file.
fn rows_of(bytes: &[u8], form: Form) -> RecordBatch {
    let batches = read(&Content::Held(bytes.to_vec().into()), form, None, None).expect("it is one of this form");
    let schema = Arc::clone(&batches.schema);
    let rows = concat_batches(&schema, &batches.map(|batch| batch.expect("it is whole")).collect::<Vec<_>>());
    // What a file says of its columns beside their types is its form's own.
    rows.expect("they are alike").with_schema(Schema::new(schema.fields().clone()).into()).expect("the same columns")
}

/// Changes in Dynamics, of the same rows in each world.
fn change(stage: &Stage) {
    for (table, id, field) in [("account", "accountid", "name"), ("contact", "contactid", "lastname")] {
        let mut rows = stage.sandbox.table(table);
        rows.sort_by_key(|row| row[id].to_string());
        for (number, mut row) in rows.into_iter().enumerate().step_by(3) {
            row.insert(field.to_owned(), json!(format!("Changed {number}")));
            assert!(stage.sandbox.put_row(table, row));
        }
    }
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
    // What the next stage reads has another form where a file is fetched in parts.
    let bare = |names: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
        names.keys().map(|name| Form::of(name).map_or(name.as_str(), |(_, stem)| stem).to_owned()).collect()
    };
    let names: Vec<_> = here.keys().collect();
    assert!(names.len() > 50, "{names:?}");
    assert_eq!(bare(&there), bare(&here));
    // Plans have ids of the sandbox's records in them, which are by chance; what was read of Dynamics has none.
    for (name, bytes) in here.iter().filter(|(name, _)| name.contains("/source/")) {
        let name_there = name.replace(Form::Arrow.suffix(), Form::Parquet.suffix());
        assert_eq!(rows_of(bytes, Form::Arrow), rows_of(&there[&name_there], Form::Parquet), "{name}");
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

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_plan_are_written_where_nothing_is_yet() {
    let stage = Stage::seeded(40).await;
    let (folder, beside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let store = Arc::new(InMemory::new());
    let to_folder = Export::into_folder(&folder.path().join("out")).expect("it is free");
    let place = bucket(store.clone());
    let to_store = Export::into_bucket(place.clone(), &beside.path().join("out")).await.expect("it is free");
    for export in [&to_folder, &to_store] {
        let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
        let wanted = Wanted { export: Some(export), ..Wanted::default() };
        runs::plan_all(&workspace, &stage.setting, COMPANIES, wanted, &silent(), |_, _| {})
            .await
            .expect("it is planned");
    }
    for name in ["changes.parquet", "fields.parquet"] {
        let stored = store.get(&StorePath::from(format!("ferry/{name}"))).await.expect("it is there");
        let written = std::fs::read(folder.path().join("out").join(name)).expect("it is there");
        assert_eq!(stored.bytes().await.expect("it is read").to_vec(), written, "{name}");
    }
    drop(to_store);
    assert!(!beside.path().join("out").exists(), "nothing stays on this machine");
    let Err(taken) = Export::into_bucket(place, &beside.path().join("other")).await else { panic!("it is not free") };
    assert!(taken.to_string().contains("s3://acme/ferry has files already"), "{taken}");
}
