//! A desk for these tests: contents of notices, a sender for a small mail server, a project that tells people.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use ferry::app::error::Error;
use ferry::app::notices::{Delivered, Posts, deliver_due};
use ferry::app::runs;
use ferry::app::workspace::{Setting, Workspace};
use ferry::model::clock::Clock;
use ferry::model::notice::{Content, Event, Part, Reason};
use ferry::model::outcome::Counts;
use ferry::model::secret::Secret;
use ferry::notice::mail::{Security, Sender, Server};
use ferry::notice::{Attached, Parcel};
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::store::home::state_path;
use ferry::store::notices::Notice;
use ferry::store::state::State;

use super::smtp::{Manner, Smtp};
use crate::stage::Stage;

/// The key of webhooks in these tests.
pub const KEY: &str = "a-key-for-tests";

/// A partial success of one job.
pub fn content() -> Content {
    let counts = Counts { read: 3, inserted: 2, error: 1, ..Counts::default() };
    let reason = Reason {
        code: "REQUIRED_EMPTY".to_owned(),
        rows: 1,
        example: "00000000-0000-0000-0000-000000000003".to_owned(),
        message: "\"Name\" is required and would be empty; fill it in Dynamics".to_owned(),
    };
    let part = Part {
        run: "20261126-0003".to_owned(),
        job: "Company Sync_Dynamics Connection".to_owned(),
        status: "partial".to_owned(),
        counts,
        message: None,
        error_file: Some(PathBuf::from("/home/ferry/runs/20261126-0003/errors.csv")),
        reasons: vec![reason],
    };
    Content {
        version: 1,
        event: Event::Partial,
        status: "partial".to_owned(),
        job: Some(part.job.clone()),
        chain: None,
        run: part.run.clone(),
        started_by: "schedule".to_owned(),
        started: "2026-11-26T02:00:00.000Z".to_owned(),
        ended: "2026-11-26T02:03:00.000Z".to_owned(),
        counts,
        message: None,
        error_file: part.error_file.clone(),
        next: vec!["`ferry replay 20261126-0003` when they are mended".to_owned()],
        runs: vec![part],
    }
}

pub fn parcel(content: &Content) -> Parcel<'_> {
    let file =
        Attached { name: "errors-20261126-0003.csv".to_owned(), bytes: b"row,code\n3,REQUIRED_EMPTY\n".to_vec() };
    Parcel { delivery: "20261126-0003.17".to_owned(), content, attached: vec![file] }
}

/// Sends to a small mail server, whose authority is trusted or not.
pub fn sender(smtp: &Smtp, security: Security, is_trusted: bool) -> Sender {
    Sender {
        server: Server { host: "localhost".to_owned(), port: smtp.port, security },
        from: "ferry@acme.com".to_owned(),
        sign_in: None,
        authorities: is_trusted.then(|| smtp.authority.as_str().into()),
        clock: Clock::system(1.0),
    }
}

pub fn signed_in(sender: Sender, user: &str, password: &str) -> Sender {
    let secret = |text: &str| Secret::new(text.to_owned());
    Sender { sign_in: Some((secret(user), secret(password))), ..sender }
}

/// A stage with a mail server, on a clock that a test sets.
pub struct Desk {
    pub stage: Stage,
    pub smtp: Smtp,
    by: &'static AtomicI64,
}

impl Desk {
    pub async fn new() -> Self {
        let people =
            (1..=3).map(|n| if n == 3 { crate::notices::desk::account(n, None) } else { account(n, Some("A")) });
        let mut stage = Stage::world("", &people.collect::<String>(), "").await;
        let by: &'static AtomicI64 = Box::leak(Box::default());
        stage.setting.clock = stage.setting.clock.set_by(by);
        let inner = Arc::clone(&stage.setting.secrets);
        stage.setting.secrets =
            Arc::new(move |name| if name == "webhook/key" { Some(Secret::new(KEY.to_owned())) } else { inner(name) });
        Self { stage, smtp: Smtp::start(Manner::default()).await, by }
    }

    /// The mail connection, the settings, and what else is said of them.
    pub fn project(&self, settings: &str, rest: &str) -> String {
        format!(
            "CREATE CONNECTION mail TO SMTP URL 'smtp://127.0.0.1:{}' FROM 'ferry@acme.com';\n\
             CREATE SETTINGS (webhook_key = SECRET 'webhook/key'{settings});\n{rest}",
            self.smtp.port
        )
    }

    pub async fn workspace(&self, project: &str) -> Workspace {
        self.stage.workspace(&[("n.ferry", project)]).await.or_mistakes().expect("the project is right")
    }

    /// Runs a job or a chain, as the daemon does or as a person.
    pub async fn run(&self, project: &str, name: &str, is_attended: bool) -> (Vec<Report>, Result<(), Error>) {
        let setting = Setting { is_attended, by: "anna".to_owned(), ..self.stage.setting.clone() };
        let text = self.stage.text(&[("n.ferry", project)]);
        let workspace = Workspace::of(text, &setting).await.unwrap().or_mistakes().expect("the project is right");
        let mut reports = Vec::new();
        let result = runs::run(&workspace, &setting, name, &silent(), |report| reports.push(report.clone())).await;
        (reports, result)
    }

    /// Delivers what is due.
    pub async fn deliver(&self, project: &str) -> Delivered {
        let posts = Posts::of(&self.workspace(project).await.project);
        deliver_due(&self.stage.setting, &posts, Duration::from_secs(60)).await.unwrap()
    }

    pub fn pass(&self, seconds: i64) {
        self.by.fetch_add(seconds * 1_000, std::sync::atomic::Ordering::SeqCst);
    }

    pub fn now_ms(&self) -> i64 {
        self.stage.setting.clock.now().timestamp_millis()
    }

    pub fn state(&self) -> State {
        State::look(&state_path(&self.stage.setting.home)).unwrap().expect("a state")
    }

    /// The outbox, oldest first.
    pub fn notices(&self) -> Vec<Notice> {
        let mut all = self.state().notices(100).unwrap();
        all.reverse();
        all
    }
}

/// An account; without a name it cannot be a company.
pub fn account(number: usize, name: Option<&str>) -> String {
    let name = name.map(|name| format!("{name}{number}"));
    let row = serde_json::json!({ "accountid": crate::lost::desk::id(number), "name": name, "statecode": 0,
        "websiteurl": "https://canary-4711.example.com" });
    format!("{row}\n")
}

/// A job of three accounts of which one fails, with these clauses in its head.
pub fn job(name: &str, head: &str) -> String {
    format!(
        "CREATE JOB \"{name}\" {head} AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") SELECT a.accountid AS \
         \"Dynamics Account ID\", a.name AS \"Name\" FROM dynamics.account AS a WHERE a.websiteurl IS NOT NULL;\n"
    )
}
