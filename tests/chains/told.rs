//! What a chain tells while it runs: each event says of which run it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ferry::app::runs;
use ferry::run::progress::{Event, Progress};
use ferry::sandbox::Service::Gainsight;

use super::{COMPANY, CONTACTS, chain, meanwhile, was_asked, world};
use crate::kills::world::{Verb, World};
use crate::stage::{COMPANIES, PEOPLE, USERS};

#[tokio::test(flavor = "multi_thread")]
async fn events_of_runs_side_by_side_can_be_told_apart() {
    let stage = world().await;
    stage.sandbox.hold(Gainsight, "POST", COMPANY);
    let text = chain("AS RUN \"Companies\" THEN RUN \"Deals\"");
    let workspace = stage.workspace(&[("c.ferry", &text)]).await.or_mistakes().expect("the project is right");
    let heard: Arc<Mutex<Vec<Event>>> = Arc::default();
    let into = Arc::clone(&heard);
    let progress: Progress = Arc::new(move |event| into.lock().expect("nobody panics with it").push(event));
    let run = runs::run(&workspace, &stage.setting, "C", &progress, |_| {});
    let ran = meanwhile(
        run,
        &stage.sandbox,
        |sandbox| sandbox.held() == 1 && was_asked(sandbox, &[CONTACTS]),
        |sandbox| sandbox.let_go(),
    );
    ran.await.expect("it runs");
    let (mut jobs, mut stages) = (BTreeMap::new(), BTreeMap::<String, Vec<&str>>::new());
    for event in heard.lock().expect("nobody panics with it").drain(..) {
        match event {
            Event::Began { run, job, goes_on } => {
                assert!(!goes_on);
                jobs.insert(run, job);
            }
            Event::Advanced { run, stage, .. } => {
                let told = stages.entry(jobs[&run].clone()).or_default();
                if told.last() != Some(&stage) {
                    told.push(stage);
                }
            }
            Event::Ended { run } => stages.entry(jobs[&run].clone()).or_default().push("ended"),
            Event::Notice(text) => panic!("{text}"),
            Event::Spent { .. } | Event::Over => {}
        }
    }
    assert_eq!(stages["Companies"], ["extract", "plan", "load", "ended"]);
    assert_eq!(stages["Deals"], ["extract", "wait", "plan", "load", "ended"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_name_the_job_where_output_is_piped() {
    let world = World::new("").await;
    let (_, _, err) = tokio::task::block_in_place(|| world.desk.ferry(Verb::Run.arguments()));
    for (number, job) in [(1, USERS), (2, COMPANIES), (3, PEOPLE)] {
        let lines: Vec<&str> = err.lines().filter(|line| line.contains(&format!("-000{number} {job}: "))).collect();
        // Whether a job still reads when its turn comes, chance decides.
        let told = lines.iter().filter_map(|line| line.rsplit(": ").next()).filter(|stage| *stage != "wait");
        assert_eq!(told.collect::<Vec<_>>(), ["started", "extract", "plan", "load"], "{err}");
    }
}
