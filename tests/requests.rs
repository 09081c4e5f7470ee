//! What is asked of Dynamics: texts of scripts on their way into URLs, and when a request is sent again.

use ferry::app::preview::preview;
use ferry::app::runs::{Named, find};
use ferry::dynamics::odata::queries;
use ferry::run::progress::silent;

use crate::stage::{PEOPLE, Stage, USERS};

async fn urls(stage: &Stage, job: &str, more: &str) -> Vec<String> {
    let workspace = stage.workspace(&[("more.ferry", more)]).await.or_mistakes().map_err(|e| e.to_string()).unwrap();
    match find(&workspace.project, job).unwrap() {
        Named::Job(job) => queries(job).iter().map(|q| q.path()).collect(),
        Named::Chain(..) => Vec::new(),
    }
}

fn job(filter: &str) -> String {
    format!(
        "CREATE JOB \"X\" AS UPSERT INTO gainsight.Company KEY (\"Name\") SELECT a.name AS \"Name\" \
         FROM dynamics.account AS a WHERE {filter};"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_out_of_the_box_jobs_ask_for_what_they_use() {
    let stage = Stage::seeded(40).await;
    let people = urls(&stage, PEOPLE, "").await;
    assert_eq!(people.len(), 1);
    assert!(people[0].starts_with("contacts?$select="), "{}", people[0]);
    assert!(!people[0].contains("$filter"), "a copy of the table is kept, so all of it is read: {}", people[0]);
    let users = urls(&stage, USERS, "").await;
    assert!(!users[0].contains("$filter"), "{}", users[0]);
    assert_eq!(users[1], "systemusers?$select=systemuserid,domainname", "managers are read whole: disabled ones too");
}

/// Each filter with what is pushed down of it. Whatever is left out is filtered here.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_pushed_down_as_far_as_it_is_coarser() {
    let stage = Stage::seeded(40).await;
    for (filter, pushed) in [
        ("a.name = 'O''Brien & Co'", "name%20eq%20'O''Brien%20%26%20Co'"),
        ("a.name = ''' or 1 eq 1 or name eq '''", "name%20eq%20'''%20or%201%20eq%201%20or%20name%20eq%20'''"),
        ("a.statecode = 'Active'", "statecode%20eq%200"),
        ("a.statecode IN ('Active', 'Inactive')", "(statecode%20eq%200%20or%20statecode%20eq%201)"),
        ("a.numberofemployees >= 10 AND a.name IS NULL", "numberofemployees%20ge%2010%20and%20name%20eq%20null"),
        (
            "a.numberofemployees > 1 OR a.numberofemployees IS NULL",
            "(numberofemployees%20gt%201%20or%20numberofemployees%20eq%20null)",
        ),
        ("a.name > 'M' AND a.revenue < 5", "revenue%20lt%205"),
        ("a.name <> 'x'", ""),
        ("LOWER(a.name) = 'x'", ""),
        ("a.name = 'x' OR LOWER(a.name) = 'y'", ""),
        ("NOT (a.numberofemployees > 1)", ""),
        ("a.parentaccountid = 'not a guid'", ""),
        ("a.parentaccountid.name = 'x'", ""),
    ] {
        let url = urls(&stage, "X", &job(filter)).await.remove(0);
        let found = url.split_once("&$filter=").map_or("", |(_, f)| f);
        assert_eq!(found, pushed, "{filter}");
    }
}

#[test]
fn a_pause_is_named_in_seconds_or_by_a_date() {
    let seconds = |value: &str, date: Option<&str>| ferry::http::retry::after(value, date).map(|d| d.as_secs());
    let now = Some("Wed, 25 Nov 2026 12:00:00 GMT");
    assert_eq!(seconds("6", None), Some(6));
    assert_eq!(seconds(" 0 ", now), Some(0));
    assert_eq!(seconds("Wed, 25 Nov 2026 12:01:30 GMT", now), Some(90), "by the service's own clock");
    assert_eq!(seconds("Wed, 25 Nov 2026 11:59:00 GMT", now), Some(0), "it is over");
    assert_eq!(seconds("Wed, 25 Nov 2026 12:01:30 GMT", None), None, "our clock may be wrong");
    assert_eq!((seconds("soon", now), seconds("-1", now), seconds("", now)), (None, None, None));
}

#[test]
fn waits_double_are_spread_by_a_quarter_and_have_an_end() {
    use ferry::http::retry::{spread, wait};
    let millis = |tried: u32, share: u8| spread(tried, share).as_millis();
    let least: Vec<_> = (1..=5).map(|tried| millis(tried, 0)).collect();
    assert_eq!(least, [400, 800, 1_600, 3_200, 6_400]);
    assert_eq!((millis(1, 51), millis(1, u8::MAX), millis(4, u8::MAX)), (420, 500, 4_000));
    for tried in [0, 8, 9, 32, 33, u32::MAX] {
        assert!(millis(tried, u8::MAX) <= 60_000, "{tried}");
    }
    let drawn: std::collections::BTreeSet<_> = (0..50).map(|_| wait(3)).collect();
    assert!(drawn.len() > 1, "clients that failed together come back apart");
    assert!(drawn.iter().all(|wait| (spread(3, 0)..=spread(3, u8::MAX)).contains(wait)), "{drawn:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_the_first_rows_leaves_the_filter_to_dynamics() {
    let stage = Stage::seeded(40).await;
    let workspace = stage.workspace(&[]).await;
    let before = stage.sandbox.calls().len();
    preview(&workspace, &stage.setting, PEOPLE, 5, &silent()).await.expect("it reads");
    let calls = stage.sandbox.calls().split_off(before);
    let asked = calls.iter().find(|call| call.path.contains("/contacts?")).expect("contacts are read");
    assert!(asked.path.ends_with("&$filter=emailaddress1%20ne%20null"), "{}", asked.path);
}
