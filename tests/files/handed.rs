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
    assert!(
        files[0].0.starts_with(&format!("{}-000001-", report.run)) && files[0].0.ends_with(".csv"),
        "{}",
        files[0].0
    );
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

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_person_of_several_rows_says_what_the_newest_says() {
    let people = "code,mail,last,company,title\n1,ann@example.com,Old,Acme,Head\n2,ann@example.com,Newer,Beta,Boss\n\
        3,bob@example.com,Birch,Acme,Hand\n";
    let mut desk = desk(PEOPLE, "people.csv", people).await;
    let company = |name: &str| json!({ "Name": name }).as_object().unwrap().clone();
    let ids = ["Acme", "Beta"].map(|name| desk.stage.sandbox.put_record("company", company(name)));
    desk.run("P").await;
    assert!(desk.failed.as_ref().unwrap().starts_with("waiting for 3 rows"), "{:?}", desk.failed);
    let lines = handed(&desk, "person").remove(0).1;
    let told = |line: &Map<String, Value>| format!("{} {} {}", line["Email"], line["Last Name"], line["Title"]);
    let mut all: Vec<String> = lines.iter().map(told).collect();
    all.sort();
    let ann = |title: &str| format!("\"ann@example.com\" \"Newer\" \"{title}\"");
    assert_eq!(all, [ann("Boss"), ann("Head"), "\"bob@example.com\" \"Birch\" \"Hand\"".to_owned()]);
    // One person of two companies, taken in.
    for (mail, last, links) in
        [("ann", "Newer", vec![("Head", &ids[0]), ("Boss", &ids[1])]), ("bob", "Birch", vec![("Hand", &ids[0])])]
    {
        let person = json!({ "Email": format!("{mail}@example.com"), "LastName": last });
        let person = desk.stage.sandbox.put_record("person", person.as_object().unwrap().clone());
        for (title, company) in links {
            let link = json!({ "Person_ID": person, "Company_ID": company, "Title": title });
            desk.stage.sandbox.put_record("company_person", link.as_object().unwrap().clone());
        }
    }
    desk.run("P").await;
    assert_eq!(desk.failed, None);
    let report = desk.report.clone().unwrap();
    assert_eq!((report.records["Person"].inserted, report.records["Company Person"].inserted), (2, 3));
    desk.run("P").await;
    assert_eq!((desk.failed.clone(), &counts(&desk)["unchanged"]), (None, &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_proven_and_the_identity_map_knows_them_then() {
    let user = |number: usize| {
        let name = format!("u{number}@example.com");
        format!(
            "{}\n",
            json!({ "systemuserid": format!("20000000-0000-0000-0000-{number:012}"), "firstname": "F", "lastname": format!("L{number}"),
                "domainname": name, "internalemailaddress": name, "personalemailaddress": name, "isdisabled": false })
        )
    };
    let users: String = (1..=3).map(user).collect();
    let mut desk = Desk::on(crate::stage::Stage::world(&users, "", "").await);
    std::fs::create_dir(desk.folder.path().join("out")).unwrap();
    let script = "CREATE JOB \"U\" AS UPSERT INTO gainsight.User, gainsight.Avatar_Dynamics KEY (User.\"Username\") \
        SELECT u.firstname AS User.\"First Name\", u.lastname AS User.\"Last Name\", u.domainname AS User.\"Username\", \
        u.internalemailaddress AS User.\"Email\", u.systemuserid AS Avatar_Dynamics.\"Dynamics User Id\", \
        NOT u.isdisabled AS Avatar_Dynamics.\"Active\" \
        FROM CHANGES OF dynamics.systemuser AS u LOAD VIA FILES '{folder}/out';";
    desk.script("users.ferry", script);
    let take = |desk: &Desk, file: usize| {
        for line in &handed(desk, "gsuser")[file].1 {
            let record = json!({ "FirstName": line["First Name"], "LastName": line["Last Name"], "SFDCUserName": line["Username"],
                "Email": line["Email"], "IsActiveUser": true });
            desk.stage.sandbox.put_record("gsuser", record.as_object().unwrap().clone());
        }
    };
    desk.run("U").await;
    assert!(desk.failed.as_ref().unwrap().starts_with("waiting for 3 rows"), "{:?}", desk.failed);
    take(&desk, 0);
    desk.run("U").await;
    assert_eq!((desk.failed.clone(), &counts(&desk)["inserted"]), (None, &json!(3)));
    let records = desk.report.as_ref().unwrap().records.clone();
    assert_eq!((records["User"].inserted, records["Avatar_Dynamics"].inserted), (3, 3));
    // Where only the map changes, nothing is handed over and nothing is waited for; the next run finds all as it is.
    let mut row = desk.stage.sandbox.table("systemuser").remove(0);
    row.insert("isdisabled".to_owned(), json!(true));
    assert!(desk.stage.sandbox.put_row("systemuser", row));
    desk.run("U").await;
    assert_eq!((desk.failed.clone(), &counts(&desk)["updated"], handed(&desk, "gsuser").len()), (None, &json!(1), 1));
    desk.run("U").await;
    assert_eq!((desk.failed.clone(), &counts(&desk)["unchanged"], writes(&desk)), (None, &json!(3), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_is_not_given_up_for_what_others_write_or_for_its_age() {
    let mut desk = desk(COMPANIES, "companies.csv", &rows(2)).await;
    let ahead: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
    desk.stage.setting.clock = desk.stage.setting.clock.set_by(ahead);
    desk.run("J").await;
    let waiting = desk.report.as_ref().unwrap().run.clone();
    let other = "CREATE JOB \"K\" AS UPSERT INTO gainsight.Company KEY (\"Name\") SELECT c.code AS \"Name\" \
        FROM lake.companies AS c;";
    desk.script("other.ferry", other);
    desk.run("K").await;
    assert_eq!((desk.failed.clone(), &counts(&desk)["inserted"]), (None, &json!(2)));
    assert!(desk.said.iter().any(|said| said.contains("has handed rows over as files")), "{:?}", desk.said);
    let file = handed(&desk, "company").remove(0);
    take_company(&desk, &file.1[0]);
    ahead.store(40 * HOUR_MS, Ordering::SeqCst);
    desk.run("J").await;
    let report = desk.report.clone().unwrap();
    assert_eq!((&report.run, report.status, handed(&desk, "company").len()), (&waiting, Status::Partial, 1));
    assert_eq!((&counts(&desk)["inserted"], &counts(&desk)["error"]), (&json!(1), &json!(1)));
}
