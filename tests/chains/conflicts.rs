//! Jobs of one step that touch the same objects: side by side as far as they read, one after the other from there on.

use ferry::sandbox::Service::Gainsight;

use super::{ACCOUNTS, COMPANY, CONTACTS, asked, chain, meanwhile, places, run, was_asked, world};

#[tokio::test(flavor = "multi_thread")]
async fn two_jobs_that_write_one_object_take_their_turns() {
    let stage = world().await;
    stage.sandbox.hold(Gainsight, "POST", COMPANY);
    let text = chain("AS RUN \"Companies\", \"Employees\"");
    let reads = |sandbox: &_| asked(sandbox).iter().filter(|one| one.contains(ACCOUNTS)).count();
    let ran = meanwhile(
        run(&stage, "C", &text),
        &stage.sandbox,
        |sandbox| sandbox.held() == 1 && reads(sandbox) >= 2,
        |sandbox| sandbox.let_go(),
    );
    let ran = ran.await.good();
    assert_eq!(ran.report("Companies").counts.inserted, 60);
    let second = ran.report("Employees").counts;
    assert_eq!((second.inserted, second.updated), (0, 60), "it finds what the first made");
    assert_eq!(stage.sandbox.records("company").len(), 60);
    let asked = asked(&stage.sandbox);
    let made = places(&asked, &["POST", COMPANY]).1;
    let looked = asked.iter().skip(made).any(|one| one.contains("query/company"));
    assert!(looked && places(&asked, &["PUT", COMPANY]).0 > made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_looks_up_what_another_of_its_step_writes_comes_behind_it() {
    let stage = world().await;
    stage.sandbox.hold(Gainsight, "POST", COMPANY);
    let text = chain("AS RUN \"Companies\", \"Deals\"");
    let ran = meanwhile(
        run(&stage, "C", &text),
        &stage.sandbox,
        |sandbox| sandbox.held() == 1 && was_asked(sandbox, &[CONTACTS]),
        |sandbox| sandbox.let_go(),
    );
    assert_eq!(ran.await.good().report("Deals").counts.inserted, 3);
    let asked = asked(&stage.sandbox);
    assert!(places(&asked, &["query/Opportunity__gc"]).0 > places(&asked, &["POST", COMPANY]).1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_the_script_decides_who_is_first() {
    let stage = world().await;
    let ran = run(&stage, "C", &chain("AS RUN \"Deals\", \"Companies\"")).await.good();
    assert_eq!(ran.report("Deals").counts.rejected, 3, "no company was there when it looked");
    assert_eq!(ran.statuses(), [("Deals", "partial"), ("Companies", "success")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_failure_of_one_does_not_keep_the_other_from_its_turn() {
    let stage = world().await;
    let rule =
        format!(r#"{{"service": "gainsight", "method": "POST", "path": "{COMPANY}", "nth": [1], "status": 403}}"#);
    stage.sandbox.strike_by(&rule).unwrap();
    let ran = run(&stage, "C", &chain("AS RUN \"Companies\", \"Employees\" THEN RUN \"Deals\"")).await;
    let mut statuses = ran.statuses();
    statuses.sort_unstable();
    let wanted = [("Companies", "failed"), ("Deals", "skipped"), ("Employees", "success")];
    assert_eq!(statuses, wanted, "the step behind them is not run");
    assert!(ran.ended.is_err());
}
