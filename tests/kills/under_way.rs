//! Kills while a write is under way: the service has the request, and nobody hears what came of it.
//!
//! The sandbox notes such a request when it comes and carries it out later, or never. That is sooner or later than the kill, and
//! always before the next process may believe that nothing will come of it any more.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;

use super::boundary::Count;
use super::world::{AT_ONCE, Calm, Verb, World};

/// After the request came: before the kill, or after it, or not in the life of the sandbox.
const CARRIED_OUT_AFTER_MS: [u64; 3] = [0, 60, 60_000];
/// Longer than a test takes: the one who waits is killed.
const ANSWERED_AFTER_MS: u64 = 60_000;
const DEADLINE: Duration = Duration::from_secs(60);

/// The n-th call of a method to a path.
#[derive(Debug, Clone)]
struct Write {
    method: String,
    path: String,
    number: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_while_writes_are_under_way_lose_nothing() {
    let calm = Arc::new(World::calm().await);
    let all = writes(&calm);
    let of = |path: &str, number: usize| {
        let found = all.iter().find(|one| one.path.starts_with(path) && one.number == number && one.method != "GET");
        found.unwrap().clone()
    };
    let chosen = [of("/v1/users/services", 1), of("/v1/data/objects/company", 2), of("/v1/peoplemgmt/", 9)];
    // Each of them is carried out before its kill, after it, or never.
    let worlds = (0..3).map(|turn| {
        let late = (0..3).map(|at| CARRIED_OUT_AFTER_MS[(turn + at) % 3]);
        tokio::spawn(in_a_row(Arc::clone(&calm), chosen.iter().cloned().zip(late).collect()))
    });
    for world in futures::future::join_all(worlds).await {
        world.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "some five minutes: a kill during every write"]
async fn a_kill_during_any_write_loses_nothing() {
    let calm = Arc::new(World::calm().await);
    let count = sweep(&calm, writes(&calm)).await;
    println!("during every write: {count}");
    assert!(count.all() >= 100, "{count}");
}

fn writes(calm: &Calm) -> Vec<Write> {
    let mut numbers: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (method, path) in &calm.writes {
        let path = path.split('?').next().unwrap();
        let number = numbers.entry((method, path)).or_default();
        *number += 1;
        found.push(Write { method: method.clone(), path: path.to_owned(), number: *number });
    }
    found
}

async fn sweep(calm: &Arc<Calm>, chosen: Vec<Write>) -> Count {
    let cases = chosen.into_iter().enumerate().flat_map(|(number, write)| {
        CARRIED_OUT_AFTER_MS.into_iter().map(move |late_ms| (number, write.clone(), late_ms))
    });
    let worlds = cases.map(|(number, write, late_ms)| tokio::spawn(one(Arc::clone(calm), write, late_ms, number)));
    let mut ended = futures::stream::iter(worlds).buffer_unordered(AT_ONCE);
    let mut count = Count::default();
    while let Some(killed) = ended.next().await {
        let (write, late_ms) = killed.unwrap();
        let what = if late_ms == 60_000 { "never carried out" } else { "carried out" };
        count.add("after send", &format!("{} {} ({what})", write.method, write.path));
    }
    count
}

async fn one(calm: Arc<Calm>, write: Write, late_ms: u64, number: usize) -> (Write, u64) {
    let world = World::new(&rule(&write, late_ms)).await;
    let next = [Verb::Run, Verb::Resume, Verb::Anew][number % 3];
    let what = format!("killed during {write:?}, carried out after {late_ms} ms, then {next:?}");
    tokio::task::block_in_place(|| {
        kill_when_sent(&world, 1, &what);
        world.finish(next, &what);
    });
    world.hold(&calm, next != Verb::Anew, &what);
    (write, late_ms)
}

/// Kills during one write after the other, in one world.
async fn in_a_row(calm: Arc<Calm>, writes: Vec<(Write, u64)>) {
    let rules: Vec<String> = writes.iter().map(|(write, late_ms)| rule(write, *late_ms)).collect();
    let world = World::new(&rules.join("\n")).await;
    let what = format!("killed during {writes:?}");
    tokio::task::block_in_place(|| {
        (1..=writes.len()).for_each(|number| kill_when_sent(&world, number, &what));
        world.finish(Verb::Run, &what);
    });
    world.hold(&calm, true, &what);
}

fn rule(write: &Write, late_ms: u64) -> String {
    let Write { method, path, number } = write;
    format!(
        r#"{{"service": "gainsight", "method": "{method}", "path": "{path}", "nth": [{number}], "late_ms": {late_ms}, "latency_ms": {ANSWERED_AFTER_MS}}}"#
    )
}

/// Kills a run as soon as the sandbox has that many requests that are not answered.
pub(super) fn kill_when_sent(world: &World, number: usize, what: &str) {
    let mut child = world.desk.begin_with(Verb::Run.arguments(), Stdio::null(), &[]);
    let since = Instant::now();
    let sent = || world.desk.stage.sandbox.calls().iter().filter(|call| call.write && call.status == 0).count();
    while sent() < number {
        assert!(child.try_wait().unwrap().is_none(), "{what}: the run ended without the call");
        assert!(since.elapsed() < DEADLINE, "{what}: the call does not come");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9), "{what}");
}
