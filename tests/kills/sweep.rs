//! One kill a world, at every place of a run.

use std::sync::Arc;

use futures::StreamExt;

use super::boundary::{Boundary, Count};
use super::world::{AT_ONCE, Calm, Verb, World};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "some ten minutes: a kill at every place of a run"]
async fn a_kill_at_any_place_loses_nothing() {
    let calm = Arc::new(World::calm().await);
    let count = sweep(&calm, calm.boundaries.clone()).await;
    println!("every place of a run: {count}");
    assert!(count.all() >= 200, "{count}");
}

/// Kills at each of these places, in a world of its own.
async fn sweep(calm: &Arc<Calm>, places: Vec<Boundary>) -> Count {
    let worlds = places.into_iter().enumerate().map(|(number, place)| {
        let calm = Arc::clone(calm);
        tokio::spawn(async move {
            let world = World::new("").await;
            let next = if number % 2 == 0 { Verb::Run } else { Verb::Resume };
            let what = format!("killed at {place}, then {next:?}");
            let is_killed = tokio::task::block_in_place(|| {
                let is_killed = world.kill(Verb::Run, &place.to_string());
                world.finish(next, &what);
                is_killed
            });
            world.hold(&calm, true, &what);
            is_killed.then_some(place)
        })
    });
    let mut ended = futures::stream::iter(worlds).buffer_unordered(AT_ONCE);
    let mut count = Count::default();
    while let Some(killed) = ended.next().await {
        if let Some(place) = killed.unwrap() {
            count.add(place.phase, &place.label);
        }
    }
    count
}
