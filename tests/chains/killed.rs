//! A process that is killed while one step loads and the next is read: both runs are gone on with, in order.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Instant;

use ferry::run::report::Report;
use ferry::sandbox::Service::Gainsight;
use serde_json::json;

use super::{ACCOUNTS, COMPANY, CONTACTS, DEADLINE, asked, places, was_asked};
use crate::faults::holdings;
use crate::kills::world::World;
use crate::stage::{CHAIN, COMPANIES, PEOPLE, USERS};

const PERSON: &str = "/v1/peoplemgmt";

/// Kills the chain as soon as that is so, with its calls held; then they are let go.
fn kill_when(world: &World, is_so: impl Fn() -> bool) {
    let mut child = world.desk.begin_with(&["run", CHAIN], Stdio::null(), &[]);
    let since = Instant::now();
    while !is_so() {
        assert!(child.try_wait().unwrap().is_none(), "the chain ended before");
        assert!(since.elapsed() < DEADLINE, "it does not come to that");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    world.desk.stage.sandbox.let_go();
}

/// Kills while the first companies are written, when all contacts were read.
fn kill_with_one_ahead(world: &World) {
    let sandbox = &world.desk.stage.sandbox;
    sandbox.hold(Gainsight, "POST", COMPANY);
    kill_when(world, || {
        let waits = world.desk.ferry(&["activity", "--json"]).1;
        sandbox.held() > 0 && was_asked(sandbox, &[CONTACTS]) && waits.contains(PEOPLE) && has_read_all(world)
    });
}

/// Whether the people's run has its source.
fn has_read_all(world: &World) -> bool {
    let database = rusqlite::Connection::open(world.desk.home().join("state.db")).unwrap();
    let done = "SELECT EXISTS (SELECT 1 FROM reading JOIN run ON run.id = run WHERE job = ?1 AND dataset = 'source' AND is_done)";
    database.query_row(done, [PEOPLE], |row| row.get(0)).unwrap()
}

fn reports(out: &str) -> Vec<Report> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_runs_of_a_killed_chain_are_gone_on_with_in_order() {
    let calm = World::calm().await;
    for arguments in [&["run", CHAIN, "--json"][..], &["resume", "--json"]] {
        let world = World::new("").await;
        tokio::task::block_in_place(|| {
            kill_with_one_ahead(&world);
            let sandbox = &world.desk.stage.sandbox;
            let (before, read) = (asked(sandbox).len(), places(&asked(sandbox), &[CONTACTS]));
            assert!(read.1 < before);
            // The people alone are not gone on with: their companies are not there yet.
            let (code, out, err) = world.desk.ferry(&["resume", "--json", &run_of(&world, PEOPLE)]);
            assert!(code == 2 && out.is_empty() && err.contains("comes before"), "{code} {out} {err}");
            let (code, out, err) = world.desk.ferry(arguments);
            assert!(code <= 1, "{code}: {err}");
            let reports = reports(&out);
            let gone_on: Vec<(&str, u64)> = reports.iter().map(|r| (r.job.as_str(), r.resumed)).collect();
            // The users' run had ended: a chain that is run runs them again, and one that goes on does not.
            let users = if arguments[0] == "run" { &[(USERS, 0)][..] } else { &[] };
            assert_eq!(gone_on, [users, &[(COMPANIES, 1), (PEOPLE, 1)]].concat(), "{err}");
            assert!(!err.contains("is given up"), "{err}");
            let later = &asked(sandbox)[before..];
            for source in [ACCOUNTS, CONTACTS] {
                let read = later.iter().filter(|one| one.contains(source) && !one.contains("$top=1")).count();
                assert_eq!(read, 0, "{source} was read already: {later:#?}");
            }
            world.finish(crate::kills::world::Verb::Run, "killed with one ahead");
        });
        world.hold(&calm, true, &format!("{arguments:?}"));
    }
}

fn run_of(world: &World, job: &str) -> String {
    let database = rusqlite::Connection::open(world.desk.home().join("state.db")).unwrap();
    database.query_row("SELECT max(id) FROM run WHERE job = ?1", [job], |row| row.get(0)).unwrap()
}

/// The people's target was read before the kill; then the chain is run, and makes another company. What the old run knew of companies
/// is not what its rows may be judged by.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_looked_before_the_step_before_it_wrote_again_is_given_up() {
    let world = World::new("").await;
    tokio::task::block_in_place(|| {
        let sandbox = &world.desk.stage.sandbox;
        sandbox.hold(Gainsight, "PUT", PERSON);
        sandbox.hold(Gainsight, "POST", PERSON);
        kill_when(&world, || sandbox.held() > 0);
        let (old, id) = (run_of(&world, PEOPLE), "70000000-0000-0000-0000-000000000001");
        let account = json!({ "accountid": id, "name": "New" });
        let contact = json!({ "contactid": "70000000-0000-0000-0000-000000000002", "firstname": "F", "lastname": "L",
            "emailaddress1": "new@example.com", "_parentcustomerid_value": id,
            "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" });
        for (table, row) in [("account", account), ("contact", contact)] {
            assert!(sandbox.put_row(table, row.as_object().unwrap().clone()));
        }
        let (code, out, err) = world.desk.ferry(&["run", CHAIN, "--json"]);
        assert!(code <= 1, "{code}: {err}");
        let given_up = format!("run {old} is given up: another run has written to Company since");
        assert!(err.contains(&given_up), "{err}");
        let people = reports(&out).into_iter().find(|report| report.job == PEOPLE).unwrap();
        assert!(people.run != old && people.resumed == 0);
        let is_new = |person: &serde_json::Map<String, serde_json::Value>| person["Email"] == "new@example.com";
        assert!(sandbox.records("person").iter().any(is_new), "the new contact is at the new company");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_looked_is_gone_on_with_if_nothing_was_written() {
    let calm = World::calm().await;
    let world = World::new("").await;
    tokio::task::block_in_place(|| {
        let sandbox = &world.desk.stage.sandbox;
        sandbox.hold(Gainsight, "PUT", PERSON);
        sandbox.hold(Gainsight, "POST", PERSON);
        kill_when(&world, || sandbox.held() > 0);
        let old = run_of(&world, PEOPLE);
        let (code, out, err) = world.desk.ferry(&["run", CHAIN, "--json"]);
        assert!(code <= 1 && !err.contains("is given up"), "{code}: {err}");
        let people = reports(&out).into_iter().find(|report| report.job == PEOPLE).unwrap();
        assert_eq!((people.run, people.resumed), (old, 1));
    });
    assert_eq!(holdings(&world.desk.stage), calm.holdings);
}
