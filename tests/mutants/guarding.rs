//! Scenarios of what guards a run: one process at a time, the books, consent, drift, replays of chosen rows, cleaning.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::promises::{Verdict, all, repeated, verdict};
use super::trial::Trial;
use super::world::{self, account, account_id};
use crate::stage::COMPANIES;

/// A process sleeps over an answer, and another takes its run over; when it wakes up it has nothing more to say.
pub fn taken_over(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    let go_on = trial.home().with_file_name("go_on");
    let sleeper = trial.stopped_at("answered:1", COMPANIES, go_on.to_str().unwrap())?;
    std::fs::remove_file(trial.home().join("lock")).unwrap();
    let ended = trial.run(COMPANIES);
    let before = trial.writes();
    std::fs::write(&go_on, "").unwrap();
    let woken = trial.went_on(sleeper);
    let mut broken = Vec::new();
    if woken.code != 6 {
        broken.push(format!("who had lost the home ended with {}, not 6", woken.code));
    }
    if trial.writes() > before {
        broken.push("who had lost the home went on writing".to_owned());
    }
    broken.extend(all(&trial, COMPANIES, &ended));
    verdict(broken)
}

/// A run whose books do not balance, as it takes refused rows for written ones, fails and says so.
pub fn unbalanced(bugs: &str) -> Verdict {
    let trial = Trial::new(&format!("RefusedIsWritten,{bugs}"), "");
    let ended = trial.run(COMPANIES);
    let is_loud = ended.report["status"] == "failed" && ended.said.contains("the ledger says");
    if is_loud && ended.code == 4 {
        Ok(())
    } else {
        Err(format!("books that do not balance: {}", ended.report["status"]))
    }
}

/// Nobody sees half an error file. It may be drawn up while rows are loaded, and be there whole before the process is killed.
pub fn killed_over_the_error_file(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    trial.killed_at("error_line:1", COMPANIES)?;
    let seen = error_files(&trial);
    let ended = trial.run(COMPANIES);
    let mut broken = Vec::new();
    if seen.iter().any(|file| !error_files(&trial).contains(file)) {
        broken.push("there is half an error file".to_owned());
    }
    broken.extend(all(&trial, COMPANIES, &ended));
    verdict(broken)
}

/// The error files of all runs, by their place.
fn error_files(trial: &Trial) -> Vec<(PathBuf, String)> {
    let runs = std::fs::read_dir(trial.home().join("runs")).unwrap();
    let files = runs.map(|run| run.unwrap().path().join("errors.csv")).filter(|file| file.exists());
    files.map(|file| (file.clone(), std::fs::read_to_string(file).unwrap())).collect()
}

/// A hundred companies would be changed: nothing is written unasked.
pub fn large_change(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    for number in 1..=100 {
        assert!(trial.sandbox().put_row("account", account(number, &format!("A{number}"), 1)));
        let there =
            json!({ "External_Account_ID_gainsight123__gc": account_id(number), "Name": format!("Other {number}") });
        trial.sandbox().put_record("company", there.as_object().cloned().unwrap());
    }
    let ended = trial.run(COMPANIES);
    match (ended.code, trial.writes(), ended.said.contains("would change 100 of 100 records")) {
        (3, 0, true) => Ok(()),
        (code, writes, _) => Err(format!("{writes} calls without consent, and it ended with {code}")),
    }
}

/// A replay is about the rows of the error file, and no others.
pub fn replayed(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    let run = trial.run(COMPANIES).report["run"].as_str().unwrap_or_default().to_owned();
    let before = trial.written();
    assert!(trial.sandbox().put_row("account", account(world::BAD, "Mended", 5)));
    assert!(trial.sandbox().put_row("account", account(7, "Changed since", 7)));
    let ended = trial.ferry(&["replay", &run]);
    let mut broken = Vec::new();
    if ended.code != 0 {
        broken.push(format!("the replay ended with {}: {}", ended.code, ended.said));
    }
    let sent = trial.written() - before;
    if sent != 1 {
        broken.push(format!("the replay sent {sent} records, not 1"));
    }
    trial.run(COMPANIES);
    broken.extend(repeated(&trial, COMPANIES));
    verdict(broken)
}

/// What can be resumed is not cleaned away.
pub fn cleaned(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    trial.killed_at("settle.after:1", COMPANIES)?;
    trial.ferry(&["clean", "--older-than", "0m"]);
    let ended = trial.ferry(&["resume"]);
    let mut broken = Vec::new();
    if ended.report["resumed"] != 1 {
        broken.push("what could be resumed was cleaned away".to_owned());
    }
    broken.extend(all(&trial, COMPANIES, &ended));
    verdict(broken)
}

/// A schema that changes between plan and load stops the run. Schemas are asked again after a minute, so that this runs a test of
/// drift, which does not wait for it, in a process of its own.
pub fn drifting(bugs: &str) -> Verdict {
    let test = "drift::several_changes_stand_in_order_and_of_many_the_number_is_told";
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args([test, "--exact"]).env("FERRY_BUG", bugs).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let is_run = said.contains("running 1 test");
    match (is_run, output.status.success()) {
        (true, true) => Ok(()),
        (true, false) => {
            Err(format!("{test} fails: {}", said.lines().find(|line| line.contains("it stops")).unwrap_or(&said)))
        }
        (false, _) => Err(format!("there is no test {test}")),
    }
}
