//! Dynamics behaves badly while a run reads.

use arrow::util::display::array_value_to_string;
use ferry::dynamics::odata::Query;
use ferry::sandbox::Service;
use serde_json::json;

use super::{ACCOUNTS, account_id, asked, attempt, attempt_in, change, due, held, wanted, whole};
use crate::faults::plain_stage;
use crate::paging::{organization, rows};
use crate::security::listener::accounts;
use crate::stage::{COMPANIES, Stage, errors};

const PAGES: &str = "/api/data/v9.2/accounts";

fn rule(fault: &str) -> String {
    format!(r#"{{"service": "dynamics", "path": "{PAGES}", {fault}}}"#)
}

/// The second page never comes, the run stops, and the next one is the same run, which asks for that page first.
async fn stops_and_goes_on(fault: &str, words: &[&str]) {
    let stage = plain_stage(&rule(fault)).await;
    let first = attempt(&stage, COMPANIES).await.stopped(words);
    assert!(held(&stage).is_empty() && first.counts.balance(), "{fault}");
    let before = asked(&stage, "GET", PAGES);
    let second = attempt(&stage, COMPANIES).await.done();
    assert_eq!((&second.run, second.resumed), (&first.run, 1), "{fault}");
    assert_eq!((second.counts.read, second.counts.inserted), (ACCOUNTS, ACCOUNTS), "{fault}");
    assert_eq!(asked(&stage, "GET", PAGES) - before, 2, "{fault}: the first page is kept");
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stays_away_in_the_middle_of_a_table_costs_no_page() {
    let away = [r#""html": 503"#, r#""html": 502, "retry_after": 0"#, r#""close": "before""#, r#""cut": 100"#];
    let words = [&["HTTP 503"][..], &["HTTP 502"], &["broke"], &["broke"]];
    let each = away.into_iter().zip(words).map(async |(fault, words)| {
        stops_and_goes_on(&format!(r#""nth": [2], "in_a_row": 5, {fault}"#), words).await;
    });
    futures::future::join_all(each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_stays_unreadable_is_not_counted() {
    let unreadable = [
        (r#""content_type": "text/html""#, "it is text/html, not JSON"),
        (r#""truncate_json": true"#, "EOF while parsing"),
        (r#""status": 200, "text": "<html>Sign in to your account</html>""#, "Sign in to your account"),
        (r#""status": 200, "text": "{\"value\": [{\"numberofemployees\": \"many\"}]}""#, "is not a whole number"),
        (r#""status": 200, "text": "{\"value\": [{\"name\": 7}]}""#, "is not a text"),
    ];
    let each = unreadable.into_iter().map(async |(fault, word)| {
        stops_and_goes_on(&format!(r#""nth": [2], "in_a_row": 3, {fault}"#), &["cannot be read (accounts)", word])
            .await;
    });
    futures::future::join_all(each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_far_larger_than_agreed_is_asked_for_once() {
    let words = ["larger than Ferry takes", "lower page_size in LIMITS"];
    stops_and_goes_on(r#""nth": [2], "oversize_kb": 66000"#, &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_told_at_once_and_not_asked_for_again() {
    let fault = r#""nth": [2], "status": 403, "code": "0x80040220""#;
    stops_and_goes_on(fault, &["HTTP 403", "ask for a security role that may read this table"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_to_wait_that_cannot_be_read_is_waited_all_the_same() {
    let stage = plain_stage(
        &[
            rule(r#""nth": [2], "status": 429, "retry_after_text": "soon""#),
            rule(r#""nth": [3], "status": 429, "retry_after_text": "Wed, 21 Oct 2015 07:28:00 GMT""#),
        ]
        .join("\n"),
    )
    .await;
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, asked(&stage, "GET", PAGES)), (ACCOUNTS, 5));
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_expires_begins_the_table_again() {
    let stage = plain_stage(&rule(r#""nth": [2], "expire_link": true"#)).await;
    let ended = attempt(&stage, COMPANIES).await;
    assert!(
        ended.notices.iter().any(|said| said.contains("it is read again from its beginning")),
        "{:?}",
        ended.notices
    );
    let report = ended.done();
    assert_eq!((report.counts.read, report.counts.inserted, report.counts.superseded), (ACCOUNTS, ACCOUNTS, 0));
    assert_eq!(asked(&stage, "GET", PAGES), 6, "three pages, of which the last is refused, and three");
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_expired_between_two_processes_begins_the_table_again() {
    let refused = rule(r#""nth": [3], "status": 403"#);
    let stage = plain_stage(&format!("{refused}\n{}", rule(r#""nth": [3], "expire_link": true"#))).await;
    let first = attempt(&stage, COMPANIES).await.stopped(&["HTTP 403"]);
    let second = attempt(&stage, COMPANIES).await;
    assert!(second.notices.iter().any(|said| said.contains("read again from its beginning")), "{:?}", second.notices);
    let second = second.done();
    assert_eq!((&second.run, second.counts.read, second.counts.inserted), (&first.run, ACCOUNTS, ACCOUNTS));
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_always_expire_end_the_run() {
    let stage = plain_stage(&rule(r#""times": 4, "expire_link": true"#)).await;
    let first = attempt(&stage, COMPANIES).await.stopped(&["0x8004112a", "run the job again"]);
    assert_eq!((held(&stage).len(), asked(&stage, "GET", PAGES)), (0, 8), "four beginnings");
    let second = attempt(&stage, COMPANIES).await.done();
    assert_eq!((&second.run, second.counts.inserted), (&first.run, ACCOUNTS));
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_come_on_two_pages_are_counted_as_superseded() {
    let stage = plain_stage(&rule(r#""nth": [1, 2], "repeat_row": true"#)).await;
    let counts = attempt(&stage, COMPANIES).await.done().counts;
    assert_eq!((counts.read, counts.superseded, counts.inserted), (ACCOUNTS + 2, 2, ACCOUNTS));
    assert!(counts.balance());
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_change_while_a_table_is_paged_arrive_now_or_with_the_next_run() {
    let touch = json!({ "table": "account", "column": "numberofemployees", "value": 4711, "rows": 60 });
    let stage = plain_stage(&rule(&format!(r#""nth": [1], "touch": {touch}"#))).await;
    let counts = attempt(&stage, COMPANIES).await.done().counts;
    assert_eq!((counts.read, counts.inserted), (ACCOUNTS, ACCOUNTS));
    let old = held(&stage).iter().filter(|(.., employees)| *employees != Some(4711)).count();
    assert_eq!(old, 20, "those of the page that was read before");
    let ended = attempt_consented(&stage).await;
    assert_eq!((ended.updated, ended.unchanged), (20, 40));
    whole(&stage).await;
}

/// Twenty of sixty companies change, which is more than a run may change unasked.
async fn attempt_consented(stage: &Stage) -> ferry::model::outcome::Counts {
    let mut workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    workspace.services.consented = true;
    attempt_in(stage, workspace, COMPANIES, |_| ()).await.done().counts
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_deleted_while_a_table_is_paged_take_no_other_with_them() {
    let stage = plain_stage(&rule(r#""nth": [1, 2], "drop_row": true"#)).await;
    let counts = attempt(&stage, COMPANIES).await.done().counts;
    let (held, wanted) = (held(&stage), wanted(&stage));
    assert_eq!((wanted.len(), counts.inserted), (58, held.len() as u64));
    assert!(wanted.iter().all(|account| held.contains(account)), "nobody else is lost");
    let idle = attempt(&stage, COMPANIES).await.done();
    assert_eq!((idle.counts.read, idle.counts.unchanged, idle.calls.gainsight_writes), (58, 58, 0));
    assert_eq!(super::held(&stage), held, "what was deleted in Dynamics stays in Gainsight");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_with_a_link_is_not_the_end() {
    let page = |rows, link: u8| json!({ "value": rows, "@odata.nextLink": format!("accounts?$skiptoken={link}") });
    let organization = organization(vec![
        ("200 OK", vec![], page(rows(&[]), 1)),
        ("200 OK", vec![], page(rows(&["a"]), 2)),
        ("200 OK", vec![], page(rows(&[]), 3)),
        ("200 OK", vec![], json!({ "value": rows(&["b"]) })),
    ]);
    let dynamics = organization.dynamics();
    let query: Query = accounts();
    let (mut pages, mut found) = (dynamics.read_whole(query, None).await.unwrap(), Vec::new());
    while let Some(page) = pages.next().await.unwrap() {
        let names = page.rows.column_by_name("name").unwrap();
        found.extend((0..page.rows.num_rows()).map(|at| array_value_to_string(names, at).unwrap()));
    }
    assert_eq!(found, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_option_that_nobody_knows_fails_its_row_until_it_is_known() {
    let stage = plain_stage(&rule(r#""nth": [1], "unknown_choice": true"#)).await;
    for number in 1..=ACCOUNTS as usize {
        change(&stage, "account", json!({ "accountid": account_id(number), "industrycode": 1 }));
    }
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.status.word(), report.counts.inserted, report.counts.error), ("partial", ACCOUNTS - 1, 1));
    let line = errors(&report).remove(0);
    assert_eq!((line["code"].as_str(), line["target_field"].as_str()), ("BAD_VALUE", "Industry"));
    assert!(line["message"].contains("ON UNKNOWN CHOICE"), "{}", line["message"]);
    assert_eq!(due(&stage, COMPANIES), ["BAD_VALUE"]);
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, report.retried.map(|r| r.fixed)), (1, Some(1)));
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_renewed_once_and_not_for_ever() {
    let stage = plain_stage(&rule(r#""nth": [2], "status": 401"#)).await;
    let signed_in = |stage: &Stage| stage.sandbox.calls().iter().filter(|c| c.service == Service::Entra).count();
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, signed_in(&stage)), (ACCOUNTS, 2), "one for the run and one forced");
    whole(&stage).await;

    let stage = plain_stage(&rule(r#""nth": [2], "in_a_row": 4, "status": 401"#)).await;
    let first = attempt(&stage, COMPANIES).await.stopped(&["HTTP 401"]);
    assert!(signed_in(&stage) <= 4, "{}", signed_in(&stage));
    let second = attempt(&stage, COMPANIES).await.done();
    assert_eq!((&second.run, second.counts.inserted), (&first.run, ACCOUNTS));
    whole(&stage).await;
}
