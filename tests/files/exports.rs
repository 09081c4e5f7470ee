//! Exports of Synapse Link: a job over one writes what the same job over the Web API would.
//!
//! The sandbox writes exports with every trap of the reference: rows that come twice, in old versions, in folders that are never
//! finished, narrower than their description, deleted, and told of again afterwards.

use std::collections::BTreeMap;

use ferry::run::report::Report;
use ferry::sandbox::Export;
use ferry::store::appending::Appending;
use serde_json::{Map, Value, json};

use super::Desk;
use crate::stage::{Stage, errors};

const CONNECTION: &str = "CREATE CONNECTION lake TO FILES URL '{folder}/export' FORMAT SYNAPSE LINK;";

fn job(name: &str, from: &str) -> String {
    format!(
        "CREATE JOB \"{name}\" AS UPSERT INTO gainsight.Company KEY (\"External Account ID_gainsight123\") \
         SELECT a.accountid AS \"External Account ID_gainsight123\", a.name AS \"Name\", a.numberofemployees AS \"Employees\", \
         LABEL(a.industrycode) AS \"Industry\" FROM {from} AS a \
         LOOKUP lake.systemuser AS u ON u.systemuserid = a.ownerid WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN USE NULL \
         WHERE a.statecode = 'Active' AND (u.systemuserid IS NOT NULL OR a.ownerid IS NOT NULL) \
         ON SOURCE DELETE SET \"Name\" = 'gone' ON UNKNOWN ITEM NULL;"
    )
}

async fn desk(rows: usize) -> (Desk, Export) {
    let desk = Desk::on(Stage::seeded(rows).await);
    let export = Export::new(7);
    (desk, export)
}

/// Companies by the account's id, without what Gainsight itself gives them.
fn companies(desk: &Desk) -> BTreeMap<String, Map<String, Value>> {
    let mut found = BTreeMap::new();
    for mut record in desk.stage.sandbox.records("company") {
        let Some(Value::String(id)) = record.get("External_Account_ID_gainsight123__gc").cloned() else { continue };
        record.retain(|name, _| ["Name", "Employees", "Industry"].contains(&name.as_str()));
        found.insert(id, record);
    }
    found
}

fn outcomes(report: &Option<Report>) -> Value {
    serde_json::to_value(report.as_ref().unwrap()).unwrap()["counts"].clone()
}

async fn ran(desk: &mut Desk, name: &str, from: &str) {
    desk.script("connection.ferry", CONNECTION);
    desk.script("job.ferry", &job(name, from));
    desk.run(name).await;
    assert_eq!(desk.failed, None, "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_of_an_export_are_what_the_web_api_gives() {
    let (mut desk, mut export) = desk(400).await;
    let hard = json!({ "name": "A \"quoted\"\r\nname, of two lines" });
    let first = desk.stage.sandbox.table("account")[0].clone();
    let mut row = hard.as_object().unwrap().clone();
    row.insert("accountid".to_owned(), first["accountid"].clone());
    assert!(desk.stage.sandbox.put_row("account", row));
    desk.export(&mut export, "2025-01-01T00.15.00Z", "2025-01-01T00.30.00Z");
    ran(&mut desk, "by files", "lake.account").await;
    let (by_files, counts) = (companies(&desk), outcomes(&desk.report));
    assert!(
        desk.said.iter().any(|said| said.contains("never finished are passed over: 2024-12-31T23.45.00Z")),
        "{:?}",
        desk.said
    );
    assert!(by_files.len() > 40 && by_files.values().all(|company| company["Name"] != "STALE"));

    // The same job over the Web API finds nothing to do, and with the same counts.
    ran(&mut desk, "by the API", "dynamics.account").await;
    let again = outcomes(&desk.report);
    assert_eq!(companies(&desk), by_files);
    assert_eq!((&again["inserted"], &again["updated"]), (&json!(0), &json!(0)), "{again}");
    assert_eq!((&again["read"], &again["filtered"]), (&counts["read"], &counts["filtered"]), "{counts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn later_folders_are_read_alone_and_end_where_a_whole_reading_ends() {
    let (mut desk, mut export) = desk(400).await;
    desk.export(&mut export, "2025-01-01T00.15.00Z", "2025-01-01T00.30.00Z");
    ran(&mut desk, "J", "CHANGES OF lake.account").await;
    let before = companies(&desk);
    // Nothing new: nothing is read.
    ran(&mut desk, "J", "CHANGES OF lake.account").await;
    let read = desk.report.as_ref().unwrap().read.clone().unwrap();
    assert_eq!((read.full, read.changed, read.gone), (None, 0, 0));
    assert_eq!(companies(&desk), before);
    // Nor is it another job that is to be read whole less often.
    desk.script(
        "job.ferry",
        &job("J", "CHANGES OF lake.account").replace("AS a LOOKUP", "AS a FULL EVERY 900 DAYS LOOKUP"),
    );
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    assert_eq!(desk.report.as_ref().unwrap().read.clone().unwrap().full, None);

    let accounts = desk.stage.sandbox.table("account");
    let id = |at: usize| accounts[at]["accountid"].as_str().unwrap().to_owned();
    for at in [3, 4] {
        let row = json!({ "accountid": id(at), "name": format!("renamed {at}") });
        assert!(desk.stage.sandbox.put_row("account", row.as_object().unwrap().clone()));
    }
    assert!(desk.stage.sandbox.delete_row("account", &id(5)));
    desk.export(&mut export, "2025-01-01T00.30.00Z", "2025-01-01T00.45.00Z");
    ran(&mut desk, "J", "CHANGES OF lake.account").await;
    let read = desk.report.as_ref().unwrap().read.clone().unwrap();
    assert_eq!(read.full, None);
    assert!(read.changed >= 2 && read.gone == 1, "{read:?}");
    let after = companies(&desk);
    assert!(after.values().all(|company| company["Name"] != "STALE"), "what comes again is old");
    assert_eq!(
        after.values().filter(|company| company["Name"] == "gone").count(),
        before.contains_key(&id(5)) as usize
    );
    for at in [3, 4] {
        if let Some(company) = after.get(&id(at)) {
            assert_eq!(company["Name"], format!("renamed {at}"));
        }
    }
    // A whole reading of the export writes nothing that is not there.
    ran(&mut desk, "whole", "lake.account").await;
    let counts = outcomes(&desk.report);
    assert_eq!((&counts["inserted"], &counts["updated"]), (&json!(0), &json!(0)), "{counts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_files_that_are_rewritten_only_snapshots_are_read() {
    let (mut desk, _) = desk(400).await;
    let folder = desk.folder.path().join("export");
    let mut files = Appending::below(&folder);
    desk.stage.sandbox.export_snapshots(1_735_689_600, &mut |name, bytes| files.put(name, bytes)).unwrap();
    files.finish().unwrap();
    ran(&mut desk, "by files", "CHANGES OF lake.account").await;
    let by_files = companies(&desk);
    ran(&mut desk, "by the API", "dynamics.account").await;
    assert_eq!(companies(&desk), by_files);
    let counts = outcomes(&desk.report);
    assert_eq!((&counts["inserted"], &counts["updated"]), (&json!(0), &json!(0)), "{counts}");

    // A partition without a snapshot is not read while it is written.
    let model = std::fs::read_to_string(folder.join("model.json")).unwrap();
    std::fs::write(folder.join("model.json"), model.replace("account/Snapshot/2024_1735689600", "account/2024"))
        .unwrap();
    desk.script("job.ferry", &job("by files", "CHANGES OF lake.account"));
    desk.run("by files").await;
    assert!(
        desk.failed
            .clone()
            .unwrap()
            .contains("account/2024.csv is written in place, and no snapshot of account is there yet")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_export_is_told() {
    let (mut desk, mut export) = desk(120).await;
    let folder = desk.folder.path().join("export");
    desk.export(&mut export, "2025-01-01T00.15.00Z", "2025-01-01T00.30.00Z");
    let model = std::fs::read_to_string(folder.join("model.json")).unwrap();
    let log = folder.join("Changelog/changelog.info");
    let before = desk.stage.sandbox.records("company");
    let cases = [
        (folder.join("model.json"), model.replace("\"Completed\"", "\"InProgress\""), "is not exported whole yet"),
        (folder.join("2025-01-01T00.15.00Z/model.json"), model.replace("\"1.0\"", "\"2.0\""), "it is of form cdm 2.0"),
        (
            folder.join("2025-01-01T00.15.00Z/model.json"),
            "{".to_owned(),
            "2025-01-01T00.15.00Z/model.json is not what it should be",
        ),
        (log.clone(), "soon".to_owned(), "names no folder (\"soon\")"),
    ];
    desk.script("connection.ferry", CONNECTION);
    desk.script("job.ferry", &job("J", "lake.account"));
    for (file, text, wanted) in cases {
        let whole = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text).unwrap();
        desk.run("J").await;
        let said = desk.failed.clone().unwrap_or_default();
        assert!(said.contains(wanted), "{wanted}: {said}");
        std::fs::write(&file, whole).unwrap();
    }
    std::fs::remove_file(&log).unwrap();
    desk.run("J").await;
    assert!(desk.failed.clone().unwrap().contains("Changelog/changelog.info is missing"), "{:?}", desk.failed);
    assert_eq!(desk.stage.sandbox.records("company"), before, "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_may_still_be_finished_is_waited_for() {
    let (mut desk, mut export) = desk(600).await;
    // Of today, so that its hour of grace is not over.
    let at = |minutes: i64| {
        let moment = chrono::Utc::now() - chrono::TimeDelta::minutes(minutes);
        moment.format("%Y-%m-%dT%H.%M.%SZ").to_string()
    };
    let (interval, next) = (at(20), at(5));
    desk.export(&mut export, &interval, &next);
    ran(&mut desk, "J", "lake.account").await;
    assert!(desk.said.iter().all(|said| !said.contains("never finished")), "{:?}", desk.said);
    // What lies behind the unfinished folder is left to a later run: the rows that come again there are old until then.
    assert!(companies(&desk).values().any(|company| company["Name"] == "STALE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_rows_of_an_earlier_run_are_gone_everything_is_read() {
    let (mut desk, mut export) = desk(400).await;
    desk.export(&mut export, "2025-01-01T00.15.00Z", "2025-01-01T00.30.00Z");
    ran(&mut desk, "J", "CHANGES OF lake.account").await;
    let accounts = desk.stage.sandbox.table("account");
    let id = |at: usize| accounts[at]["accountid"].as_str().unwrap().to_owned();
    let row = json!({ "accountid": id(3), "name": "renamed" });
    assert!(desk.stage.sandbox.put_row("account", row.as_object().unwrap().clone()));
    assert!(desk.stage.sandbox.delete_row("account", &id(5)));
    desk.export(&mut export, "2025-01-01T00.30.00Z", "2025-01-01T00.45.00Z");
    for run in std::fs::read_dir(desk.stage.setting.home.join("runs")).unwrap() {
        std::fs::remove_dir_all(run.unwrap().path().join("source")).unwrap();
    }
    ran(&mut desk, "J", "CHANGES OF lake.account").await;
    let read = desk.report.as_ref().unwrap().read.clone().unwrap();
    assert!(read.full.is_some(), "{read:?}");
    let found = companies(&desk);
    assert!(found.get(&id(5)).is_none_or(|company| company["Name"] == "gone"), "{:?}", found.get(&id(5)));
    ran(&mut desk, "whole", "lake.account").await;
    let counts = outcomes(&desk.report);
    assert_eq!((&counts["inserted"], &counts["updated"]), (&json!(0), &json!(0)), "{counts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_says_no_version_is_told_and_not_acted_on() {
    let (mut desk, mut export) = desk(400).await;
    desk.export(&mut export, "2025-01-01T00.15.00Z", "2025-01-01T00.30.00Z");
    ran(&mut desk, "J", "CHANGES OF lake.account").await;
    let before = companies(&desk);
    let accounts = desk.stage.sandbox.table("account");
    let ids = accounts.iter().map(|row| row["accountid"].as_str().unwrap());
    let id = ids.clone().find(|id| before.contains_key(*id)).unwrap().to_owned();
    assert!(desk.stage.sandbox.delete_row("account", &id));
    desk.export(&mut export, "2025-01-01T00.30.00Z", "2025-01-01T00.45.00Z");
    let file = desk.folder.path().join("export/2025-01-01T00.30.00Z/account/1.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    let deletion = text.lines().find(|line| line.starts_with(&id)).unwrap();
    let model = std::fs::read_to_string(desk.folder.path().join("export/2025-01-01T00.30.00Z/model.json")).unwrap();
    let model: Value = serde_json::from_str(&model).unwrap();
    let entity = model["entities"].as_array().unwrap().iter().find(|entity| entity["name"] == "account").unwrap();
    let place = entity["attributes"].as_array().unwrap().iter().position(|a| a["name"] == "versionnumber").unwrap();
    let mut values: Vec<&str> = deletion.split(',').collect();
    assert!(!values[place].is_empty(), "{deletion}");
    values[place] = "";
    std::fs::write(&file, text.replace(deletion, &values.join(","))).unwrap();
    ran(&mut desk, "J", "CHANGES OF lake.account").await;
    assert_eq!(companies(&desk)[&id], before[&id], "nobody knows whether the row came again since");
    let told = errors(desk.report.as_ref().unwrap());
    let line = told.iter().find(|line| line["source_key"] == id).unwrap();
    assert_eq!(line["code"], "BAD_VALUE");
    assert!(line["value"].starts_with("the row says no version"), "{line:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_folders_that_are_gone_are_not_taken_for_deleted() {
    let (mut desk, mut export) = desk(400).await;
    desk.export(&mut export, "2025-01-01T00.15.00Z", "2025-01-01T00.30.00Z");
    ran(&mut desk, "J", "CHANGES OF lake.account").await;
    let before = companies(&desk);
    desk.export(&mut export, "2025-01-01T00.30.00Z", "2025-01-01T00.45.00Z");
    let (folder, away) = (desk.folder.path().join("export"), desk.folder.path().join("away"));
    std::fs::create_dir(&away).unwrap();
    let gone = ["2024-12-31T23.15.00Z", "2024-12-31T23.45.00Z", "2025-01-01T00.15.00Z"];
    gone.iter().for_each(|name| std::fs::rename(folder.join(name), away.join(name)).unwrap());
    // What has come since is all that is needed.
    ran(&mut desk, "J", "CHANGES OF lake.account").await;
    assert_eq!(companies(&desk), before);
    // Another job is read whole, and then the folders are missed.
    let other = job("J", "CHANGES OF lake.account").replace("a.name AS", "CONCAT(a.name, '!') AS");
    desk.script("job.ferry", &other);
    desk.run("J").await;
    let said = desk.failed.clone().unwrap();
    assert!(said.contains("an earlier run read its folder 2024-12-31T23.15.00Z, and now its oldest is"), "{said}");
    assert_eq!(companies(&desk), before);
    gone.iter().for_each(|name| std::fs::rename(away.join(name), folder.join(name)).unwrap());
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    assert!(!desk.said.iter().any(|said| said.contains("has lost some")), "{:?}", desk.said);
    let after = companies(&desk);
    // A row without a name has one now.
    let new: Vec<&Value> =
        after.iter().filter(|(id, _)| !before.contains_key(*id)).map(|(_, one)| &one["Name"]).collect();
    assert_eq!(new, ["!"]);
    let marked =
        after.values().filter(|company| company["Name"].as_str().is_some_and(|name| name.ends_with('!'))).count();
    assert!(marked > 40, "{marked}");
    let gone = |all: &BTreeMap<String, Map<String, Value>>| all.values().filter(|one| one["Name"] == "gone").count();
    assert_eq!(gone(&after), gone(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_are_gone_are_told_of_where_nothing_is_deleted_for_them() {
    let (mut desk, mut export) = desk(200).await;
    desk.export(&mut export, "2025-01-01T00.15.00Z", "2025-01-01T00.30.00Z");
    let calm = job("J", "CHANGES OF lake.account").replace("ON SOURCE DELETE SET \"Name\" = 'gone' ", "");
    desk.script("connection.ferry", CONNECTION);
    desk.script("job.ferry", &calm);
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    desk.export(&mut export, "2025-01-01T00.30.00Z", "2025-01-01T00.45.00Z");
    let (folder, away) = (desk.folder.path().join("export"), desk.folder.path().join("away"));
    std::fs::create_dir(&away).unwrap();
    for name in ["2024-12-31T23.15.00Z", "2024-12-31T23.45.00Z"] {
        std::fs::rename(folder.join(name), away.join(name)).unwrap();
    }
    // What changed is all that is read, and nothing is missed.
    desk.run("J").await;
    assert!(!desk.said.iter().any(|said| said.contains("has lost some")), "{:?}", desk.said);
    desk.script("job.ferry", &calm.replace("a.name AS", "CONCAT(a.name, '!') AS"));
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    let told = |words: &str| desk.said.iter().filter(|said| said.contains(words)).count();
    assert_eq!(
        told("folders of account from 2024-12-31T23.15.00Z on, and the export has lost some"),
        1,
        "{:?}",
        desk.said
    );
    assert_eq!(told("its rows in them are not read"), 1, "{:?}", desk.said);
}
