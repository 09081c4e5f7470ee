//! What seeds that failed once taught, each as small as it gets.

use std::time::Duration;

use ferry::app::runs;
use ferry::model::clock::Clock;
use ferry::run::progress::silent;
use serde_json::{Value, json};

use crate::stage::{COMPANIES, Stage};

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

/// Until so long after an insert was sent, it may be carried out; runs of these tests wait 900 ms.
const LATE: Duration = Duration::from_millis(800);

/// One account, whose insert is told to wait a second, and is carried out late when it is sent then.
async fn told_to_wait() -> Stage {
    let mut stage = Stage::world("", &format!("{}\n", account(1, "one")), "").await;
    stage.setting.clock = Clock::system(300.0);
    let of = |nth: u64, more: Value| {
        let mut rule =
            json!({ "service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [nth] });
        rule.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        format!("{rule}\n")
    };
    let late = u64::try_from(LATE.as_millis()).unwrap();
    let rules = of(1, json!({ "status": 429, "retry_after": 1 })) + &of(2, json!({ "late_ms": late }));
    stage.sandbox.strike_by(&rules).unwrap();
    stage
}

/// Seed 479: how long a lost insert may still be carried out was counted from when it was written down. One that had waited for a
/// window was asked for at once, not found, sent again, and there twice when the first arrived.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_insert_that_had_to_wait_is_waited_for_from_when_it_was_sent() {
    let stage = told_to_wait().await;
    let report = stage.run(COMPANIES).await.remove(0);
    assert_eq!((stage.sandbox.struck(), report.counts.inserted), (vec![1, 1], 1));
    tokio::time::sleep(LATE).await; // By then it has arrived.
    assert_eq!(stage.sandbox.records("company").len(), 1);
    assert_eq!(stage.run(COMPANIES).await[0].calls.gainsight_writes, 0);
}

/// The same where the process ends while its call is under way: when that was sent, nobody knows any more.
#[tokio::test(flavor = "multi_thread")]
async fn an_insert_of_a_dead_process_that_had_to_wait_is_waited_for_too() {
    let stage = told_to_wait().await;
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    let listen = silent();
    let run = runs::run(&workspace, &stage.setting, COMPANIES, &listen, |_| {});
    let sent = async {
        while stage.sandbox.struck() != [1, 1] {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = run => panic!("it has no answer yet: {ended:?}"),
        () = sent => {}
    }
    let mut reports = Vec::new();
    runs::run(&workspace, &stage.setting, COMPANIES, &listen, |r| reports.push(r.clone())).await.expect("it goes on");
    assert_eq!((reports[0].resumed, reports[0].counts.inserted), (1, 1));
    tokio::time::sleep(LATE).await; // By then it has arrived.
    assert_eq!(stage.sandbox.records("company").len(), 1);
}
