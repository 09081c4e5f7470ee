//! The binary as its user meets it: exit codes, stdout for data, stderr for talk.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use ferry::app::sandboxes::{secrets, write_project};
use ferry::model::secret::environment_variable;
use ferry::sandbox::{Options, start_with};
use ferry::store::ledger::Ledger;
use ferry::store::state::{State, Tenancy};
use serde_json::Value;
use tempfile::TempDir;

use crate::stage::{CHAIN, COMPANIES, SCALE, Stage, beginning, lines};

pub struct Desk {
    pub stage: Stage,
    folder: TempDir,
    set: Vec<(String, String)>,
}

impl Desk {
    pub async fn new() -> Self {
        Self::on(Stage::seeded(100).await)
    }

    pub fn on(stage: Stage) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_project(&folder.path().join("project"), &stage.sandbox).unwrap();
        let set = secrets(stage.sandbox.credentials()).map(|(name, value)| (environment_variable(name), value));
        // A bug that is on here is on in what is spawned too: `FERRY_BUG=NoIntent cargo test kills::` must fail.
        let bug = std::env::var("FERRY_BUG").map(|name| ("FERRY_BUG".to_owned(), name));
        Self { stage, folder, set: set.into_iter().chain(bug).collect() }
    }

    pub fn project(&self) -> std::path::PathBuf {
        self.folder.path().join("project")
    }

    pub fn home(&self) -> std::path::PathBuf {
        self.folder.path().join("home")
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.project().join(name), text).unwrap();
    }

    pub fn ferry(&self, arguments: &[&str]) -> (i32, String, String) {
        self.ferry_in(&self.project(), arguments)
    }

    pub fn ferry_in(&self, project: &Path, arguments: &[&str]) -> (i32, String, String) {
        ended(self.command(project, arguments).output().unwrap())
    }

    /// The same, to be spoken to while it runs.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        self.begin_with(arguments, Stdio::null(), &[])
    }

    pub fn begin_with(&self, arguments: &[&str], input: Stdio, environment: &[(&str, &str)]) -> Child {
        let mut command = self.command(&self.project(), arguments);
        command.envs(environment.iter().copied()).stdin(input);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn command(&self, project: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
        command.args(arguments).arg("--project").arg(project).arg("--home").arg(self.home());
        command.args(["--clock-scale", "1000"]).env_clear().envs(self.set.iter().cloned());
        command
    }

    /// The same with a home of its own, as on another machine, and a state in a server.
    pub fn command_at(&self, home: &Path, state: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
        command.args(arguments).arg("--project").arg(self.project()).arg("--home").arg(home);
        command.args(["--clock-scale", "1000"]).env_clear().envs(self.set.iter().cloned()).env("FERRY_STATE", state);
        command
    }

    pub fn forget_secrets(&mut self) {
        self.set.clear();
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.set.retain(|(n, _)| n != name);
        self.set.push((name.to_owned(), value.to_owned()));
    }
}

pub fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn bare(arguments: &[&str], folder: &Path) -> (i32, String, String) {
    ended(Command::new(env!("CARGO_BIN_EXE_ferry")).args(arguments).current_dir(folder).env_clear().output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_with_five_mistakes_shows_five() {
    let desk = Desk::new().await;
    let case = include_str!("cases/lang/five_mistakes.ferry.txt");
    desk.write("five.ferry", case.split("--- expected").next().unwrap());
    let (code, out, err) = desk.ferry(&["check"]);
    assert_eq!(code, 2, "{out}{err}");
    assert_eq!(out.matches("error[").count(), 5, "{out}");
    assert!(err.contains("5 errors, 1 warning"), "{err}");
    let (code, out, _) = desk.ferry(&["check", "--json"]);
    assert_eq!((code, out.lines().count()), (2, 6));
    assert!(out.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()), "{out}");
    let (code, out, _) = desk.ferry(&["run", COMPANIES]);
    assert_eq!((code, out.matches("error[").count()), (2, 5), "a wrong project does not run");
    assert!(desk.stage.sandbox.calls().iter().all(|c| !c.write), "and writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_project_is_said_to_be_right() {
    let desk = Desk::new().await;
    let (code, out, _) = desk.ferry(&["check"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.ends_with("2 connections, 3 jobs and 1 chain are right\n"), "{out}");
    assert!(!out.contains("error["), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_says_which_and_what_to_do() {
    let mut desk = Desk::new().await;
    desk.set("FERRY_SECRET_DYNAMICS_CLIENT_SECRET", "wrong-and-never-shown");
    let (code, out, err) = desk.ferry(&["run", COMPANIES]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("AADSTS7000215") && err.contains("the client secret is wrong"), "{err}");
    assert!(!format!("{out}{err}").contains("never-shown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_names_its_variable() {
    let mut desk = Desk::new().await;
    desk.set.retain(|(name, _)| name != "FERRY_SECRET_GAINSIGHT_ACCESS_KEY");
    let (code, _, err) = desk.ferry(&["check"]);
    assert_eq!(code, 3);
    assert!(err.contains("set the environment variable FERRY_SECRET_GAINSIGHT_ACCESS_KEY"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_named_and_loses_nothing() {
    let desk = Desk::new().await;
    desk.stage.sandbox.revoke_access_key();
    let (code, _, err) = desk.ferry(&["run", CHAIN]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("does not accept the access key"), "{err}");
    desk.stage.sandbox.set_access_key_valid(true);
    let (code, out, err) = desk.ferry(&["run", CHAIN, "--json"]);
    assert_eq!(code, 1, "{err}");
    assert_eq!(out.lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_host_is_named() {
    let desk = Desk::new().await;
    // A port that was free a moment ago, and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (code, _, err) = desk.ferry(&["check", "--connection", &format!("gainsight=http://127.0.0.1:{port}")]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains(&format!("connection `gainsight`: 127.0.0.1:{port} cannot be reached")), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_redirected_to_this_machine_only() {
    let desk = Desk::new().await;
    let (code, _, err) = desk.ferry(&["check", "--connection", "gainsight=https://elsewhere.example"]);
    assert_eq!(code, 2);
    assert!(err.contains("only an address of this machine"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_do_not_exist_are_usage() {
    let desk = Desk::new().await;
    let (code, _, err) = desk.ferry(&["run", "Company Snc_Dynamics Connection"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean \"Company Sync_Dynamics Connection\"?"), "{err}");
    assert_eq!(desk.ferry(&["activity", "20000101-0001"]).0, 2);
    assert_eq!(desk.ferry(&["fly"]).0, 2);
    let (code, _, err) = bare(&["check", "--project", "nowhere"], desk.folder.path());
    assert_eq!(code, 2);
    assert!(err.contains("there is no folder nowhere"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_as_json_has_the_promised_shape() {
    let desk = Desk::new().await;
    let (code, out, err) = desk.ferry(&["run", COMPANIES, "--json"]);
    assert_eq!(code, 1, "rows in the error file: {err}");
    let report: Value = serde_json::from_str(out.trim()).unwrap();
    let counts = report["counts"].as_object().unwrap();
    let names: Vec<&str> = counts.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["read", "filtered", "rejected", "error", "inserted", "updated", "unchanged", "deleted", "superseded"]
    );
    let sum: u64 = counts.iter().filter(|(k, _)| *k != "read").map(|(_, v)| v.as_u64().unwrap()).sum();
    assert_eq!(counts["read"].as_u64(), Some(sum), "the books balance");
    assert_eq!(report["status"], "partial");
    assert!(report["calls"]["gainsight"].as_u64() > Some(0) && report["seconds"].is_number());
    let file = Path::new(report["error_file"].as_str().unwrap());
    let failed = counts["error"].as_u64().unwrap() + counts["rejected"].as_u64().unwrap();
    assert_eq!(lines(file).len() as u64, failed);
    assert_eq!(out.lines().count(), 1, "stdout is data");
    assert!(err.contains("which has never run here"), "the prerequisite is mentioned: {err}");
    let (code, out, _) = desk.ferry(&["activity", "--json"]);
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<Value>(out.trim()).unwrap()["run"], report["run"]);
    let (code, out, _) = desk.ferry(&["activity", report["run"].as_str().unwrap()]);
    assert!(code == 0 && out.contains("extract") && out.contains("error file"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_the_requests_and_the_plan() {
    let desk = Desk::new().await;
    let (code, out, err) = desk.ferry(&["explain", COMPANIES]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("/api/data/v9.2/accounts?$select="), "{out}");
    assert!(out.contains("POST /v1/data/objects/query/"), "{out}");
    // The grouped side of every join is the one that is built.
    assert!(out.contains("Right Join") && !out.contains("Left Join"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_file_of_the_home() {
    let desk = Desk::new().await;
    desk.ferry(&["run", CHAIN]);
    let mut open = vec![desk.folder.path().join("home")];
    let mut files = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            for (name, value) in &desk.set {
                let found = bytes.windows(value.len()).any(|w| w == value.as_bytes());
                assert!(!found, "{name} is in {}", path.display());
            }
        }
    }
    assert!(files > 10);
}

#[test]
fn the_demo_proves_itself_in_a_fresh_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = bare(&["demo", "--rows", "100", "--json"], folder.path());
    assert_eq!(code, 0, "{err}");
    assert_eq!(out.lines().count(), 6, "three jobs, twice");
    for line in out.lines() {
        let report: Value = serde_json::from_str(line).unwrap();
        if report["pass"] == 2 {
            assert_eq!((&report["calls"]["gainsight_writes"], &report["counts"]["inserted"]), (&0.into(), &0.into()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slips_on_the_command_line_are_usage() {
    let desk = Desk::new().await;
    assert_eq!(desk.ferry(&["refresh"]).0, 0);
    for (arguments, said) in [
        (&["check", "--offline", "nofile.ferry"][..], "the project has no file nofile.ferry"),
        (&["test", "nofile.ferry"], "the project has no file nofile.ferry"),
        (&["run", "--offline", COMPANIES], "leave out --offline"),
        (&["plan", "--offline", COMPANIES], "leave out --offline"),
        (&["preview", "--offline", COMPANIES], "leave out --offline"),
        (&["company", "--offline", "001"], "leave out --offline"),
        (&["connection", "test", "--offline", "dynamics"], "leave out --offline"),
        (&["connection", "authorize", "--offline", "dynamics"], "leave out --offline"),
        (&["explain", "F999"], "there is no code F999"),
        (&["run", COMPANIES, "--max-wait", "11m"], "a call waits 10m at the most"),
        (&["check", "--env", "prod"], "has no file connections.prod.ferry"),
    ] {
        let (code, out, err) = desk.ferry(arguments);
        assert_eq!(code, 2, "{arguments:?}: {out}{err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
    assert_eq!(desk.ferry(&["test", "tests.ferry"]).0, 0, "a file that is there");
    let (code, _, err) = bare(&["fmt", "--project", "nowhere"], desk.home().parent().unwrap());
    assert!(code == 2 && err.contains("there is no folder nowhere"), "{err}");
    assert!(!desk.home().join("runs").exists(), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_is_not_running_any_more() {
    let desk = Desk::new().await;
    assert_eq!(desk.ferry(&["plan", COMPANIES]).0, 1);
    let state = State::open(&desk.home().join("state.db"));
    let of = Tenancy { organization: "o".to_owned(), tenant: "t".to_owned() };
    let begun = beginning("killed", &of);
    state.unwrap().begin(&begun).unwrap();
    let (_, out, _) = desk.ferry(&["activity"]);
    let lines: Vec<&str> = out.lines().collect();
    let at = |word: &str| lines.iter().position(|l| l.contains(word)).unwrap();
    assert!(lines[at("killed")].contains("Interrupted"), "{out}");
    assert!(lines[at("Planned") + 1].contains("read, - written"), "a plan has written nothing: {out}");
}

#[test]
fn a_wrong_file_of_faults_is_shown_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("faults.jsonl"), "# Rules.\n{\"service\": \"gainsight\"}\n").unwrap();
    let (code, out, said) = bare(&["sandbox", "--faults", "faults.jsonl"], folder.path());
    assert_eq!((code, out.as_str()), (2, ""), "{said}");
    assert!(said.contains("faults.jsonl:2: the rule does nothing; name one of status"), "{said}");
}

#[test]
fn an_error_file_is_printed_as_its_rows_were() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("errors.csv"), "row,value\n1,'=1+1\n2,'quoted'\n").unwrap();
    let (code, out, err) = bare(&["errors", "unescape", "errors.csv"], folder.path());
    assert_eq!((code, out.as_str()), (0, "row,value\n1,=1+1\n2,'quoted'\n"), "{err}");
    let (code, _, err) = bare(&["errors", "unescape", "nowhere.csv"], folder.path());
    assert!(code == 2 && err.contains("nowhere.csv"), "{err}");
}

/// `INT` is what Ctrl-C sends, `TERM` what a system sends that shuts down.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_asked_to_stop_says_how_to_go_on() {
    for signal in ["-INT", "-TERM"] {
        let slow = r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [2], "latency_ms": 5000}"#;
        let options = Options { rows: 500, limits_scale: SCALE, ..Options::default() };
        let desk = Desk::on(Stage::on(start_with(options, slow).await.unwrap()));
        let mut child = desk.begin(&["run", COMPANIES]);
        // The second call hangs from here on: what is said after this line is said because of the signal.
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().ends_with("load")));
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let rest: Vec<String> = said.map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(3), "{rest:?}");
        assert!(
            rest.iter().any(|line| line.contains("interrupted; what was done is kept, and `ferry resume`")),
            "{rest:?}"
        );
        let (_, out, _) = desk.ferry(&["activity"]);
        assert!(out.contains("Interrupted"), "{out}");
        let (code, out, err) = desk.ferry(&["resume", "--json"]);
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, report["resumed"].as_u64()), (1, Some(1)), "{err}");
        let records = desk.stage.sandbox.records("company").len() as u64;
        assert!(report["counts"]["inserted"].as_u64().unwrap() <= records && err.contains("goes on"), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_prints_the_command_that_applies_it() {
    let desk = Desk::new().await;
    let (code, out, err) = desk.ferry(&["plan", COMPANIES, "--sample", "3"]);
    assert_eq!(code, 1, "rows would be in the error file: {err}");
    let command = out.split("to load exactly this").nth(1).expect("it says how").trim();
    let words: Vec<&str> = command.split_whitespace().collect();
    assert_eq!(words[..2], ["ferry", "apply"], "{command}");
    // The project and the home are those of the plan.
    let typed = desk.command(&desk.project(), &[]);
    let mut as_printed = Command::new(env!("CARGO_BIN_EXE_ferry"));
    as_printed.args(&words[1..]).args(["--clock-scale", "1000"]).env_clear();
    as_printed.envs(typed.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (code, applied, err) = ended(as_printed.output().unwrap());
    assert!(code <= 1 && applied.contains(&format!("run {}", words[2])), "{code} {applied}{err}");
    assert!(!desk.stage.sandbox.records("company").is_empty());
    let narrow = out.lines().filter(|line| !line.contains("ferry apply")).all(|line| line.chars().count() <= 80);
    assert!(narrow, "it fits 80 columns: {out}");
    let (code, _, err) = ended(as_printed.output().unwrap());
    assert!(code == 3 && err.contains("it has run already"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_a_chain_names_the_rows_that_it_waits_for() {
    let desk = Desk::new().await;
    let (code, out, err) = desk.ferry(&["plan", CHAIN, "--sample", "30"]);
    assert_eq!(code, 1, "{err}");
    assert_eq!(out.matches("nothing was written").count(), 3, "{out}");
    assert!(out.contains(&format!("(the record that \"{COMPANIES}\" inserts, row ")), "{out}");
    assert!(out.contains("all 3 plans of the chain") && out.contains("rows wait for records"), "{out}");
    let (_, out, _) = desk.ferry(&["plan", CHAIN, "--json"]);
    let plans: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(plans.len(), 3);
    assert!(
        plans[2]["plan"]["waits"].as_u64() > Some(0) && plans[2]["plan"]["after"][1]["job"] == COMPANIES,
        "{}",
        plans[2]
    );
    assert!(desk.stage.sandbox.calls().iter().all(|call| !call.write));
}
