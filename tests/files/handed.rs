//! `LOAD VIA FILES`: rows go into a bucket, a connector takes them in some day, and a later read proves each.

use std::sync::atomic::{AtomicI64, Ordering};

use ferry::model::outcome::Status;
use ferry::sandbox::Service;
use serde_json::{Map, Value, json};

use super::Desk;
use crate::stage::errors;

const HOUR_MS: i64 = 3_600_000;

const COMPANIES: &str = "CREATE CONNECTION lake TO FILES URL '{folder}' FORMAT CSV \
     TABLE companies (code TEXT, name TEXT, employees INTEGER) KEY (code);\n\
     CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"External Account ID_gainsight123\") \
     SELECT c.code AS \"External Account ID_gainsight123\", c.name AS \"Name\", c.employees AS \"Employees\" \
     FROM lake.companies AS c LOAD VIA FILES '{folder}/out';";

const PEOPLE: &str = "CREATE CONNECTION lake TO FILES URL '{folder}' FORMAT CSV \
     TABLE people (code TEXT, mail TEXT, last TEXT, company TEXT, title TEXT) KEY (code);\n\
     CREATE JOB \"P\" AS UPSERT INTO gainsight.Person, gainsight.\"Company Person\" KEY (Person.\"Email\") \
     SELECT p.mail AS Person.\"Email\", p.last AS Person.\"Last Name\", c.GSID AS \"Company Person\".\"Company ID\", \
     p.title AS \"Company Person\".\"Title\" FROM lake.people AS p \
     LOOKUP gainsight.Company AS c ON c.\"Name\" = p.company \
     WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT LOAD VIA FILES '{folder}/out';";

async fn desk(script: &str, file: &str, rows: &str) -> Desk {
    let mut desk = Desk::empty().await;
    desk.put(file, rows.as_bytes());
    std::fs::create_dir(desk.folder.path().join("out")).unwrap();
    desk.script("job.ferry", script);
    desk
}

/// The files that lie there, by name, each with its lines by column.
fn handed(desk: &Desk, object: &str) -> Vec<(String, Vec<Map<String, Value>>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(desk.folder.path().join("out").join(object)).into_iter().flatten().flatten() {
        let mut reader = csv::Reader::from_path(entry.path()).unwrap();
        let names = reader.headers().unwrap().clone();
        let line = |record: csv::StringRecord| {
            names.iter().zip(record.iter()).map(|(name, value)| (name.to_owned(), json!(value))).collect()
        };
        files.push((
            entry.file_name().into_string().unwrap(),
            reader.records().map(|record| line(record.unwrap())).collect(),
        ));
    }
    files.sort_by(|one, other| one.0.cmp(&other.0));
    files
}

/// What a connector makes of a company's line.
fn take_company(desk: &Desk, line: &Map<String, Value>) {
    let employees: f64 = line["Employees"].as_str().unwrap().parse().unwrap();
    let record = json!({ "Name": line["Name"], "Employees": employees,
        "External_Account_ID_gainsight123__gc": line["External Account ID_gainsight123"] });
    desk.stage.sandbox.put_record("company", record.as_object().unwrap().clone());
}

fn writes(desk: &Desk) -> usize {
    desk.stage.sandbox.calls().iter().filter(|call| call.service == Service::Gainsight && call.write).count()
}

fn counts(desk: &Desk) -> Value {
    serde_json::to_value(desk.report.as_ref().unwrap()).unwrap()["counts"].clone()
}

fn rows(count: usize) -> String {
    let lines = (0..count).map(|n| format!("c{n},\"Company {n}, \"\"Inc\"\"\",{}\n", 10 + n));
    format!("code,name,employees\n{}", lines.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_wait_until_a_read_proves_them() {
    let mut desk = desk(COMPANIES, "companies.csv", &rows(12)).await;
    desk.run("J").await;
    let said = desk.failed.clone().unwrap();
    assert!(said.starts_with("waiting for 12 rows in 1 file below file:///"), "{said}");
    let report = desk.report.clone().unwrap();
    assert_eq!((report.status, writes(&desk)), (Status::WaitingTarget, 0));
    let files = handed(&desk, "company");
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].0, format!("{}-000001.csv", report.run));
    let first = json!({ "External Account ID_gainsight123": "c0", "Name": "Company 0, \"Inc\"", "Employees": "10" });
    assert_eq!((files[0].1.len(), &Value::Object(files[0].1[0].clone())), (12, &first));

    // Nothing has come, then all but one row: the same run waits, and hands nothing over again.
    desk.run("J").await;
    assert!(desk.failed.as_ref().unwrap().starts_with("waiting for 12 rows in 1 file below"), "{:?}", desk.failed);
    files[0].1[1..].iter().for_each(|line| take_company(&desk, line));
    desk.run("J").await;
    assert!(desk.failed.as_ref().unwrap().starts_with("waiting for 1 row in 1 file below"), "{:?}", desk.failed);
    assert_eq!((&desk.report.as_ref().unwrap().run, &counts(&desk)["inserted"]), (&report.run, &json!(11)));
    take_company(&desk, &files[0].1[0]);
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    let ended = desk.report.clone().unwrap();
    assert_eq!((&ended.run, ended.status), (&report.run, Status::Success));
    assert_eq!((&counts(&desk)["inserted"], ended.records["Company"].inserted), (&json!(12), 12));
    assert_eq!((handed(&desk, "company").len(), writes(&desk)), (1, 0));

    // The next run finds them there, and hands a change over as a whole record.
    desk.put("companies.csv", rows(12).replace("Company 5,", "Other 5,").as_bytes());
    desk.run("J").await;
    let files = handed(&desk, "company");
    let whole = json!({ "External Account ID_gainsight123": "c5", "Name": "Other 5, \"Inc\"", "Employees": "15" });
    assert_eq!((files.len(), &files[1].1), (2, &vec![whole.as_object().unwrap().clone()]));
    let of = |code: &str| {
        let records = desk.stage.sandbox.records("company");
        records.into_iter().find(|r| r["External_Account_ID_gainsight123__gc"] == code).unwrap()
    };
    let changed = json!({ "Name": "Other 5, \"Inc\"" }).as_object().unwrap().clone();
    assert!(desk.stage.sandbox.edit_record("company", of("c5")["Gsid"].as_str().unwrap(), changed));
    desk.run("J").await;
    assert_eq!((desk.failed.clone(), &counts(&desk)["updated"]), (None, &json!(1)));
    assert_eq!(counts(&desk)["unchanged"], json!(11));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_within_a_day_is_told_and_handed_over_again() {
    let mut desk = desk(COMPANIES, "companies.csv", &rows(3)).await;
    let ahead: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
    desk.stage.setting.clock = desk.stage.setting.clock.set_by(ahead);
    desk.run("J").await;
    let files = handed(&desk, "company");
    files[0].1[..2].iter().for_each(|line| take_company(&desk, line));
    ahead.store(23 * HOUR_MS + 1, Ordering::SeqCst);
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    let report = desk.report.clone().unwrap();
    assert_eq!(
        (report.status, &counts(&desk)["inserted"], &counts(&desk)["error"]),
        (Status::Partial, &json!(2), &json!(1))
    );
    let line = &errors(&report)[0];
    assert_eq!((line["source_key"].as_str(), line["code"].as_str()), ("c2", "NOT_IMPORTED"));
    assert!(line["message"].contains("handed over as a file in file:///"), "{}", line["message"]);
    desk.run("J").await;
    let files = handed(&desk, "company");
    assert_eq!((files.len(), files[1].1.len(), files[1].1[0]["Name"].clone()), (2, 1, json!("Company 2, \"Inc\"")));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_proven_by_both_of_their_records() {
    let people = "code,mail,last,company,title\n1,ann@example.com,Ash,Acme,Head\n2,bob@example.com,Birch,Acme,Hand\n";
    let mut desk = desk(PEOPLE, "people.csv", people).await;
    let acme = desk.stage.sandbox.put_record("company", json!({ "Name": "Acme" }).as_object().unwrap().clone());
    desk.run("P").await;
    assert!(desk.failed.as_ref().unwrap().starts_with("waiting for 2 rows in 1 file below"), "{:?}", desk.failed);
    let files = handed(&desk, "person");
    let first = json!({ "Email": "ann@example.com", "Last Name": "Ash", "Company ID": acme, "Title": "Head" });
    assert_eq!(Value::Object(files[0].1[0].clone()), first);
    let mut people = Vec::new();
    for line in &files[0].1 {
        let person = json!({ "Email": line["Email"], "LastName": line["Last Name"] });
        people.push(desk.stage.sandbox.put_record("person", person.as_object().unwrap().clone()));
    }
    desk.run("P").await;
    assert!(
        desk.failed.as_ref().unwrap().starts_with("waiting for 2 rows in 1 file below"),
        "who they work for: {:?}",
        desk.failed
    );
    for (line, person) in files[0].1.iter().zip(&people) {
        let link = json!({ "Person_ID": person, "Company_ID": acme, "Title": line["Title"] });
        desk.stage.sandbox.put_record("company_person", link.as_object().unwrap().clone());
    }
    desk.run("P").await;
    assert_eq!(desk.failed, None);
    let report = desk.report.clone().unwrap();
    assert_eq!((report.records["Person"].inserted, report.records["Company Person"].inserted), (2, 2));
    assert_eq!((report.status, writes(&desk)), (Status::Success, 0));
    desk.run("P").await;
    assert_eq!((&counts(&desk)["unchanged"], handed(&desk, "person").len()), (&json!(2), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_not_there_is_told_and_nothing_is_waited_for() {
    let mut desk = desk(COMPANIES, "companies.csv", &rows(3)).await;
    std::fs::remove_dir(desk.folder.path().join("out")).unwrap();
    desk.run("J").await;
    let said = desk.failed.clone().unwrap();
    assert!(said.contains("is no folder that can be read"), "{said}");
    assert_eq!(desk.report.as_ref().unwrap().status, Status::Failed);
    std::fs::create_dir(desk.folder.path().join("out")).unwrap();
    desk.run("J").await;
    assert_eq!((desk.report.as_ref().unwrap().status, handed(&desk, "company").len()), (Status::WaitingTarget, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_a_change_waits_for_nothing() {
    let mut desk = desk(COMPANIES, "companies.csv", "code,name,employees\n").await;
    desk.run("J").await;
    assert_eq!((desk.failed.clone(), desk.report.as_ref().unwrap().status), (None, Status::Success));
    assert_eq!(handed(&desk, "company").len(), 0);
}
