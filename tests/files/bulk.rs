//! `LOAD VIA BULK`: files that Gainsight takes in by itself, and the books that balance whatever it says of them.

use ferry::model::outcome::Status;
use ferry::sandbox::{Oddity, Service};
use serde_json::{Value, json};

use super::Desk;
use crate::stage::errors;

const JOB_ID: &str = "company by External Account ID_gainsight123";
const IMPORT: &str = "/v1.0/admin/connector/job/bulkimport";

fn job(load: &str) -> String {
    format!(
        "CREATE CONNECTION lake TO FILES URL '{{folder}}' FORMAT CSV \
         TABLE companies (code TEXT, name TEXT, employees INTEGER, industry TEXT) KEY (code);\n\
         CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"External Account ID_gainsight123\" IGNORE CASE) \
         SELECT c.code AS \"External Account ID_gainsight123\", c.name AS \"Name\", KEEP(c.employees) AS \"Employees\", \
         c.industry AS \"Industry\" FROM lake.companies AS c ON UNKNOWN ITEM NULL {load};"
    )
}

fn bulk() -> String {
    job(&format!("LOAD VIA BULK (job_id = '{JOB_ID}')"))
}

/// Companies c0…, of which those with these numbers are refused: no company has fewer than no employees.
fn rows(count: usize, bad: &[usize]) -> String {
    let mut text = "code,name,employees,industry\n".to_owned();
    for number in 0..count {
        let employees = if bad.contains(&number) { -5 } else { 10 + number as i64 };
        text.push_str(&format!("c{number},\"Company {number}, \"\"Inc\"\"\",{employees},Technology\n"));
    }
    text
}

async fn desk(count: usize, bad: &[usize], script: &str) -> Desk {
    let mut desk = Desk::empty().await;
    desk.put("companies.csv", rows(count, bad).as_bytes());
    desk.script("job.ferry", script);
    desk
}

fn handed_over(desk: &Desk) -> usize {
    let calls = desk.stage.sandbox.calls();
    calls
        .iter()
        .filter(|call| call.service == Service::Gainsight && call.method == "POST" && call.path == IMPORT)
        .count()
}

fn counts(desk: &Desk) -> Value {
    serde_json::to_value(desk.report.as_ref().unwrap()).unwrap()["counts"].clone()
}

fn codes(desk: &Desk) -> Vec<(String, String)> {
    let lines = desk.report.as_ref().map(errors).unwrap_or_default();
    lines.iter().map(|line| (line["source_key"].clone(), line["code"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_in_and_the_next_run_finds_nothing_to_do() {
    let mut desk = desk(120, &[], &bulk()).await;
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    assert_eq!((&counts(&desk)["inserted"], handed_over(&desk)), (&json!(120), 1));
    desk.run("J").await;
    assert_eq!((&counts(&desk)["unchanged"], handed_over(&desk)), (&json!(120), 1));
    // What is not sent keeps its value, as a bulk import takes whole records.
    let changed = rows(120, &[]).replace(",14,Technology", ",,Technology").replace("Company 5,", "Other 5,");
    desk.put("companies.csv", changed.as_bytes());
    desk.run("J").await;
    assert_eq!((&counts(&desk)["updated"], &counts(&desk)["unchanged"]), (&json!(1), &json!(119)));
    let records = desk.stage.sandbox.records("company");
    let of = |code: &str| records.iter().find(|r| r["External_Account_ID_gainsight123__gc"] == code).unwrap();
    assert_eq!((&of("c4")["Employees"], &of("c5")["Name"]), (&json!(14), &json!("Other 5, \"Inc\"")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_it_names_are_refused_and_not_sent_again() {
    let mut desk = desk(20, &[3, 17], &bulk()).await;
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    assert_eq!((&counts(&desk)["inserted"], &counts(&desk)["error"]), (&json!(18), &json!(2)));
    let refused = |code: &str| vec![("c3".to_owned(), code.to_owned()), ("c17".to_owned(), code.to_owned())];
    assert_eq!(codes(&desk), refused("REFUSED"));
    let line = &errors(desk.report.as_ref().unwrap())[0];
    assert!(line["message"].contains("Employees"), "{}", line["message"]);
    desk.run("J").await;
    assert_eq!((codes(&desk), handed_over(&desk)), (refused("REFUSED_BEFORE"), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_its_counts_do_not_add_up_every_key_is_looked_for() {
    let oddities = [Oddity::WrongCounts, Oddity::NoFailures, Oddity::ForeignFailures];
    for oddity in oddities {
        let mut desk = desk(1_200, &[3], &bulk()).await;
        desk.stage.sandbox.import_oddly(oddity);
        desk.run("J").await;
        assert_eq!(desk.failed, None, "{oddity:?}");
        assert_eq!((&counts(&desk)["inserted"], &counts(&desk)["error"]), (&json!(1_199), &json!(1)), "{oddity:?}");
        assert_eq!(codes(&desk), [("c3".to_owned(), "NOT_IMPORTED".to_owned())], "{oddity:?}");
        assert!(
            desk.said.iter().any(|said| said.contains("Gainsight is asked which of them it holds")),
            "{:?}",
            desk.said
        );
        assert_eq!(desk.stage.sandbox.records("company").len(), 1_199, "{oddity:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_stuck_is_waited_for_and_handed_over_once() {
    let mut desk = desk(10, &[], &bulk()).await;
    desk.stage.sandbox.import_oddly(Oddity::Stuck);
    desk.stage.setting.is_attended = false;
    desk.run("J").await;
    let said = desk.failed.clone().unwrap();
    assert!(said.contains("was handed over and is not at its end after 6 hours"), "{said}");
    assert_eq!(desk.report.as_ref().unwrap().status, Status::WaitingTarget);
    // The hours count from when it was handed over: whoever asks again, and finds it under way still, asks once.
    let asked = || desk.stage.sandbox.calls().iter().filter(|call| call.path.contains("bulkimport")).count();
    let before = asked();
    assert!(before > 100, "{before}");
    desk.run("J").await;
    assert!(desk.failed.as_ref().unwrap().contains("is not at its end after 6 hours"), "{:?}", desk.failed);
    let asked = || desk.stage.sandbox.calls().iter().filter(|call| call.path.contains("bulkimport")).count();
    assert_eq!(asked(), before + 1);
    desk.stage.sandbox.import_oddly(Oddity::None);
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    assert_eq!((&counts(&desk)["inserted"], handed_over(&desk)), (&json!(10), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_too_large_is_cut_into_halves() {
    let mut desk = desk(10, &[], &bulk()).await;
    desk.stage.sandbox.import_oddly(Oddity::Smaller(3));
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    assert_eq!(counts(&desk)["inserted"], json!(10));
    assert_eq!(desk.stage.sandbox.records("company").len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_makes_no_record_twice() {
    for (when, files) in [("after", 1), ("before", 2)] {
        let mut desk = desk(30, &[4], &bulk()).await;
        let rule = json!({ "service": "gainsight", "method": "POST", "path": IMPORT, "nth": [1], "close": when });
        desk.stage.sandbox.strike_by(&rule.to_string()).unwrap();
        desk.run("J").await;
        assert_eq!(desk.failed, None, "{when}");
        let counts = counts(&desk);
        assert_eq!((&counts["inserted"], &counts["error"]), (&json!(29), &json!(1)), "{when}");
        assert_eq!(desk.stage.sandbox.records("company").len(), 29, "{when}");
        // What was not taken the first time is handed over once more, by itself.
        assert!((files..=2).contains(&handed_over(&desk)), "{when}: {}", handed_over(&desk));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_taken_in_late_is_not_handed_over_twice() {
    let mut desk = desk(30, &[4], &bulk()).await;
    desk.stage.sandbox.import_oddly(Oddity::Late);
    let rule = json!({ "service": "gainsight", "method": "POST", "path": IMPORT, "nth": [1], "close": "after" });
    desk.stage.sandbox.strike_by(&rule.to_string()).unwrap();
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    let counts = counts(&desk);
    assert_eq!((&counts["inserted"], &counts["error"]), (&json!(29), &json!(1)));
    assert_eq!(desk.stage.sandbox.records("company").len(), 29);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_ends_otherwise_has_written_nothing_that_is_not_there() {
    let mut desk = desk(5, &[], &bulk()).await;
    desk.stage.sandbox.import_oddly(Oddity::Failed);
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    assert_eq!(counts(&desk)["error"], json!(5));
    assert!(codes(&desk).iter().all(|(_, code)| code == "NOT_IMPORTED"));
    // Time may cure it.
    desk.stage.sandbox.import_oddly(Oddity::None);
    desk.run("J").await;
    assert_eq!(counts(&desk)["inserted"], json!(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_run_waits_for_an_import_into_its_object() {
    let mut desk = desk(10, &[], &bulk()).await;
    desk.stage.sandbox.import_oddly(Oddity::Stuck);
    desk.run("J").await;
    assert!(desk.failed.is_some());
    // The job goes by calls now, and is another one: it must not insert what the import is inserting.
    desk.script("job.ferry", &job(""));
    desk.run("J").await;
    let said = desk.failed.clone().unwrap();
    assert!(said.contains("is not at its end after 6 hours"), "{said}");
    assert!(desk.said.iter().any(|said| said.contains("handed the bulk import")), "{:?}", desk.said);
    desk.stage.sandbox.import_oddly(Oddity::None);
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    assert_eq!(counts(&desk)["unchanged"], json!(10));
    assert_eq!(desk.stage.sandbox.records("company").len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_refused_ends_the_run_and_writes_nothing() {
    let mut desk = desk(5, &[], &bulk().replace(JOB_ID, "nothing of that kind")).await;
    desk.run("J").await;
    let said = desk.failed.clone().unwrap();
    assert!(said.contains("Gainsight refused the bulk import nothing of that kind: Invalid jobId"), "{said}");
    assert!(desk.stage.sandbox.records("company").is_empty());
    // The same run goes on once the job is right.
    desk.script("job.ferry", &bulk());
    desk.run("J").await;
    assert_eq!((desk.failed.clone(), &counts(&desk)["inserted"]), (None, &json!(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_both_roads_and_auto_takes_the_shorter() {
    for (count, load, via) in [(5, "AUTO", "api"), (900, "AUTO", "api"), (46_000, "AUTO", "bulk"), (5, "BULK", "bulk")]
    {
        let desk = desk(count, &[], &job(&format!("LOAD VIA {load} (job_id = '{JOB_ID}')"))).await;
        let workspace = desk.workspace().await.unwrap().or_mistakes().unwrap();
        let how = ferry::run::undertaking::How::default();
        let silent = ferry::run::progress::silent();
        let plan = ferry::app::runs::plan(&workspace, &desk.stage.setting, "J", &how, 0, &silent).await.unwrap().1;
        let roads: Vec<&str> = plan.cost.roads.iter().map(|road| road.via).collect();
        assert_eq!(roads, ["api", "bulk"]);
        assert_eq!(plan.cost.via, via, "{count} by {load}: {:?}", plan.cost.roads);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_bulk_import_takes_is_a_mistake() {
    let user = "CREATE JOB \"U\" AS UPSERT INTO gainsight.User KEY (\"Email\") SELECT u.internalemailaddress AS \"Email\", \
        u.fullname AS \"Name\", u.lastname AS \"Last Name\" FROM dynamics.systemuser AS u";
    let cases = [
        (format!("{user} LOAD VIA BULK (job_id = 'x');"), "Gainsight's bulk import does not take User"),
        (bulk().replace("UPSERT", "INSERT"), "Gainsight's bulk import upserts, and this job does not"),
        (
            bulk()
                .replace("ON UNKNOWN", "ON SOURCE DELETE SET \"Name\" = 'gone' ON UNKNOWN")
                .replace("FROM lake", "FROM CHANGES OF lake"),
            "a job that acts on what the source loses has to know its records",
        ),
        (
            bulk().replace(" IGNORE CASE", ""),
            "a bulk import finds records by \"External Account ID_gainsight123\" whatever its case",
        ),
        (bulk().replace("job_id", "job"), "LOAD VIA BULK has no setting `job`"),
        (bulk().replace(JOB_ID, " "), "the job of the bulk import has to be named"),
    ];
    let mut desk = desk(1, &[], &bulk()).await;
    for (script, wanted) in cases {
        desk.script("job.ferry", &script);
        desk.run("J").await;
        let said = desk.failed.clone().unwrap_or_default();
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}
