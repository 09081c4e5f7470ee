//! Kills at random moments: also in the middle of what no place has a name for.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;

use super::boundary::Count;
use super::world::{AT_ONCE, Calm, Verb, World};
use crate::generated::dice::Dice;

const KILLS: usize = 240;
/// Kills of one world at the most; then it is left alone.
const KILLS_A_WORLD: usize = 6;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "some twenty minutes: kills at random moments"]
async fn kills_at_random_moments_lose_nothing() {
    let calm = Arc::new(World::calm().await);
    let typical = typical().await;
    let (mut count, mut seed) = (Count::default(), 0);
    while count.all() < KILLS {
        let seeds = seed..seed + 12;
        seed = seeds.end;
        let worlds = seeds.map(|seed| tokio::spawn(one(Arc::clone(&calm), seed, typical)));
        let mut ended = futures::stream::iter(worlds).buffer_unordered(AT_ONCE);
        while let Some(killed) = ended.next().await {
            for (stage, kills) in killed.unwrap() {
                (0..kills).for_each(|_| count.add("at random", &stage));
            }
        }
    }
    println!("{seed} worlds, kills within {typical:?}: {count}");
}

/// How long a run takes here, with as many beside it as in the test.
async fn typical() -> Duration {
    let since = Instant::now();
    let runs = (0..AT_ONCE).map(|_| {
        tokio::spawn(async {
            let world = World::new("").await;
            tokio::task::block_in_place(|| world.desk.ferry(Verb::Run.arguments()));
        })
    });
    futures::future::join_all(runs).await;
    since.elapsed()
}

/// Kills one world's processes at moments of a seed; gives the kills by what the process had said last.
async fn one(calm: Arc<Calm>, seed: u64, typical: Duration) -> BTreeMap<String, usize> {
    let mut dice = Dice::of(seed);
    let world = World::new("").await;
    let mut killed = BTreeMap::new();
    tokio::task::block_in_place(|| {
        for _ in 0..1 + dice.below(KILLS_A_WORLD) {
            let verb = dice.pick(&[Verb::Run, Verb::Run, Verb::Resume]);
            let moment = typical.mul_f64(0.15 + f64::from(u32::try_from(dice.below(900)).unwrap()) / 1_000.0);
            if let Some(stage) = kill_after(&world, verb, moment) {
                *killed.entry(stage).or_default() += 1;
            }
        }
        world.finish(Verb::Run, &format!("seed {seed}"));
    });
    world.hold(&calm, true, &format!("seed {seed}"));
    killed
}

/// Kills a process after that time, if it has not ended; gives the stage that it was in.
fn kill_after(world: &World, verb: Verb, moment: Duration) -> Option<String> {
    let mut child = world.desk.begin_with(verb.arguments(), Stdio::null(), &[]);
    std::thread::sleep(moment);
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    if output.status.signal() != Some(9) {
        let files = Command::new("ls").args(["-la", "--time-style=full-iso"]).arg(world.desk.home()).output().unwrap();
        let files = String::from_utf8_lossy(&files.stdout);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{verb:?} after {moment:?}: {said}\n{files}");
        return None;
    }
    let stage = said.lines().rev().find_map(|line| {
        let last = line.split(' ').next_back()?;
        matches!(last, "extract" | "plan" | "load" | "started").then(|| last.to_owned())
    });
    Some(stage.unwrap_or_else(|| "before the run".to_owned()))
}
