//! Many kills in one world, one after the other: each process goes on where the one before it was killed, and is killed at a place of
//! another kind. A few such worlds have every kind of place there is.

use std::sync::Arc;

use super::world::{Calm, Verb, World};

/// The places of a run in the order in which it passes them, and those of the file that each page, plan and error file is.
const PLACES: [&str; 42] = [
    "establish.before",
    "establish.within",
    "establish.after",
    "begin.before",
    "begin.within",
    "begin.after",
    "folder",
    "note.before",
    "note.within",
    "note.after",
    "look.before",
    "look.within",
    "look.after",
    "file.begun",
    "file.written",
    "file.placed",
    "page.file",
    "page.before",
    "page.within",
    "page.after",
    "read.before",
    "read.within",
    "read.after",
    "extracted.before",
    "extracted.within",
    "extracted.after",
    "stage.before",
    "stage.within",
    "stage.after",
    "loading.before",
    "loading.within",
    "loading.after",
    "intend.before",
    "intend.within",
    "intend.after",
    "answered",
    "settle.before",
    "settle.within",
    "settle.after",
    "error_line",
    "error_file.drawn",
    "end.before",
];
const LAST: [&str; 2] = ["end.within", "end.after"];

#[tokio::test(flavor = "multi_thread")]
async fn kills_in_a_row_at_places_of_every_kind_lose_nothing() {
    let calm = Arc::new(World::calm().await);
    for place in &calm.boundaries {
        assert!(
            PLACES.iter().chain(&LAST).any(|known| place.label.split(' ').next() == Some(*known)),
            "{place} is not in the list"
        );
    }
    let worlds = (0..3).map(|first| {
        let places = PLACES.iter().skip(first).step_by(3).chain(&LAST);
        tokio::spawn(run(Arc::clone(&calm), places.map(|place| (Verb::Run, *place)).collect()))
    });
    for world in futures::future::join_all(worlds).await {
        world.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_in_a_row_while_going_on_lose_nothing() {
    let calm = Arc::new(World::calm().await);
    // A page is damaged, and read again; then an insert is written down and never sent, and found out about.
    let goes_on = [
        (Verb::Run, "page.after:3"),
        (Verb::Run, "damage"),
        (Verb::Run, "reread.before"),
        (Verb::Resume, "reread.within"),
        (Verb::Resume, "reread.after"),
        (Verb::Resume, "intend.after"),
        (Verb::Resume, "take_up.before"),
        (Verb::Run, "take_up.within"),
        (Verb::Resume, "take_up.after"),
        (Verb::Run, "read_back"),
    ];
    run(Arc::clone(&calm), goes_on.to_vec()).await;
    let anew = [
        (Verb::Run, "intend.after"),
        (Verb::Anew, "abandon.before"),
        (Verb::Anew, "abandon.within"),
        (Verb::Anew, "abandon.after"),
        (Verb::Run, "close.before"),
        (Verb::Run, "close.within"),
        (Verb::Run, "close.after"),
    ];
    run(calm, anew.to_vec()).await;
}

/// Kills at all of these places in one world.
async fn run(calm: Arc<Calm>, kills: Vec<(Verb, &'static str)>) {
    let world = World::new("").await;
    tokio::task::block_in_place(|| {
        for (verb, place) in &kills {
            match *place {
                "damage" => world.damage_a_page(),
                place => assert!(world.kill(*verb, place), "{verb:?} did not pass {place}, of {kills:?}"),
            }
        }
        world.finish(Verb::Run, &format!("{kills:?}"));
    });
    // A run that was given up has no totals, and its successor finds what it wrote.
    world.hold(&calm, kills.iter().all(|(verb, _)| *verb != Verb::Anew), &format!("{kills:?}"));
}
