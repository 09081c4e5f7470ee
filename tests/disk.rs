//! Disks that are full, cannot be written, or lose what they had: an error that says so, nothing that is taken for whole, and a run
//! that is gone on with when there is room again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ferry::run::report::Report;
use ferry::staged::{Content, Form, read};
use ferry::store::state::State;
use futures::StreamExt;

use crate::faults::holdings;
use crate::kills::world::{AT_ONCE, Calm, Verb, World};
use crate::ownership::{begun, rest_of};
use crate::stage::{CHAIN, COMPANIES, Stage, lines};
use crate::terminal::{Desk, ended};

/// Lets a process write files of so many bytes at the most: what is beyond fails as it does on a full disk.
fn limited(desk: &Desk, kib: usize, arguments: &[&str]) -> (i32, String, String) {
    let wanted = desk.command(&desk.project(), arguments);
    let mut shell = Command::new("/bin/sh");
    // POSIX counts in halves of a KiB.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kib * 2);
    shell.arg("-c").arg(script).arg("sh").arg(wanted.get_program()).args(wanted.get_args()).env_clear();
    shell.envs(wanted.get_envs().filter_map(|(name, value)| Some((name, value?))));
    ended(shell.output().unwrap())
}

/// Everything below a folder that is a file.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut open, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// No reader finds a file that is half there.
fn assert_nothing_is_half(home: &Path, what: &str) {
    for file in files(&home.join("runs")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if name.starts_with("part-") {
            let (form, _) = Form::of(name).unwrap();
            let rows =
                read(&Content::File(file.clone()), form, None, None).map(|read| read.map(Result::unwrap).count());
            assert!(rows.is_ok(), "{what}: {} is not whole", file.display());
        } else if name == "errors.csv" {
            let found = lines(&file).len() as u64;
            let run = file.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
            let (run, _) = State::look(&home.join("state.db")).unwrap().unwrap().run(&run).unwrap().unwrap();
            // A run that is stopped has an error file too, with what the plan found of rows that it did not come to.
            if matches!(run.status.as_str(), "success" | "partial") {
                let report: Report = serde_json::from_str(run.report.as_deref().unwrap()).unwrap();
                assert_eq!(found, report.counts.failed(), "{what}: {}", file.display());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_run_and_room_lets_it_go_on() {
    let calm = Arc::new(World::calm().await);
    let mut stopped = 0;
    for kib in [0, 12, 72, 256] {
        stopped += usize::from(full(&calm, kib).await);
    }
    assert!(stopped >= 3, "{stopped}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "some minutes: a full disk at every size"]
#[allow(clippy::print_stdout)]
async fn a_disk_that_is_full_at_any_size_ends_the_run() {
    let calm = Arc::new(World::calm().await);
    let mut stopped = 0;
    for kib in (0..400).step_by(4) {
        stopped += usize::from(full(&calm, kib).await);
    }
    println!("{stopped} of 100 runs ended because of the disk");
}

/// Whether a run ended because its files may have so many KiB only. It goes on without the limit.
async fn full(calm: &Arc<Calm>, kib: usize) -> bool {
    let world = World::new("").await;
    let (code, _, err) = tokio::task::block_in_place(|| limited(&world.desk, kib, Verb::Run.arguments()));
    assert!(matches!(code, 1 | 7), "{kib} KiB: {code} {err}");
    if code == 7 {
        let said = err.lines().last().unwrap();
        assert!(said.starts_with("error: "), "{kib} KiB: {err}");
        assert!(said.contains(world.desk.home().to_str().unwrap()), "where? {kib} KiB: {err}");
        assert!(said.contains("free some space"), "what to do? {kib} KiB: {err}");
    }
    assert!(!err.contains("panicked"), "{err}");
    assert_nothing_is_half(&world.desk.home(), &format!("{kib} KiB"));
    let what = format!("files of {kib} KiB at the most");
    tokio::task::block_in_place(|| world.finish(Verb::Run, &what));
    world.hold(calm, true, &what);
    code == 7
}

/// Rows enough that the files of a stage are larger than the state: it is these that have no room.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_for_rows_ends_the_run() {
    let account = |number: usize| {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        format!(r#"{{"accountid": "{id}", "name": "{number} {}", "numberofemployees": {number}}}"#, "long ".repeat(30))
    };
    let accounts = (0..2_000).map(account).collect::<Vec<_>>().join("\n");
    let calm = Desk::on(Stage::world("", &accounts, "").await);
    let (code, _, err) = calm.ferry(&["run", COMPANIES]);
    assert_eq!(code, 0, "{err}");
    let mut hit = Vec::new();
    for dataset in ["source", "changes"] {
        let bytes = std::fs::metadata(part_of(&calm.home(), dataset)).unwrap().len();
        let desk = Desk::on(Stage::world("", &accounts, "").await);
        let (code, _, err) = limited(&desk, usize::try_from(bytes).unwrap() / 1024 - 1, &["run", COMPANIES]);
        let said = err.lines().last().unwrap();
        assert!(code == 7 && said.contains("free some space"), "{dataset}: {code} {err}");
        hit.extend(["source", "bucket", "changes"].into_iter().find(|name| said.contains(&format!("/{name}/"))));
        assert_nothing_is_half(&desk.home(), dataset);
        assert!(desk.stage.sandbox.calls().iter().all(|call| !call.write), "{dataset}");
        let (code, _, err) = desk.ferry(&["resume"]);
        assert!(code == 0 && err.contains("goes on"), "{dataset}: {err}");
        assert_eq!(holdings(&desk.stage), holdings(&calm.stage), "{dataset}");
    }
    hit.dedup();
    assert!(hit.len() >= 2, "the rows of two stages at least: {hit:?}");
}

/// What a stage is to write cannot be written, as something else lies in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_written_ends_the_run_at_every_stage() {
    let calm = Desk::new().await;
    let (code, out, _) = calm.ferry(&["run", COMPANIES, "--json"]);
    assert_eq!(code, 1);
    let expected: serde_json::Value = serde_json::from_str(&out).unwrap();
    for obstacle in ["target", "screened", "bucket", "changes", "errors.csv/in the way"] {
        let desk = Desk::new().await;
        let day = chrono::Utc::now().format("%Y%m%d").to_string();
        let run = desk.home().join("runs").join(format!("{day}-0001"));
        let path = run.join(obstacle);
        let go_on = desk.home().with_file_name("go on");
        let environment = [("FERRY_STOP_AT", "folder"), ("FERRY_GO_ON", go_on.to_str().unwrap())];
        let (process, said) = begun(&desk, &["run", COMPANIES], &environment, "stopped at");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "in the way").unwrap();
        std::fs::write(&go_on, "").unwrap();
        let (code, err) = rest_of(process, said);
        assert_eq!(code, 7, "{obstacle}: {err}");
        let blocked = run.join(obstacle.split('/').next().unwrap());
        let said = err.lines().last().unwrap();
        assert!(said.contains(blocked.to_str().unwrap()), "{obstacle}: {err}");
        let (_, out, _) = desk.ferry(&["activity", "--json"]);
        let kept: serde_json::Value = serde_json::from_str(out.trim()).unwrap();
        assert_eq!(kept["status"], "failed", "{obstacle}: {out}");
        if obstacle.contains('/') { std::fs::remove_dir_all(&blocked) } else { std::fs::remove_file(&blocked) }
            .unwrap();
        let (code, out, err) = desk.ferry(&["resume", "--json"]);
        assert_eq!(code, 1, "{obstacle}: {err}");
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&found["counts"], &found["records"]), (&expected["counts"], &expected["records"]), "{obstacle}");
        let file = Path::new(found["error_file"].as_str().unwrap());
        assert_eq!(lines(file).len(), lines(Path::new(expected["error_file"].as_str().unwrap())).len(), "{obstacle}");
        let writes = || desk.stage.sandbox.calls().iter().filter(|call| call.write).count();
        let before = writes();
        assert_eq!((desk.ferry(&["run", COMPANIES]).0, writes()), (1, before), "{obstacle}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_cannot_be_is_said_to_be_none() {
    let desk = Desk::new().await;
    let file = desk.project().join("connections.ferry");
    for home in [file.join("home"), file.clone(), PathBuf::from("/proc/ferry"), PathBuf::from("/dev/null")] {
        for verb in [&["run", CHAIN][..], &["plan", COMPANIES]] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
            let wanted = desk.command(&desk.project(), verb);
            command.args(verb).arg("--project").arg(desk.project()).arg("--home").arg(&home);
            command.args(["--clock-scale", "1000"]).env_clear();
            command.envs(wanted.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let (code, out, err) = ended(command.output().unwrap());
            assert_eq!((code, out.as_str()), (7, ""), "{}: {err}", home.display());
            let said = err.lines().last().unwrap();
            assert!(said.starts_with("error: cannot ") && said.contains(home.to_str().unwrap()), "{err}");
        }
    }
}

/// A state that is none is neither used nor written over.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_garbage_stays_as_it_is() {
    let desk = Desk::new().await;
    assert_eq!(desk.ferry(&["run", COMPANIES]).0, 1);
    let path = desk.home().join("state.db");
    let whole = std::fs::read(&path).unwrap();
    let mut header = whole.clone();
    header[..16].copy_from_slice(b"no database here");
    let mut pages = whole.clone();
    pages[100..].iter_mut().for_each(|byte| *byte = 0xa5);
    let half = whole[..whole.len() / 2].to_vec();
    for (what, garbage) in [
        ("text", b"This is not a database, and long enough to be looked at.\n".repeat(80)),
        ("header", header),
        ("pages", pages),
        ("half", half),
    ] {
        std::fs::write(&path, &garbage).unwrap();
        for verb in [&["run", COMPANIES][..], &["resume"], &["activity"], &["clean", "--older-than", "1d"]] {
            let (code, _, err) = desk.ferry(verb);
            assert_eq!(code, 7, "{what} {verb:?}: {err}");
            let said = err.lines().last().unwrap();
            assert!(said.contains("state database") && said.contains("nothing was written over"), "{err}");
            assert!(std::fs::read(&path).unwrap() == garbage, "{what} {verb:?} wrote over it");
        }
    }
    std::fs::write(&path, whole).unwrap();
    assert_eq!(desk.ferry(&["run", COMPANIES]).0, 1);
}

/// Where a run is killed, which of its datasets the disk then loses, and what the next process says.
const LOSSES: [(&str, &str, &str); 9] = [
    ("page.after:2", "", READ_AGAIN),
    ("extracted.after:1", "source", READ_AGAIN),
    ("loading.before:1", "target", READ_AGAIN),
    ("loading.before:1", "mapped", ""),
    ("intend.before:2", "changes", "the plan is missing or damaged on disk; it is made again"),
    ("intend.before:2", "mapped", ""),
    ("intend.before:2", "target", ""),
    ("intend.before:2", "source", READ_AGAIN),
    ("end.before:1", "source", READ_AGAIN),
];
const READ_AGAIN: &str = "missing or damaged on disk; it is read again";
/// Does something to a file, and says what.
type Damage = fn(&Path) -> &'static str;
const DAMAGES: [Damage; 4] = [gone, empty, cut, flipped];

#[tokio::test(flavor = "multi_thread")]
async fn what_the_disk_lost_is_made_again() {
    let calm = Arc::new(World::calm().await);
    let losses = (0..LOSSES.len()).map(|at| (at, DAMAGES[at % DAMAGES.len()]));
    lose(&calm, losses.collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute: every damage to every dataset"]
async fn whatever_the_disk_lost_is_made_again() {
    let calm = Arc::new(World::calm().await);
    lose(&calm, (0..LOSSES.len()).flat_map(|at| DAMAGES.map(|damage| (at, damage))).collect()).await;
}

async fn lose(calm: &Arc<Calm>, losses: Vec<(usize, Damage)>) {
    let worlds = losses.into_iter().map(|(at, damage)| tokio::spawn(lost(Arc::clone(calm), LOSSES[at], damage)));
    let mut ended = futures::stream::iter(worlds).buffer_unordered(AT_ONCE);
    while let Some(world) = ended.next().await {
        world.unwrap();
    }
}

async fn lost(calm: Arc<Calm>, (place, dataset, told): (&str, &str, &str), damage: Damage) {
    let world = World::new("").await;
    let what = tokio::task::block_in_place(|| {
        assert!(world.kill(Verb::Run, place), "{place}");
        let part = part_of(&world.desk.home(), dataset);
        let what = format!("{place}, {} {}", part.display(), damage(&part));
        let (code, _, err) = world.desk.ferry(Verb::Resume.arguments());
        assert_eq!(code, 1, "{what}: {err}");
        assert!(err.contains(told), "{what}: {err}");
        world.finish(Verb::Run, &what);
        what
    });
    world.hold(&calm, true, &what);
}

/// A file of a dataset of the first run; of any that the ledger has, if none is named: what is not in it is of no use anyway.
fn part_of(home: &Path, dataset: &str) -> PathBuf {
    if dataset.is_empty() {
        let database = rusqlite::Connection::open(home.join("state.db")).unwrap();
        let part = "SELECT run || '/' || dataset || '/' || file FROM page ORDER BY dataset LIMIT 1";
        let part: String = database.query_row(part, [], |row| row.get(0)).unwrap();
        return home.join("runs").join(part);
    }
    let is_it = |file: &PathBuf| {
        let path = file.to_str().unwrap();
        Form::of(path).is_some() && path.contains(&format!("/{dataset}/"))
    };
    files(&home.join("runs")).into_iter().find(is_it).unwrap()
}

fn gone(part: &Path) -> &'static str {
    std::fs::remove_file(part).unwrap();
    "is gone"
}

fn empty(part: &Path) -> &'static str {
    std::fs::write(part, "").unwrap();
    "is empty"
}

fn cut(part: &Path) -> &'static str {
    let bytes = std::fs::read(part).unwrap();
    std::fs::write(part, &bytes[..bytes.len() / 2]).unwrap();
    "is cut"
}

fn flipped(part: &Path) -> &'static str {
    let mut bytes = std::fs::read(part).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x01;
    std::fs::write(part, bytes).unwrap();
    "has another bit"
}
