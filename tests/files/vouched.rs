//! `ferry report`: what it says of a run can be held against the files that it names.

use std::path::Path;

use ferry::app::audit::{Audit, audit};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::Desk;
use crate::stage::Stage;

const SCRIPT: &str = "CREATE CONNECTION lake TO FILES URL '{folder}' FORMAT CSV TABLE companies (code TEXT, name TEXT, staff INTEGER) KEY (code);\n\
    CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"External Account ID_gainsight123\") SELECT \
    c.code AS \"External Account ID_gainsight123\", c.name AS \"Name\", c.staff AS \"Employees\" FROM lake.companies AS c \
    WHERE c.name <> 'Filtered';";

fn sha256(path: &Path) -> String {
    digest(&SHA256, &std::fs::read(path).unwrap()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn run_of(desk: &mut Desk, rows: &str) -> String {
    desk.put("companies.csv", format!("code,name,staff\n{rows}").as_bytes());
    desk.script("job.ferry", SCRIPT);
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    desk.report.as_ref().unwrap().run.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_a_run_can_be_held_against_its_files() {
    let mut desk = Desk::empty().await;
    let run = run_of(&mut desk, "c1,Acme,1\nc2,Filtered,2\nc3,Gamma,many\nc4,\"=D, \"\"x\"\"\",-4\nc5,Eta,5\n").await;
    let rows = desk.folder.path().join("rows.out");
    let made: Audit = audit(&desk.stage.setting, &run, Some(&rows)).await.unwrap();
    assert!(made.balances && made.status == "partial");
    let counts = &made.counts;
    assert_eq!((counts.read, counts.inserted, counts.filtered, counts.error), (5, 2, 1, 2));
    let left: Vec<(&str, u64)> = made.left.iter().flatten().map(|one| (one.code.as_str(), one.rows)).collect();
    assert_eq!(left, [("BAD_VALUE", 1), ("REFUSED", 1)]);
    let sent = made.sent.unwrap();
    assert_eq!((sent.rows, sent.sha256), (2, sha256(&rows)));
    let listed = std::fs::read_to_string(&rows).unwrap();
    let keys: Vec<&str> = listed.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(keys, ["c1", "c5"], "what was refused was not written");
    let error_file = made.error_file.unwrap();
    assert_eq!(error_file.sha256, sha256(Path::new(&error_file.path)));

    // Nothing is written over, and a run of the same rows sends nothing.
    assert!(audit(&desk.stage.setting, &run, Some(&rows)).await.is_err());
    let again = run_of(&mut desk, "c1,Acme,1\nc5,Eta,5\n").await;
    let made = audit(&desk.stage.setting, &again, None).await.unwrap();
    assert_eq!(
        (made.sent.map(|sent| sent.rows), made.counts.unchanged, made.left.map(|left| left.len())),
        (Some(0), 2, Some(0))
    );
    assert!(made.error_file.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_run_that_is_not_there_or_not_at_its_end_nothing_is_vouched_for() {
    let mut desk = Desk::empty().await;
    let said = audit(&desk.stage.setting, "20260101-0001", None).await.err().unwrap().to_string();
    assert!(said.contains("has no run \"20260101-0001\""), "{said}");
    let run = run_of(&mut desk, "c1,Acme,1\n").await;
    // Its rows are not kept for ever, and nothing is made up then.
    std::fs::remove_dir_all(desk.stage.setting.home.join("runs").join(&run)).unwrap();
    let made = audit(&desk.stage.setting, &run, None).await.unwrap();
    assert!(made.sent.is_none() && made.counts.inserted == 1);
    let rows = desk.folder.path().join("rows.out");
    let said = audit(&desk.stage.setting, &run, Some(&rows)).await.err().unwrap().to_string();
    assert!(said.contains("are not kept any more") && !rows.exists(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rows_that_were_left_nobody_is_told_that_there_are_none() {
    let desk = crate::terminal::Desk::on(Stage::world("", "", "").await);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("companies.csv"), "code,name,staff\nc1,Acme,1\nc2,Beta,many\n").unwrap();
    desk.write("files.ferry", &SCRIPT.replace("{folder}", &format!("file://{}", folder.path().display())));
    let (code, out, err) = desk.ferry(&["run", "J", "--json"]);
    assert_eq!(code, 1, "{out}{err}");
    let report: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let run = report["run"].as_str().unwrap();
    let (code, out, _) = desk.ferry(&["report", run]);
    assert!(code == 0 && out.contains("error BAD_VALUE (files.ferry:"), "{out}");
    // The error file may be cleaned away before the run's own line is.
    std::fs::remove_file(desk.home().join("runs").join(run).join("errors.csv")).unwrap();
    let (code, out, _) = desk.ferry(&["report", run]);
    assert!(code == 0 && out.contains("1 rows; the error file that says why is not kept any more"), "{out}");
}
