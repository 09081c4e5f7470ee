//! Two daemons on one state, killed at random moments: what arrives is what arrives when nobody disturbs, and each time of a schedule has
//! one run.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use ferry::sandbox::{Options, start_with};
use ferry::store::state::State;
use serde_json::{Value, json};

use super::server::Schema;
use crate::faults::holdings;
use crate::generated::dice::Dice;
use crate::stage::{COMPANIES, PEOPLE, SCALE, Stage, USERS};
use crate::terminal::{Desk, ended};

const KILLS: usize = 200;
/// Worlds that the kills are shared out to: in every other one the daemons share the folder of runs.
const WORLDS: usize = 4;
const ROWS: usize = 60;
/// Jobs that do the same as the one of companies, so that there is always one that is due.
const COPIES: usize = 16;
const PACE: &str = "SCHEDULE EVERY 1m";
/// So long that runs of all jobs fill most of a minute: a kill at any moment meets one.
const LATENCY_MS: u64 = 100;
/// How long a kill waits for a run that it can meet.
const RUN_WITHIN: Duration = Duration::from_secs(30);
/// How many kills in a hundred have to meet a run of the daemon that is killed.
const MET_OF_A_HUNDRED: usize = 60;
/// How long everything that is due may take when nobody kills any more.
const QUIET_WITHIN: Duration = Duration::from_secs(300);

struct World {
    desk: Desk,
    schema: Option<Schema>,
    homes: [PathBuf; 2],
}

/// Everything that happened in Dynamics, so that it can happen again.
type Deeds = Vec<Value>;

impl World {
    async fn new(is_shared: bool, schema: Option<Schema>) -> Self {
        let options = Options { rows: ROWS, limits_scale: SCALE, latency_ms: LATENCY_MS, ..Options::default() };
        let desk = Desk::on(Stage::on(start_with(options, "").await.unwrap()));
        let connections = std::fs::read_to_string(desk.project().join("connections.ferry")).unwrap();
        let small =
            connections.replace("page_size = 5000", "page_size = 20").replace("batch_size = 50", "batch_size = 5");
        assert_ne!(small, connections);
        desk.write("connections.ferry", &small);
        if schema.is_some() {
            let scheduled = |file: &str, job: &str, name: &str| {
                let text = std::fs::read_to_string(desk.project().join(file)).unwrap();
                let head = format!("CREATE JOB \"{job}\"");
                assert!(text.contains(&head));
                text.replace(&head, &format!("CREATE JOB \"{name}\"\n  {PACE}"))
            };
            let files =
                [("user_sync.ferry", USERS), ("company_sync.ferry", COMPANIES), ("company_person_sync.ferry", PEOPLE)];
            let copies = (0..COPIES)
                .map(|n| (format!("copy_{n}.ferry"), scheduled(files[1].0, COMPANIES, &format!("Companies {n}"))));
            let copies: Vec<_> = copies.collect();
            let all = files.map(|(file, job)| (file.to_owned(), scheduled(file, job, job)));
            all.iter().chain(&copies).for_each(|(file, text)| desk.write(file, text));
        }
        let homes = [0, usize::from(!is_shared)].map(|n| desk.home().with_file_name(format!("machine {n}")));
        Self { desk, schema, homes }
    }

    fn schema(&self) -> &Schema {
        self.schema.as_ref().unwrap()
    }

    fn begin(&self, which: usize) -> Child {
        let log = self.homes[which].with_file_name(format!("daemon {which}.log"));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let state = self.schema().state("lease_seconds=2");
        let mut command = self.desk.command_at(&self.homes[which], &state, &["serve", "--listen", "none"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    fn logs(&self) -> String {
        let log = |n: usize| std::fs::read_to_string(self.homes[n].with_file_name(format!("daemon {n}.log")));
        [0, 1].map(|n| log(n).unwrap_or_default()).join("\n--- the other ---\n")
    }

    /// Something happens in Dynamics.
    fn deed(&self, dice: &mut Dice, deeds: &mut Deeds) {
        let number = dice.below(20);
        let id = format!("77777777-0000-0000-0000-{number:012}");
        let row = json!({ "accountid": id, "name": format!("Drawn {number} {}", dice.below(1_000)), "statecode": 0,
            "statuscode": 1, "customertypecode": 3, "numberofemployees": dice.below(900), "merged": false });
        self.happen(&row);
        deeds.push(row);
    }

    fn happen(&self, row: &Value) {
        assert!(self.desk.stage.sandbox.put_row("account", row.as_object().unwrap().clone()));
    }

    /// Waits until each job has ended well after this moment, and nothing is left.
    fn rests(&self) {
        let (since, now) = (Instant::now(), Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true));
        let done =
            format!("SELECT count(DISTINCT job) FROM run WHERE started > '{now}' AND status IN ('success', 'partial')");
        let left = "SELECT string_agg(id || ' ' || status, ', ') FROM run WHERE phase NOT IN ('ended', 'planning')";
        loop {
            let (done, left) = (self.schema().one(&done), self.schema().one(left));
            if done == (3 + COPIES).to_string() && left.is_empty() {
                return;
            }
            assert!(
                since.elapsed() < QUIET_WITHIN,
                "nothing comes to its end: {done} jobs, {left} left\n{}",
                self.logs()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What nobody may find in the state, each with the query that would.
const NEVER: [(&str, &str); 7] = [
    (
        "a time with two runs of one job",
        "SELECT job, slot_ms, string_agg(id || ' ' || status, ', ') FROM run WHERE slot_ms IS NOT NULL AND status <> 'cancelled'
         GROUP BY job, slot_ms HAVING count(*) > 1",
    ),
    (
        "a time that was to run, and no run of it",
        "SELECT name, at_ms FROM slot WHERE state IN ('begun', 'made_up') AND run IS NULL
         AND NOT EXISTS (SELECT 1 FROM run WHERE slot_ms = at_ms AND job = name)
         AND at_ms < (SELECT max(at_ms) FROM slot AS other WHERE other.name = slot.name AND other.state IN ('begun', 'made_up'))
         AND NOT EXISTS (SELECT 1 FROM run WHERE run.job = slot.name AND run.started > slot.decided)",
    ),
    (
        "a run that was given up, and none in its place",
        "SELECT id FROM run WHERE status = 'cancelled'
         AND NOT EXISTS (SELECT 1 FROM run AS other WHERE other.job = run.job AND other.id > run.id AND other.status IN ('success', 'partial'))",
    ),
    ("a run that failed", "SELECT id, job, status, message FROM run WHERE status NOT IN ('success', 'partial', 'cancelled')"),
    ("calls that are open", "SELECT id, run FROM batch WHERE state IN ('sent', 'unknown') AND run IN (SELECT id FROM run WHERE status <> 'cancelled')"),
    (
        "a call of an owner behind one of his successor",
        "SELECT one.id, other.id FROM batch AS one JOIN batch AS other ON other.epoch > one.epoch AND other.sent_at_ms < one.sent_at_ms",
    ),
    ("two runs of one job at a time",
     "SELECT one.id, other.id FROM run AS one JOIN run AS other ON one.job = other.job AND one.id < other.id AND other.started < one.ended
      WHERE one.status <> 'cancelled' AND other.status <> 'cancelled'"),
];

/// Of so many kills how many ended a daemon that was at work on a run, and how many of these while a call of it was under way.
#[derive(Debug, Default)]
struct Met {
    kills: usize,
    runs: usize,
    calls: usize,
}

/// Runs that are under way, each by its number and how many processes have worked on it, and whether a call of it has no answer.
type UnderWay = BTreeMap<String, bool>;

impl World {
    /// What is under way, or was when its process was killed.
    fn under_way(&self) -> UnderWay {
        let found = self.schema().say(
            "SELECT id || ' ' || attempts, EXISTS (SELECT 1 FROM batch WHERE batch.run = run.id AND state = 'sent'
                AND EXISTS (SELECT 1 FROM outcome WHERE outcome.batch = batch.id AND result IS NULL))
             FROM run WHERE status = 'running' AND phase <> 'ended'",
        );
        found.into_iter().map(|mut row| (row.remove(0).unwrap(), row[0].as_deref() == Some("t"))).collect()
    }

    /// Waits for one of the daemons to have a run under way that is not among those that the last kill left, or to have a call of one
    /// under way; gives which it is. None, if nothing of that comes for long.
    fn at_work(&self, daemons: &[Child; 2], left: &UnderWay, with_call: bool) -> Option<usize> {
        let since = Instant::now();
        while since.elapsed() < RUN_WITHIN {
            let is_met =
                self.under_way().iter().any(|(run, has_call)| !left.contains_key(run) && (*has_call || !with_call));
            let process =
                if is_met { self.schema().one("SELECT process FROM lease WHERE name = 'home'") } else { String::new() };
            if let Some(owner) = daemons.iter().position(|daemon| daemon.id().to_string() == process) {
                return Some(owner);
            }
            std::thread::sleep(Duration::from_millis(40));
        }
        None
    }
}

/// Kills daemons, begins them again, and lets them come to an end.
fn disturb(world: &World, kills: usize, dice: &mut Dice, deeds: &mut Deeds) -> Met {
    // The state is there before anybody asks it.
    drop(State::open(world.schema().place()).unwrap());
    let mut daemons = [0, 1].map(|which| world.begin(which));
    let (mut met, mut left) = (Met { kills, ..Met::default() }, UnderWay::new());
    for _ in 0..kills {
        std::thread::sleep(Duration::from_millis(100 + dice.below(1_000) as u64));
        for _ in 0..dice.below(16) {
            world.deed(dice, deeds);
        }
        // At any moment of a run, or while it waits for an answer.
        let with_call = dice.maybe(50);
        let owner = world.at_work(&daemons, &left, with_call);
        std::thread::sleep(Duration::from_millis(dice.below(if with_call { 60 } else { 900 }) as u64));
        // Now and then whoever stands by, and both at once, as when the power goes.
        let first = owner.filter(|_| dice.maybe(90)).unwrap_or_else(|| dice.below(2));
        let which: &[usize] = if dice.maybe(10) { &[first, 1 - first] } else { &[first] };
        for which in which {
            assert_eq!(daemons[*which].try_wait().unwrap(), None, "it ended by itself\n{}", world.logs());
            daemons[*which].kill().unwrap();
            daemons[*which].wait().unwrap();
        }
        if owner.is_some_and(|owner| which.contains(&owner)) {
            let now = world.under_way();
            met.runs += usize::from(now.keys().any(|run| !left.contains_key(run)));
            met.calls += usize::from(now.iter().any(|(run, has_call)| *has_call && !left.contains_key(run)));
            left = now;
        }
        for which in which {
            daemons[*which] = world.begin(*which);
        }
    }
    world.deed(dice, deeds);
    world.rests();
    for mut daemon in daemons {
        let asked = Command::new("kill").args(["-TERM", &daemon.id().to_string()]).status().unwrap();
        assert!(asked.success());
        assert_eq!(daemon.wait().unwrap().code(), Some(0), "{}", world.logs());
    }
    met
}

async fn disturbed(number: usize, kills: usize, seed: u64) -> (Met, BTreeMap<String, i64>) {
    let Some(schema) = Schema::make() else { return (Met::default(), BTreeMap::new()) };
    let (mut dice, mut deeds) = (Dice::of(seed), Deeds::new());
    let world = World::new(number % 2 == 1, Some(schema)).await;
    let met = tokio::task::block_in_place(|| disturb(&world, kills, &mut dice, &mut deeds));
    let what = format!("world {number}, seed {seed}");
    for (never, query) in NEVER {
        let found = world.schema().say(query);
        assert!(found.is_empty(), "{what}: {never}: {found:?}\n{}", world.logs());
    }
    let calm = World::new(false, None).await;
    deeds.iter().for_each(|row| calm.happen(row));
    for job in [USERS, COMPANIES, PEOPLE] {
        let (code, _, err) = tokio::task::block_in_place(|| calm.desk.ferry(&["run", job]));
        assert!(code <= 1, "{err}");
    }
    let (came, wanted) = (holdings(&world.desk.stage), holdings(&calm.desk.stage));
    for (object, records) in &wanted {
        assert_eq!(&came[object], records, "{what}: {object}\n{}", world.logs());
    }
    let writes = || world.desk.stage.sandbox.calls().iter().filter(|call| call.write).count();
    let before = writes();
    for job in [USERS, COMPANIES, PEOPLE] {
        let mut command = world.desk.command_at(&world.homes[0], &world.schema().state(""), &["run", job]);
        let (code, _, err) = tokio::task::block_in_place(|| ended(command.output().unwrap()));
        assert!(code <= 1, "{what}: {err}");
    }
    assert_eq!(writes(), before, "{what}: running again writes nothing");
    let counted = [
        ("runs", "SELECT count(*) FROM run"),
        ("gone on with", "SELECT count(*) FROM run WHERE attempts > 1"),
        ("given up", "SELECT count(*) FROM run WHERE status = 'cancelled'"),
        ("calls", "SELECT count(*) FROM batch"),
        ("epochs", "SELECT max(epoch) FROM lease WHERE name = 'home'"),
        ("owners of the schedules", "SELECT max(epoch) FROM lease WHERE name = 'schedules'"),
        ("times", "SELECT count(*) FROM slot WHERE state IN ('begun', 'made_up')"),
    ];
    let count = |query| world.schema().one(query).parse().unwrap();
    (met, counted.into_iter().map(|(name, query)| (name.to_owned(), count(query))).collect())
}

/// `FERRY_KILLS` and `FERRY_SEED` say how many, and which.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "some twenty minutes: two daemons are killed 200 times; postgres/run.sh runs it"]
async fn two_daemons_that_are_killed_lose_nothing_and_do_nothing_twice() {
    let number = |name: &str, otherwise: u64| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let (kills, seed) = (number("FERRY_KILLS", KILLS as u64), number("FERRY_SEED", 1));
    let each = usize::try_from(kills).unwrap().div_ceil(WORLDS);
    // Two worlds at a time: most of the time something is waited for.
    let mut all = Met::default();
    for pair in 0..WORLDS / 2 {
        let worlds = [0, 1].map(|n| {
            let number = pair * 2 + n;
            tokio::spawn(async move { disturbed(number, each, seed * 100 + number as u64).await })
        });
        for world in worlds {
            let (met, counted) = world.await.unwrap();
            println!("{met:?}: {counted:?}");
            (all.kills, all.runs, all.calls) = (all.kills + met.kills, all.runs + met.runs, all.calls + met.calls);
        }
    }
    println!("{all:?}");
    assert!(all.runs * 100 >= all.kills * MET_OF_A_HUNDRED, "most kills met nobody at work: {all:?}");
}
