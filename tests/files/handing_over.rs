//! A migration that begins with an export and goes on with the Web API: nothing is missed, and little is asked for.

use ferry::sandbox::Export;
use serde_json::{Value, json};

use super::Desk;
use crate::stage::Stage;

const CONNECTION: &str = "CREATE CONNECTION lake TO FILES URL '{folder}/export' FORMAT SYNAPSE LINK;";

fn job(name: &str, begin: &str) -> String {
    format!(
        "CREATE JOB \"{name}\" AS UPSERT INTO gainsight.Company KEY (\"External Account ID_gainsight123\") \
         SELECT a.accountid AS \"External Account ID_gainsight123\", a.name AS \"Name\", a.numberofemployees AS \"Employees\" \
         FROM CHANGES OF dynamics.account AS a {begin} WHERE a.statecode = 'Active' ON SOURCE DELETE SET \"Name\" = 'gone';"
    )
}

const BEGIN: &str = "BEGIN WITH lake.account";

async fn desk() -> Desk {
    let desk = Desk::on(Stage::seeded(400).await);
    let mut export = Export::new(3);
    desk.export(&mut export, "2025-01-01T00.15.00Z", "2025-01-01T00.30.00Z");
    desk
}

fn ids(desk: &Desk) -> Vec<String> {
    let rows = desk.stage.sandbox.table("account");
    let active = rows.iter().filter(|row| row["statecode"] == 0);
    active.map(|row| row["accountid"].as_str().unwrap().to_owned()).collect()
}

fn put(desk: &Desk, id: &str, name: &str) {
    let row = json!({ "accountid": id, "name": name, "statecode": 0 });
    assert!(desk.stage.sandbox.put_row("account", row.as_object().unwrap().clone()));
}

async fn ran(desk: &mut Desk, name: &str, begin: &str) {
    desk.script("connection.ferry", CONNECTION);
    desk.script("job.ferry", &job(name, begin));
    desk.run(name).await;
}

/// What was asked of the table of accounts since there were so many calls.
fn asked(desk: &Desk, since: usize) -> Vec<String> {
    let calls = desk.stage.sandbox.calls();
    let rows = calls[since..].iter().filter(|call| call.path.starts_with("/api/data/v9.2/accounts?"));
    rows.map(|call| call.path.clone()).collect()
}

/// The same job over the Web API alone has nothing to do.
async fn is_as_dynamics_has_it(desk: &mut Desk) {
    desk.script("job.ferry", &job("by the API", ""));
    desk.run("by the API").await;
    assert_eq!(desk.failed, None);
    let counts = serde_json::to_value(desk.report.as_ref().unwrap()).unwrap()["counts"].clone();
    assert_eq!((&counts["inserted"], &counts["updated"]), (&json!(0), &json!(0)), "{counts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_the_export_is_asked_of_dynamics() {
    let mut desk = desk().await;
    let all = ids(&desk);
    put(&desk, &all[0], "renamed since");
    put(&desk, "11111111-2222-4333-8444-555555555555", "made since");
    assert!(desk.stage.sandbox.delete_row("account", &all[1]));
    let before = desk.stage.sandbox.calls().len();
    ran(&mut desk, "J", BEGIN).await;
    assert_eq!(desk.failed, None);
    let asked = asked(&desk, before);
    let whole = asked.iter().filter(|path| path.contains("name") && !path.contains("modifiedon%20ge")).count();
    assert_eq!(whole, 0, "no row is asked for that did not change: {asked:?}");
    let names: Vec<Value> = desk.stage.sandbox.records("company").iter().map(|record| record["Name"].clone()).collect();
    assert!(names.contains(&json!("made since")) && names.contains(&json!("renamed since")));
    assert!(!names.contains(&json!("STALE")));
    is_as_dynamics_has_it(&mut desk).await;

    // From now on the export is not needed any more.
    std::fs::remove_dir_all(desk.folder.path().join("export/2025-01-01T00.15.00Z/account")).unwrap();
    put(&desk, &all[2], "renamed later");
    ran(&mut desk, "J", BEGIN).await;
    assert_eq!(desk.failed, None);
    assert_eq!(desk.report.as_ref().unwrap().read.clone().unwrap().full, None);
    is_as_dynamics_has_it(&mut desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_export_lacks_is_noticed() {
    let mut desk = desk().await;
    let missing = ids(&desk)[7].clone();
    for folder in ["2024-12-31T23.15.00Z", "2025-01-01T00.15.00Z"] {
        for file in ["2024", "2024_001"] {
            let path = desk.folder.path().join(format!("export/{folder}/account/{file}.csv"));
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(&missing)).collect();
            std::fs::write(&path, kept.join("\n")).unwrap();
        }
    }
    ran(&mut desk, "J", BEGIN).await;
    assert_eq!(desk.failed, None);
    let told = "the export lacks 1 rows or changes of rows that Dynamics has";
    assert!(desk.said.iter().any(|said| said.contains(told)), "{:?}", desk.said);
    is_as_dynamics_has_it(&mut desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_export_has_in_an_old_version_is_noticed() {
    let mut desk = desk().await;
    // Of a row that changed long ago the export has what was before, as after a failure of its own.
    let row = desk.stage.sandbox.table("account").into_iter().find(|row| row["statecode"] == 0).unwrap();
    let (id, version) = (row["accountid"].as_str().unwrap(), row["versionnumber"].to_string());
    for folder in ["2024-12-31T23.15.00Z", "2025-01-01T00.15.00Z"] {
        for file in ["2024", "2024_001"] {
            let path = desk.folder.path().join(format!("export/{folder}/account/{file}.csv"));
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let old = |line: &str| line.replace(&version, "7").replace(row["name"].as_str().unwrap(), "OLD");
            let lines = text.lines().map(|line| if line.starts_with(id) { old(line) } else { line.to_owned() });
            std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
        }
    }
    ran(&mut desk, "J", BEGIN).await;
    assert_eq!(desk.failed, None);
    assert!(desk.said.iter().any(|said| said.contains("the export lacks 1 rows or changes")), "{:?}", desk.said);
    is_as_dynamics_has_it(&mut desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_breaks_off_behind_the_export_goes_on() {
    let mut desk = desk().await;
    desk.stage
        .sandbox
        .strike_by(r#"{"service":"dynamics","path":"/api/data/v9.2/accounts","status":403,"times":1}"#)
        .unwrap();
    ran(&mut desk, "J", BEGIN).await;
    assert!(desk.failed.is_some(), "Dynamics refused");
    desk.stage.sandbox.strike_by("").unwrap();
    // The export is not read again: by now it could not be.
    std::fs::write(desk.folder.path().join("export/2025-01-01T00.15.00Z/account/2024.csv"), "\"").unwrap();
    ran(&mut desk, "J", BEGIN).await;
    assert_eq!(desk.failed, None);
    is_as_dynamics_has_it(&mut desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_with_an_export_is_a_mistake() {
    let mut desk = desk().await;
    desk.put("plain/account.csv", b"accountid,name\nx,y\n");
    let more = "CREATE CONNECTION plain TO FILES URL '{folder}/plain' FORMAT CSV;";
    desk.script("more.ferry", more);
    let cases = [
        ("BEGIN WITH plain.account", "is no export of Synapse Link"),
        ("BEGIN WITH dynamics.account", "is no export of Synapse Link"),
        ("BEGIN WITH lake.contact", "this is an export of contact, and the job reads account"),
        ("BEGIN WITH lake.nothing", "lake has no object \"nothing\""),
    ];
    for (begin, wanted) in cases {
        ran(&mut desk, "J", begin).await;
        let said = desk.failed.clone().unwrap_or_default();
        assert!(said.contains(wanted), "{begin}: {said}");
    }
    desk.script("job.ferry", &job("J", BEGIN).replace("CHANGES OF", ""));
    desk.run("J").await;
    assert!(desk.failed.clone().unwrap().contains("write FROM CHANGES OF"), "{:?}", desk.failed);
    desk.script("job.ferry", &job("J", BEGIN).replace("dynamics.account", "lake.account"));
    desk.run("J").await;
    assert!(desk.failed.clone().unwrap().contains("BEGIN WITH is for a table of Dynamics"), "{:?}", desk.failed);
}
