//! A run that a process of one machine leaves is gone on with by one of another, whether they share the folder of runs or not.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::server::{Schema, url};
use crate::faults::holdings;
use crate::stage::{CHAIN, COMPANIES};
use crate::terminal::{Desk, ended};

/// A killed process cannot give its lease back.
const LEASE: &str = "lease_seconds=2";

fn writes(desk: &Desk) -> usize {
    desk.stage.sandbox.calls().iter().filter(|call| call.write).count()
}

fn kill_at(mut command: Command, at: &str) -> bool {
    let command = command.env("FERRY_STOP_AT", at).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let is_there = said.lines().map(Result::unwrap).any(|line| line.starts_with("stopped at "));
    if is_there {
        child.kill().unwrap();
    }
    child.wait().unwrap();
    is_there
}

async fn handed_over(homes: [&str; 2], places: &[&str]) {
    let calm = Desk::new().await;
    assert_eq!(calm.ferry(&["run", CHAIN]).0, 1);
    for at in places {
        let (schema, desk) = (Schema::make().unwrap(), Desk::new().await);
        let state = schema.state(LEASE);
        let home = |number: usize| -> PathBuf { desk.home().with_file_name(homes[number]) };
        let run = |home: &Path| ended(desk.command_at(home, &state, &["run", CHAIN, "--wait=60"]).output().unwrap());
        assert!(kill_at(desk.command_at(&home(0), &state, &["run", CHAIN]), at), "{at}");
        let (code, _, err) = run(&home(1));
        assert_eq!(code, 1, "{at}: {err}");
        assert!(err.contains("waiting: another ferry (process"), "{at}: {err}");
        assert_eq!(holdings(&desk.stage), holdings(&calm.stage), "{at}");
        let before = writes(&desk);
        for number in [1, 0] {
            assert_eq!(run(&home(number)).0, 1, "{at}");
        }
        assert_eq!(writes(&desk), before, "{at}: running again writes nothing, wherever");
        assert_eq!(holdings(&desk.stage), holdings(&calm.stage), "{at}");
        assert_eq!(schema.one("SELECT count(*) FROM run WHERE status = 'running'"), "0", "{at}");
    }
}

/// A machine that sleeps, or a process that is stopped: it does not know that time has passed.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stood_still_for_longer_than_its_lease_writes_nothing_more() {
    if url().is_none() {
        return;
    }
    let calm = Desk::new().await;
    assert_eq!(calm.ferry(&["run", COMPANIES]).0, 1);
    for at in ["page.before:1", "loading.after", "intend.after:1", "answered:1", "settle.before:2", "end.before"] {
        let (schema, desk) = (Schema::make().unwrap(), Desk::new().await);
        let (state, go_on) = (schema.state(LEASE), desk.home().with_file_name("go on"));
        let [one, other] = ["one", "other"].map(|name| desk.home().with_file_name(name));
        let mut first = desk.command_at(&one, &state, &["run", COMPANIES]);
        first.env("FERRY_STOP_AT", at).env("FERRY_GO_ON", &go_on);
        let mut first = first.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(first.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(said.any(|line| line.starts_with("stopped at ")), "{at}");
        signal("-STOP", &first);
        let (code, _, err) = ended(desk.command_at(&other, &state, &["run", COMPANIES, "--wait=60"]).output().unwrap());
        assert_eq!(code, 1, "{at}: {err}");
        let before = (writes(&desk), schema.say("SELECT * FROM run ORDER BY id"));
        std::fs::write(&go_on, "").unwrap();
        signal("-CONT", &first);
        let said: Vec<String> = said.collect();
        let code = first.wait().unwrap().code();
        // Its connection may have been ended by the server, which is another way to learn of it.
        assert!(matches!(code, Some(3 | 6)), "{at}: {code:?} {said:?}");
        assert_eq!((writes(&desk), schema.say("SELECT * FROM run ORDER BY id")), before, "{at}: {said:?}");
        assert_eq!(holdings(&desk.stage), holdings(&calm.stage), "{at}");
    }
}

fn signal(which: &str, child: &Child) {
    assert!(Command::new("kill").args([which, &child.id().to_string()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_where_the_folder_of_runs_is_shared() {
    if url().is_some() {
        handed_over(["shared", "shared"], &["begin.after", "extracted.after", "intend.after:1", "end.before"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_where_its_folder_is_on_another_machine() {
    if url().is_some() {
        handed_over(
            ["one", "other"],
            &["page.after:2", "extracted.after", "loading.before", "loading.after", "intend.after:1", "settle.after:2"],
        )
        .await;
    }
}

/// What a machine read before another took the run over is not what was planned and loaded in part since.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_owner_left_is_not_gone_on_with() {
    if url().is_none() {
        return;
    }
    let deed = |desk: &Desk| {
        let row = serde_json::json!({ "accountid": "77777777-0000-0000-0000-000000000001", "name": "Made in between",
            "statecode": 0, "statuscode": 1, "customertypecode": 3, "numberofemployees": 7, "merged": false });
        assert!(desk.stage.sandbox.put_row("account", row.as_object().unwrap().clone()));
    };
    let calm = Desk::new().await;
    deed(&calm);
    assert_eq!(calm.ferry(&["run", COMPANIES]).0, 1);
    for (first, second) in
        [("extracted.after", "extracted.after"), ("extracted.after", "settle.after:1"), ("page.after:2", "end.before")]
    {
        let (schema, desk) = (Schema::make().unwrap(), Desk::new().await);
        let state = schema.state(LEASE);
        let [one, other] = ["one", "other"].map(|name| desk.home().with_file_name(name));
        let what = format!("{first}, {second}");
        assert!(kill_at(desk.command_at(&one, &state, &["run", COMPANIES]), first), "{what}");
        deed(&desk);
        assert!(kill_at(desk.command_at(&other, &state, &["run", COMPANIES, "--wait=60"]), second), "{what}");
        let run = || ended(desk.command_at(&one, &state, &["run", COMPANIES, "--wait=60"]).output().unwrap());
        let (code, _, err) = run();
        assert_eq!(code, 1, "{what}: {err}");
        assert_eq!(holdings(&desk.stage), holdings(&calm.stage), "{what}: {err}");
        let before = writes(&desk);
        assert_eq!(run().0, 1, "{what}");
        assert_eq!(writes(&desk), before, "{what}: running again writes nothing");
    }
}
