//! `AFTER`: a job whose prerequisite did not come to its end says so, alone and in a chain without it.

use ferry::app::runs;
use ferry::run::progress::silent;
use ferry::run::undertaking::How;

use super::{COMPANIES, COMPANY, DEALS, Ran, run, world};

fn text(more: &str) -> String {
    let deals = DEALS.replace("CREATE JOB \"Deals\" AS", "CREATE JOB \"Deals\" AFTER \"Companies\" AS");
    format!("{COMPANIES}{deals}{more}")
}

fn said(ran: &Ran) -> Vec<&str> {
    ran.notices.iter().filter(|said| said.contains("comes after")).map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_says_if_its_prerequisite_is_not_done() {
    let stage = world().await;
    let (alone, chained) = (text(""), text("CREATE CHAIN \"C\" AS RUN \"Deals\";"));
    let never = "\"Deals\" comes after \"Companies\", which has never run here to an end";
    assert_eq!(said(&run(&stage, "Deals", &alone).await), [never]);
    assert_eq!(said(&run(&stage, "C", &chained).await), [never], "a chain without it says so too");
    let workspace = stage.workspace(&[("c.ferry", &alone)]).await.or_mistakes().expect("the project is right");
    let planned = runs::plan(&workspace, &stage.setting, "Companies", &How::default(), 0, &silent()).await;
    planned.expect("it plans");
    assert_eq!(said(&run(&stage, "Deals", &alone).await), [never], "a plan is no run");
    let rule =
        format!(r#"{{"service": "gainsight", "method": "POST", "path": "{COMPANY}", "nth": [1], "status": 403}}"#);
    stage.sandbox.strike_by(&rule).unwrap();
    assert!(run(&stage, "Companies", &alone).await.ended.is_err());
    let failed = "\"Deals\" comes after \"Companies\", which failed when it last ran";
    assert_eq!(said(&run(&stage, "Deals", &alone).await), [failed]);
    assert_eq!(said(&run(&stage, "C", &chained).await), [failed]);
    run(&stage, "Companies", &alone).await.good();
    assert!(said(&run(&stage, "Deals", &alone).await).is_empty());
    assert!(said(&run(&stage, "C", &chained).await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_with_the_prerequisite_says_nothing() {
    let stage = world().await;
    let ran = run(&stage, "C", &text("CREATE CHAIN \"C\" AS RUN \"Companies\" THEN RUN \"Deals\";")).await.good();
    assert!(said(&ran).is_empty(), "{:?}", ran.notices);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prerequisite_that_was_skipped_is_told_of() {
    let stage = world().await;
    let chain = format!(
        "{}CREATE JOB \"Staff\" AFTER \"Deals\" AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") SELECT \
         a.accountid AS \"Dynamics Account ID\", a.name AS \"Name\", a.numberofemployees AS \"Employees\" FROM \
         dynamics.account AS a;",
        text("CREATE CHAIN \"C\" AS RUN \"Companies\" THEN RUN \"Deals\";")
    );
    let rule =
        format!(r#"{{"service": "gainsight", "method": "POST", "path": "{COMPANY}", "nth": [1], "status": 403}}"#);
    stage.sandbox.strike_by(&rule).unwrap();
    assert!(run(&stage, "C", &chain).await.ended.is_err());
    let ran = run(&stage, "Staff", &chain).await;
    let skipped = "\"Staff\" comes after \"Deals\", which was skipped when it was last to run, as a job before it in its chain failed";
    assert_eq!(said(&ran), [skipped]);
}
