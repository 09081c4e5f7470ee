//! What is asked of the services when: the source of a step while the step before it loads, its target behind that.

use ferry::sandbox::Service::{Dynamics, Gainsight};
use ferry::store::home::state_path;
use ferry::store::state::State;

use super::{
    ACCOUNTS, COMPANIES, COMPANY, CONTACTS, DEAL, DEALS, USERS, asked, chain, meanwhile, places, run, was_asked, world,
};
use crate::faults::holdings;
use crate::stage::{CHAIN, PEOPLE, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_read_while_the_step_before_loads_and_the_target_is_not() {
    let stage = world().await;
    stage.sandbox.hold(Gainsight, "POST", COMPANY);
    let text = chain("AS RUN \"Companies\" THEN RUN \"Deals\"");
    let is_read = |sandbox: &_| was_asked(sandbox, &["GET", CONTACTS]);
    let ran = meanwhile(
        run(&stage, "C", &text),
        &stage.sandbox,
        |sandbox| sandbox.held() == 1 && is_read(sandbox),
        |sandbox| {
            assert!(!was_asked(sandbox, &["query/Opportunity__gc"]));
            sandbox.let_go();
        },
    );
    let ran = ran.await.good();
    assert_eq!(ran.statuses(), [("Companies", "success"), ("Deals", "success")]);
    let asked = asked(&stage.sandbox);
    let (_, written) = places(&asked, &["POST", COMPANY]);
    assert!(places(&asked, &[CONTACTS]).1 < written, "the source was read before the companies were written");
    assert!(places(&asked, &["query/Opportunity__gc"]).0 > written);
    assert!(places(&asked, &["query/company"]).1 > written, "and what it looks up is read behind that");
    assert_eq!(ran.report("Deals").counts.inserted, 3, "so the companies were found that had just been made");
    let state = State::look(&state_path(&stage.setting.home)).unwrap().unwrap();
    let stages = |job: &str| {
        let stages = state.run(&ran.report(job).run).unwrap().unwrap().1;
        stages.into_iter().map(|stage| (stage.name, stage.rows)).collect::<Vec<_>>()
    };
    let named = |name: &str, rows: i64| (name.to_owned(), rows);
    assert_eq!(stages("Companies"), [named("extract", 60), named("plan", 60), named("load", 60)]);
    let waited = [named("extract", 3), named("wait", 0), named("target", 60), named("plan", 3), named("load", 3)];
    assert_eq!(stages("Deals"), waited);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_more_than_one_step_ahead() {
    let stage = world().await;
    stage.sandbox.hold(Gainsight, "POST", "/v1/users/services");
    let text = chain(&format!("AS RUN \"{USERS}\" THEN RUN \"Companies\" THEN RUN \"Deals\""));
    let is_read = |sandbox: &_| was_asked(sandbox, &["GET", ACCOUNTS]);
    let ran = meanwhile(
        run(&stage, "C", &text),
        &stage.sandbox,
        |sandbox| sandbox.held() == 1 && is_read(sandbox),
        |sandbox| sandbox.let_go(),
    );
    ran.await.good();
    let asked = asked(&stage.sandbox);
    let users = places(&asked, &["POST", "/v1/users/services"]).1;
    assert!(places(&asked, &[ACCOUNTS]).1 < users);
    assert!(places(&asked, &[CONTACTS]).0 > users, "the third step is not read before the first has ended");
    assert!(places(&asked, &[CONTACTS]).0 > places(&asked, &["query/company"]).0, "nor before the second is read");
    assert!(places(&asked, &["query/Opportunity__gc"]).0 > places(&asked, &["POST", COMPANY]).1);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_step_run_side_by_side() {
    let stage = world().await;
    stage.sandbox.hold(Dynamics, "GET", ACCOUNTS);
    let text = chain(&format!("AS RUN \"Companies\", \"{USERS}\" THEN RUN \"Deals\""));
    let is_written = |sandbox: &_| was_asked(sandbox, &["POST", "/v1/users/services"]);
    let ran = meanwhile(
        run(&stage, "C", &text),
        &stage.sandbox,
        |sandbox| sandbox.held() == 1 && is_written(sandbox),
        |sandbox| sandbox.let_go(),
    );
    let ran = ran.await.good();
    let done = [(USERS, "success"), ("Companies", "success"), ("Deals", "success")];
    assert_eq!(ran.statuses(), done, "in the order in which they ended");
    let asked = asked(&stage.sandbox);
    assert!(places(&asked, &[CONTACTS]).0 > places(&asked, &["query/company"]).0, "both have to be read");
    let runs: Vec<&str> = ["Companies", USERS, "Deals"].map(|job| ran.report(job).run.as_str()).to_vec();
    assert!(runs.is_sorted(), "they begin in the order of the script: {runs:?}");
}

/// Nothing that a chain leaves behind depends on what goes on at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_chain_leaves_what_its_jobs_leave_one_after_the_other() {
    let (chained, single) = (Stage::seeded(80).await, Stage::seeded(80).await);
    let together = chained.run(CHAIN).await;
    let mut apart = Vec::new();
    for job in [USERS, crate::stage::COMPANIES, PEOPLE] {
        apart.extend(single.run(job).await);
    }
    for (one, other) in together.iter().zip(&apart) {
        assert_eq!((&one.job, one.counts, &one.records), (&other.job, other.counts, &other.records));
        assert_eq!(one.calls.gainsight_writes, other.calls.gainsight_writes, "{}", one.job);
    }
    assert_eq!(holdings(&chained), holdings(&single));
    let quiet = chained.run(CHAIN).await;
    assert!(quiet.iter().all(|report| report.calls.gainsight_writes == 0), "{quiet:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_moment_of_a_run_is_when_it_began_to_read() {
    let stage = world().await;
    stage.sandbox.hold(Gainsight, "POST", COMPANY);
    let text = format!("{COMPANIES}{DEALS}CREATE CHAIN \"C\" AS RUN \"Companies\" THEN RUN \"Deals\";");
    let late = std::cell::Cell::new(None);
    let ran = meanwhile(
        run(&stage, "C", &text),
        &stage.sandbox,
        |sandbox| sandbox.held() == 1 && was_asked(sandbox, &["GET", CONTACTS]),
        |sandbox| {
            // What changes from here on belongs to the next run.
            assert!(sandbox.put_row("contact", super::contact(9, 9).as_object().unwrap().clone()));
            late.set(Some(chrono::Utc::now()));
            sandbox.let_go();
        },
    );
    let ran = ran.await.good();
    assert_eq!(ran.report("Deals").counts.read, 3);
    let state = State::look(&state_path(&stage.setting.home)).unwrap().unwrap();
    let began = state.run(&ran.report("Deals").run).unwrap().unwrap().0.started;
    assert!(chrono::DateTime::parse_from_rfc3339(&began).unwrap() < late.get().unwrap());
    let next = run(&stage, "C", &text).await.good();
    let deals = next.report("Deals");
    assert_eq!((deals.counts.inserted, deals.counts.unchanged), (1, 3), "and is not lost: {deals:?}");
    assert!(deals.read.as_ref().is_some_and(|read| read.full.is_none()), "{:?}", deals.read);
    let (_, last) = places(&asked(&stage.sandbox), &["POST", DEAL]);
    assert!(last > 0);
}
