//! The same bytes from a cluster as from one process.

use serde_json::json;

use super::desk::{Planned, Served, Told, Worker, planned, sending};
use crate::stage::{CHAIN, Stage};

/// Rows that are filtered, rejected, in error, inserted, updated and settled beforehand.
const JOB: &str = r#"CREATE JOB "J" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id")
  SELECT o.opportunityid AS "Opportunity External Id", o.name AS "Name", co."GSID" AS "Company", 'plain' AS "Currency"
  FROM dynamics.opportunity AS o
  LOOKUP gainsight.Company AS co ON co."Dynamics Account ID" = o.parentaccountid
    WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT
  WHERE o.name NOT LIKE '%3%';"#;

/// A world after a day of changes, with a run of each job in it.
async fn world() -> (Stage, Vec<Planned>) {
    let stage = Stage::seeded(200).await;
    let more = [("j.ferry", JOB)];
    planned(&stage, &[CHAIN, "J"], &more).await;
    for (n, mut row) in stage.sandbox.table("opportunity").into_iter().enumerate().step_by(7) {
        row.insert("name".to_owned(), json!(format!("Renamed {n}")));
        assert!(stage.sandbox.put_row("opportunity", row));
    }
    let all = planned(&stage, &[CHAIN, "J"], &more).await;
    (stage, all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_the_same_on_a_cluster() {
    let (_stage, all) = world().await;
    let served = Served::begin().await;
    let _workers = [Worker::of(&served.url), Worker::of(&served.url)];
    assert_eq!(all.len(), 4);
    for one in &all {
        let here = one.made(None, || {}).await.unwrap();
        let told = Told::default();
        let there = one.made(Some(sending(&served.url, Default::default(), false, &told)), || {}).await;
        assert_eq!(there.unwrap(), here, "{}", one.name);
        assert_eq!(told.all(), Vec::<String>::new(), "{}", one.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_is_killed_costs_no_row() {
    let (_stage, all) = world().await;
    let served = Served::begin().await;
    let mut first = Worker::of(&served.url);
    let _second = Worker::of(&served.url);
    let one = all.iter().find(|one| one.name.starts_with("Company Person")).unwrap();
    let here = one.made(None, || {}).await.unwrap();
    let there = one.made(Some(sending(&served.url, Default::default(), false, &Told::default())), || first.kill());
    assert_eq!(there.await.unwrap(), here);
}
