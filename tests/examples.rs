//! The examples of the design page, word for word: each is right on the sandbox's schemas, and runs.

use std::path::PathBuf;

use ferry::app::projects::Text;
use ferry::app::runs;
use ferry::app::workspace::Workspace;
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::sandbox::corners::corners;

use crate::stage::{CHAIN, Stage, errors, line_of};

const FILES: [&str; 4] = ["connections", "chain_and_jobs", "opportunity_sync", "test"];

fn example(name: &str) -> String {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/examples"));
    std::fs::read_to_string(folder.join(format!("{name}.ferry"))).unwrap()
}

/// The examples as one project, its connections leading to the sandbox.
fn project(stage: &Stage) -> Text {
    let mut sources = Sources::default();
    for name in FILES {
        let text = example(name)
            .replace("https://gainsight123.crm.dynamics.com", stage.sandbox.dynamics_url())
            .replace("https://acme.gainsightcloud.com", stage.sandbox.gainsight_url());
        sources.add(format!("{name}.ferry"), text);
    }
    let parsed = read(&sources);
    Text { sources, parsed }
}

async fn run(stage: &Stage, name: &str) -> Vec<Report> {
    let workspace = Workspace::of(project(stage), &stage.setting).await.unwrap().or_mistakes().expect("they are right");
    let mut reports = Vec::new();
    runs::run(&workspace, &stage.setting, name, &silent(), |r| reports.push(r.clone())).await.expect("the run ends");
    reports
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_is_right() {
    let stage = Stage::seeded(40).await;
    let workspace = Workspace::of(project(&stage), &stage.setting).await.unwrap().or_mistakes().expect("right");
    assert_eq!(
        (workspace.project.jobs.len(), workspace.project.chains.len(), workspace.project.tests.len()),
        (4, 1, 1)
    );
    let tested = ferry::app::tests::of(&workspace, &[PathBuf::from("test.ferry")]).await.unwrap();
    assert!(tested.len() == 1 && tested[0].passed, "{tested:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_custom_job_that_uses_everything_runs() {
    let stage = Stage::seeded(400).await;
    run(&stage, CHAIN).await;
    let reports = run(&stage, "Opportunity Sync").await;
    let report = &reports[0];
    assert!(report.counts.balance(), "{report:?}");
    assert!(report.counts.inserted > 0, "{report:?}");
    let corner = corners(1).opportunity;
    let records = stage.sandbox.records("Opportunity__gc");
    let record = |id: &str| {
        records.iter().find(|r| r["Opportunity_External_Id__gc"] == id).unwrap_or_else(|| panic!("no record of {id}"))
    };
    let plain = record(&corner.plain);
    assert_eq!(plain["Currency__gc"], "USD");
    // Items of a picklist are kept by ids of their own.
    assert_eq!(plain["State__gc"], record(&corner.yen)["State__gc"]);
    assert_ne!(plain["State__gc"], record(&corner.won)["State__gc"]);
    assert_eq!(plain["Close_Date__gc"], 1_782_777_600_000_i64, "2026-06-30");
    assert_eq!(record(&corner.blanks)["Name"], "Blank Deal");
    let forecast = |id: &str| record(id)["Forecast__gc"].clone();
    assert_eq!(forecast(&corner.probability_40), forecast(&corner.probability_79));
    assert_ne!(forecast(&corner.probability_39), forecast(&corner.probability_40));
    assert_ne!(forecast(&corner.probability_79), forecast(&corner.probability_80));
    assert_eq!(record(&corner.without_currency)["Currency__gc"], "USD", "COALESCE through a lookup column");
    assert!(record(&corner.owned_by_team)["Owner__gc"].is_null(), "a team has no e-mail address of a user");
    assert!(!record(&corner.owner_email_case)["Owner__gc"].is_null(), "IGNORE CASE finds the owner");
    let lines = errors(report);
    let code = |id: &str| line_of(&lines, id).map(|l| l["code"].clone());
    assert_eq!(code(&corner.without_close_date).as_deref(), Some("REQUIRED"));
    assert_eq!(code(&corner.without_account).as_deref(), Some("NO_MATCH"));
    assert_eq!(code(&corner.account_not_there).as_deref(), Some("NO_MATCH"));
    assert_eq!(code(&corner.lost), None, "filtered");
    assert_eq!(code(&corner.below_thousand), None, "filtered");
    let again = run(&stage, "Opportunity Sync").await;
    assert_eq!((again[0].counts.inserted, again[0].counts.updated), (0, 0), "{:?}", again[0]);
}
