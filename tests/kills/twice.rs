//! Two kills a world: at a place of a run, and at one of the process that follows it, which goes on with the run or begins anew.

use std::sync::Arc;

use futures::StreamExt;

use super::boundary::{Boundary, Count, one_of_each};
use super::world::{AT_ONCE, Calm, Verb, World};

/// First kills that are followed up, at the most, and second kills after each.
const FIRST_AT_MOST: usize = 24;
const SECOND_AT_MOST: usize = 6;

/// A kill, what follows it, and a second kill of that.
#[derive(Debug, Clone)]
struct Pair {
    first: String,
    verb: Verb,
    second: Boundary,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "some ten minutes: pairs of kills"]
async fn two_kills_lose_nothing() {
    let calm = Arc::new(World::calm().await);
    let first = one_of_each(&calm.boundaries);
    let step = first.len().div_ceil(FIRST_AT_MOST);
    let mut pairs = Vec::new();
    for (number, place) in first.iter().step_by(step).enumerate() {
        let verb = [Verb::Run, Verb::Resume, Verb::Anew][number % 3];
        let found = second(&place.to_string(), verb).await;
        let step = found.len().div_ceil(SECOND_AT_MOST).max(1);
        pairs.extend(found.into_iter().skip(number % step).step_by(step));
    }
    let count = sweep(&calm, pairs).await;
    println!("pairs of kills: {count}");
    assert!(count.all() >= 100, "{count}");
}

/// The places that a process passes which follows a kill, one of each kind.
async fn second(first: &str, verb: Verb) -> Vec<Pair> {
    let world = World::new("").await;
    let passed = tokio::task::block_in_place(|| {
        assert!(world.kill(Verb::Run, first), "{first}");
        world.trace(verb)
    });
    let passed = one_of_each(&passed).into_iter();
    passed.map(|second| Pair { first: first.to_owned(), verb, second }).collect()
}

async fn sweep(calm: &Arc<Calm>, pairs: Vec<Pair>) -> Count {
    let worlds = pairs.into_iter().map(|pair| tokio::spawn(one(Arc::clone(calm), pair)));
    let mut ended = futures::stream::iter(worlds).buffer_unordered(AT_ONCE);
    let mut count = Count::default();
    while let Some(killed) = ended.next().await {
        let Pair { first, second, .. } = killed.unwrap();
        count.add("first", first.split(':').next().unwrap());
        count.add(second.phase, &second.label);
    }
    count
}

async fn one(calm: Arc<Calm>, pair: Pair) -> Pair {
    let world = World::new("").await;
    let what = format!("{pair:?}");
    tokio::task::block_in_place(|| {
        assert!(world.kill(Verb::Run, &pair.first), "{what}");
        assert!(world.kill(pair.verb, &pair.second.to_string()), "{what}");
        world.finish(if pair.verb == Verb::Resume { Verb::Resume } else { Verb::Run }, &what);
    });
    world.hold(&calm, pair.verb != Verb::Anew, &what);
    pair
}
