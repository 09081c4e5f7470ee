//! `ferry jobs` and `ferry chain`: from the text and the state alone.

use crate::stage::{CHAIN, COMPANIES, PEOPLE, USERS};
use crate::terminal::Desk;

use super::json_lines;

const JOB: &str =
    "AS UPSERT INTO gainsight.Company KEY (\"Name\") SELECT a.name AS \"Name\" FROM dynamics.account AS a;";

fn names(out: &str) -> Vec<String> {
    json_lines(out).iter().map(|line| line["job"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_with_the_columns_of_the_product_and_without_any_service() {
    let mut desk = Desk::new().await;
    let (code, out, err) = desk.ferry(&["jobs"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(out.matches("never ran").count(), 3, "{out}");
    assert!(out.contains("dynamics.contact → Person + Company Person · Dynamics Connection"), "{out}");
    desk.ferry(&["run", COMPANIES]);
    let calls = desk.stage.sandbox.calls().len();
    desk.forget_secrets();
    let (code, out, err) = desk.ferry(&["jobs", "--json"]);
    assert_eq!(code, 0, "{err}");
    let lines = json_lines(&out);
    assert_eq!(names(&out), [PEOPLE, COMPANIES, USERS]);
    let line = &lines[1];
    assert_eq!((&line["label"], &line["source"]), (&"Dynamics Connection".into(), &"dynamics.account".into()));
    assert_eq!((&line["destination"][0], &line["schedule_type"]), (&"Company".into(), &"On demand".into()));
    assert_eq!(line["last"]["status"], "partial");
    assert!(line["last"]["run"].as_str().unwrap().ends_with("-0001") && line["last"]["on"].is_string());
    assert_eq!((&lines[0]["last"], &line["chains"][0]), (&serde_json::Value::Null, &CHAIN.into()));
    assert_eq!(desk.stage.sandbox.calls().len(), calls, "no service is asked");
    let (_, out, _) = desk.ferry(&["jobs"]);
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    assert!(out.contains("Partial Success"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_no_last_run() {
    let desk = Desk::new().await;
    desk.ferry(&["plan", COMPANIES]);
    let (_, out, _) = desk.ferry(&["jobs", "--json", "--status", "never"]);
    assert_eq!(names(&out).len(), 3, "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_filtered() {
    let desk = Desk::new().await;
    desk.ferry(&["run", COMPANIES]);
    desk.write("own.ferry", &format!("CREATE JOB \"Own\" SCHEDULE EVERY DAY AT '02:00' {JOB}"));
    let of = |arguments: &[&str]| {
        let (code, out, err) = desk.ferry(&[&["jobs", "--json"], arguments].concat());
        assert_eq!(code, 0, "{err}");
        names(&out)
    };
    assert_eq!(of(&["company"]), [PEOPLE, COMPANIES, "Own"], "in the name, or where it goes");
    assert_eq!(of(&["SYSTEMUSER"]), [USERS]);
    assert_eq!(of(&["--status", "partial"]), [COMPANIES]);
    assert_eq!(of(&["--status", "Partial Success,never"]), [PEOPLE, COMPANIES, "Own", USERS]);
    assert_eq!(of(&["--scheduled"]), ["Own"]);
    assert_eq!(of(&["--on-demand", "user"]), [USERS]);
    assert_eq!(of(&["--connection", "dynamics"]).len(), 4);
    assert_eq!(of(&["--connection", "Dynamics Connection"]).len(), 4, "by its label too");
    assert_eq!(of(&["nothing like that"]), [""; 0]);
    for (arguments, said) in [
        (&["jobs", "--connection", "gainsight"][..], "jobs read through dynamics"),
        (&["jobs", "--status", "fine"], "there is no such status; there are waiting, running"),
        (&["jobs", "--scheduled", "--on-demand"], "cannot be used with"),
        (&["check", "--connection", "dynamics"], "write it as NAME=URL"),
        (&["check", "--connection", "dynamics="], "write it as NAME=URL"),
    ] {
        let (code, _, err) = desk.ferry(arguments);
        assert!(code == 2 && err.contains(said), "{arguments:?}: {code} {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_says_when_it_runs_by_itself() {
    let desk = Desk::new().await;
    let daily = "SCHEDULE EVERY DAY AT '02:00' IN 'Europe/Berlin'";
    desk.write(
        "own.ferry",
        &format!(
            "CREATE CONNECTION mail TO SMTP URL 'smtps://mail.example.com:465' FROM 'ferry@example.com';\n\
             CREATE JOB \"Own\" {daily} {JOB}\nCREATE JOB \"Silent\" {daily} {JOB}\nCREATE JOB \"Member\" {JOB}\n\
             CREATE CHAIN \"Nightly\" SCHEDULE CRON '0 3 * * *' NOTIFY 'ops@example.com' ON PARTIAL, FAILURE ON FAILURE CONTINUE \
             AS RUN \"Silent\", \"Member\";"
        ),
    );
    let of = || {
        let lines = json_lines(&desk.ferry(&["jobs", "--json"]).1);
        let due = |name: &str| {
            let line = lines.iter().find(|line| line["job"] == name).unwrap();
            line["schedule_type"].as_str().unwrap().to_owned()
        };
        ["Own", "Silent", "Member", USERS].map(due)
    };
    assert_eq!(of(), ["Scheduled", "silenced by \"Nightly\"", "with \"Nightly\"", "On demand"]);
    // A state is there once something ran.
    assert_eq!(desk.ferry(&["run", USERS]).0, 1);
    let (code, _, err) = desk.ferry(&["pause", "Own"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(of()[0], "paused");
    assert_eq!(desk.ferry(&["resume", "Own"]).0, 0);
    assert_eq!(of()[0], "Scheduled");
    let (code, out, err) = desk.ferry(&["chain", "show", "nightly"]);
    assert_eq!(code, 0, "{err}");
    for said in [
        "Scheduled · CRON '0 3 * * *' · it goes on past a failed job",
        "1. Silent",
        "     Member",
        "told: 'ops@example.com' ON PARTIAL, FAILURE",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_with_mistakes_lists_what_can_be_read() {
    let desk = Desk::new().await;
    desk.write("wrong.ferry", "CREATE JOB \"Broken\" AS UPSERT INTO;\nCREATE CHAIN \"Lame\" AS RUN \"Nobody\";");
    let (code, out, err) = desk.ferry(&["jobs"]);
    assert!(code == 0 && out.contains(USERS) && !out.contains("Broken"), "{out}");
    assert!(err.contains("something may be missing here; `ferry check` shows them"), "{err}");
    let (code, out, err) = desk.ferry(&["chain", "list"]);
    assert!(code == 0 && out.contains(CHAIN) && err.contains("mistake"), "{out}{err}");
    let (code, out, _) = desk.ferry(&["chain", "show", "Lame"]);
    assert!(code == 0 && out.contains("Nobody") && out.contains("not in the project"), "{out}");
    let (code, _, err) = desk.ferry(&["chain", "show", "None"]);
    assert!(code == 2 && err.contains("no chain \"None\"; it has \"Dynamics_Company Person Sync\", \"Lame\""), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn chains_show_how_each_member_last_ended() {
    let desk = Desk::new().await;
    desk.ferry(&["run", USERS]);
    let (_, out, _) = desk.ferry(&["chain", "list", "--json"]);
    let chain = &json_lines(&out)[0];
    assert_eq!((&chain["chain"], &chain["on_failure"]), (&CHAIN.into(), &"stop".into()));
    let steps = chain["steps"].as_array().unwrap();
    let members: Vec<&str> = steps.iter().map(|step| step[0]["job"].as_str().unwrap()).collect();
    assert_eq!(members, [USERS, COMPANIES, PEOPLE]);
    assert_eq!(steps[0][0]["last"]["status"], "partial");
    assert!(steps[1][0]["last"].is_null());
    let (_, out, _) = desk.ferry(&["chain", "show", CHAIN]);
    assert!(out.contains("told: nobody") && out.contains("-0001") && out.contains("never ran"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_a_spreadsheet_would_run_is_neutralised() {
    let desk = Desk::new().await;
    desk.write("own.ferry", &format!("CREATE JOB \"=cmd|' /C calc'!A0\" {JOB}"));
    let (code, out, err) = desk.ferry(&["jobs", "--csv"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("job,connection,source,destination,last_status,"), "{out}");
    assert!(out.contains("\n'=cmd|' /C calc'!A0,"), "{out}");
    desk.ferry(&["run", "=cmd|' /C calc'!A0"]);
    let (_, out, _) = desk.ferry(&["activity", "--csv"]);
    assert!(out.contains(",'=cmd|' /C calc'!A0,"), "{out}");
    let (_, out, _) = desk.ferry(&["activity", "--updates", "--csv"]);
    assert!(out.contains(",'=cmd|' /C calc'!A0,"), "{out}");
}
