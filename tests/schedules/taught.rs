//! What seeds that failed once taught, each as small as it gets.

use serde_json::{Value, json};

use crate::stage::Stage;

const BY_NAME: &str = r#"CREATE JOB "by name" AS UPSERT INTO gainsight.Company KEY ("Name") SELECT a.name AS "Name",
    a.accountnumber AS "Billing Address" FROM dynamics.account AS a;"#;

fn account(number: usize, name: &str) -> Value {
    json!({ "accountid": format!("00000000-0000-0000-0000-{number:012}"), "name": name, "accountnumber": format!("of {name}") })
}

/// Seed 106: what was found behind a lost answer was compared without case, whatever the key said, so that one record was taken for
/// another's: overwritten, or left out as if it had been written.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_no_record_another_whose_key_differs_by_case() {
    for lost in ["before", "after"] {
        let stage = Stage::world("", &format!("{}\n", account(1, "bob")), "").await;
        let files = [("by_name.ferry", BY_NAME)];
        stage.try_run_with("by name", &files).await.1.expect("the first is written");
        assert!(stage.sandbox.put_row("account", account(2, "Bob").as_object().cloned().unwrap()));
        let rule = json!({ "service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [1], "close": lost });
        stage.sandbox.strike_by(&rule.to_string()).unwrap();
        let (reports, ended) = stage.try_run_with("by name", &files).await;
        ended.expect("it is settled within the run");
        assert_eq!(
            (stage.sandbox.struck(), reports[0].counts.inserted, reports[0].counts.error),
            (vec![1], 1, 0),
            "{lost}"
        );
        let mut held: Vec<String> = Vec::new();
        for record in stage.sandbox.records("company") {
            held.push(format!("{} {}", record["Name"], record["BillingAddress"]));
        }
        held.sort();
        assert_eq!(held, [r#""Bob" "of Bob""#, r#""bob" "of bob""#], "{lost}");
    }
}
