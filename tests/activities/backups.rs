//! Copies of the state, put back over one that is whole, damaged or gone; and jobs that begin to read anew.

use std::path::{Path, PathBuf};

use ferry::app::activity::list;
use ferry::app::backups::{back_up, restore, rewind};
use ferry::app::connections::revoke;
use ferry::app::error::Error;
use ferry::app::held::Held;
use ferry::app::resuming;
use ferry::model::clock::Clock;
use ferry::store::error::Error as StoreError;
use ferry::store::home::Home;
use ferry::store::ledger::Ledger;
use ferry::store::state::{State, Tenancy};
use rusqlite::Connection;

use crate::connections::FIRST_VERSION;
use crate::faults::{holdings, plain_stage};
use crate::stage::{COMPANIES, SCALE, Stage, USERS, beginning};
use crate::terminal::Desk;

use super::change_words;

const FORBIDDEN: &str =
    r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [2], "status": 403}"#;

fn copy(stage: &Stage, name: &str) -> PathBuf {
    let file = stage.setting.home.with_file_name(name);
    back_up(&stage.setting, &file).unwrap();
    file
}

fn state_of(stage: &Stage) -> PathBuf {
    stage.setting.home.join("state.db")
}

fn statuses(stage: &Stage) -> Vec<(String, String)> {
    list(&stage.setting).unwrap().into_iter().map(|run| (run.job, run.status)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_whole_its_owners_alone_and_never_written_over() {
    let stage = plain_stage("").await;
    let file = stage.setting.home.with_file_name("copy.db");
    let none = back_up(&stage.setting, &file).unwrap_err();
    assert!(none.exit_code() == 2 && none.to_string().contains("has no state yet"), "{none}");
    stage.run(USERS).await;
    // Whoever has the home does not keep anybody from copying.
    let held = Held::at_once(&stage.setting).unwrap();
    let copied = back_up(&stage.setting, &file).unwrap();
    assert_eq!((copied.version, copied.bytes), (8, file.metadata().unwrap().len()));
    drop(held);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let taken = back_up(&stage.setting, &file).unwrap_err();
    assert!(taken.exit_code() == 2 && taken.to_string().contains("is there already"), "{taken}");
    let nowhere = back_up(&stage.setting, Path::new("/nowhere/at/all.db")).unwrap_err();
    assert_eq!(nowhere.exit_code(), 7);
    let database = Connection::open(&file).unwrap();
    let runs: i64 = database.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(runs, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_state_was_put_back_everything_is_compared_and_nothing_doubled() {
    let (stage, calm) = (plain_stage("").await, plain_stage("").await);
    calm.run(USERS).await;
    calm.run(COMPANIES).await;
    stage.run(USERS).await;
    let file = copy(&stage, "copy.db");
    let lost = stage.run(COMPANIES).await.remove(0);
    let before = State::open(&state_of(&stage)).unwrap();
    let restored = restore(&stage.setting, &file).unwrap();
    assert!(
        restored.was_readable && restored.given_up.is_empty() && restored.aside.as_ref().is_some_and(|a| a.exists())
    );
    assert!(restored.newest_run.unwrap() < lost.run);
    let of = Tenancy { organization: "o".to_owned(), tenant: "t".to_owned() };
    let fenced = before.begin(&beginning("Late", &of)).unwrap_err();
    assert!(matches!(fenced, StoreError::OwnershipLost), "whoever had it before writes nothing more: {fenced}");
    assert_eq!(statuses(&stage), [(USERS.to_owned(), "success".to_owned())]);
    assert!(change_words(&stage.setting).contains(&"state state restored".to_owned()));
    // The number is given a second time; what lies in its folder is of a run that nobody knows.
    let open_calls = || -> i64 {
        let count = "SELECT count(*) FROM batch WHERE state = 'unknown'";
        Connection::open(state_of(&stage)).unwrap().query_row(count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(open_calls(), 1, "the next run waits for calls that nobody knows of");
    let reports = stage.run(COMPANIES).await;
    let again = &reports[0];
    assert_eq!((&again.run, again.counts.unchanged, again.calls.gainsight_writes), (&lost.run, 60, 0));
    assert_eq!(open_calls(), 0);
    assert!(stage.run(USERS).await[0].read.as_ref().is_some_and(|read| read.full.is_some()));
    assert_eq!(holdings(&stage), holdings(&calm));
    let state = State::look(&state_of(&stage)).unwrap().unwrap();
    assert_eq!((state.complaints().unwrap(), state.altered_update().unwrap()), (Vec::new(), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_usable_copy_changes_nothing() {
    let stage = plain_stage("").await;
    stage.run(USERS).await;
    let good = copy(&stage, "copy.db");
    let bytes = std::fs::read(&good).unwrap();
    let wrong = |name: &str, content: &[u8]| {
        let file = stage.setting.home.with_file_name(name);
        std::fs::write(&file, content).unwrap();
        file
    };
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[4_096..middle].fill(0xa5);
    let newer = wrong("newer.db", &bytes);
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let other = wrong("other.db", b"");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a); PRAGMA user_version = 0;").unwrap();
    let before = std::fs::read(state_of(&stage)).unwrap();
    for (file, said, code) in [
        (stage.setting.home.with_file_name("absent.db"), "it is not there", 2),
        (wrong("empty.db", b""), "it is no state of ferry's", 2),
        (wrong("text.db", b"this is no database at all, though it is long enough to be one"), "cannot be put back", 2),
        (wrong("damaged.db", &damaged), "cannot be put back", 2),
        (wrong("half.db", &bytes[..middle]), "cannot be put back", 2),
        (newer, "has version 99, and this ferry knows 8", 7),
        (other, "it is no state of ferry's", 2),
        (stage.setting.home.clone(), "it is not there", 2),
    ] {
        let error = restore(&stage.setting, &file).expect_err(&file.display().to_string());
        assert!(error.to_string().contains(said), "{}: {error}", file.display());
        assert_eq!(error.exit_code(), code, "{}: {error}", file.display());
    }
    assert_eq!(std::fs::read(state_of(&stage)).unwrap(), before);
    let held = Held::at_once(&stage.setting).unwrap();
    let busy = restore(&stage.setting, &good).unwrap_err();
    assert!(matches!(busy, Error::Run(_)) && busy.exit_code() == 5, "{busy}");
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_missing_state_is_replaced_and_kept() {
    let stage = plain_stage("").await;
    stage.run(COMPANIES).await;
    let file = copy(&stage, "copy.db");
    let before = holdings(&stage);
    std::fs::write(state_of(&stage), "damaged").unwrap();
    // What a killed process left would be played into whatever takes the place of its file.
    std::fs::write(stage.setting.home.join("state.db-wal"), "a log").unwrap();
    let restored = restore(&stage.setting, &file).unwrap();
    let aside = restored.aside.unwrap();
    assert!(!restored.was_readable && std::fs::read(&aside).unwrap() == b"damaged");
    assert_eq!(stage.run(COMPANIES).await[0].counts.unchanged, 60);
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _gone = std::fs::remove_file(stage.setting.home.join(name));
    }
    assert_eq!(restore(&stage.setting, &file).unwrap().aside, None);
    assert_eq!(stage.run(COMPANIES).await[0].counts.unchanged, 60);
    assert_eq!(holdings(&stage), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_under_way_in_the_copy_is_given_up() {
    let (stage, calm) = (plain_stage(FORBIDDEN).await, plain_stage("").await);
    calm.run(COMPANIES).await;
    let failed = stage.try_run(COMPANIES).await.0.remove(0);
    let file = copy(&stage, "copy.db");
    stage.run(COMPANIES).await;
    let restored = restore(&stage.setting, &file).unwrap();
    assert_eq!(restored.given_up, std::slice::from_ref(&failed.run));
    assert_eq!(statuses(&stage), [(COMPANIES.to_owned(), "cancelled".to_owned())]);
    let report = stage.run(COMPANIES).await.remove(0);
    assert_eq!((report.resumed, report.counts.unchanged, report.calls.gainsight_writes), (0, 60, 0));
    assert_eq!(holdings(&stage), holdings(&calm));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_undone_is_not() {
    let stage = plain_stage("").await;
    stage.run(USERS).await;
    let database = Connection::open(state_of(&stage)).unwrap();
    let notice = "INSERT INTO notice (run, address, event, content, state, tries, next_ms, at) VALUES ('r', 'a@b.c', 'failure', '', 'due', 0, 0, '')";
    database.execute(notice, []).unwrap();
    let file = copy(&stage, "copy.db");
    let spent = |path: &Path| -> i64 {
        let sum = "SELECT sum(calls) FROM spent";
        Connection::open(path).unwrap().query_row(sum, [], |row| row.get(0)).unwrap()
    };
    database.execute("UPDATE notice SET state = 'delivered'", []).unwrap();
    database.execute("UPDATE spent SET calls = calls + 1000", []).unwrap();
    database.execute("INSERT INTO slot (name, at_ms, state, decided) VALUES ('Nightly', 1, 'begun', '')", []).unwrap();
    database
        .execute("INSERT INTO following (name, schedule, decided_until_ms) VALUES ('Nightly', 's', 2)", [])
        .unwrap();
    drop(database);
    let mut setting = stage.setting.clone();
    let folder = tempfile::tempdir().unwrap();
    for file in stage.text(&[]).sources.iter().map(|(_, file)| file) {
        std::fs::write(folder.path().join(&file.name), &file.text).unwrap();
    }
    setting.project = folder.path().to_owned();
    revoke(&setting, "gainsight").unwrap();
    let was = spent(&state_of(&stage));
    restore(&stage.setting, &file).unwrap();
    assert_eq!(spent(&state_of(&stage)), was, "calls that were spent are spent");
    let state = State::look(&state_of(&stage)).unwrap().unwrap();
    assert!(state.connection("gainsight").unwrap().unwrap().revoked.is_some(), "a right that was taken back");
    assert_eq!(state.slots(Some("Nightly"), false, 9).unwrap().len(), 1, "a time that was decided");
    assert_eq!(state.followed().unwrap()["Nightly"].1.decided_until.timestamp_millis(), 2);
    let (counted, given_up) = state.notices_by_state().unwrap();
    assert_eq!((counted.get("due"), counted.get("given_up")), (None, Some(&1)), "a notice is not sent twice");
    assert!(given_up.unwrap().message.unwrap().contains("it may have been delivered"));
}

#[test]
fn a_state_of_an_earlier_version_is_copied_before_it_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    Connection::open(&path).unwrap().execute_batch(FIRST_VERSION).unwrap();
    let copy = folder.path().join("state.version-1.db");
    // Halves that earlier attempts left.
    std::fs::write(&copy, "half").unwrap();
    std::fs::write(folder.path().join(".state.version-1.db.new"), "half").unwrap();
    drop(State::open(&path).unwrap());
    assert!(!folder.path().join(".state.version-1.db.new").exists());
    let old = State::look(&copy).unwrap().unwrap();
    assert_eq!((old.version().unwrap(), old.run("20260101-0001").unwrap().is_some()), (1, true));
    drop(old);
    let bytes = std::fs::read(&copy).unwrap();
    drop(State::open(&path).unwrap());
    assert_eq!(std::fs::read(&copy).unwrap(), bytes, "once is enough");
    // A new state has nothing to be copied.
    let fresh = tempfile::tempdir().unwrap();
    drop(State::open(&fresh.path().join("state.db")).unwrap());
    assert!(
        std::fs::read_dir(fresh.path())
            .unwrap()
            .flatten()
            .all(|e| !e.file_name().to_string_lossy().contains("version"))
    );
}

#[test]
fn a_state_that_an_older_ferry_works_on_is_not_brought_forward_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path()).unwrap();
    Connection::open(home.state_path()).unwrap().execute_batch(FIRST_VERSION).unwrap();
    let error = Error::from(State::join(&home.state_path()).err().expect("the older one is at work"));
    assert!(error.exit_code() == 5 && error.to_string().contains("restart the service first"), "{error}");
    assert_eq!(State::look(&home.state_path()).unwrap().unwrap().version().unwrap(), 1);
    let path = home.state_path();
    drop(home);
    assert_eq!(State::join(&path).unwrap().version().unwrap(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_an_earlier_version_is_put_back_as_one_of_this() {
    let stage = plain_stage("").await;
    stage.run(USERS).await;
    let file = stage.setting.home.with_file_name("first.db");
    Connection::open(&file).unwrap().execute_batch(FIRST_VERSION).unwrap();
    let restored = restore(&stage.setting, &file).unwrap();
    assert_eq!(restored.newest_run.as_deref(), Some("20260101-0001"));
    let state = State::look(&state_of(&stage)).unwrap().unwrap();
    assert_eq!(state.version().unwrap(), 8);
    drop(state);
    assert_eq!(stage.run(USERS).await[0].counts.failed(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_rewound_reads_everything_once() {
    let mut stage = plain_stage("").await;
    let folder = tempfile::tempdir().unwrap();
    for file in stage.text(&[]).sources.iter().map(|(_, file)| file) {
        std::fs::write(folder.path().join(&file.name), &file.text).unwrap();
    }
    stage.setting.project = folder.path().to_owned();
    let full = |report: &ferry::run::report::Report| report.read.as_ref().and_then(|read| read.full.clone());
    assert_eq!(rewind(&stage.setting, USERS).unwrap().1, None, "it has never run");
    let first = stage.run(USERS).await.remove(0);
    assert_eq!(full(&stage.run(USERS).await[0]), None);
    let (name, began_with) = rewind(&stage.setting, &USERS.to_lowercase()).unwrap();
    assert!(name == USERS && began_with.is_some_and(|run| run > first.run));
    assert_eq!(rewind(&stage.setting, USERS).unwrap().1, None, "once is enough");
    assert_eq!(full(&stage.run(USERS).await[0]).as_deref(), Some("it is the first run of the job"));
    assert_eq!(full(&stage.run(USERS).await[0]), None);
    let words = change_words(&stage.setting);
    assert_eq!(words.iter().filter(|word| word.ends_with("rewound")).count(), 1, "{words:?}");
    let error = rewind(&stage.setting, "Nobody").unwrap_err();
    assert!(error.exit_code() == 2 && error.to_string().contains("no job \"Nobody\"; it has"), "{error}");
    // A job that the project has no more is still known.
    for file in stage.text(&[]).sources.iter().map(|(_, file)| file) {
        std::fs::remove_file(folder.path().join(&file.name)).unwrap();
    }
    std::fs::write(folder.path().join("none.ferry"), "").unwrap();
    assert!(rewind(&stage.setting, &USERS.to_lowercase()).is_ok_and(|(name, run)| name == USERS && run.is_some()));
    std::fs::write(
        folder.path().join("none.ferry"),
        stage.text(&[]).sources.iter().map(|(_, f)| f.text.as_str()).collect::<Vec<_>>().join("\n"),
    )
    .unwrap();
    let held = Held::at_once(&stage.setting).unwrap();
    assert_eq!(rewind(&stage.setting, USERS).unwrap_err().exit_code(), 5);
    drop(held);
    stage.setting.clock = Clock::system(SCALE);
    assert_eq!(resuming::due(&stage.setting, None).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_made_and_put_back_on_a_terminal() {
    let desk = Desk::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    let file = file.to_str().unwrap();
    let (code, _, err) = desk.ferry(&["state", "backup", file]);
    assert!(code == 2 && err.contains("nothing has run there"), "{err}");
    desk.ferry(&["run", USERS]);
    let (code, out, err) = desk.ferry(&["state", "backup", file]);
    assert!(code == 0 && out.is_empty() && err.contains("and is whole") && err.contains("It has no secrets"), "{err}");
    let (code, _, err) = desk.ferry(&["state", "restore", file]);
    assert_eq!(code, 0, "{err}");
    for said in ["are unknown to it", "reads and compares everything", "What was there is kept as"] {
        assert!(err.contains(said), "{said}: {err}");
    }
    let (code, _, err) = desk.ferry(&["cursor", "rewind", USERS]);
    assert!(code == 0 && err.contains("its next run reads everything anyway"), "{err}");
    assert_eq!(desk.ferry(&["cursor", "rewind", "Nobody"]).0, 2);
}
