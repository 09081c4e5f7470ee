//! One run on one screen: the cause, an example, and what to do.

use ferry::app::activity::{Kept, show};
use ferry::app::cleaning::clean;
use ferry::sandbox::{Options, start_with};
use serde_json::Value;

use crate::faults::plain_stage;
use crate::stage::{COMPANIES, PEOPLE, SCALE, Stage, lines};
use crate::terminal::Desk;

use super::json_lines;

/// The second batch of companies is forbidden.
const FORBIDDEN: &str =
    r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [2], "status": 403}"#;

fn run_of(out: &str) -> String {
    json_lines(out)[0]["run"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_are_counted_as_the_error_file_has_them() {
    let desk = Desk::new().await;
    desk.ferry(&["run", COMPANIES]);
    let (_, out, _) = desk.ferry(&["run", PEOPLE, "--json"]);
    let report = &json_lines(&out)[0];
    let run = run_of(&out);
    let file = lines(report["error_file"].as_str().unwrap().as_ref());
    let (_, out, _) = desk.ferry(&["activity", &run, "--json"]);
    let shown = &json_lines(&out)[0];
    let reasons = shown["reasons"].as_array().unwrap();
    let total: u64 = reasons.iter().map(|one| one["rows"].as_u64().unwrap()).sum();
    assert_eq!((total, file.len() as u64), (file.len() as u64, total));
    let rows: Vec<u64> = reasons.iter().map(|one| one["rows"].as_u64().unwrap()).collect();
    assert!(rows.is_sorted_by(|a, b| a >= b), "most rows first: {rows:?}");
    for one in reasons {
        let of: Vec<_> =
            file.iter().filter(|line| line["code"] == one["code"] && line["script"] == one["script"]).collect();
        assert!(of.len() as u64 >= one["rows"].as_u64().unwrap());
        let example =
            of.iter().find(|line| line["source_key"] == one["example"]["source_key"]).expect("it is in the file");
        assert_eq!(one["example"]["message"], example["message"].as_str());
    }
    let names: Vec<&str> = shown["stages"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!((names, &shown["processes"]), (vec!["extract", "plan", "load"], &1.into()));
    assert_eq!((&shown["files"]["rows"], &shown["status"]), (&true.into(), &"partial".into()));
    let (_, out, _) = desk.ferry(&["activity", &run]);
    let text: Vec<&str> = out.lines().collect();
    assert!(text.len() <= 40, "one screen: {out}");
    let narrow = |line: &&str| line.chars().count() <= 80 || line.contains("error file:") || line.contains("--project");
    assert!(text.iter().all(narrow), "{out}");
    for said in ["extract ", "plan ", "load ", "█", "why rows failed", "NO_MATCH", "such as ", "what to do"] {
        assert!(out.contains(said), "{said}: {out}");
    }
    // The commands are those of this project and this home.
    let command = out.lines().find(|line| line.trim_start().starts_with("ferry errors ")).expect("it says how to look");
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let (code, out, err) = desk.ferry_in(&desk.project(), &words[..4]);
    assert!(code == 0 && out.lines().count() > 1 && words.contains(&"--home"), "{command}: {err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_says_why_and_how_to_go_on() {
    let options = Options { rows: 400, limits_scale: SCALE, ..Options::default() };
    let desk = Desk::on(Stage::on(start_with(options, FORBIDDEN).await.unwrap()));
    let (code, out, _) = desk.ferry(&["run", COMPANIES, "--json"]);
    assert_eq!(code, 3);
    let run = run_of(&out);
    let (_, out, _) = desk.ferry(&["activity", &run]);
    let (cause, next) = out.split_once("what to do").expect("it says what to do");
    assert!(cause.contains("Failed") && cause.contains("add its address to the access key's list"), "{out}");
    assert!(cause.contains("it was loading") && cause.contains("broke off"), "{out}");
    for command in ["resume", "cancel", "errors"] {
        assert!(next.contains(&format!("ferry {command} {run}")), "{command}: {next}");
    }
    assert!(!next.contains("replay"), "a run that goes on is not replayed: {next}");
    let (code, ..) = desk.ferry(&["resume", &run]);
    assert_eq!(code, 1);
    let (_, out, _) = desk.ferry(&["activity", &run]);
    assert!(out.contains("2 processes") && out.contains("broke off") && out.contains("replay"), "{out}");
    assert!(out.contains("it was interrupted once"), "{out}");
    let (_, out, _) = desk.ferry(&["activity", &run, "--json"]);
    let shown = &json_lines(&out)[0];
    let stages = shown["stages"].as_array().unwrap();
    assert_eq!(stages.iter().filter(|stage| stage["name"] == "load").count(), 1, "the one that came to its end");
    assert_eq!((&shown["processes"], shown["loaded"].as_array().unwrap().len()), (&2.into(), 2));
    assert!(shown["standing"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_files_are_gone_says_so() {
    let stage = Stage::seeded(100).await;
    let first = stage.run(COMPANIES).await.remove(0);
    stage.run(COMPANIES).await;
    let shown = show(&stage.setting, &first.run).await.unwrap();
    assert!(shown.kept.has_rows && shown.kept.error_file.is_some() && !shown.reasons.is_empty());
    assert_eq!(clean(&stage.setting, 0).await.unwrap().runs, std::slice::from_ref(&first.run));
    let shown = show(&stage.setting, &first.run).await.unwrap();
    assert_eq!((shown.kept, shown.reasons.len(), shown.loaded.len()), (Kept::default(), 0, 0));
    assert_eq!(shown.stages.len(), 3, "what it amounted to stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cleaned_away_and_what_was_cancelled_shows_in_the_text() {
    let desk = Desk::new().await;
    let (_, out, _) = desk.ferry(&["run", COMPANIES, "--json"]);
    let run = run_of(&out);
    desk.ferry(&["run", COMPANIES]);
    desk.ferry(&["clean", "--older-than", "0s"]);
    let (code, out, _) = desk.ferry(&["activity", &run]);
    assert!(code == 0 && out.contains("its error file was cleaned away") && !out.contains("ferry replay"), "{out}");
    let (_, out, _) = desk.ferry(&["plan", COMPANIES, "--json"]);
    let plan = run_of(&out);
    let (_, out, _) = desk.ferry(&["activity", &plan]);
    assert!(out.contains("Planned") && out.contains(&format!("ferry apply {plan}")), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_leaves_nothing_to_do() {
    let stage = plain_stage("").await;
    let desk = Desk::on(stage);
    let (code, out, _) = desk.ferry(&["run", COMPANIES, "--json"]);
    assert_eq!(code, 0);
    let (_, out, _) = desk.ferry(&["activity", &run_of(&out)]);
    assert!(out.contains("Success") && !out.contains("what to do") && !out.contains("why rows failed"), "{out}");
}

/// What is shown of a run comes from files and services: none of it moves the cursor.
#[tokio::test(flavor = "multi_thread")]
async fn control_characters_of_a_service_are_shown_and_not_obeyed() {
    let text = r#"{"result": false, "errorCode": "GSOBJ_1008", "errorDesc": "bad \u001b[2J value"}"#;
    let rule = serde_json::json!({ "service": "gainsight", "method": "POST", "path": "/v1/data/objects/company",
        "nth": [1], "status": 400, "text": text });
    let options = Options { rows: 100, limits_scale: SCALE, ..Options::default() };
    let desk = Desk::on(Stage::on(start_with(options, &rule.to_string()).await.unwrap()));
    let (_, out, _) = desk.ferry(&["run", COMPANIES, "--json"]);
    let (_, out, _) = desk.ferry(&["activity", &run_of(&out)]);
    assert!(!out.contains('\u{1b}'), "{out:?}");
    let shown: Value =
        serde_json::from_str(&desk.ferry(&["activity", &run_of(&desk.ferry(&["activity", "--json"]).1), "--json"]).1)
            .unwrap();
    assert!(shown["next"].is_array());
}
