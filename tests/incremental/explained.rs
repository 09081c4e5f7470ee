//! What `ferry explain` says of how the next run reads.

use ferry::app::explain::explain;

use super::target::large;
use super::{job, ran_plainly, stage};
use crate::stage::Stage;

const TRACKED: &str = "CHANGES OF dynamics.account AS a";

async fn told(stage: &Stage, script: &str) -> Vec<String> {
    let workspace = stage.workspace(&[("accounts.ferry", script)]).await;
    let explanation = explain(&workspace, &stage.setting, "Accounts").expect("there is such a job");
    explanation.reading.into_iter().map(|(what, way)| format!("{what}: {way}")).collect()
}

fn say(told: &[String], words: &[&str]) {
    assert_eq!(told.len(), words.len(), "{told:?}");
    assert!(told.iter().zip(words).all(|(line, words)| line.contains(words)), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_says_how_it_would_read_and_why() {
    let (stage, script) = (stage(60).await, job(TRACKED, ""));
    say(
        &told(&stage, &script).await,
        &[
            "accounts: whole: it is the first run of the job; from the next run on what changes, by the service's own links",
            "or just the records",
        ],
    );
    ran_plainly(&stage, &script).await;
    say(
        &told(&stage, &script).await,
        &["accounts: what changed since it was last read, by the service's own link", "company: whole: 1 call"],
    );
    let plain = job("dynamics.account AS a", "");
    say(&told(&stage, &plain).await, &["accounts: whole: the job says FROM, not FROM CHANGES OF", "company: "]);
    let by = job(&format!("{TRACKED} BY modifiedon"), "");
    say(&told(&stage, &by).await, &["what changes, by modifiedon: the job says BY", "company: "]);
    ran_plainly(&stage, &by).await;
    // Sixty rows are a page of 5,000, as the connection has it.
    say(
        &told(&stage, &by).await,
        &["accounts: whole: it fits into a page, so it is one request either way (the job says BY)", "company: "],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_says_what_it_costs_in_each_way() {
    let (stage, script) = (large(1_000).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    let told = told(&stage, &script).await;
    assert!(told[1].contains("1 call, and 1 for the log of deletions; whole it would take 3"), "{told:?}");
}
