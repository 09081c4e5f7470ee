//! What a run spends is counted apart from what runs beside it spend, and so is what hindered it.

use ferry::model::outcome::Calls;
use ferry::sandbox::Service::{self, Dynamics, Gainsight};

use super::{ACCOUNTS, COMPANY, Ran, USERS, chain, meanwhile, run, was_asked, world};
use crate::stage::Stage;

/// Requests that were answered, of the service and with this in them.
fn counted(stage: &Stage, service: Service, word: &str) -> u64 {
    let calls = stage.sandbox.calls();
    calls.iter().filter(|call| call.service == service && call.path.contains(word)).count() as u64
}

/// Both jobs of a step, the one while the other is held.
async fn side_by_side(stage: &Stage) -> Ran {
    stage.sandbox.hold(Dynamics, "GET", ACCOUNTS);
    let text = chain(&format!("AS RUN \"Companies\", \"{USERS}\""));
    let is_written = |sandbox: &_| was_asked(sandbox, &["POST", "/v1/users/services"]);
    let ran = meanwhile(
        run(stage, "C", &text),
        &stage.sandbox,
        |sandbox| sandbox.held() == 1 && is_written(sandbox),
        |sandbox| sandbox.let_go(),
    );
    ran.await.good()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_side_by_side_count_their_own_calls() {
    let alone = world().await;
    let one = run(&alone, USERS, &chain("AS RUN \"Companies\"")).await.good();
    let other = run(&alone, "Companies", &chain("AS RUN \"Companies\"")).await.good();
    let stage = world().await;
    let both = side_by_side(&stage).await;
    let plain = |calls: Calls| Calls { waited_ms: 0, ..calls };
    assert_eq!(plain(both.report(USERS).calls), plain(one.report(USERS).calls));
    assert_eq!(plain(both.report("Companies").calls), plain(other.report("Companies").calls));
    let companies = both.report("Companies").calls;
    assert_eq!(companies.dynamics, counted(&stage, Dynamics, "accounts"));
    assert_eq!((companies.gainsight_writes, companies.throttled, companies.retries), (2, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hinders_a_run_is_counted_with_it() {
    let stage = world().await;
    let rules = [
        format!(r#"{{"service": "dynamics", "path": "{ACCOUNTS}", "nth": [1], "status": 429, "retry_after": 1}}"#),
        format!(r#"{{"service": "dynamics", "path": "{ACCOUNTS}", "nth": [2], "status": 503}}"#),
        format!(
            r#"{{"service": "gainsight", "method": "POST", "path": "{COMPANY}", "nth": [2], "status": 429, "retry_after": 1}}"#
        ),
    ];
    stage.sandbox.strike_by(&rules.join("\n")).unwrap();
    let ran = side_by_side(&stage).await;
    let companies = ran.report("Companies").calls;
    assert_eq!((companies.throttled, companies.retries), (2, 1), "{companies:?}");
    // A second each, and the pause before the request is sent again.
    assert!(companies.waited_ms >= 2_400, "{companies:?}");
    assert_eq!(companies.dynamics, counted(&stage, Dynamics, "accounts"));
    assert_eq!(companies.gainsight_writes, counted(&stage, Gainsight, COMPANY));
    let users = ran.report(USERS).calls;
    assert_eq!((users.throttled, users.retries), (0, 0), "{users:?}");
    let json = serde_json::json!(users);
    assert!(json.get("retries").is_none(), "what is nothing is not there: {json}");
    let old: Calls = serde_json::from_str(r#"{"dynamics": 1, "gainsight": 2, "gainsight_writes": 1}"#).unwrap();
    assert_eq!((old.gainsight, old.waited_ms), (2, 0), "reports of before can be read");
}
