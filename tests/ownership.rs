//! One process at a time on one home: the second is told, or waits; a killed one leaves nothing that keeps the next one out; and one
//! that was taken over changes nothing more.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

use ferry::store::connections::Established;
use ferry::store::dataset::Part;
use ferry::store::error::Error;
use ferry::store::ledger::{Answer, End, Intent, Ledger, Settled};
use ferry::store::links::Relink;
use ferry::store::runs::Stage as StageOfRun;
use ferry::store::state::{State, Tenancy};
use rusqlite::Connection;

use crate::faults::holdings;
use crate::stage::{CHAIN, COMPANIES, beginning};
use crate::terminal::{Desk, ended};

/// A process that runs until it says this, and what it says after.
pub fn begun(
    desk: &Desk,
    arguments: &[&str],
    environment: &[(&str, &str)],
    until: &str,
) -> (Child, BufReader<ChildStderr>) {
    let mut child = desk.begin_with(arguments, Stdio::null(), environment);
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let (mut all, mut line) = (String::new(), String::new());
    while said.read_line(&mut line).unwrap() > 0 {
        if line.contains(until) {
            return (child, said);
        }
        all.push_str(&std::mem::take(&mut line));
    }
    let status = child.wait().unwrap();
    panic!("{arguments:?} never said {until} ({status}): {all}");
}

/// A process that stands still in the middle of a run of companies.
fn standing(desk: &Desk) -> Child {
    begun(desk, &["run", COMPANIES], &[("FERRY_STOP_AT", "loading.after")], "stopped at").0
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

pub fn rest_of(mut child: Child, said: BufReader<ChildStderr>) -> (i32, String) {
    let said: Vec<String> = said.lines().map(Result::unwrap).collect();
    (child.wait().unwrap().code().unwrap_or(-1), said.join("\n"))
}

fn writes(desk: &Desk) -> usize {
    desk.stage.sandbox.calls().iter().filter(|call| call.write).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_process_is_told_who_has_the_home() {
    let desk = Desk::new().await;
    let first = standing(&desk);
    for arguments in [
        &["run", COMPANIES][..],
        &["run", CHAIN, "--wait=0"],
        &["resume"],
        &["plan", COMPANIES],
        &["clean", "--older-than", "1d"],
        &["connection", "revoke", "dynamics"],
    ] {
        let (code, out, err) = desk.ferry(arguments);
        assert_eq!((code, out.as_str()), (5, ""), "{arguments:?}: {err}");
        let holder = format!("another ferry (process {}, since 20", first.id());
        assert!(err.contains(&holder) && err.contains("--wait"), "{arguments:?}: {err}");
        assert!(!err.contains("waiting"), "{arguments:?}: {err}");
    }
    for arguments in [&["activity"][..], &["check"], &["errors", "list"]] {
        let (code, _, err) = desk.ferry(arguments);
        assert_eq!(code, 0, "{arguments:?} only reads: {err}");
    }
    let (_, out, _) = desk.ferry(&["activity"]);
    assert!(out.contains("Running"), "{out}");
    assert_eq!(writes(&desk), 0);
    kill(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_owner_keeps_nobody_out() {
    let desk = Desk::new().await;
    kill(standing(&desk));
    assert!(desk.home().join("lock").exists());
    let (_, out, _) = desk.ferry(&["activity"]);
    assert!(out.contains("Interrupted"), "{out}");
    let (code, _, err) = desk.ferry(&["run", COMPANIES]);
    assert!(code == 1 && err.contains("goes on: it was interrupted while it loaded"), "{code} {err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_runs_when_the_home_is_free() {
    let desk = Desk::new().await;
    let first = standing(&desk);
    let (second, said) = begun(&desk, &["run", COMPANIES, "--wait"], &[], "waiting: another ferry");
    assert_eq!(writes(&desk), 0);
    kill(first);
    let (code, said) = rest_of(second, said);
    assert!(code == 1 && said.contains("goes on"), "{code} {said}");
    assert!(writes(&desk) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_gives_up_in_the_end() {
    let desk = Desk::new().await;
    let first = standing(&desk);
    let (code, _, err) = desk.ferry(&["run", COMPANIES, "--wait=1"]);
    assert_eq!(code, 5, "{err}");
    let told = format!("waiting: another ferry (process {}", first.id());
    assert!(err.contains(&told) && err.contains("error: another ferry"), "{err}");
    assert_eq!(writes(&desk), 0);
    kill(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_job_twice_at_once_is_one_run_after_the_other() {
    let calm = Desk::new().await;
    assert_eq!(calm.ferry(&["run", CHAIN]).0, 1);
    let desk = Desk::new().await;
    let both = [(); 2].map(|()| desk.begin(&["run", CHAIN, "--wait", "--json"]));
    let mut wrote = both.map(|child| {
        let (code, out, err) = ended(child.wait_with_output().unwrap());
        assert_eq!(code, 1, "{err}");
        let reports = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        reports.map(|report| report["calls"]["gainsight_writes"].as_u64().unwrap()).collect::<Vec<_>>()
    });
    wrote.sort_by_key(|calls| calls.iter().sum::<u64>());
    assert_eq!(wrote[0], [0, 0, 0]);
    assert!(wrote[1].iter().all(|calls| *calls > 0), "{wrote:?}");
    assert_eq!(holdings(&desk.stage), holdings(&calm.stage));
}

/// The lock is no lock where somebody removes its file, or where the disk is shared and knows none.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_taken_over_writes_nothing_more() {
    let calm = Desk::new().await;
    assert_eq!(calm.ferry(&["run", COMPANIES]).0, 1);
    for place in [
        "begin.after",
        "page.before:1",
        "page.file:2",
        "extracted.before",
        "loading.before",
        "loading.after",
        "intend.before:1",
        "intend.before:2",
        "intend.after:1",
        "answered:1",
        "settle.before:2",
        "error_file.drawn",
        "end.before",
    ] {
        let desk = Desk::new().await;
        let go_on = desk.home().with_file_name("go on");
        let environment = [("FERRY_STOP_AT", place), ("FERRY_GO_ON", go_on.to_str().unwrap())];
        let (first, said) = begun(&desk, &["run", COMPANIES], &environment, "stopped at");
        std::fs::remove_file(desk.home().join("lock")).unwrap();
        let (code, _, err) = desk.ferry(&["run", COMPANIES]);
        assert_eq!(code, 1, "{place}: {err}");
        let before = (writes(&desk), content(&desk.home()), error_files(&desk.home()));
        std::fs::write(&go_on, "").unwrap();
        let (code, said) = rest_of(first, said);
        assert_eq!(code, 6, "{place}: {said}");
        assert!(said.contains("another ferry has taken this home over, so this one writes nothing more"), "{said}");
        let after = (writes(&desk), content(&desk.home()), error_files(&desk.home()));
        assert_eq!(after, before, "{place}");
        assert_eq!(holdings(&desk.stage), holdings(&calm.stage), "{place}");
        assert_eq!(desk.ferry(&["run", COMPANIES]).0, 1, "{place}");
        assert_eq!(writes(&desk), before.0, "{place}: the next run writes nothing");
    }
}

#[test]
fn no_operation_of_a_state_that_was_taken_over_changes_anything() {
    let folder = tempfile::tempdir().unwrap();
    let of = Tenancy { organization: "o".to_owned(), tenant: "t".to_owned() };
    let begin = beginning("job", &of);
    let one = State::open(&folder.path().join("state.db")).unwrap();
    let run = one.begin(&begin).unwrap();
    let part = Part { file: "part-000000.parquet".to_owned(), rows: 1, digest: String::new() };
    one.page(&run, "source", Some(&part), "1").unwrap();
    let call = Intent { step: 1, what: "insert".to_owned(), rows: vec![(1, "a".to_owned())], at_ms: 1 };
    let numbers = one.intend(&run, std::slice::from_ref(&call)).unwrap();
    let other = State::open(&folder.path().join("state.db")).unwrap();
    let before = content(folder.path());
    let stage = StageOfRun { name: "extract".to_owned(), started: String::new(), seconds: 0.0, rows: 1 };
    let row = Settled { row: 1, step: 1, source_id: "a".to_owned(), ..Settled::default() };
    let end = End {
        run: &run,
        of: &of,
        job: "job",
        ended: "2026-01-01T00:00:01Z",
        status: "success",
        report: "{}",
        message: None,
        can_resume: false,
        failed: &[],
        are_all: true,
        chosen: None,
        base: None,
        notices: &[],
    };
    let connection = Established {
        name: "c".to_owned(),
        url: String::new(),
        identity: String::new(),
        since: String::new(),
        revoked: None,
    };
    let tried = [
        ("begin", one.begin(&begin).map(drop)),
        ("take_up", one.take_up(&run)),
        ("abandon", one.abandon(&run, "", "")),
        ("stage", one.stage(&run, &stage)),
        ("page", one.page(&run, "source", Some(&part), "2")),
        ("read_whole", one.read_whole(&run, "source")),
        ("read_again", one.read_again(&run, "source")),
        ("extracted", one.extracted(&run)),
        ("extract_again", one.extract_again(&run)),
        ("planned", one.planned(&run, "{}", "")),
        ("intend", one.intend(&run, &[call]).map(drop)),
        ("settle", one.settle(&run, &of, "job", &[(numbers[0], Answer::Acknowledged)], &[row])),
        ("relink", one.relink(&of, "job", &[Relink::Cut("a".to_owned())])),
        ("close_others", one.close_others("t", "another", i64::MAX)),
        ("end", one.end(&end)),
        ("clean", one.clean_run(&run).map(drop)),
        ("establish", one.establish(&connection)),
        ("revoke", one.revoke("c", "").map(drop)),
        ("forget", one.forget("c").map(drop)),
    ];
    for (name, result) in tried {
        assert!(matches!(result, Err(Error::OwnershipLost)), "{name}: {result:?}");
    }
    assert_eq!(content(folder.path()), before);
    other.extracted(&run).expect("the one who took it over goes on");
}

/// Everything in the state of a home but the calls that were counted, which are counted by whoever makes them.
fn content(home: &Path) -> Vec<String> {
    let database = Connection::open(home.join("state.db")).unwrap();
    let mut tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut rows = Vec::new();
    for table in tables.into_iter().filter(|name| name != "spent") {
        let mut query = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = query.column_count();
        let read = query.query_map([], |row| {
            let values: rusqlite::Result<Vec<rusqlite::types::Value>> = (0..columns).map(|at| row.get(at)).collect();
            Ok(format!("{table} {:?}", values?))
        });
        rows.extend(read.unwrap().map(Result::unwrap));
    }
    rows
}

/// The error files of a home, with what is in them.
fn error_files(home: &Path) -> Vec<(String, String)> {
    let runs = std::fs::read_dir(home.join("runs")).unwrap().map(|entry| entry.unwrap().path());
    let files = runs.map(|run| run.join("errors.csv")).filter(|file| file.exists());
    let mut files: Vec<_> = files.map(|f| (f.display().to_string(), std::fs::read_to_string(&f).unwrap())).collect();
    files.sort();
    files
}
