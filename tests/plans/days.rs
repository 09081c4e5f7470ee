//! Loads that a day's calls do not suffice for: stopped, gone on with, the most valuable rows first.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferry::app::error::Error;
use ferry::app::runs;
use ferry::model::clock::Clock;
use ferry::run::progress::{Event, Progress};
use ferry::run::report::Report;
use serde_json::{Value, json};

use super::{account, id, put_accounts, row, workspace_with, writes};
use crate::stage::{COMPANIES, PEOPLE, SCALE, Stage, USERS};

const DAY_MS: i64 = 86_400_000;
const LIMITS: &str = "batch_size = 50, calls_per_minute = 100, calls_per_day = 50000";
const FIRST: (&str, &str) = (
    "FROM CHANGES OF dynamics.account AS a;",
    "FROM CHANGES OF dynamics.account AS a LOAD FIRST BY a.numberofemployees DESC;",
);

/// A stage whose days are the test's.
pub struct Days {
    pub stage: Stage,
    by: &'static AtomicI64,
    /// The day that it is, counted by the services' clock.
    day: i64,
}

impl Days {
    pub fn new(mut stage: Stage) -> Self {
        let by: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
        let clock = Clock::system(SCALE).set_by(by);
        let day = clock.limits_now_ms().div_euclid(DAY_MS);
        stage.setting.clock = clock;
        // What a minute takes, and not what a day does.
        stage.setting.max_wait = Duration::from_millis(500);
        let mut days = Self { stage, by, day };
        days.pass(1);
        days
    }

    /// Lets days go by: it is an hour past midnight then.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn pass(&mut self, days: i64) {
        self.day += days;
        let wanted = (self.day * DAY_MS + 3_600_000) as f64 / SCALE;
        let real = Clock::system(SCALE).now().timestamp_millis();
        self.by.store(wanted as i64 - real, Ordering::SeqCst);
    }

    async fn run(&self, job: &str, replaced: &[(&str, &str)]) -> (Report, Vec<String>, Result<(), Error>) {
        let workspace = workspace_with(&self.stage, replaced).await;
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let into = Arc::clone(&heard);
        let listener: Progress = Arc::new(move |event| {
            if let Event::Notice(text) = event {
                into.lock().expect("nobody panicked").push(text);
            }
        });
        let mut reports = Vec::new();
        let ended = runs::run(&workspace, &self.stage.setting, job, &listener, |r| reports.push(r.clone())).await;
        let heard = heard.lock().expect("nobody panicked").clone();
        (reports.remove(0), heard, ended)
    }

    fn employees(&self) -> Vec<i64> {
        let mut all: Vec<i64> =
            self.stage.sandbox.records("company").iter().filter_map(|company| company["Employees"].as_i64()).collect();
        all.sort_unstable();
        all
    }
}

/// A sandbox with accounts of which each has another number of employees, in no order.
async fn accounts(count: usize) -> Days {
    let value = |n: usize| i64::try_from(n * 7_919 % count).expect("a small number");
    let rows: Vec<String> = (0..count).map(|n| account(n, &format!("Account {n}"), value(n)).to_string()).collect();
    Days::new(Stage::world("", &rows.join("\n"), "").await)
}

fn limits(more: &str) -> (&str, String) {
    (LIMITS, format!("batch_size = 10, calls_per_minute = 100000, reserve_percent = 0, {more}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_of_several_days_brings_the_most_valuable_rows_first() {
    let mut days = accounts(200).await;
    let few = limits("calls_per_day = 10");
    let replaced = [(few.0, few.1.as_str()), FIRST];
    let (mut stopped, mut runs, mut before) = (0, BTreeSet::new(), 0);
    loop {
        let (report, heard, ended) = days.run(COMPANIES, &replaced).await;
        runs.insert(report.run.clone());
        let there = days.employees();
        let most_valuable: Vec<i64> = (200 - i64::try_from(there.len()).expect("few")..200).collect();
        assert_eq!(there, most_valuable, "what is there is worth more than what is not");
        assert!(there.len() > before, "each day brings some");
        before = there.len();
        let Err(error) = ended else {
            assert_eq!((report.status.word(), report.counts.inserted), ("success", 200));
            break;
        };
        stopped += 1;
        assert_eq!((error.exit_code(), report.status.word()), (3, "waiting_quota"));
        let said = error.to_string();
        assert!(
            said.starts_with(&format!("{before} of 200 rows are written; today's 10 calls of the object API")),
            "{said}"
        );
        assert!(
            said.contains(" UTC; the rest follows with the next `ferry run`, the most valuable rows first"),
            "{said}"
        );
        assert_eq!(report.message.as_deref(), Some(said.as_str()));
        if stopped == 1 {
            let notice =
                heard.iter().find(|text| text.contains("so the load takes")).expect("it says so before it loads");
            assert!(notice.contains("it takes 20 calls") && notice.contains("first, by LOAD FIRST BY"), "{notice}");
        }
        // The same day has nothing more to give.
        let (report, _, again) = days.run(COMPANIES, &replaced).await;
        assert!(again.is_err() && report.status.word() == "waiting_quota");
        assert_eq!(days.employees().len(), before);
        days.pass(1);
    }
    assert!((2..=4).contains(&stopped), "{stopped} days did not suffice");
    assert_eq!(runs.len(), 1, "it is one run");
    assert_eq!(writes(&days.stage), 20, "no call is made for the days");
    let ids: BTreeSet<String> = days
        .stage
        .sandbox
        .records("company")
        .iter()
        .map(|c| c["External_Account_ID_gainsight123__gc"].to_string())
        .collect();
    assert_eq!(ids.len(), 200, "and no row is there twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_without_a_run_it_is_planned_anew_and_goes_on_all_the_same() {
    let mut days = accounts(200).await;
    let few = limits("calls_per_day = 16");
    let replaced = [(few.0, few.1.as_str()), FIRST];
    let (first, _, ended) = days.run(COMPANIES, &replaced).await;
    assert!(ended.is_err());
    let before = days.employees().len();
    assert!(before > 20 && before < 200);
    // More than 24 hours by every clock.
    days.pass(25 * 1_000);
    let mut seen = 0;
    loop {
        let (report, heard, ended) = days.run(COMPANIES, &replaced).await;
        assert_ne!(report.run, first.run);
        if seen == 0 {
            assert!(heard.iter().any(|text| text.contains(&first.run) && text.contains("given up")), "{heard:?}");
        }
        seen += 1;
        let there = days.employees();
        let most_valuable: Vec<i64> = (200 - i64::try_from(there.len()).expect("few")..200).collect();
        assert_eq!(there, most_valuable);
        if ended.is_ok() {
            assert_eq!(report.counts.unchanged, before as u64, "what was written before is known");
            break;
        }
        assert!(seen < 6);
        days.pass(1);
    }
    assert_eq!(writes(&days.stage), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_calls_of_a_day_take_new_and_changed_rows_along() {
    let mut days = accounts(20).await;
    let many = limits("calls_per_day = 1000");
    let (_, _, ended) = days.run(COMPANIES, &[(many.0, many.1.as_str())]).await;
    ended.expect("it loads");
    days.pass(1);
    // Three that are there are worth most, and a hundred come that are worth less.
    put_accounts(&days.stage, 0..3, "Changed", 10_000);
    for number in 100..200 {
        let value = i64::try_from(number).expect("a small number");
        assert!(days.stage.sandbox.put_row("account", row(&account(number, "New", value))));
    }
    let few = limits("calls_per_day = 12");
    let (report, _, ended) = days.run(COMPANIES, &[(few.0, few.1.as_str()), FIRST]).await;
    assert!(ended.is_err());
    assert_eq!(report.counts.updated, 3, "the three went on the first day: {:?}", report.counts);
    assert!(report.counts.inserted >= 10 && report.counts.inserted < 100, "{:?}", report.counts);
    let there: Vec<i64> = days.employees().into_iter().filter(|value| (100..200).contains(value)).collect();
    let expected: Vec<i64> = (200 - i64::try_from(there.len()).expect("few")..200).collect();
    assert_eq!(there, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_order_the_run_says_that_there_could_be_one() {
    let mut days = accounts(200).await;
    let few = limits("calls_per_day = 16");
    let (report, heard, ended) = days.run(COMPANIES, &[(few.0, few.1.as_str())]).await;
    let said = ended.expect_err("a day does not suffice").to_string();
    assert!(said.contains("LOAD FIRST BY in the job would send the most valuable rows first"), "{said}");
    assert!(heard.iter().any(|text| text.contains("a LOAD FIRST BY in the job would")), "{heard:?}");
    let resumed = {
        days.pass(1);
        let workspace = workspace_with(&days.stage, &[(few.0, few.1.as_str())]).await;
        let mut reports = Vec::new();
        let silent = ferry::run::progress::silent();
        let wanted = Some(report.run.as_str());
        let _stops_again = ferry::app::resuming::resume(&workspace, &days.stage.setting, wanted, &silent, |r| {
            reports.push(r.clone());
        })
        .await;
        reports.remove(0)
    };
    assert_eq!(resumed.run, report.run, "`ferry resume` goes on with it too");
    assert!(resumed.counts.inserted > report.counts.inserted);
    let shown = ferry::app::activity::show(&days.stage.setting, &report.run).await.expect("it is listed");
    assert!(shown.standing.is_some() || shown.run.status == "success");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_several_rows_comes_with_the_most_valuable_of_them() {
    let contact = |number: usize, name: &str, email: String, parent: usize| {
        json!({ "contactid": format!("10000000-0000-4000-8000-{number:012}"), "firstname": name, "lastname": "Contact",
            "emailaddress1": email, "_parentcustomerid_value": id(parent),
            "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" })
    };
    let mut contacts: Vec<Value> =
        (0..20).map(|n| contact(n, &format!("M{n:02}"), format!("c{n}@example.com"), n % 3)).collect();
    contacts.push(contact(50, "Z", "both@example.com".to_owned(), 0));
    contacts.push(contact(51, "A", "both@example.com".to_owned(), 1));
    let lines = |rows: Vec<Value>| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    let companies = (0..3).map(|n| account(n, "Account", 1)).collect();
    let mut days = Days::new(Stage::world("", &lines(companies), &lines(contacts)).await);
    let many = limits("calls_per_day = 1000");
    days.run(COMPANIES, &[(many.0, many.1.as_str())]).await.2.expect("it loads");
    days.pass(1);
    let few = limits("calls_per_day = 18, max_in_flight = 1");
    let first =
        ("WHERE c.emailaddress1 IS NOT NULL;", "WHERE c.emailaddress1 IS NOT NULL LOAD FIRST BY c.firstname DESC;");
    let (report, _, ended) = days.run(PEOPLE, &[(few.0, few.1.as_str()), first]).await;
    assert!(ended.is_err(), "{report:?}");
    let people: BTreeSet<String> =
        days.stage.sandbox.records("person").iter().map(|p| p["Email"].as_str().expect("a text").to_owned()).collect();
    assert!(people.contains("both@example.com"), "{people:?}");
    assert!(people.len() < 15, "a day does not suffice: {people:?}");
    let companies = days.stage.sandbox.records("company_person").len();
    assert_eq!(companies, people.len() + 1, "both of his companies");
    days.pass(1);
    loop {
        let (report, _, ended) = days.run(PEOPLE, &[(few.0, few.1.as_str()), first]).await;
        if ended.is_ok() {
            assert_eq!((report.counts.inserted, report.counts.failed()), (22, 0));
            break;
        }
        days.pass(1);
    }
    let person = days.stage.sandbox.records("person").into_iter().find(|p| p["Email"] == "both@example.com");
    assert_eq!(days.stage.sandbox.records("person").len(), 21);
    assert!(person.is_some_and(|p| p["FirstName"] == "A" || p["FirstName"] == "Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_users_is_a_window_too() {
    let user = |number: usize| {
        let login = format!("u{number}@example.com");
        json!({ "systemuserid": format!("20000000-0000-4000-8000-{number:012}"), "firstname": "Una", "lastname": "User",
            "domainname": login, "personalemailaddress": login, "isdisabled": false })
    };
    let users: String = (0..30).map(|n| format!("{}\n", user(n))).collect();
    let mut days = Days::new(Stage::world(&users, "", "").await);
    let few = limits("calls_per_day = 1000, users_per_hour = 2");
    let before = days.stage.sandbox.records("gsuser").len();
    let (report, _, ended) = days.run(USERS, &[(few.0, few.1.as_str())]).await;
    let said = ended.expect_err("an hour does not suffice").to_string();
    assert!(
        said.starts_with("20 of 30 rows are written; this hour's 2 calls of the user management API are used up"),
        "{said}"
    );
    assert_eq!((report.status.word(), days.stage.sandbox.records("gsuser").len()), ("waiting_quota", before + 20));
    days.pass(1);
    let (report, _, ended) = days.run(USERS, &[(few.0, few.1.as_str())]).await;
    ended.expect("the rest");
    assert_eq!((report.counts.inserted, days.stage.sandbox.records("gsuser").len()), (30, before + 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_over_before_anything_is_read_says_so() {
    let days = accounts(20).await;
    let few = limits("calls_per_day = 3");
    let (report, _, ended) = days.run(COMPANIES, &[(few.0, few.1.as_str())]).await;
    let said = ended.expect_err("nothing is left").to_string();
    assert!(said.contains("calls of the object API are used up until"), "{said}");
    assert_eq!(report.status.word(), "waiting_quota");
}
