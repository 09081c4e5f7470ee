//! A stage for tests: a sandbox, a home of its own, and the out-of-the-box project opened on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ferry::app::error::Error;
use ferry::app::projects::{OUT_OF_THE_BOX, Text};
use ferry::app::runs;
use ferry::app::sandboxes::secret_source;
use ferry::app::workspace::{Setting, Workspace};
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::model::clock::Clock;
use ferry::run::plan::Plan;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::run::undertaking::How;
use ferry::sandbox::{Options, Sandbox, start};
use ferry::store::ledger::Begin;
use ferry::store::state::Tenancy;
use tempfile::{NamedTempFile, TempDir};

/// How much faster than documented the limits go by in tests.
pub const SCALE: f64 = 1_000.0;
pub const USERS: &str = "User Sync_Dynamics Connection";
pub const COMPANIES: &str = "Company Sync_Dynamics Connection";
pub const PEOPLE: &str = "Company Person Sync_Dynamics Connection";
pub const CHAIN: &str = "Dynamics_Company Person Sync";

pub struct Stage {
    pub sandbox: Sandbox,
    pub setting: Setting,
    _home: TempDir,
}

impl Stage {
    /// The seeded world with this many contacts.
    pub async fn seeded(rows: usize) -> Self {
        let options = Options { rows, limits_scale: SCALE, ..Options::default() };
        Self::on(start(options).await.expect("the sandbox starts"))
    }

    /// A world of these rows: `systemusers`, `accounts`, `contacts`, one JSON object a line.
    pub async fn world(users: &str, accounts: &str, contacts: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, rows) in [("systemusers", users), ("accounts", accounts), ("contacts", contacts)] {
            std::fs::write(folder.path().join(format!("{name}.jsonl")), rows).expect("a file");
        }
        let world = Some(folder.path().to_owned());
        let options = Options { world, limits_scale: SCALE, ..Options::default() };
        Self::on(start(options).await.expect("the sandbox starts"))
    }

    pub fn on(sandbox: Sandbox) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let secrets = secret_source(sandbox.credentials());
        let mut setting = Setting::new(home.path().join("home"), secrets, Clock::system(SCALE));
        // A process that another test begins at this moment has the lock of this home too, until it is another program.
        setting.patience = Some(Duration::from_secs(2));
        Self { sandbox, setting, _home: home }
    }

    /// The out-of-the-box project with the connections leading here, and these files beside it.
    pub fn text(&self, more: &[(&str, &str)]) -> Text {
        let mut sources = Sources::default();
        for (name, text) in OUT_OF_THE_BOX {
            let text = text
                .replace("https://gainsight123.crm.dynamics.com", self.sandbox.dynamics_url())
                .replace("https://acme.gainsightcloud.com", self.sandbox.gainsight_url());
            sources.add(name.to_owned(), text);
        }
        for (name, text) in more {
            sources.add((*name).to_owned(), (*text).to_owned());
        }
        let parsed = read(&sources);
        Text { sources, parsed }
    }

    pub async fn workspace(&self, more: &[(&str, &str)]) -> Workspace {
        Workspace::of(self.text(more), &self.setting).await.expect("both services answer")
    }

    pub async fn try_run(&self, name: &str) -> (Vec<Report>, Result<(), Error>) {
        self.try_run_with(name, &[]).await
    }

    pub async fn try_run_with(&self, name: &str, more: &[(&str, &str)]) -> (Vec<Report>, Result<(), Error>) {
        let workspace = self.workspace(more).await.or_mistakes().expect("the project is right");
        let mut reports = Vec::new();
        let result = runs::run(&workspace, &self.setting, name, &silent(), |report| reports.push(report.clone())).await;
        (reports, result)
    }

    /// Runs a job or a chain that must not fail.
    pub async fn run(&self, name: &str) -> Vec<Report> {
        let (reports, result) = self.try_run(name).await;
        result.expect("the run ends");
        reports
    }

    pub async fn plan(&self, name: &str, sample: usize) -> (Report, Plan) {
        let workspace = self.workspace(&[]).await.or_mistakes().expect("the project is right");
        runs::plan(&workspace, &self.setting, name, &How::default(), sample, &silent()).await.expect("the plan ends")
    }
}

/// A file of the sandbox's faults; it is there as long as this is.
pub fn faults_file(rules: &str) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), rules).expect("it is written");
    file
}

/// One line of an error file, by column.
pub type Line = BTreeMap<String, String>;

/// The lines of a report's error file; none if it has no file.
pub fn errors(report: &Report) -> Vec<Line> {
    let Some(path) = &report.error_file else { return Vec::new() };
    lines(path)
}

pub fn lines(path: &Path) -> Vec<Line> {
    let mut reader = csv::Reader::from_path(path).expect("the error file is there");
    reader.deserialize().map(|line| line.expect("a line of CSV")).collect()
}

/// The line of the row with this source key.
pub fn line_of<'a>(lines: &'a [Line], key: &str) -> Option<&'a Line> {
    lines.iter().find(|line| line["source_key"] == key)
}

/// A run of a job that begins, for tests of the state alone.
pub fn beginning<'a>(job: &'a str, of: &'a Tenancy) -> Begin<'a> {
    Begin {
        day: "20260101",
        job,
        chain: None,
        by: "anna",
        slot_ms: None,
        of,
        started: "2026-01-01T00:00:00Z",
        now_ms: 0,
        job_digest: "",
        relied: "",
        chosen: None,
        can_resume: true,
    }
}
