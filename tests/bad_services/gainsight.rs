//! Gainsight behaves badly while a run writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::Timelike;
use ferry::app::projects::{OUT_OF_THE_BOX, Text};
use ferry::app::resuming;
use ferry::app::workspace::Workspace;
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::model::clock::Clock;
use ferry::run::progress::Event;
use serde_json::json;

use super::{ACCOUNTS, Attempt, account_id, asked, attempt, attempt_hearing, attempt_in, change, due, held, whole};
use crate::faults::plain_stage;
use crate::stage::{COMPANIES, Stage, errors};

const COMPANY: &str = "/v1/data/objects/company";

fn rule(method: &str, fault: &str) -> String {
    format!(r#"{{"service": "gainsight", "method": "{method}", "path": "{COMPANY}", {fault}}}"#)
}

/// The project with another number of calls a day.
fn within_a_day(stage: &Stage, calls: u32) -> Text {
    let (shipped, few) = ("calls_per_day = 50000", format!("calls_per_day = {calls}"));
    let mut sources = Sources::default();
    for (name, text) in OUT_OF_THE_BOX {
        let text = text
            .replace("https://gainsight123.crm.dynamics.com", stage.sandbox.dynamics_url())
            .replace("https://acme.gainsightcloud.com", stage.sandbox.gainsight_url());
        assert!(name != "connections.ferry" || text.contains(shipped), "{text}");
        sources.add(name.to_owned(), text.replace(shipped, &few));
    }
    let parsed = read(&sources);
    Text { sources, parsed }
}

async fn attempt_within(stage: &Stage, calls: u32) -> Attempt {
    let workspace = Workspace::of(within_a_day(stage, calls), &stage.setting).await.expect("both services answer");
    attempt_in(stage, workspace.or_mistakes().expect("the project is right"), COMPANIES, |_| ()).await
}

const HOUR_MS: i64 = 3_600_000;

/// The clock is set, so that a day ends when the test says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_calls_are_used_up_ends_the_run_and_the_next_day_goes_on() {
    let mut stage = plain_stage("").await;
    let set: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
    stage.setting.clock = Clock::system(1.0).set_by(set);
    let of_the_day = i64::from(stage.setting.clock.now().num_seconds_from_midnight()) * 1_000;
    set.store(12 * HOUR_MS - of_the_day, Ordering::SeqCst);
    let words = [
        "50 of 60 rows are written",
        "today's 4 calls of the object API are used up until 00:00 UTC",
        "the rest follows with the next",
    ];
    let first = attempt_within(&stage, CALLS_A_DAY).await.stopped_as("waiting_quota", &words);
    assert_eq!((first.counts.inserted, held(&stage).len()), (50, 50));
    set.fetch_add(13 * HOUR_MS, Ordering::SeqCst);
    let second = attempt_within(&stage, CALLS_A_DAY).await.done();
    assert_eq!((&second.run, second.resumed, second.counts.inserted), (&first.run, 1, ACCOUNTS));
    assert_eq!((second.calls.gainsight_writes, asked(&stage, "POST", COMPANY)), (1, 2));
    whole(&stage).await;
}

/// Two for the schemas, one to read the companies, one for a batch, and what is left to others.
const CALLS_A_DAY: u32 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_named_as_bad_cost_one_call_more() {
    let stage = plain_stage(&rule("POST", r#""nth": [1], "refuse_records": [3, 7, 49]"#)).await;
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.status.word(), report.counts.inserted, report.counts.error), ("partial", ACCOUNTS - 3, 3));
    assert_eq!(asked(&stage, "POST", COMPANY), 3, "the batch, the rest of it, and the second batch");
    let lines = errors(&report);
    assert!(lines.iter().all(|line| line["code"] == "REFUSED" && line["message"].contains("GSOBJ_1008")), "{lines:?}");
    assert_eq!(due(&stage, COMPANIES), ["REFUSED"; 3]);
    let idle = attempt(&stage, COMPANIES).await.done();
    assert_eq!((idle.calls.gainsight_writes, idle.counts.error), (0, 3), "they are not sent again as they are");
    mended(&stage, &lines.iter().map(|line| line["source_key"].clone()).collect::<Vec<_>>()).await;
}

/// Somebody mends these accounts, and the next run brings them.
async fn mended(stage: &Stage, ids: &[String]) {
    for id in ids {
        change(stage, "account", json!({ "accountid": id, "name": "Mended" }));
    }
    let report = attempt(stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, report.counts.error), (ids.len() as u64, 0));
    assert!(due(stage, COMPANIES).is_empty());
    whole(stage).await;
}

/// The tenant refuses names that begin so, and names no record.
#[tokio::test(flavor = "multi_thread")]
async fn one_bad_record_of_fifty_that_nobody_names_costs_twelve_calls_at_the_most() {
    for number in [1, 25, 26, 50] {
        let stage = plain_stage("").await;
        change(&stage, "account", json!({ "accountid": account_id(number), "name": "Void Holdings" }));
        let report = attempt(&stage, COMPANIES).await.done();
        assert_eq!((report.counts.inserted, report.counts.error), (ACCOUNTS - 1, 1));
        let further = asked(&stage, "POST", COMPANY) - 2;
        assert!((1..=12).contains(&further), "{further} further calls for row {number}");
        mended(&stage, &[account_id(number)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_bad_records_that_nobody_names_cost_no_good_one() {
    let stage = plain_stage("").await;
    let bad: Vec<String> = [2, 9, 10, 17, 23, 31, 38, 44, 45].map(account_id).into();
    for id in &bad {
        change(&stage, "account", json!({ "accountid": id, "name": "Void Holdings" }));
    }
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, report.counts.error), (ACCOUNTS - 9, 9));
    let calls = asked(&stage, "POST", COMPANY);
    assert!(calls <= 2 * 50 + 1, "{calls}: no more than twice the batch and the second one");
    mended(&stage, &bad).await;
}

/// Whoever stands between us and the service gives up, and nobody knows what the service did.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_of_a_proxy_leaves_open_what_became_of_the_call() {
    for body in ["<html>408 Request Time-out</html>", "{\\\"message\\\": \\\"timed out\\\"}", ""] {
        let stage = plain_stage(&rule("POST", &format!(r#""nth": [1], "status": 408, "text": "{body}""#))).await;
        let ended = attempt(&stage, COMPANIES).await;
        assert!(ended.notices.iter().any(|said| said.contains("(HTTP 408")), "{body}: {:?}", ended.notices);
        assert_eq!(ended.done().counts.inserted, ACCOUNTS);
        whole(&stage).await;
    }
}

/// The batch is applied while the run waits to be certain.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_applied_after_its_answer_was_given_up_is_not_sent_again() {
    let stage = plain_stage(&rule("POST", r#""nth": [1], "late_ms": 120"#)).await;
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, asked(&stage, "POST", COMPANY)), (ACCOUNTS, 2));
    whole(&stage).await;
}

/// A run is given up with a batch still on its way, and the next one begins at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_given_up_with_a_call_under_way_is_waited_for() {
    let rules =
        [rule("POST", r#""nth": [1, 2, 3], "close": "before""#), rule("POST", r#""nth": [4], "late_ms": 1500"#)];
    let mut stage = plain_stage(&rules.join("\n")).await;
    // A slower clock: it is 2.7 s until a call can have no more effect, and the next run begins within them.
    stage.setting.clock = Clock::system(100.0);
    let first = attempt(&stage, COMPANIES).await.stopped(&["without a clear answer", "Run the job again"]);
    resuming::cancel(&stage.setting, &first.run).expect("it is given up");
    let second = attempt(&stage, COMPANIES).await;
    assert!(
        second.notices.iter().any(|said| said.contains("a call of another run has no answer")),
        "{:?}",
        second.notices
    );
    let second = second.done();
    assert_ne!(second.run, first.run);
    assert_eq!((second.counts.unchanged, second.counts.inserted), (50, 10), "what came late was there");
    whole(&stage).await;
}

/// No call is open any more when an update takes effect that a proxy had kept: the next comparison finds it.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_value_that_arrives_after_a_newer_one_is_found_by_the_next_run() {
    let stage = plain_stage(&rule("PUT", r#""nth": [1], "late_ms": 4000"#)).await;
    attempt(&stage, COMPANIES).await.done();
    for (employees, calls) in [(1_001, 2), (1_002, 3)] {
        change(&stage, "account", json!({ "accountid": account_id(1), "numberofemployees": employees }));
        assert_eq!(attempt(&stage, COMPANIES).await.done().counts.updated, 1);
        assert_eq!(asked(&stage, "PUT", COMPANY), calls, "the first is sent twice");
    }
    let shown = || held(&stage)[0].2;
    assert_eq!(shown(), Some(1_002));
    let late = async {
        while shown() == Some(1_002) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), late).await.expect("it comes");
    assert_eq!(shown(), Some(1_001));
    assert_eq!(attempt(&stage, COMPANIES).await.done().counts.updated, 1);
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_reads_do_not_show_yet_is_not_sent_again() {
    let stage = plain_stage(&rule("POST", r#""nth": [1], "close": "after", "stale_ms": 150"#)).await;
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, asked(&stage, "POST", COMPANY)), (ACCOUNTS, 2));
    whole(&stage).await;
}

/// Gainsight shows new records after 400 ms; ten seconds of its clock are half a second here.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_right_after_another_sees_what_that_one_created() {
    let mut stage = plain_stage(&rule("POST", r#""stale_ms": 400"#)).await;
    stage.setting.clock = Clock::system(20.0);
    attempt(&stage, COMPANIES).await.done();
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, report.counts.unchanged), (0, ACCOUNTS));
    assert_eq!(stage.sandbox.records("company").len() as u64, ACCOUNTS);
}

/// Somebody made a second company of an account: nothing is chosen between them, and nobody else waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_there_twice_is_told_and_left_alone() {
    let stage = plain_stage("").await;
    attempt(&stage, COMPANIES).await.done();
    let mut copy = stage.sandbox.records("company").remove(0);
    let key = copy["External_Account_ID_gainsight123__gc"].as_str().unwrap_or_default().to_owned();
    copy.remove("Gsid");
    stage.sandbox.put_record("company", copy);
    change(&stage, "account", json!({ "accountid": key, "numberofemployees": 4_711 }));
    let before = held(&stage);
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.error, report.counts.unchanged), (1, ACCOUNTS - 1));
    let line = errors(&report).remove(0);
    assert_eq!((line["code"].as_str(), line["source_key"].as_str()), ("AMBIGUOUS_TARGET", key.as_str()));
    assert_eq!((held(&stage), report.calls.gainsight_writes), (before, 0));
    assert_eq!(due(&stage, COMPANIES), ["AMBIGUOUS_TARGET"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_between_two_batches_ends_the_run_and_the_next_goes_on() {
    let stage = Arc::new(plain_stage("").await);
    let here = Arc::clone(&stage);
    let revoke = move |event: &Event| {
        if matches!(event, Event::Advanced { stage: "load", rows: 50, .. }) {
            here.sandbox.revoke_access_key();
        }
    };
    let words = ["does not accept the access key", "set the current one"];
    let first = attempt_hearing(&stage, COMPANIES, revoke).await.stopped(&words);
    assert_eq!((first.counts.inserted, held(&stage).len()), (50, 50));
    stage.sandbox.set_access_key_valid(true);
    let second = attempt(&stage, COMPANIES).await.done();
    assert_eq!((&second.run, second.counts.inserted, second.calls.gainsight_writes), (&first.run, ACCOUNTS, 1));
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_window_is_waited_out_by_reads_and_writes() {
    let full = |method: &str, path: &str, more: &str| {
        format!(
            r#"{{"service": "gainsight", "method": "{method}", "path": "{path}", "nth": [1], "status": 429{more}}}"#
        )
    };
    let rules = [
        full("POST", "/v1/data/objects/query/", ""),
        full("POST", COMPANY, r#", "retry_after": 0"#),
        rule("POST", r#""nth": [3], "status": 429, "retry_after_text": "soon""#),
    ];
    let stage = plain_stage(&rules.join("\n")).await;
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, asked(&stage, "POST", COMPANY)), (ACCOUNTS, 4), "two were not let in");
    whole(&stage).await;
}
