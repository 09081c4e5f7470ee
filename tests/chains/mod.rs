//! Chains: what of two steps goes on at once, what waits, what a failure does to the rest, and who is told.
//!
//! What is under way at the same time is made certain by requests that the sandbox holds until the test lets them go.

mod after;
mod conflicts;
mod counts;
mod failures;
mod killed;
mod order;
mod shared;
mod told;

use std::time::{Duration, Instant};

use ferry::app::error::Error;
use ferry::app::runs;
use ferry::run::progress::{Event, Progress};
use ferry::run::report::Report;
use ferry::run::undertaking::How;
use ferry::sandbox::{Sandbox, Service};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

use crate::stage::Stage;

/// How long something may take to happen that must.
const DEADLINE: Duration = Duration::from_secs(30);

/// Accounts become companies.
pub const COMPANIES: &str = "CREATE JOB \"Companies\" AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") \
    SELECT a.accountid AS \"Dynamics Account ID\", a.name AS \"Name\" FROM CHANGES OF dynamics.account AS a;\n";
/// Accounts give companies their employees: the same records.
pub const EMPLOYEES: &str = "CREATE JOB \"Employees\" AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") \
    SELECT a.accountid AS \"Dynamics Account ID\", a.name AS \"Name\", a.numberofemployees AS \"Employees\" \
    FROM CHANGES OF dynamics.account AS a;\n";
/// Contacts become opportunities of their companies.
pub const DEALS: &str = "CREATE JOB \"Deals\" AS UPSERT INTO gainsight.\"Opportunity__gc\" KEY (\"Opportunity External Id\") \
    SELECT c.contactid AS \"Opportunity External Id\", c.lastname AS \"Name\" FROM CHANGES OF dynamics.contact AS c \
    LOOKUP gainsight.Company AS co ON co.\"Dynamics Account ID\" = c.parentcustomerid \
    WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT;\n";
/// Users, as they come out of the box.
pub const USERS: &str = crate::stage::USERS;

const COMPANY: &str = "/v1/data/objects/company";
const DEAL: &str = "/v1/data/objects/Opportunity__gc";
const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const CONTACTS: &str = "/api/data/v9.2/contacts";

pub fn account(number: usize) -> Value {
    json!({ "accountid": format!("00000000-0000-0000-0000-{number:012}"), "name": format!("A{number}"), "numberofemployees": number })
}

pub fn contact(number: usize, of: usize) -> Value {
    json!({ "contactid": format!("30000000-0000-0000-0000-{number:012}"), "lastname": format!("C{number}"),
        "_parentcustomerid_value": format!("00000000-0000-0000-0000-{of:012}"),
        "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" })
}

/// A world of three users, sixty accounts and three contacts.
pub async fn world() -> Stage {
    let user = |number: usize| {
        let name = format!("u{number}@example.com");
        json!({ "systemuserid": format!("20000000-0000-0000-0000-{number:012}"), "firstname": "F", "lastname": name,
            "domainname": name, "internalemailaddress": name, "personalemailaddress": name, "isdisabled": false })
    };
    let lines = |rows: Vec<Value>| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    let users = lines((1..=3).map(user).collect());
    let accounts = lines((1..=60).map(account).collect());
    Stage::world(&users, &accounts, &lines((1..=3).map(|n| contact(n, n)).collect())).await
}

/// The jobs above and a chain of them.
pub fn chain(runs: &str) -> String {
    format!("{COMPANIES}{EMPLOYEES}{DEALS}CREATE CHAIN \"C\" {runs};\n")
}

/// What a run of a chain, or of one of its jobs, came to.
pub struct Ran {
    pub reports: Vec<Report>,
    pub notices: Vec<String>,
    pub ended: Result<(), Error>,
}

impl Ran {
    /// Jobs with how they ended, in the order in which they did.
    pub fn statuses(&self) -> Vec<(&str, &'static str)> {
        self.reports.iter().map(|report| (report.job.as_str(), report.status.word())).collect()
    }

    pub fn report(&self, job: &str) -> &Report {
        self.reports.iter().find(|report| report.job == job).expect("it ran")
    }

    /// The same, of a chain of which no job failed.
    pub fn good(self) -> Self {
        assert!(self.ended.is_ok(), "{:?} {:?}", self.ended, self.reports);
        assert!(self.reports.iter().all(|report| report.counts.balance()), "{:?}", self.reports);
        self
    }
}

pub async fn run(stage: &Stage, name: &str, text: &str) -> Ran {
    run_so(stage, name, text, &How::default()).await
}

pub async fn run_so(stage: &Stage, name: &str, text: &str, how: &How) -> Ran {
    let workspace = stage.workspace(&[("c.ferry", text)]).await.or_mistakes().expect("the project is right");
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let into = Arc::clone(&heard);
    let progress: Progress = Arc::new(move |event| {
        if let Event::Notice(text) = event {
            into.lock().expect("nobody panics with it").push(text);
        }
    });
    let mut reports = Vec::new();
    let ended = runs::run_so(&workspace, &stage.setting, name, how, &progress, |r| reports.push(r.clone())).await;
    let notices = heard.lock().expect("nobody panics with it").clone();
    Ran { reports, notices, ended }
}

/// Runs something, and does something else as soon as that is so.
pub async fn meanwhile<T>(
    run: impl Future<Output = T>,
    sandbox: &Sandbox,
    is_so: impl Fn(&Sandbox) -> bool,
    then: impl FnOnce(&Sandbox),
) -> T {
    let waiting = async {
        let since = Instant::now();
        while !is_so(sandbox) {
            assert!(since.elapsed() < DEADLINE, "it does not come to that: {:#?}", asked(sandbox));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        then(sandbox);
    };
    tokio::join!(run, waiting).0
}

/// What was asked of both services, in the order of the answers.
pub fn asked(sandbox: &Sandbox) -> Vec<String> {
    let calls = sandbox.calls().into_iter().filter(|call| call.service != Service::Entra);
    calls.map(|call| format!("{} {}", call.method, call.path)).collect()
}

/// Where the first and the last request stand whose method and path have all of these in them.
pub fn places(asked: &[String], words: &[&str]) -> (usize, usize) {
    let is_one = |one: &&String| words.iter().all(|word| one.contains(word));
    let first = asked.iter().position(|one| is_one(&one));
    let last = asked.iter().rposition(|one| is_one(&one));
    first.zip(last).unwrap_or_else(|| panic!("nothing was asked with {words:?}: {asked:#?}"))
}

/// Whether such a request was answered.
pub fn was_asked(sandbox: &Sandbox, words: &[&str]) -> bool {
    asked(sandbox).iter().any(|one| words.iter().all(|word| one.contains(word)))
}
