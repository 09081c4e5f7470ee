//! One tenant, many shapes of answers: whatever a query answers in, a run reads the same.

use ferry::sandbox::{Items, NoRows, Rows, Shape, Times};
use serde_json::{Value, json};

use crate::stage::Stage;

const JOB: &str = r#"
CREATE JOB "Shapes" AS
UPSERT INTO gainsight.Opportunity
  KEY ("Opportunity External Id")
SELECT
  a.accountid                AS "Opportunity External Id",
  a.name                     AS "Name",
  a.revenue                  AS "Amount",
  CAST(a.createdon AS DATE)  AS "Close Date",
  a.createdon                AS "Last Activity",
  a.accountnumber            AS "Regions",
  a.telephone1               AS "Stage",
  a.statecode = 'Active'     AS "Won"
FROM dynamics.account AS a;
"#;

async fn stage() -> Stage {
    let account = |number: usize, regions: Option<&str>| {
        let row = json!({
            "accountid": format!("00000000-0000-0000-0000-{number:012}"), "name": format!("A{number}"), "statecode": 0,
            "revenue": 1.5, "createdon": "2024-02-29T13:14:15Z", "accountnumber": regions, "telephone1": "Develop",
        });
        row.to_string() + "\n"
    };
    Stage::world("", &(account(1, Some("EMEA;APAC")) + &account(2, Some("AMER")) + &account(3, None)), "").await
}

/// Inserted, updated, unchanged, and calls that wrote.
async fn run(stage: &Stage) -> (u64, u64, u64, u64) {
    let (reports, ended) = stage.try_run_with("Shapes", &[("shapes.ferry", JOB)]).await;
    ended.expect("the run ends");
    let counts = reports[0].counts;
    (counts.inserted, counts.updated, counts.unchanged, reports[0].calls.gainsight_writes)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_is_read_alike() {
    let stage = stage().await;
    assert_eq!(run(&stage).await, (3, 0, 0, 1));
    for rows in [Rows::Records, Rows::List] {
        for times in [Times::Millis, Times::Iso, Times::IsoOffset] {
            for items in [Items::Joined, Items::List] {
                let shape = Shape { rows, times, items, ..Shape::default() };
                stage.sandbox.answer_queries_in(shape);
                assert_eq!(run(&stage).await, (0, 0, 3, 0), "{shape:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_object_is_empty_in_every_shape() {
    for none in [NoRows::Empty, NoRows::NoData, NoRows::NoEntity] {
        for rows in [Rows::Records, Rows::List] {
            let stage = stage().await;
            stage.sandbox.answer_queries_in(Shape { rows, none, ..Shape::default() });
            assert_eq!(run(&stage).await, (3, 0, 0, 1), "{rows:?} {none:?}");
            assert_eq!(run(&stage).await, (0, 0, 3, 0), "{rows:?} {none:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_hand_is_found_in_every_shape() {
    let stage = stage().await;
    run(&stage).await;
    let honest = stage.sandbox.records("Opportunity__gc");
    let regions = honest.iter().filter_map(|record| record["Regions__gc"].as_str()).find(|all| !all.contains(';'));
    let changes = [("Last_Activity__gc", json!(1_709_212_456_000_i64)), ("Close_Date__gc", Value::Null)];
    for (field, value) in changes.into_iter().chain([("Regions__gc", json!(regions))]) {
        for (times, items) in [(Times::Iso, Items::List), (Times::IsoOffset, Items::Joined)] {
            stage.sandbox.answer_queries_in(Shape { times, items, ..Shape::default() });
            let mut record = honest.iter().find(|record| record["Name"] == "A1").unwrap().clone();
            record.insert(field.to_owned(), value.clone());
            stage.sandbox.put_record("Opportunity__gc", record);
            assert_eq!(run(&stage).await, (0, 1, 2, 1), "{field} {times:?} {items:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_in_a_form_of_its_own_ends_the_run() {
    let stage = stage().await;
    run(&stage).await;
    let record = stage.sandbox.records("Opportunity__gc").remove(0);
    for text in ["2024-02-29T13:14:15 PST", "2024-02-29, one o'clock", "02/29/2024 13:14:15", "2024-02-30", "soon"] {
        let mut record = record.clone();
        record.insert("Last_Activity__gc".to_owned(), json!(text));
        stage.sandbox.put_record("Opportunity__gc", record);
        let (reports, ended) = stage.try_run_with("Shapes", &[("shapes.ferry", JOB)]).await;
        let error = ended.expect_err("its value is not guessed");
        assert!(error.to_string().contains("a value of Last_Activity__gc is no DATETIME"), "{text}: {error}");
        assert!(!error.to_string().contains(text));
        assert_eq!(reports[0].calls.gainsight_writes, 0);
    }
}
