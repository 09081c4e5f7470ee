//! `ferry plan --out`: files that say the same as the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use ferry::app::error::Error;
use ferry::app::runs;
use ferry::run::plan::Plan;
use ferry::run::planning::Wanted;
use ferry::run::progress::silent;
use ferry::run::undertaking::How;
use ferry::store::export::Export;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::stage::{CHAIN, COMPANIES, PEOPLE, Stage};

type Row = BTreeMap<String, Option<String>>;

/// A file's rows: all columns as text.
fn rows(path: &Path) -> Vec<Row> {
    let file = std::fs::File::open(path).expect("the file is there");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").build().expect("it opens");
    let mut all = Vec::new();
    for batch in reader {
        let batch = batch.expect("rows");
        for at in 0..batch.num_rows() {
            let cell = |(field, column): (&arrow::datatypes::FieldRef, &arrow::array::ArrayRef)| {
                let text = match field.name().as_str() {
                    "row" => column.as_primitive::<Int64Type>().value(at).to_string(),
                    _ if column.is_null(at) => return (field.name().clone(), None),
                    _ => column.as_string::<i32>().value(at).to_owned(),
                };
                (field.name().clone(), Some(text))
            };
            all.push(batch.schema().fields().iter().zip(batch.columns()).map(cell).collect());
        }
    }
    all
}

async fn planned_into(stage: &Stage, name: &str, out: &Path) -> Result<Vec<(String, Plan)>, Error> {
    let export = Export::into_folder(out)?;
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    let wanted = Wanted { how: How::default(), sample: usize::MAX, export: Some(&export) };
    let mut plans = Vec::new();
    let keep = |report: &ferry::run::report::Report, plan: &Plan| plans.push((report.run.clone(), plan.clone()));
    runs::plan_all(&workspace, &stage.setting, name, wanted, &silent(), keep).await?;
    Ok(plans)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Holds both files against the plan.
fn agree(out: &Path, plan: &Plan) {
    let changes = rows(&out.join("changes.parquet"));
    let numbers: BTreeSet<&Option<String>> = changes.iter().map(|row| &row["row"]).collect();
    assert_eq!(numbers.len() as u64, plan.counts.read, "every row that was read has a line");
    let with = |outcome: &str| {
        let of = changes.iter().filter(|row| row["outcome"].as_deref() == Some(outcome));
        of.map(|row| &row["row"]).collect::<BTreeSet<_>>().len() as u64
    };
    let counts = &plan.counts;
    assert_eq!(
        [with("inserted"), with("updated"), with("unchanged")],
        [counts.inserted, counts.updated, counts.unchanged]
    );
    assert_eq!([with("filtered"), with("rejected"), with("error")], [counts.filtered, counts.rejected, counts.error]);
    for (code, count) in &plan.reasons {
        let of = changes.iter().filter(|row| row["code"].as_deref() == Some(code));
        assert_eq!(of.count() as u64, *count, "{code}");
    }
    for (object, records) in &plan.records {
        let of = |action: &str| {
            let of = changes
                .iter()
                .filter(|r| r["object"].as_ref() == Some(object) && r["action"].as_deref() == Some(action));
            of.count() as u64
        };
        assert_eq!((of("insert"), of("update")), (records.inserted, records.updated), "{object}");
    }
    let mut shown = Vec::new();
    for row in &plan.sample {
        for change in &row.fields {
            let record = row.records.iter().find(|record| record.object == change.object).expect("a record");
            shown.push(vec![
                Some(row.row.to_string()),
                Some(row.source_key.clone()),
                Some(change.object.clone()),
                record.gsid.clone(),
                Some(record.action.clone()),
                Some(change.field.clone()),
                text(&change.old),
                text(&change.new),
            ]);
        }
    }
    let columns = ["row", "source_key", "object", "gsid", "action", "field", "old", "new"];
    let fields = rows(&out.join("fields.parquet"));
    let mut kept: Vec<Vec<Option<String>>> =
        fields.iter().map(|row| columns.map(|c| row[c].clone()).to_vec()).collect();
    shown.sort();
    kept.sort();
    assert_eq!(kept, shown);
    let summary = std::fs::read_to_string(out.join("summary.json")).expect("a summary");
    let summary: Value = serde_json::from_str(&summary).expect("it is JSON");
    assert_eq!(summary["plan"]["counts"], serde_json::json!(plan.counts));
    assert_eq!(summary["plan"]["cost"]["calls"], plan.cost.calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_say_what_the_plan_says() {
    let stage = Stage::seeded(300).await;
    let folder = tempfile::tempdir().expect("a folder");
    let first = folder.path().join("first");
    let plans = planned_into(&stage, CHAIN, &first).await.expect("it plans");
    assert_eq!(plans.len(), 3);
    for (run, plan) in &plans {
        assert!(!plan.sample.is_empty());
        agree(&first.join(run), plan);
    }
    stage.run(CHAIN).await;
    super::applied::change(&stage);
    for job in [COMPANIES, PEOPLE] {
        let out = folder.path().join(job);
        let plans = planned_into(&stage, job, &out).await.expect("it plans");
        assert!(plans[0].1.counts.updated > 0);
        agree(&out, &plans[0].1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_free_is_left_alone() {
    let stage = super::accounts(3).await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine.txt"), "mine").expect("a file");
    let error = planned_into(&stage, COMPANIES, folder.path()).await.expect_err("it is not empty");
    assert_eq!(error.exit_code(), 2);
    assert!(
        error.to_string().contains("is not empty, and nothing in it is written over; name another folder"),
        "{error}"
    );
    let error = planned_into(&stage, COMPANIES, &folder.path().join("mine.txt")).await.expect_err("it is a file");
    assert!(error.to_string().contains("is a file"), "{error}");
    assert_eq!(std::fs::read_to_string(folder.path().join("mine.txt")).expect("it is there"), "mine");
    assert!(stage.sandbox.calls().is_empty(), "nothing was asked for");
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    planned_into(&stage, COMPANIES, &empty).await.expect("an empty one is free");
    let mut names: Vec<String> = std::fs::read_dir(&empty)
        .expect("it is there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    assert_eq!(names, ["changes.parquet", "fields.parquet", "summary.json"]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_holds_rows_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let stage = super::accounts(3).await;
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    planned_into(&stage, COMPANIES, &out).await.expect("it plans");
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&out), 0o700);
    for name in ["changes.parquet", "fields.parquet", "summary.json"] {
        assert_eq!(mode(&out.join(name)), 0o600, "{name}");
    }
}
