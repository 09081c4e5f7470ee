//! Clauses that show in a run: how many errors it bears, what is loaded first, what INSERT and UPDATE leave alone.

use arrow::array::AsArray;
use arrow::datatypes::Decimal128Type;
use ferry::app::error::Error;
use ferry::model::dataset::{QUEUE, changes};
use ferry::run::report::Report;
use ferry::store::dataset::RunFolder;

use crate::stage::{CHAIN, Stage, errors, lines};

/// A job from opportunities, with these parts put in.
fn job(verb: &str, more: &str, tail: &str) -> String {
    format!(
        "CREATE JOB \"J\" AS {verb} gainsight.\"Opportunity__gc\" KEY (\"Opportunity External Id\") SELECT \
         o.opportunityid AS \"Opportunity External Id\", LEFT(o.name, 100) AS \"Name\"{more} \
         FROM dynamics.opportunity AS o {tail};"
    )
}

async fn run(stage: &Stage, job: &str) -> (Report, Option<Error>) {
    let (mut reports, result) = stage.try_run_with("J", &[("j.ferry", job)]).await;
    (reports.remove(0), result.err())
}

fn writes(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|c| c.write).count()
}

const UNREADABLE: &str = ", CAST(o.new_closetext AS DATE) AS \"Close Date\"";

#[tokio::test(flavor = "multi_thread")]
async fn the_first_error_ends_the_run_before_anything_is_written() {
    let stage = Stage::seeded(100).await;
    let (report, failed) = run(&stage, &job("UPSERT INTO", UNREADABLE, "ON ERROR STOP")).await;
    let failed = failed.expect("the run is ended");
    assert_eq!(failed.exit_code(), 3, "{failed}");
    assert!(failed.to_string().contains("ON ERROR STOP"), "{failed}");
    assert_eq!(writes(&stage), 0);
    let file = report.error_file.as_ref().expect("what is known is in the error file");
    assert!(lines(file).iter().all(|l| l["code"] == "BAD_VALUE") && !lines(file).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_bears_as_many_errors_as_its_job_says() {
    let stage = Stage::seeded(100).await;
    let (report, failed) = run(&stage, &job("UPSERT INTO", UNREADABLE, "")).await;
    assert!(failed.is_none() && report.counts.error > 0, "{report:?}");
    let few = format!("ON ERROR CONTINUE UP TO {} ROWS", report.counts.error - 1);
    let (_, failed) = run(&stage, &job("UPSERT INTO", UNREADABLE, &few)).await;
    assert_eq!(failed.map(|e| e.exit_code()), Some(3));
    let enough = format!("ON ERROR CONTINUE UP TO {} ROWS", report.counts.error);
    assert!(run(&stage, &job("UPSERT INTO", UNREADABLE, &enough)).await.1.is_none());
    assert!(run(&stage, &job("UPSERT INTO", UNREADABLE, "ON ERROR CONTINUE UP TO 0 PERCENT")).await.1.is_some());
    assert!(run(&stage, &job("UPSERT INTO", UNREADABLE, "ON ERROR CONTINUE UP TO 100 PERCENT")).await.1.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_while_loading_counts_as_an_error_too() {
    let stage = Stage::seeded(100).await;
    // Negative employees are refused by a rule of the tenant that no metadata tells.
    let refused = "CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") SELECT a.accountid AS \
                   \"Dynamics Account ID\", a.name AS \"Name\", -1 AS \"Employees\" FROM dynamics.account AS a \
                   WHERE a.name NOT LIKE 'Void %' AND LENGTH(a.name) < 100 ON ERROR CONTINUE UP TO 3 ROWS;";
    let (report, failed) = run(&stage, refused).await;
    assert_eq!(failed.map(|e| e.exit_code()), Some(3), "{report:?}");
    let refusals = errors(&report).iter().filter(|l| l["code"] == "REFUSED").count();
    assert!(refusals > 3 && report.counts.inserted == 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_greatest_is_loaded_first_and_the_error_file_stays_in_order() {
    let stage = Stage::seeded(200).await;
    let more = ", o.estimatedvalue AS \"Amount\", CAST(o.new_closetext AS DATE) AS \"Close Date\"";
    let (report, failed) = run(&stage, &job("UPSERT INTO", more, "LOAD FIRST BY o.estimatedvalue DESC")).await;
    assert!(failed.is_none() && report.counts.balance() && report.counts.inserted > 30, "{report:?}");
    // Records of one call have no order in Gainsight, so it is read off the queue that was loaded.
    let folder = RunFolder::open(&stage.setting.home.join("runs").join(&report.run)).unwrap();
    let mut reader = folder.read(QUEUE).await.unwrap();
    let mut amounts: Vec<Option<i128>> = Vec::new();
    while let Some(batch) = reader.next().await.unwrap() {
        amounts.extend(batch.column_by_name(changes::FIRST).unwrap().as_primitive::<Decimal128Type>().iter());
    }
    let nulls = amounts.iter().position(Option::is_none).unwrap_or(amounts.len());
    assert!(amounts[..nulls].windows(2).all(|pair| pair[0] >= pair[1]), "{amounts:?}");
    assert!(amounts[nulls..].iter().all(Option::is_none) && amounts.len() == 60, "nulls come last: {amounts:?}");
    let rows: Vec<u64> = errors(&report).iter().map(|l| l["row"].parse().unwrap()).collect();
    assert!(rows.is_sorted() && !rows.is_empty(), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn insert_leaves_known_records_alone_and_update_new_ones() {
    let stage = Stage::seeded(100).await;
    let (report, _) = run(&stage, &job("UPDATE", "", "")).await;
    assert_eq!((report.counts.rejected, writes(&stage)), (report.counts.read, 0), "{report:?}");
    assert!(errors(&report).iter().all(|l| l["code"] == "NOT_THERE"));
    let (report, _) = run(&stage, &job("INSERT INTO", "", "")).await;
    assert_eq!(report.counts.inserted, report.counts.read, "{report:?}");
    let (report, _) = run(&stage, &job("INSERT INTO", "", "")).await;
    assert_eq!(report.counts.rejected, report.counts.read, "{report:?}");
    assert!(errors(&report).iter().all(|l| l["code"] == "ALREADY_THERE"));
    let (report, _) = run(&stage, &job("UPDATE", ", 'x' AS \"Currency\"", "")).await;
    assert_eq!(report.counts.updated, report.counts.read, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_finds_rows_of_dynamics_and_owners_of_gainsight() {
    let stage = Stage::seeded(100).await;
    stage.run(CHAIN).await;
    let tail = "LOOKUP dynamics.transactioncurrency AS cur ON cur.transactioncurrencyid = o.transactioncurrencyid \
                WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN USE 'none' \
                LOOKUP gainsight.Company AS co ON co.\"Dynamics Account ID\" = o.parentaccountid \
                WHEN MULTIPLE MATCHED THEN USE FIRST BY co.\"Modified Date\" DESC WHEN NOT MATCHED THEN USE NULL \
                WHERE cur.isocurrencycode <> 'JPY' OR co.\"GSID\" IS NULL";
    let more = ", cur.isocurrencycode AS \"Currency\", co.\"GSID\" AS \"Company\"";
    let (report, failed) = run(&stage, &job("UPSERT INTO", more, tail)).await;
    assert!(failed.is_none() && report.counts.balance(), "{report:?} {failed:?}");
    let records = stage.sandbox.records("Opportunity__gc");
    let of = |code: &str| records.iter().filter(|r| r["Currency__gc"] == code).count();
    assert!(of("USD") > 0 && of("none") > 0, "{} USD, {} none", of("USD"), of("none"));
    assert!(records.iter().any(|r| r["Company__gc"].is_string()));
    let (again, _) = run(&stage, &job("UPSERT INTO", more, tail)).await;
    assert_eq!((again.counts.inserted, again.counts.updated), (0, 0), "{again:?}");
}
