//! What a server does to whoever relies on it, and what is said of it: never the password, always what to do.

use std::process::Stdio;
use std::time::{Duration, Instant};

use ferry::model::secret::Secret;
use ferry::store::database::{Failure, Server, Why};
use ferry::store::error::Error;
use ferry::store::ledger::{Answer, Base, End, Intent, Ledger};
use ferry::store::place::Place;
use ferry::store::state::State;

use super::alike::{end, of};
use super::server::{Schema, url};
use crate::faults::holdings;
use crate::stage::{COMPANIES, beginning};
use crate::terminal::{Desk, ended};

const PASSWORD: &str = "never-shown";

fn server(url: &str) -> Result<Server, Failure> {
    Server::of(&Secret::new(url.to_owned()), None, None)
}

fn why(error: &Error) -> Why {
    match error {
        Error::State { source: Failure::Server { why, .. }, .. } => *why,
        other => panic!("{other}"),
    }
}

fn not_opened(url: &str) -> Error {
    State::open(Place::Server(server(url).unwrap())).err().expect("it cannot be opened")
}

#[test]
fn a_server_that_is_away_is_said_to_be() {
    let error = not_opened(&format!("postgres://anna:{PASSWORD}@127.0.0.1:1/ferry"));
    assert_eq!(why(&error), Why::Unreachable);
    let words = error.to_string();
    assert!(
        words.contains("postgres://anna@127.0.0.1:1/ferry") && words.contains("see that PostgreSQL is up"),
        "{words}"
    );
    assert!(!format!("{words} {error:?}").contains(PASSWORD), "{words}");
}

#[test]
fn what_is_no_url_is_said_without_its_words() {
    for url in [
        "mysql://anna:never-shown@localhost/x",
        "postgres://anna:never-shown@localhost:port/x",
        "postgres://anna:never-shown@localhost/x?never-shown=1",
        "postgres:///x",
        "postgres://anna:never-shown@localhost/x?lease_seconds=0",
        "postgres://anna:never-shown@localhost/x?lease_seconds=never-shown",
    ] {
        let error = server(url).err().unwrap_or_else(|| panic!("{url}")).to_string();
        assert!(error.contains("--state is no URL of a PostgreSQL database") && !error.contains(PASSWORD), "{error}");
    }
}

#[test]
fn nothing_goes_to_another_machine_in_the_clear() {
    for host in ["db.example.com", "10.0.0.1", "localhost,db.example.com", "127.0.0.1.example.com"] {
        let url = format!("postgres://anna:{PASSWORD}@{host}/ferry?sslmode=disable");
        let error = server(&url).err().unwrap_or_else(|| panic!("{host}"));
        assert!(matches!(error, Failure::Server { why: Why::Unprotected, .. }), "{error}");
        assert!(!error.to_string().contains(PASSWORD), "{error}");
    }
    for host in ["localhost", "127.0.0.1", "127.8.9.1", "[::1]", "%2Ftmp"] {
        server(&format!("postgres://anna@{host}/ferry?sslmode=disable"))
            .unwrap_or_else(|error| panic!("{host}: {error}"));
    }
}

#[test]
fn a_certificate_is_trusted_only_if_its_authority_is() {
    let (Some(url), Ok(authority)) = (url(), std::env::var("FERRY_TEST_POSTGRES_CA")) else { return };
    let url = Secret::new(format!("{url}?sslmode=require"));
    let reached = |authorities: Option<&str>| {
        let server = Server::of(&url, None, authorities).unwrap();
        State::look(Place::Server(server)).map(|found| found.is_some())
    };
    let pem = std::fs::read_to_string(authority).unwrap();
    assert!(!reached(Some(&pem)).unwrap(), "it answers, and has no state yet");
    let error = reached(None).unwrap_err();
    assert_eq!(why(&error), Why::Unprotected);
    assert!(error.to_string().contains("FERRY_CA_FILE"), "{error}");
}

#[test]
fn a_wrong_password_is_told_from_a_missing_database() {
    let Some(url) = url() else { return };
    let wrong = url.replace("not-for-people", PASSWORD);
    let error = not_opened(&wrong);
    assert_eq!(why(&error), Why::Refused);
    let words = error.to_string();
    assert!(words.contains("PGPASSWORD") && !words.contains(PASSWORD), "{words}");
    let error = not_opened(&url.replace("/postgres", "/nowhere"));
    assert_eq!(why(&error), Why::NoDatabase);
    assert!(error.to_string().contains("createdb"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_in_anything_that_is_written() {
    let Some(schema) = Schema::make() else { return };
    let desk = Desk::new().await;
    let home = desk.home();
    let run = |state: &str, password: &str, arguments: &[&str]| {
        let mut command = desk.command_at(&home, state, arguments);
        let (code, out, err) = ended(command.env("PGPASSWORD", password).output().unwrap());
        let said = format!("{out}{err}");
        assert!(!said.contains("not-for-people") && !said.contains(PASSWORD), "{arguments:?}: {said}");
        (code, said)
    };
    let bare = schema.state("").replace(":not-for-people", "");
    for arguments in [
        &["run", COMPANIES][..],
        &["doctor"],
        &["doctor", "--json"],
        &["activity", "--json"],
        &["jobs"],
        &["state", "backup", "/nowhere/x"],
        &["check"],
        &["state", "restored"],
    ] {
        assert!(run(&bare, "not-for-people", arguments).0 <= 3, "{arguments:?}");
        assert!(run(&schema.state(""), "", arguments).0 <= 3, "{arguments:?}");
        let (code, said) = run(&bare, PASSWORD, arguments);
        assert!(
            code != 0 && code != 4 || arguments[0] == "doctor" || arguments[0] == "jobs",
            "{arguments:?}: {code} {said}"
        );
    }
    let (_, said) = run(&bare, "not-for-people", &["doctor"]);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("can be written, version 8") && said.contains("in postgres://ferry@127.0.0.1:"), "{said}");
    let (code, said) = run(&bare, PASSWORD, &["run", COMPANIES]);
    assert!(code == 3 && said.contains("PGPASSWORD"), "{code} {said}");
    let (code, said) = run(&bare, "not-for-people", &["state", "backup", "/nowhere/x"]);
    assert!(code == 2 && said.contains("pg_dump") && said.contains("ferry state restored"), "{said}");
    // Not in what was kept either.
    let kept = schema.say("SELECT * FROM change").into_iter().flatten().flatten().collect::<String>();
    assert!(!kept.contains("not-for-people"), "{kept}");
    let found = std::process::Command::new("grep").args(["-rl", "not-for-people"]).arg(&home).output().unwrap();
    assert_eq!(String::from_utf8(found.stdout).unwrap(), "");
}

#[test]
fn a_newer_state_is_left_alone_and_an_older_one_that_is_in_use_too() {
    let Some(schema) = Schema::make() else { return };
    let at_work = State::open(schema.place()).unwrap();
    schema.say("UPDATE state SET version = 6");
    assert!(matches!(State::join(schema.place()), Err(Error::OlderState { found: 6, .. })));
    assert!(matches!(State::open(schema.place()), Err(Error::OlderState { found: 6, .. })), "nor by who would run");
    schema.say("UPDATE state SET version = 99");
    assert!(matches!(State::join(schema.place()), Err(Error::NewerState { found: 99, .. })));
    drop(at_work);
    assert!(matches!(State::open(schema.place()), Err(Error::NewerState { found: 99, .. })));
    assert_eq!(schema.one("SELECT version FROM state"), "99");
}

#[test]
fn a_statement_that_waits_for_too_long_changes_nothing() {
    let Some(schema) = Schema::make() else { return };
    let (of, state) = (of(), State::open(schema.place()).unwrap());
    let run = state.begin(&beginning("job", &of)).unwrap();
    let error = std::thread::scope(|scope| {
        let holds = scope.spawn(|| schema.say("BEGIN; LOCK TABLE reading; SELECT pg_sleep(14); COMMIT"));
        while schema.one("SELECT count(*) FROM pg_locks WHERE relation = 'reading'::regclass AND granted") == "0" {}
        let since = Instant::now();
        let error = state.note(&run, "x", "y").unwrap_err();
        assert!(since.elapsed() < Duration::from_secs(14), "{:?}", since.elapsed());
        holds.join().unwrap();
        error
    });
    assert_eq!(why(&error), Why::Slow);
    assert!(error.to_string().contains("try again"), "{error}");
    assert!(state.reading(&run, "x").unwrap().is_none(), "nothing of it was kept");
    state.note(&run, "x", "y").expect("the same connection is as good as before");
    drop(state);
    let again = State::open(schema.place()).unwrap();
    assert_eq!(again.reading(&run, "x").unwrap().unwrap().checkpoint, "y");
}

#[test]
fn a_change_that_is_refused_is_no_end_of_the_connection() {
    let Some(schema) = Schema::make() else { return };
    let (of, state) = (of(), State::open(schema.place()).unwrap());
    let run = state.begin(&beginning("job", &of)).unwrap();
    let connections = || {
        let all = "SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity WHERE application_name = ";
        schema.one(&format!("{all}'{}'", schema.name))
    };
    let before = connections();
    // Once where an answer is asked for, and once where it shows when the change is to be kept.
    schema.say(
        "ALTER TABLE reading ADD CONSTRAINT no_x CHECK (dataset <> 'x'), ADD CONSTRAINT no_z CHECK (dataset <> 'z')",
    );
    schema.say("ALTER TABLE batch ADD CONSTRAINT none CHECK (false)");
    let call = Intent { step: 1, what: "insert".to_owned(), rows: vec![(1, "a".to_owned())], at_ms: 1 };
    for tried in [state.note(&run, "x", "y"), state.intend(&run, &[call]).map(drop), state.note(&run, "z", "y")] {
        assert_eq!(why(&tried.unwrap_err()), Why::Other);
        state.note(&run, "w", "y").expect("another change works");
    }
    assert!(state.reading(&run, "x").unwrap().is_none() && state.reading(&run, "z").unwrap().is_none());
    state.is_ours().unwrap();
    assert_eq!(connections(), before);
}

#[test]
fn a_text_that_no_server_can_keep_is_kept_without_what_cannot_be() {
    let Some(schema) = Schema::make() else { return };
    let (of, state) = (of(), State::open(schema.place()).unwrap());
    let run = state.begin(&beginning("job", &of)).unwrap();
    state.note(&run, "no\0thing", "a\0b").unwrap();
    assert_eq!(state.reading(&run, "no\0thing").unwrap().unwrap().checkpoint, "a\u{FFFD}b");
    assert_eq!(schema.one("SELECT dataset FROM reading"), "no\u{FFFD}thing");
}

#[test]
fn a_database_that_cannot_keep_every_text_is_refused() {
    let (Some(schema), Some(url)) = (Schema::make(), url()) else { return };
    let name = format!("{}_latin", schema.name);
    schema.database(&format!("CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"));
    let error = not_opened(&url.replace("/postgres", &format!("/{name}")));
    assert_eq!(why(&error), Why::Encoding);
    assert!(error.to_string().contains("LATIN1") && error.to_string().contains("--encoding=UTF8"), "{error}");
    schema.database(&format!("DROP DATABASE {name} WITH (FORCE)"));
}

/// A host that is switched off says nothing at all, and the next one is asked when its time is over.
#[test]
fn of_several_hosts_one_may_be_silent() {
    let Some(url) = url() else { return };
    // A queue of one that is full: nobody answers whoever comes next.
    let silent = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::bind(&silent, &std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    rustix::net::listen(&silent, 0).unwrap();
    let silent = std::net::TcpListener::from(silent);
    let address = silent.local_addr().unwrap();
    let within = Duration::from_millis(200);
    let mut waiting = Vec::new();
    while let Ok(one) = std::net::TcpStream::connect_timeout(&address, within) {
        waiting.push(one);
        assert!(waiting.len() < 100, "it answers for ever");
    }
    let since = Instant::now();
    let place = Place::Server(server(&url.replace("@127.0.0.1:", &format!("@{address},127.0.0.1:"))).unwrap());
    State::look(place).expect("the second answers");
    assert!(since.elapsed() >= Duration::from_secs(10), "the first was waited for: {:?}", since.elapsed());
}

#[test]
fn what_was_under_way_when_a_connection_ended_was_not_kept() {
    let Some(schema) = Schema::make() else { return };
    let (of, state) = (of(), State::open(schema.place()).unwrap());
    let run = state.begin(&beginning("job", &of)).unwrap();
    schema.end_all_connections();
    let error = state.note(&run, "x", "y").unwrap_err();
    assert_eq!(why(&error), Why::Lost);
    assert!(error.to_string().contains("ferry resume"), "{error}");
    assert!(state.note(&run, "x", "y").is_err(), "a connection that has ended is not taken for another");
    drop(state);
    let again = State::open(schema.place()).expect("whoever leaves gives the lease back by another connection");
    assert!(again.reading(&run, "x").unwrap().is_none());
}

/// The process stands within a change when the server ends its connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_in_the_middle_of_a_change_loses_nothing() {
    let Some(_) = url() else { return };
    let calm = Desk::new().await;
    assert_eq!(calm.ferry(&["run", COMPANIES]).0, 1);
    for place in ["begin.within", "page.within:2", "loading.within", "intend.within:1", "settle.within:2", "end.within"]
    {
        let (schema, desk) = (Schema::make().unwrap(), Desk::new().await);
        let (state, go_on) = (schema.state(""), desk.home().with_file_name("go on"));
        let mut command = desk.command_at(&desk.home(), &state, &["run", COMPANIES]);
        command.env("FERRY_STOP_AT", place).env("FERRY_GO_ON", &go_on);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while std::io::BufRead::read_line(&mut said, &mut line).unwrap() > 0 && !line.contains("stopped at") {}
        assert!(line.contains("stopped at"), "{place}: {line}");
        schema.end_all_connections();
        std::fs::write(&go_on, "").unwrap();
        let rest: Vec<String> = std::io::BufRead::lines(said).map(Result::unwrap).collect();
        let code = child.wait().unwrap().code();
        assert!(
            code == Some(3) && rest.join(" ").contains("the state database postgres://"),
            "{place}: {code:?} {rest:?}"
        );
        let (code, _, err) = ended(desk.command_at(&desk.home(), &state, &["run", COMPANIES]).output().unwrap());
        assert_eq!(code, 1, "{place}: {err}");
        assert_eq!(holdings(&desk.stage), holdings(&calm.stage), "{place}");
        let before = desk.stage.sandbox.calls().iter().filter(|call| call.write).count();
        assert_eq!(ended(desk.command_at(&desk.home(), &state, &["run", COMPANIES]).output().unwrap()).0, 1);
        assert_eq!(desk.stage.sandbox.calls().iter().filter(|call| call.write).count(), before, "{place}");
    }
}

/// What the server says of its past is not to be passed over where it could say it.
#[test]
fn a_server_that_does_not_tell_of_its_past_now_is_not_believed() {
    let Some(schema) = Schema::make() else { return };
    drop(State::open(schema.place()).unwrap());
    // Found before the server's own.
    let place = |words: &str| {
        schema.say(&format!(
            "CREATE OR REPLACE FUNCTION pg_walfile_name(pg_lsn) RETURNS text LANGUAGE plpgsql AS $$ BEGIN {words} END $$"
        ));
        let state = schema.state("").replace(&schema.name, &format!("{},pg_catalog", schema.name));
        Place::Server(server(&state).unwrap())
    };
    for (code, is_believed) in [("42501", true), ("42883", true), ("0A000", true), ("57014", false), ("XX000", false)] {
        let opened = State::open(place(&format!("RAISE 'no' USING ERRCODE = '{code}';")));
        assert_eq!(opened.is_ok(), is_believed, "{code}: {:?}", opened.err());
    }
}

/// A standby that took the place of its server may not have heard of the last commits.
#[test]
fn a_server_with_another_past_is_believed_nothing_that_may_be_old() {
    let Some(schema) = Schema::make() else { return };
    let of = of();
    let other_past = "UPDATE state SET timeline = '000000FF'";
    for (how, is_told) in [(other_past, false), ("UPDATE state SET system = '1'", false), ("SELECT 1", true)] {
        let state = State::open(schema.place()).unwrap();
        let done = state.begin(&beginning("done", &of)).unwrap();
        let base = Base { run: done.clone(), digest: "d".to_owned(), full_at_ms: 1, cursors: "{}".to_owned() };
        state.end(&End { job: "done", base: Some(&base), ..end(&done, &of, &[]) }).unwrap();
        let run = state.begin(&beginning("job", &of)).unwrap();
        let call = Intent { step: 1, what: "insert".to_owned(), rows: vec![(1, "a".to_owned())], at_ms: 1 };
        let number = state.intend(&run, &[call]).unwrap()[0];
        state.settle(&run, &of, "job", &[(number, Answer::Acknowledged)], &[]).unwrap();
        let epoch: i64 = schema.one("SELECT epoch FROM lease WHERE name = 'home'").parse().unwrap();
        schema.say(how);
        if is_told {
            State::join(schema.place()).unwrap().was_restored("anna").unwrap();
        }
        assert!(state.is_ours().is_err() == is_told);
        drop(state);
        schema.say("UPDATE lease SET expires = clock_timestamp()");
        let state = State::open(schema.place()).unwrap();
        assert_eq!(state.unfinished(&of, "job").unwrap().map(|one| one.run.id), None, "{how}");
        assert_eq!(state.run(&run).unwrap().unwrap().0.status, "cancelled", "{how}");
        assert!(state.base(&of, "done").unwrap().is_none(), "{how}");
        assert!(state.last_open_of_others("t", "none").unwrap().is_some(), "{how}: the next run waits");
        let now: i64 = schema.one("SELECT epoch FROM lease WHERE name = 'home'").parse().unwrap();
        assert!(now >= epoch + 1_000_000, "{how}: whoever knew of a later epoch is held off");
        assert_eq!(state.updates(1).unwrap()[0].action, "restored", "{how}");
        assert_eq!(state.altered_update().unwrap(), None);
        drop(state);
        // It is noticed once.
        drop(State::open(schema.place()).unwrap());
        assert_eq!(schema.one("SELECT epoch FROM lease WHERE name = 'home'"), (now + 1).to_string(), "{how}");
    }
}
