//! Plans of jobs that act on what the source loses, applied later.

use ferry::app::{applying, runs};
use ferry::run::progress::silent;
use ferry::run::undertaking::How;
use serde_json::json;

use super::desk::{JOB, account, accounts, companies, counted, id, names, object, run, writes};

/// A row that came after the plan is not in its source: it looks gone, which the plan did not say.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_has_got_a_link_since_is_named_and_nothing_is_deleted() {
    let (stage, job) = (accounts(3).await, companies("ON SOURCE DELETE DELETE"));
    run(&stage, &job).await;
    let workspace = stage.workspace(&[("j.ferry", &job)]).await.or_mistakes().expect("the project is right");
    let planned = runs::plan(&workspace, &stage.setting, JOB, &How::default(), 0, &silent()).await;
    let plan = planned.expect("it plans").0.run;
    // It came with its record, so the run only notes that they belong together.
    assert!(stage.sandbox.put_row("account", account(4)));
    let record = json!({ "Name": "A4", "Dynamics_Account_ID__gc": id(4) });
    stage.sandbox.put_record("company", object(record));
    let before = writes(&stage);
    assert_eq!(counted(&run(&stage, &job).await.counts), "4 read, 4 unchanged");
    let applied = applying::apply(&workspace, &stage.setting, &plan, &silent(), |_| ()).await;
    let said = applied.expect_err("the plan does not hold").to_string();
    assert!(said.contains("1 row is not as planned"), "{said}");
    assert!(said.contains(&format!("({}), the outcome: nothing when it was planned", id(4))), "{said}");
    assert_eq!((writes(&stage), names(&stage).len()), (before, 4));
}
