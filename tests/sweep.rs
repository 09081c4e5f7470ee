//! A process that dies at any operation of the ledger: whoever goes on ends where an undisturbed run does.
//!
//! The ledger of a run is wrapped: at its n-th change it fails, before or after that is on disk, and at everything behind it, as
//! nothing can be kept by a process that is dead. Then the state is opened anew and the run goes on, for n = 1, 2, 3 … until a run
//! is not hit any more. Real processes and real signals are elsewhere. The ordinary run takes every answer that was heard and not
//! written down, and every eighth of the other places; `cargo test -- --ignored sweep` takes all. The file is as long as the trait
//! that is wrapped.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow::record_batch::RecordBatch;
use ferry::app::workspace::Workspace;
use ferry::run::error::Error as RunError;
use ferry::run::job;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::run::undertaking::How;
use ferry::store::dataset::Part;
use ferry::store::due::Due;
use ferry::store::error::Error;
use ferry::store::home::Home;
use ferry::store::ledger::{Answer, Base, Begin, End, Intent, Ledger, Reading, Recorded, Settled, Tally, Unfinished};
use ferry::store::links::Relink;
use ferry::store::runs::Stage as Timed;
use ferry::store::state::{State, Tenancy};
use serde_json::{Value, json};

use crate::schedules::held::{Held, difference, held};
use crate::stage::{COMPANIES, PEOPLE, Stage, USERS, errors};

type Kept<T> = Result<T, Error>;

/// When the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// The change is not on disk.
    Before,
    /// It is, and the process does not hear of it.
    After,
}

/// A ledger of a process that dies at its n-th change.
struct Dying {
    state: State,
    changes: AtomicUsize,
    at: usize,
    when: When,
    /// Where the names of the changes go.
    names: Arc<Mutex<Vec<&'static str>>>,
}

fn dead() -> Error {
    let source = std::io::Error::other("the process is dead");
    Error::Disk { what: "cannot write", path: "state.db".into(), source }
}

impl Dying {
    fn new(state: State, at: usize, when: When) -> Self {
        Self { state, changes: AtomicUsize::new(0), at, when, names: Arc::default() }
    }

    fn is_dead(&self) -> bool {
        self.changes.load(Ordering::SeqCst) >= self.at
    }

    fn change<T>(&self, name: &'static str, change: impl FnOnce(&State) -> Kept<T>) -> Kept<T> {
        if self.is_dead() {
            return Err(dead());
        }
        self.names.lock().expect("nobody panics with it").push(name);
        let is_last = self.changes.fetch_add(1, Ordering::SeqCst) + 1 == self.at;
        if is_last && self.when == When::Before {
            return Err(dead());
        }
        let made = change(&self.state)?;
        if is_last { Err(dead()) } else { Ok(made) }
    }

    fn look<T>(&self, look: impl FnOnce(&State) -> Kept<T>) -> Kept<T> {
        if self.is_dead() { Err(dead()) } else { look(&self.state) }
    }
}

impl Ledger for Dying {
    fn begin(&self, one: &Begin<'_>) -> Kept<String> {
        self.change("begin", |state| Ledger::begin(state, one))
    }

    fn unfinished(&self, of: &Tenancy, job: &str) -> Kept<Option<Unfinished>> {
        self.look(|state| state.unfinished(of, job))
    }

    fn begun(&self, run: &str) -> Kept<Option<Unfinished>> {
        self.look(|state| state.begun(run))
    }

    fn apply(&self, run: &str, at: &str) -> Kept<bool> {
        self.change("apply", |state| state.apply(run, at))
    }

    fn written_since(&self, of: &Tenancy, job: &str, plan: &str) -> Kept<Option<String>> {
        self.look(|state| state.written_since(of, job, plan))
    }

    fn take_up(&self, run: &str) -> Kept<()> {
        self.change("take_up", |state| state.take_up(run))
    }

    fn is_approved(&self, run: &str) -> Kept<bool> {
        self.look(|state| state.is_approved(run))
    }

    fn abandon(&self, run: &str, at: &str, why: &str) -> Kept<()> {
        self.change("abandon", |state| state.abandon(run, at, why))
    }

    fn left(&self, run: &str) {
        self.state.left(run);
    }

    fn stage(&self, run: &str, stage: &Timed) -> Kept<()> {
        self.change("stage", |state| state.stage(run, stage))
    }

    fn reading(&self, run: &str, dataset: &str) -> Kept<Option<Reading>> {
        self.look(|state| state.reading(run, dataset))
    }

    fn page(&self, run: &str, dataset: &str, part: Option<&Part>, checkpoint: &str) -> Kept<()> {
        self.change("page", |state| state.page(run, dataset, part, checkpoint))
    }

    fn note(&self, run: &str, name: &str, text: &str) -> Kept<()> {
        self.change("note", |state| state.note(run, name, text))
    }

    fn looks(&self, run: &str, at_ms: i64) -> Kept<()> {
        self.change("look", |state| state.looks(run, at_ms))
    }

    fn read_whole(&self, run: &str, dataset: &str) -> Kept<()> {
        self.change("read_whole", |state| state.read_whole(run, dataset))
    }

    fn read_again(&self, run: &str, dataset: &str) -> Kept<()> {
        self.change("read_again", |state| state.read_again(run, dataset))
    }

    fn extracted(&self, run: &str) -> Kept<()> {
        self.change("extracted", |state| state.extracted(run))
    }

    fn extract_again(&self, run: &str) -> Kept<()> {
        self.change("extract_again", |state| state.extract_again(run))
    }

    fn planned(&self, run: &str, counts: &str, digest: &str) -> Kept<()> {
        self.change("planned", |state| state.planned(run, counts, digest))
    }

    fn intend(&self, run: &str, calls: &[Intent]) -> Kept<Vec<i64>> {
        self.change("intend", |state| state.intend(run, calls))
    }

    fn settle(&self, run: &str, of: &Tenancy, job: &str, calls: &[(i64, Answer)], rows: &[Settled]) -> Kept<()> {
        self.change("settle", |state| state.settle(run, of, job, calls, rows))
    }

    fn outcome(&self, run: &str, row: i64, step: u8) -> Kept<Option<Recorded>> {
        self.look(|state| state.outcome(run, row, step))
    }

    fn last_open(&self, run: &str) -> Kept<Option<i64>> {
        self.look(|state| state.last_open(run))
    }

    fn last_open_of_others(&self, tenant: &str, run: &str) -> Kept<Option<i64>> {
        self.look(|state| state.last_open_of_others(tenant, run))
    }

    fn noted_by_others(&self, tenant: &str, run: &str, name: &str) -> Kept<Vec<(String, String)>> {
        self.look(|state| state.noted_by_others(tenant, run, name))
    }

    fn others_wrote(&self, tenant: &str, run: &str, what: &[&str]) -> Kept<bool> {
        self.look(|state| state.others_wrote(tenant, run, what))
    }

    fn last_made(&self, tenant: &str, what: &[String]) -> Kept<Option<i64>> {
        self.look(|state| state.last_made(tenant, what))
    }

    fn is_ours(&self) -> Kept<()> {
        self.look(Ledger::is_ours)
    }

    fn close_others(&self, tenant: &str, run: &str, sent_by_ms: i64) -> Kept<()> {
        self.change("close_others", |state| state.close_others(tenant, run, sent_by_ms))
    }

    fn tally(&self, run: &str) -> Kept<Tally> {
        self.look(|state| state.tally(run))
    }

    fn rebase(&self, of: &Tenancy, job: &str, base: &Base) -> Kept<()> {
        self.change("rebase", |state| state.rebase(of, job, base))
    }

    fn base(&self, of: &Tenancy, job: &str) -> Kept<Option<Base>> {
        self.look(|state| state.base(of, job))
    }

    fn end(&self, end: &End<'_>) -> Kept<()> {
        self.change("end", |state| state.end(end))
    }

    fn refusals(&self, of: &Tenancy, job: &str) -> Kept<RecordBatch> {
        self.look(|state| state.refusals(of, job))
    }

    fn settled_since(&self, of: &Tenancy, run: &str) -> Kept<bool> {
        self.look(|state| state.settled_since(of, run))
    }

    fn identities(&self, of: &Tenancy) -> Kept<RecordBatch> {
        self.look(|state| state.identities(of))
    }

    fn links(&self, of: &Tenancy, job: &str, after: Option<(&str, &str)>) -> Kept<RecordBatch> {
        self.look(|state| state.links(of, job, after))
    }

    fn relink(&self, of: &Tenancy, job: &str, all: &[Relink]) -> Kept<()> {
        self.change("relink", |state| state.relink(of, job, all))
    }

    fn due(&self, of: &Tenancy, job: &str) -> Kept<Vec<Due>> {
        self.look(|state| state.due(of, job))
    }
}

/// Users of whom one has a manager who arrives with him, accounts of which Gainsight refuses one, and contacts.
async fn small() -> Stage {
    let lines = |rows: Vec<Value>| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    let user = |number: usize| {
        let name = format!("u{number}@example.com");
        json!({ "systemuserid": format!("20000000-0000-0000-0000-{number:012}"), "firstname": "F", "lastname": name,
            "domainname": name, "personalemailaddress": name, "isdisabled": false,
            "_parentsystemuserid_value": (number == 1).then(|| format!("20000000-0000-0000-0000-{:012}", 4)) })
    };
    let account = |number: usize| {
        json!({ "accountid": format!("00000000-0000-0000-0000-{number:012}"), "name": format!("A{number}"),
            "numberofemployees": if number == 4 { -1 } else { 1 } })
    };
    let contact = |number: usize| {
        json!({ "contactid": format!("10000000-0000-0000-0000-{number:012}"), "firstname": format!("C{number}"),
            // The third is the second at another company.
            "emailaddress1": format!("c{}@example.com", if number == 3 { 2 } else { number }),
            "modifiedon": format!("2024-01-{number:02}T00:00:00Z"),
            "_parentcustomerid_value": format!("00000000-0000-0000-0000-{:012}", 1 + number % 3),
            "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" })
    };
    let (users, accounts) = (lines((1..=4).map(user).collect()), lines((1..=7).map(account).collect()));
    Stage::world(&users, &accounts, &lines((1..=5).map(contact).collect())).await
}

/// Companies that are deleted with their accounts, and marked when these are no longer active.
const LOST: &str = "Lost accounts";
const LOST_TEXT: &str = "CREATE JOB \"Lost accounts\" AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") SELECT \
    a.accountid AS \"Dynamics Account ID\", a.name AS \"Name\" FROM dynamics.account AS a WHERE a.fax IS NULL \
    ON SOURCE DELETE DELETE ON SOURCE LEAVE SET \"Summary\" = 'left';";

/// The jobs that run before the one that is swept.
fn before(job: &str) -> &'static [&'static str] {
    match job {
        PEOPLE => &[COMPANIES],
        LOST => &[LOST],
        _ => &[],
    }
}

/// Accounts of which some are gone, some left, one is new and one is another now.
fn lose(stage: &Stage) {
    let id = |number: usize| format!("00000000-0000-0000-0000-{number:012}");
    let put = |row: Value| assert!(stage.sandbox.put_row("account", row.as_object().expect("an object").clone()));
    (1..=4).for_each(|number| assert!(stage.sandbox.delete_row("account", &id(number))));
    put(json!({ "accountid": id(5), "name": "A5", "fax": "1" }));
    put(json!({ "accountid": id(6), "name": "A6, renamed" }));
    put(json!({ "accountid": id(8), "name": "A8" }));
}

async fn ready(job: &str) -> (Stage, Workspace) {
    let stage = small().await;
    let more = [("lost.ferry", LOST_TEXT)];
    for one in before(job) {
        let (_, ended) = stage.try_run_with(one, &more).await;
        ended.expect("the run ends");
    }
    if job == LOST {
        lose(&stage);
    }
    let mut workspace = stage.workspace(&more).await.or_mistakes().expect("the project is right");
    workspace.services.dynamics.values_mut().for_each(|dynamics| dynamics.page_size = 3);
    workspace.services.gainsight.values_mut().for_each(|gainsight| gainsight.limits.batch_size = 3);
    (stage, workspace)
}

/// One process's work on a job, with the ledger that it has.
async fn work(
    name: &str,
    stage: &Stage,
    workspace: &Workspace,
    ledger: impl FnOnce(State) -> Box<dyn Ledger>,
) -> Result<(Report, Option<RunError>), RunError> {
    let home = Home::open(&stage.setting.home).expect("nobody else has it");
    let ledger = ledger(State::open(&home.state_path()).expect("the state opens"));
    let job = &workspace.project.jobs[name];
    job::run(job, &How::default(), &workspace.services, &home, &*ledger, &silent()).await
}

/// The end of a run that nothing stops.
async fn through(name: &str, stage: &Stage, workspace: &Workspace) -> Report {
    let (report, error) = work(name, stage, workspace, |state| Box::new(state)).await.expect("the run is kept");
    assert!(error.is_none(), "{error:?}");
    report
}

struct Calm {
    report: Report,
    failed: Vec<String>,
    held: Held,
}

fn failed(report: &Report) -> Vec<String> {
    errors(report).iter().map(|line| format!("{} {}", line["source_key"], line["code"])).collect()
}

/// Dies at the n-th change, goes on, and compares; says whether the run was hit.
async fn dies(name: &str, calm: &Calm, at: usize, when: When) -> bool {
    let (stage, workspace) = ready(name).await;
    let dying = |state| Box::new(Dying::new(state, at, when)) as Box<dyn Ledger>;
    let died = match work(name, &stage, &workspace, dying).await {
        Ok((_, error)) => error.is_some(),
        Err(_) => true,
    };
    let report = if died { through(name, &stage, &workspace).await } else { through_before(&stage, name) };
    let place = format!("{name}, {when:?} change {at}");
    let is_new_run = report.counts.sent() == 0 && report.resumed == 0;
    // What died when all was done has nothing left to go on with: the next run is a new one, and idle.
    if is_new_run {
        assert_eq!(report.calls.gainsight_writes, 0, "{place}: {report:?}");
    } else {
        assert_eq!((report.counts, &report.records), (calm.report.counts, &calm.report.records), "{place}");
        assert_eq!(failed(&report), calm.failed, "{place}");
    }
    assert_eq!(difference(&calm.held, &held(&stage.sandbox)), "", "{place}");
    let again = through(name, &stage, &workspace).await;
    assert_eq!(again.calls.gainsight_writes, 0, "{place}: {again:?}");
    assert_eq!(again.counts.sent(), 0, "{place}: {again:?}");
    died
}

/// The report of the last run, as the state has it.
fn through_before(stage: &Stage, name: &str) -> Report {
    let state =
        State::look(&ferry::store::home::state_path(&stage.setting.home)).expect("it opens").expect("it is there");
    let runs = state.runs(10).expect("they are listed");
    let text = runs.into_iter().find(|run| run.job == name).and_then(|run| run.report).expect("it has a report");
    serde_json::from_str(&text).expect("a report")
}

/// Dies at each of these changes, of which it is told the name; gives how many there were.
async fn sweep(name: &str, is_wanted: impl Fn(When, usize, &str) -> bool) -> usize {
    let (stage, workspace) = ready(name).await;
    let names = Arc::new(Mutex::new(Vec::new()));
    let listening = |state| Box::new(Dying { names: names.clone(), ..Dying::new(state, usize::MAX, When::After) }) as _;
    let (report, error) = work(name, &stage, &workspace, listening).await.expect("the run is kept");
    assert!(error.is_none(), "{error:?}");
    let calm = Calm { failed: failed(&report), held: held(&stage.sandbox), report };
    assert!(calm.report.counts.sent() > 0, "there is something to lose: {:?}", calm.report);
    let names = names.lock().expect("nobody panics with it").clone();
    let mut places = 0;
    for when in [When::Before, When::After] {
        for (at, _) in names.iter().enumerate().filter(|(at, change)| is_wanted(when, *at, change)) {
            assert!(dies(name, &calm, at + 1, when).await, "{name} has a change {at}");
            places += 1;
        }
        // Behind the last change nothing is hit: the places are all there are.
        assert!(!dies(name, &calm, names.len() + 1, when).await, "{name} has more than {names:?}");
    }
    places
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_of_deaths_loses_nothing() {
    let is_wanted = |when, at: usize, change: &str| match when {
        When::Before => change == "settle" || at % 8 == 3,
        When::After => at % 8 == 5,
    };
    for name in [USERS, COMPANIES, PEOPLE, LOST] {
        let places = sweep(name, is_wanted).await;
        assert!(places >= 4, "{name}: {places} places");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes"]
async fn all() {
    let mut places = 0;
    for name in [USERS, COMPANIES, PEOPLE, LOST] {
        places += sweep(name, |_, _, _| true).await;
    }
    assert!(places > 80, "{places} places");
    #[allow(clippy::print_stdout)]
    let () = println!("{places} places");
}
