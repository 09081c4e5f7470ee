//! Runs that were interrupted, rows that failed: going on, giving up, trying again, cleaning away.

use ferry::app::cleaning::clean;
use ferry::app::error::Error;
use ferry::app::resuming;
use ferry::app::{activity, runs};
use ferry::run::progress::{Event, Progress, silent};
use ferry::run::report::Report;
use ferry::run::undertaking::How;
use ferry::sandbox::{Drift, Service};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};

use crate::faults::{holdings, plain_stage};
use crate::stage::{COMPANIES, PEOPLE, Stage, USERS, errors};

/// The second batch of companies is forbidden once, when the first was written.
const FORBIDDEN: &str =
    r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [2], "status": 403}"#;

fn row(text: &Value) -> Map<String, Value> {
    text.as_object().expect("an object").clone()
}

fn listening() -> (Progress, Arc<Mutex<Vec<String>>>) {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let into = Arc::clone(&heard);
    let listener: Progress = Arc::new(move |event| {
        if let Event::Notice(text) = event {
            into.lock().unwrap().push(text);
        }
    });
    (listener, heard)
}

async fn run_so(
    stage: &Stage,
    name: &str,
    how: &How,
    more: &[(&str, &str)],
) -> (Vec<Report>, Vec<String>, Result<(), Error>) {
    let workspace = stage.workspace(more).await.or_mistakes().expect("the project is right");
    let (progress, heard) = listening();
    let mut reports = Vec::new();
    let ended = runs::run_so(&workspace, &stage.setting, name, how, &progress, |r| reports.push(r.clone())).await;
    let heard = heard.lock().unwrap().clone();
    (reports, heard, ended)
}

async fn resume(stage: &Stage, wanted: Option<&str>) -> (Vec<Report>, Result<(), Error>) {
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    let mut reports = Vec::new();
    let ended = resuming::resume(&workspace, &stage.setting, wanted, &silent(), |r| reports.push(r.clone())).await;
    (reports, ended)
}

async fn replay(stage: &Stage, run: &str, codes: &[&str]) -> (Vec<Report>, Result<(), Error>) {
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
    let mut reports = Vec::new();
    let ended = resuming::replay(&workspace, &stage.setting, run, &codes, &silent(), |r| reports.push(r.clone())).await;
    (reports, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_is_gone_on_with_by_the_next_one_or_by_resume() {
    let calm = plain_stage("").await;
    let expected = calm.run(COMPANIES).await.remove(0);
    for by_name in [true, false] {
        let rough = plain_stage(FORBIDDEN).await;
        let (reports, ended) = rough.try_run(COMPANIES).await;
        let first = &reports[0];
        assert!(ended.is_err_and(|error| error.exit_code() == 3));
        assert_eq!((first.counts.inserted, first.status.word()), (50, "failed"));
        let shown = activity::show(&rough.setting, &first.run).await.unwrap();
        let standing = shown.standing.expect("it can be gone on with");
        assert_eq!((standing.read, standing.tally.written, standing.tally.open, standing.calls), (60, 50, 0, (2, 0)));
        let reads_before = rough.sandbox.calls().iter().filter(|call| call.path.contains("/accounts")).count();
        let (reports, ended) =
            if by_name { rough.try_run(COMPANIES).await } else { resume(&rough, Some(&first.run)).await };
        ended.expect("it comes to its end");
        let report = &reports[0];
        assert_eq!((&report.run, report.resumed), (&first.run, 1));
        assert_eq!((report.counts, &report.records), (expected.counts, &expected.records));
        assert_eq!(report.calls.gainsight_writes, 1, "only what was missing is sent");
        let reads = rough.sandbox.calls().iter().filter(|call| call.path.contains("/accounts")).count();
        assert_eq!(reads, reads_before, "and nothing is read again");
        assert_eq!(holdings(&rough), holdings(&calm));
        assert!(activity::show(&rough.setting, &first.run).await.unwrap().standing.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_goes_on_with_what_is_left_of_it() {
    let rough = plain_stage(FORBIDDEN).await;
    let (reports, ended) = rough.try_run(crate::stage::CHAIN).await;
    assert!(ended.is_err());
    let statuses: Vec<&str> = reports.iter().map(|report| report.status.word()).collect();
    assert_eq!(statuses, ["success", "failed", "skipped"], "the people were not reached");
    let (rest, ended) = resume(&rough, None).await;
    ended.expect("it comes to its end");
    let jobs: Vec<&str> = rest.iter().map(|report| report.job.as_str()).collect();
    assert_eq!(jobs, [COMPANIES, PEOPLE]);
    assert_eq!(rest[0].run, reports[1].run);
    let (reports, ended) = resume(&rough, None).await;
    assert!(ended.is_ok() && reports.is_empty(), "nothing is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_can_be_gone_on_with_is() {
    let rough = plain_stage(FORBIDDEN).await;
    let users = rough.run(USERS).await.remove(0);
    let (_, ended) = resume(&rough, Some(&users.run)).await;
    assert!(ended.is_err_and(|error| error.exit_code() == 2 && error.to_string().contains("has ended")));
    let (_, ended) = resume(&rough, Some("20200101-0001")).await;
    assert!(ended.is_err_and(|error| error.to_string().contains("there is no run")));
    let failed = rough.try_run(COMPANIES).await.0.remove(0);
    let run = resuming::cancel(&rough.setting, &failed.run).expect("it is given up");
    assert_eq!(run.job, COMPANIES);
    let again = resuming::cancel(&rough.setting, &failed.run).expect_err("once is enough");
    assert_eq!(again.exit_code(), 2);
    let report = rough.run(COMPANIES).await.remove(0);
    assert!(report.run != failed.run && report.resumed == 0);
    assert_eq!((report.counts.inserted, report.counts.unchanged), (10, 50), "it compares anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_begins_anew_where_it_is_told_to_or_the_job_has_changed() {
    let rough = plain_stage(FORBIDDEN).await;
    let first = rough.try_run(COMPANIES).await.0.remove(0);
    let how = How { anew: true, ..How::default() };
    let (reports, heard, ended) = run_so(&rough, COMPANIES, &how, &[]).await;
    ended.expect("it ends");
    assert!(
        heard.iter().any(|said| said.contains(&first.run) && said.contains("a new one was asked for")),
        "{heard:?}"
    );
    assert_eq!(reports[0].counts.unchanged, 50);
    let rough = plain_stage(FORBIDDEN).await;
    let first = rough.try_run(COMPANIES).await.0.remove(0);
    assert!(rough.sandbox.drift(Service::Gainsight, "company.Name", Drift::Length(200)));
    let (_, ended) = resume(&rough, Some(&first.run)).await;
    let said = ended.expect_err("the plan is not right any more").to_string();
    assert!(said.contains("its length went from") && said.contains("`ferry run` begins anew"), "{said}");
    let (reports, heard, ended) = run_so(&rough, COMPANIES, &How::default(), &[]).await;
    ended.expect("it ends");
    assert!(
        heard.iter().any(|said| said.contains("is given up") && said.contains("its length went from")),
        "{heard:?}"
    );
    assert_eq!((reports[0].counts.inserted, reports[0].counts.unchanged), (10, 50));
}

/// Four people: one is fine, one belongs to a company that is not there, and two have one e-mail.
async fn stage_with_failures() -> Stage {
    let account = json!({ "accountid": "00000000-0000-0000-0000-000000000001", "name": "Here" });
    let contact = |number: usize, mail: Value, company: &str| {
        json!({ "contactid": format!("30000000-0000-0000-0000-{number:012}"), "firstname": "F", "lastname": "L",
            "emailaddress1": mail, "_parentcustomerid_value": company,
            "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" })
    };
    let here = "00000000-0000-0000-0000-000000000001";
    let absent = "00000000-0000-0000-0000-000000000002";
    let contacts = [
        contact(1, json!("one@example.com"), here),
        contact(2, json!("two@example.com"), absent),
        contact(3, json!("both@example.com"), here),
        contact(4, json!("both@example.com"), here),
    ];
    let contacts: String = contacts.iter().map(|contact| format!("{contact}\n")).collect();
    Stage::world("", &format!("{account}\n"), &contacts).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_stays_due_until_time_has_cured_it() {
    let stage = stage_with_failures().await;
    stage.run(COMPANIES).await;
    let first = stage.run(PEOPLE).await.remove(0);
    assert_eq!((first.counts.inserted, first.counts.rejected, first.counts.error), (1, 1, 2));
    let due = || resuming::due(&stage.setting, Some(PEOPLE)).unwrap();
    let shown: Vec<(String, String, i64)> = due().into_iter().map(|d| (d.code, d.retried, d.tries)).collect();
    let expected = [("NO_MATCH", "time", 1), ("DUPLICATE_KEY", "change", 1), ("DUPLICATE_KEY", "change", 1)];
    assert_eq!(shown, expected.map(|(code, retried, tries)| (code.to_owned(), retried.to_owned(), tries)));
    let second = stage.run(PEOPLE).await.remove(0);
    assert_eq!(due()[0].tries, 2);
    assert_eq!((due()[0].run.as_str(), due()[0].since.as_str()), (second.run.as_str(), due()[1].since.as_str()));
    assert_eq!(second.retried.map(|r| (r.rows, r.fixed)), Some((3, 0)));
    // The company appears; nobody touches the contact.
    let account = json!({ "accountid": "00000000-0000-0000-0000-000000000002", "name": "There" });
    assert!(stage.sandbox.put_row("account", row(&account)));
    stage.run(COMPANIES).await;
    let third = stage.run(PEOPLE).await.remove(0);
    assert_eq!(third.retried.map(|r| (r.rows, r.fixed)), Some((3, 1)));
    assert_eq!((third.counts.inserted, due().len(), due()[0].code.as_str()), (1, 2, "DUPLICATE_KEY"));
    assert!(stage.sandbox.delete_row("contact", "30000000-0000-0000-0000-000000000003"));
    assert_eq!(stage.run(PEOPLE).await[0].counts.inserted, 1);
    assert_eq!(due(), [], "one is gone, and the other can be written");
    assert_eq!(resuming::due(&stage.setting, None).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_about_the_rows_of_the_error_file_alone() {
    let stage = stage_with_failures().await;
    stage.run(COMPANIES).await;
    let first = stage.run(PEOPLE).await.remove(0);
    // Both causes are mended, and a third contact changes that did not fail.
    let account = json!({ "accountid": "00000000-0000-0000-0000-000000000002", "name": "There" });
    assert!(stage.sandbox.put_row("account", row(&account)));
    stage.run(COMPANIES).await;
    for (number, column, value) in [(1, "lastname", "Changed"), (3, "emailaddress1", "third@example.com")] {
        let id = format!("30000000-0000-0000-0000-{number:012}");
        assert!(stage.sandbox.put_row("contact", row(&json!({ "contactid": id, column: value }))));
    }
    let (reports, ended) = replay(&stage, &first.run, &["duplicate_key"]).await;
    ended.expect("it ends");
    let counts = reports[0].counts;
    assert_eq!((reports[0].chosen, counts.inserted, counts.filtered, counts.failed()), (Some(2), 2, 2, 0));
    let due: Vec<String> = resuming::due(&stage.setting, None).unwrap().into_iter().map(|d| d.code).collect();
    assert_eq!(due, ["NO_MATCH"], "the other is due still");
    let (reports, ended) = replay(&stage, &first.run, &[]).await;
    ended.expect("it ends");
    let counts = reports[0].counts;
    assert_eq!((counts.inserted, counts.unchanged, counts.filtered), (1, 2, 1));
    assert_eq!(resuming::due(&stage.setting, None).unwrap(), []);
    let names: Vec<Value> = stage.sandbox.records("person").iter().map(|r| r["LastName"].clone()).collect();
    assert!(!names.contains(&json!("Changed")), "a row that was not chosen waits for the next run: {names:?}");
    assert_eq!(stage.run(PEOPLE).await[0].counts.updated, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_refused_is_sent_again_by_a_replay() {
    let stage = Stage::seeded(60).await;
    let first = stage.run(COMPANIES).await.remove(0);
    let refused = |report: &Report| errors(report).iter().filter(|l| l["code"].starts_with("REFUSED")).count();
    assert!(refused(&first) > 0, "the world has records that Gainsight refuses");
    assert_eq!(stage.run(COMPANIES).await[0].calls.gainsight_writes, 0, "they are not sent again by themselves");
    let (reports, ended) = replay(&stage, &first.run, &["REFUSED"]).await;
    ended.expect("it ends");
    assert!(reports[0].calls.gainsight_writes > 0, "but when they are asked for");
    assert_eq!(refused(&reports[0]), refused(&first), "and refused again");
    assert_eq!(stage.run(COMPANIES).await[0].calls.gainsight_writes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_replayed_is_told() {
    let stage = stage_with_failures().await;
    let companies = stage.run(COMPANIES).await.remove(0);
    let people = stage.run(PEOPLE).await.remove(0);
    let said = |(_, ended): (Vec<Report>, Result<(), Error>)| {
        let error = ended.expect_err("there is nothing to replay");
        assert_eq!(error.exit_code(), 2, "{error}");
        error.to_string()
    };
    assert!(said(replay(&stage, "20200101-0001", &[]).await).contains("there is no run"));
    assert!(said(replay(&stage, &companies.run, &[]).await).contains("has no error file"));
    let unknown = said(replay(&stage, &people.run, &["REFUSED"]).await);
    assert!(
        unknown.contains("no row with the code REFUSED") && unknown.contains("DUPLICATE_KEY, NO_MATCH"),
        "{unknown}"
    );
    std::fs::remove_file(people.error_file.unwrap()).unwrap();
    assert!(said(replay(&stage, &people.run, &[]).await).contains("is there no more"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_an_interrupted_run_are_not_chosen_beside_it() {
    let rough = plain_stage(FORBIDDEN).await;
    let first = rough.try_run(COMPANIES).await.0.remove(0);
    let chosen = How { chosen: Some(vec!["00000000-0000-0000-0000-000000000055".to_owned()]), ..How::default() };
    let (_, _, ended) = run_so(&rough, COMPANIES, &chosen, &[]).await;
    let error = ended.expect_err("the run holds this row too");
    assert!(error.exit_code() == 3 && error.to_string().contains(&format!("ferry resume {}", first.run)), "{error}");
    rough.run(COMPANIES).await;
    let (reports, _, ended) = run_so(&rough, COMPANIES, &chosen, &[]).await;
    ended.expect("it ends");
    assert_eq!((reports[0].counts.unchanged, reports[0].counts.filtered), (1, 59));
    let (_, _, ended) = run_so(&rough, crate::stage::CHAIN, &chosen, &[]).await;
    assert!(ended.is_err_and(|error| error.to_string().contains("is a chain")));
}

#[tokio::test(flavor = "multi_thread")]
async fn cleaning_leaves_what_can_be_gone_on_with_and_what_is_due() {
    let rough = plain_stage(FORBIDDEN).await;
    let users = rough.run(USERS).await.remove(0);
    let failed = rough.try_run(COMPANIES).await.0.remove(0);
    let folder = |run: &str| rough.setting.home.join("runs").join(run);
    let cleaned = clean(&rough.setting, 3_600).await.unwrap();
    assert_eq!((cleaned.runs.len(), folder(&users.run).exists()), (0, true), "an hour has not passed");
    let cleaned = clean(&rough.setting, 0).await.unwrap();
    assert_eq!((cleaned.runs.len(), cleaned.kept), (0, vec![users.run.clone(), failed.run.clone()]));
    assert!(folder(&users.run).exists(), "the next run of the job begins with what it read");
    assert!(folder(&failed.run).exists());
    let second = rough.run(USERS).await.remove(0);
    assert_eq!(second.read.map(|read| (read.full, read.changed)), Some((None, 0)));
    let cleaned = clean(&rough.setting, 0).await.unwrap();
    assert_eq!((cleaned.runs, cleaned.kept), (vec![users.run.clone()], vec![failed.run.clone(), second.run.clone()]));
    assert!(cleaned.bytes > 0 && !folder(&users.run).exists());
    let report = rough.run(COMPANIES).await.remove(0);
    assert_eq!((report.run, report.counts.inserted), (failed.run.clone(), 60));
    let listed = activity::list(&rough.setting).unwrap();
    assert_eq!(listed.len(), 3, "what became of them stays in the activity");
    assert_eq!(clean(&rough.setting, 0).await.unwrap().runs, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_deleted_meanwhile_is_due_and_not_remembered_as_refused() {
    let gone = json!({ "result": false, "errorCode": "GSOBJ_1011", "errorDesc": "No data found", "data": null });
    let rule = json!({ "service": "gainsight", "method": "PUT", "path": "/v1/data/objects/company", "nth": [1],
        "status": 400, "text": gone.to_string() });
    let stage = plain_stage(&rule.to_string()).await;
    stage.run(COMPANIES).await;
    let id = "00000000-0000-0000-0000-000000000007";
    assert!(stage.sandbox.put_row("account", row(&json!({ "accountid": id, "numberofemployees": 4711 }))));
    let report = stage.run(COMPANIES).await.remove(0);
    let lines = errors(&report);
    assert_eq!((lines.len(), lines[0]["code"].as_str(), lines[0]["source_key"].as_str()), (1, "TARGET_GONE", id));
    assert!(lines[0]["message"].contains("was deleted in Gainsight"), "{}", lines[0]["message"]);
    assert_eq!(resuming::due(&stage.setting, None).unwrap()[0].retried, "time");
    let report = stage.run(COMPANIES).await.remove(0);
    assert_eq!((report.counts.updated, report.retried.map(|r| r.fixed)), (1, Some(1)));
}

/// One of two interrupted runs cannot be gone on with, and the other is.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_of_one_run_leaves_no_other() {
    let users = FORBIDDEN.replace("/v1/data/objects/company", "/v1/users/services").replace("[2]", "[1]");
    let rough = plain_stage(&format!("{users}\n{FORBIDDEN}")).await;
    let first = rough.try_run(USERS).await.0.remove(0);
    let second = rough.try_run(COMPANIES).await.0.remove(0);
    assert!(rough.sandbox.drift(Service::Gainsight, "gsuser.FirstName", Drift::Length(20)));
    let (reports, ended) = resume(&rough, None).await;
    let error = ended.expect_err("one is left as it is");
    assert!(error.exit_code() == 2 && error.to_string().contains(&first.run), "{error}");
    let runs: Vec<&str> = reports.iter().map(|report| report.run.as_str()).collect();
    assert_eq!((runs, reports[0].counts.inserted), (vec![second.run.as_str()], 60));
}
