//! Kills on the second day, when a run reads only what changed: no change is lost, as where the next run begins moves with the end of
//! the run and not before.

use std::sync::Arc;

use futures::StreamExt;

use super::boundary::Count;
use super::day::{CalmDay, calm_day, finish, hold, second_day};
use super::under_way::kill_when_sent;
use super::world::{AT_ONCE, Verb};

/// In place of a place: while the first company is deleted.
const DELETING: &str = "deleting";

/// Kills in one world, one after the other. Users are read whole, companies by what changed, and contacts besides by what was written
/// while they were read the first time, and by their keys.
type Kills = &'static [(Verb, &'static str)];

const COMPANIES_READ: Kills = &[
    (Verb::Run, "end.before"),
    (Verb::Resume, "end.within"),
    (Verb::Resume, "end.after"),
    (Verb::Run, "page.file delta/source"),
    (Verb::Resume, "reread.within"),
    (Verb::Resume, "page.file source"),
    (Verb::Resume, "loading.after"),
    (Verb::Run, DELETING),
];
const COMPANIES_LOADED: Kills = &[
    (Verb::Run, "extracted.after:2"),
    (Verb::Resume, "settle.before"),
    (Verb::Resume, "answered"),
    (Verb::Run, DELETING),
    (Verb::Resume, "settle.within"),
    (Verb::Resume, "end.before"),
    (Verb::Resume, "end.after"),
];
/// The contacts are read while the companies are loaded.
const PEOPLE: Kills = &[
    (Verb::Run, "page.file again/source"),
    (Verb::Resume, "page.file delta/source"),
    (Verb::Resume, "page.file keys/source"),
    (Verb::Resume, "reread.after"),
    (Verb::Resume, "page.file source"),
    (Verb::Run, DELETING),
    (Verb::Resume, "intend.after"),
    (Verb::Resume, "settle.after"),
    (Verb::Resume, "end.before"),
    (Verb::Resume, "end.within"),
    (Verb::Resume, "end.after"),
];
/// The killed run is given up, and the next one begins where it began.
const GIVEN_UP: Kills = &[
    (Verb::Run, "extracted.after:2"),
    (Verb::Anew, "abandon.within"),
    (Verb::Anew, "abandon.after"),
    (Verb::Run, "intend.after:2"),
    (Verb::Anew, "settle.after:2"),
    (Verb::Run, DELETING),
    (Verb::Anew, "end.within:2"),
];

#[tokio::test(flavor = "multi_thread")]
async fn kills_in_a_row_on_the_second_day_lose_no_change() {
    let calm = Arc::new(calm_day().await);
    // The deletion under way is carried out before its kill, after it, or never.
    let worlds = [(COMPANIES_READ, 60), (COMPANIES_LOADED, 0), (PEOPLE, 60_000), (GIVEN_UP, 0)];
    let worlds = worlds.map(|(kills, late_ms)| tokio::spawn(in_a_row(Arc::clone(&calm), kills, late_ms)));
    for world in futures::future::join_all(worlds).await {
        world.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "some twenty minutes: a kill at every place of the run of a second day"]
async fn a_kill_at_any_place_of_the_second_day_loses_no_change() {
    let calm = Arc::new(calm_day().await);
    let worlds = calm.boundaries.clone().into_iter().enumerate().map(|(number, place)| {
        let calm = Arc::clone(&calm);
        tokio::spawn(async move {
            let world = second_day("").await;
            let next = [Verb::Run, Verb::Resume, Verb::Anew][number % 3];
            let what = format!("killed at {place}, then {next:?}");
            let is_killed = tokio::task::block_in_place(|| {
                let is_killed = world.kill(Verb::Run, &place.to_string());
                finish(&world, next, &what);
                is_killed
            });
            hold(&world, &calm, next != Verb::Anew, &what);
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
    println!("every place of the second day: {count}");
    assert!(count.all() >= 200, "{count}");
}

/// Kills at all of these places in one world.
async fn in_a_row(calm: Arc<CalmDay>, kills: Kills, late_ms: u64) {
    let rule = format!(
        r#"{{"service": "gainsight", "method": "DELETE", "path": "/v1/data/objects/company", "nth": [1], "late_ms": {late_ms}, "latency_ms": 60000}}"#
    );
    let (world, what) = (second_day(&rule).await, format!("{kills:?}"));
    tokio::task::block_in_place(|| {
        for (verb, place) in kills {
            match *place {
                DELETING => kill_when_sent(&world, 1, &what),
                place => assert!(world.kill(*verb, place), "{verb:?} did not pass {place}, of {what}"),
            }
        }
        finish(&world, Verb::Run, &what);
    });
    hold(&world, &calm, kills.iter().all(|(verb, _)| *verb != Verb::Anew), &what);
}
