//! The plan of a chain: a later job sees what an earlier one is going to delete and to mark.

use ferry::app::runs;
use ferry::run::planning::Wanted;
use ferry::run::progress::silent;
use ferry::run::undertaking::How;
use serde_json::{Value, json};

use super::desk::{account, change, companies, counted, id, writes};
use crate::stage::Stage;

const LATER: &str = "CREATE JOB \"K\" AFTER \"J\" AS UPSERT INTO gainsight.\"Opportunity__gc\" KEY (\"Opportunity External Id\") \
    SELECT c.contactid AS \"Opportunity External Id\", c.firstname AS \"Name\", co.\"Employees\" AS \"Amount\" \
    FROM dynamics.contact AS c LOOKUP gainsight.Company AS co ON co.\"Dynamics Account ID\" = c.parentcustomerid \
    WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT; CREATE CHAIN \"C\" AS RUN \"J\" THEN RUN \"K\";";

#[tokio::test(flavor = "multi_thread")]
async fn a_later_job_is_planned_with_what_an_earlier_one_deletes_and_marks() {
    let accounts = (1..=3).map(|n| format!("{}\n", Value::Object(account(n)))).collect::<String>();
    let contact = |n: usize| {
        let row = json!({ "contactid": format!("10000000-0000-0000-0000-{n:012}"), "firstname": format!("C{n}"),
            "_parentcustomerid_value": id(n),
            "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" });
        format!("{row}\n")
    };
    let stage = Stage::world("", &accounts, &(1..=3).map(contact).collect::<String>()).await;
    let job = companies("ON SOURCE DELETE DELETE ON SOURCE LEAVE SET \"Employees\" = 7");
    let more = [("j.ferry", job.as_str()), ("k.ferry", LATER)];
    let run = async || {
        let (reports, ended) = stage.try_run_with("C", &more).await;
        ended.expect("it runs");
        reports.iter().map(|report| counted(&report.counts)).collect::<Vec<_>>()
    };
    assert_eq!(run().await, ["3 read, 3 inserted", "3 read, 3 inserted"]);
    stage.sandbox.delete_row("account", &id(1));
    change(&stage, "account", "accountid", &id(2), json!({ "statecode": 1 }));
    let before = writes(&stage).len();
    let workspace = stage.workspace(&more).await.or_mistakes().expect("the project is right");
    let wanted = Wanted { how: How::default(), sample: 0, export: None };
    let mut plans = Vec::new();
    let keep = |_: &_, plan: &ferry::run::plan::Plan| plans.push(counted(&plan.counts));
    runs::plan_all(&workspace, &stage.setting, "C", wanted, &silent(), keep).await.expect("it plans");
    assert_eq!(plans, ["3 read, 1 unchanged, 2 deleted", "3 read, 1 rejected, 1 updated, 1 unchanged"]);
    assert_eq!(writes(&stage).len(), before);
    assert_eq!(run().await, plans, "a run does what was planned");
}
