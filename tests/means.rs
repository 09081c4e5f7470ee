//! A plan is the same, byte for byte, whatever it may use of the machine: threads, memory, and how many rows are compared at once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ferry::app::runs;
use ferry::engine::means::Means;
use ferry::engine::session::Engine;
use ferry::model::dataset;
use ferry::model::job::Job;
use ferry::run::progress::{Event, Progress, silent};
use ferry::run::stages::stages;
use ferry::store::dataset::RunFolder;
use serde_json::json;

use crate::stage::{CHAIN, COMPANIES, PEOPLE, Stage, USERS};
use crate::staged::{halved, shared};

/// Lookups of both kinds, decided rows of both sides, values that fail, and a late filter.
const JOB: &str = r#"CREATE JOB "J" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
    o.opportunityid AS "Opportunity External Id", TRIM(o.name) AS "Name", co."GSID" AS "Company", cur.isocurrencycode AS "Currency",
    CAST(o.new_closetext AS DATE) AS "Close Date"
  FROM dynamics.opportunity AS o
  LOOKUP dynamics.transactioncurrency AS cur ON cur.transactioncurrencyid = o.transactioncurrencyid
    WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN USE 'none'
  LOOKUP gainsight.Company AS co ON co."Dynamics Account ID" = o.parentaccountid
    WHEN MULTIPLE MATCHED THEN USE ANY WHEN NOT MATCHED THEN USE NULL
  WHERE o.name NOT LIKE '%3%';"#;

/// People and their places at companies, which two targets are filled of, and what becomes of those that the source loses.
const PERSONS: &str = r#"CREATE JOB "P" AS UPSERT INTO gainsight.Person, gainsight."Company Person" KEY (Person."Email") SELECT
    c.firstname AS Person."First Name", c.emailaddress1 AS Person."Email",
    c.contactid AS "Company Person"."External Contact ID_gainsight123", co."GSID" AS "Company Person"."Company ID"
  FROM dynamics.contact AS c
  LOOKUP gainsight.Company AS co ON co."Dynamics Account ID" = c.parentcustomerid
    WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT
  WHERE c.statecode = 'Active'
  ON SOURCE DELETE SET "Company Person"."Active" = FALSE, Person."Comments" = 'gone' ON SOURCE LEAVE SET "Company Person"."Active" = FALSE;"#;

/// Rows of one key, of which the newest counts: whether its record is what a row says is not known before the others have come.
const SHARED: &str = r#"CREATE JOB "S" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id")
  WHEN DUPLICATE KEY THEN KEEP LATEST BY o.modifiedon SELECT
    'all of ' || RIGHT(o.name, 1) AS "Opportunity External Id", o.name AS "Name", 'EUR' AS "Currency"
  FROM dynamics.opportunity AS o WHERE o.name NOT LIKE 'Renamed%';"#;

/// One thread and room for everything; several, buckets of a few rows, nothing that is settled beforehand, sides that have to go to the disk, and all of it.
fn all() -> Vec<Means> {
    let usual = Means { threads: 1, ..Means::default() };
    vec![
        usual,
        Means { threads: 2, ..usual },
        Means { threads: 5, ..usual },
        Means { bucket_rows: 3, ..usual },
        Means { screened_records: 0, ..usual },
        Means { threads: 2, screened_records: 3, bucket_rows: 5, ..usual },
        Means { threads: 2, memory_bytes: 48 << 20, side_bytes_at_most: 1, ..usual },
        Means { threads: 3, bucket_rows: 7, side_bytes_at_most: 1, ..usual },
    ]
}

/// The digests of what the stages of a job make of a folder.
async fn made(job: &Job, folder: &RunFolder, means: Means) -> Vec<String> {
    let engine = Engine::with(folder.root(), means).expect("an engine");
    let mut rows = 0;
    stages(&engine, job, folder, None, |batch| rows += batch.map_or(0, arrow::array::RecordBatch::num_rows))
        .await
        .expect("it plans");
    assert!(rows > 0, "there is something to compare");
    let mut digests = Vec::new();
    for name in [dataset::COMPARED, dataset::CHANGES] {
        digests.push(folder.digest(name).await.expect("it is there"));
    }
    digests
}

fn folder(stage: &Stage, run: &str) -> PathBuf {
    stage.setting.home.join("runs").join(run)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_the_same_by_any_means() {
    let stage = Stage::seeded(200).await;
    stage.run(CHAIN).await;
    // The same, which acts on what its source loses.
    let lost = JOB
        .replace("JOB \"J\"", "JOB \"L\"")
        .replace("'%3%';", "'%3%' ON SOURCE DELETE DELETE ON SOURCE LEAVE SET \"Currency\" = 'left';");
    let more = [("j.ferry", JOB), ("l.ferry", lost.as_str()), ("p.ferry", PERSONS), ("s.ferry", SHARED)];
    for job in ["J", "L", "P", "S"] {
        stage.try_run_with(job, &more).await.1.expect("the run ends");
    }
    for row in stage.sandbox.table("opportunity").into_iter().step_by(31) {
        stage.sandbox.delete_row("opportunity", row["opportunityid"].as_str().expect("an id"));
    }
    for (n, mut row) in stage.sandbox.table("contact").into_iter().enumerate().step_by(19) {
        let id = row["contactid"].as_str().expect("an id").to_owned();
        if n % 2 == 0 {
            stage.sandbox.delete_row("contact", &id);
        } else {
            row.insert("statecode".to_owned(), json!(1));
            assert!(stage.sandbox.put_row("contact", row));
        }
    }
    for (n, mut row) in stage.sandbox.table("opportunity").into_iter().enumerate().step_by(7) {
        row.insert("name".to_owned(), json!(format!("Renamed {n}")));
        assert!(stage.sandbox.put_row("opportunity", row));
    }
    for mut record in stage.sandbox.records("Opportunity__gc").into_iter().step_by(11) {
        record.insert("Name".to_owned(), json!("edited by hand"));
        stage.sandbox.put_record("Opportunity__gc", record);
    }
    let mut reports = stage.run(CHAIN).await;
    for job in ["J", "L", "P", "S"] {
        reports.extend(stage.try_run_with(job, &more).await.0);
    }
    let workspace = stage.workspace(&more).await.or_mistakes().expect("the project is right");
    let (mut is_compared, mut are_lost, mut are_shared) = (false, false, false);
    for name in [USERS, COMPANIES, PEOPLE, "J", "L", "P", "S"] {
        let report = reports.iter().find(|report| report.job == name).expect("it ran");
        let folder = RunFolder::open(&folder(&stage, &report.run)).expect("its folder");
        let job = workspace.project.jobs[name].at(0);
        let counts = &report.counts;
        is_compared |= counts.unchanged > 0 && counts.updated > 0 && counts.filtered > 0 && counts.error > 0;
        are_lost |= name == "P" && counts.deleted + counts.updated > 0;
        are_shared |= name == "S" && counts.unchanged > 0 && counts.superseded + counts.rejected > 0;
        let first = made(&job, &folder, all()[0]).await;
        for means in &all()[1..] {
            assert_eq!(made(&job, &folder, *means).await, first, "{name} by {means:?}");
        }
    }
    assert!(is_compared, "of one job rows are settled, compared and decided before");
    assert!(are_shared, "of one several rows have one key, and its record is what the newest of them says");
    assert!(are_lost, "of one with two targets something is done about lost rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_both_forms_make_the_same_plan() {
    let stage = Stage::seeded(150).await;
    stage.run(CHAIN).await;
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    for report in stage.run(CHAIN).await {
        let (path, job) = (folder(&stage, &report.run), workspace.project.jobs[&report.job].at(0));
        let of_run = RunFolder::open(&path).expect("its folder");
        let plain = made(&job, &of_run, all()[1]).await;
        assert!(halved(&path) >= 2, "{}: the source and the target at least", report.job);
        for means in [all()[0], all()[2]] {
            assert_eq!(made(&job, &of_run, means).await, plain, "{} by {means:?}", report.job);
        }
        // With nothing of its own form left it is what an earlier version staged.
        shared(&path).await;
        assert_eq!(made(&job, &of_run, all()[1]).await, plain, "{}", report.job);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_what_its_stages_took() {
    let stage = Stage::seeded(60).await;
    let workspace = stage.workspace(&[("j.ferry", JOB)]).await.or_mistakes().expect("the project is right");
    // Beside a target without records there is nothing to settle.
    runs::run(&workspace, &stage.setting, "J", &silent(), |_| {}).await.expect("the run ends");
    let told: Arc<Mutex<Vec<Event>>> = Arc::default();
    let heard = Arc::clone(&told);
    let listening: Progress = Arc::new(move |event| heard.lock().expect("nobody panicked").push(event));
    runs::run(&workspace, &stage.setting, "J", &listening, |_| {}).await.expect("the run ends");
    let told = told.lock().expect("nobody panicked");
    let spent: Vec<_> = told
        .iter()
        .filter_map(|event| if let Event::Spent { spent, .. } = event { Some(spent) } else { None })
        .collect();
    assert_eq!(spent.iter().map(|spent| spent.stage).collect::<Vec<_>>(), ["extract", "map", "compare", "load"]);
    let plans = |at: usize| spent[at].plans.join("\n");
    assert!(plans(1).contains("Attach") && plans(1).contains("output_rows"), "{}", plans(1));
    assert!(plans(1).contains("key_digest") && plans(2).contains("settled_gsid"), "{}", plans(2));
}
