//! Faults of writes: what may be repeated is, and what may not is settled by the next run.

use ferry::app::error::Error;
use ferry::gainsight;
use ferry::run;
use serde_json::json;

use super::{holdings, plain_stage, stage, struck};
use crate::stage::{CHAIN, COMPANIES, PEOPLE, USERS};

fn is_unclear(error: &Error) -> bool {
    matches!(error, Error::Run(run::error::Error::Gainsight(gainsight::error::Error::Unclear { .. })))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_without_a_clear_answer_is_settled_by_the_next_run() {
    let calm = plain_stage("").await;
    calm.run(USERS).await;
    calm.run(COMPANIES).await;
    for fault in [
        r#""close": "after""#,
        r#""close": "before""#,
        r#""cut": 30"#,
        r#""truncate_json": true"#,
        r#""html": 502"#,
        r#""status": 500"#,
        r#""status": 200"#,
        r#""status": 503, "text": "Service Temporarily Unavailable""#,
        r#""status": 504, "text": "{\"message\": \"Endpoint request timed out\"}""#,
        r#""status": 200, "text": "<html>Signed out</html>""#,
        r#""status": 200, "text": "{}""#,
    ] {
        let of = |path: &str| {
            format!(r#"{{"service": "gainsight", "method": "POST", "path": "{path}", "nth": [1], {fault}}}"#)
        };
        let rough = plain_stage(&format!("{}\n{}", of("/v1/users/services"), of("/v1/data/objects/company"))).await;
        for job in [USERS, COMPANIES] {
            let (reports, ended) = rough.try_run(job).await;
            let error = ended.expect_err("the answer is lost");
            assert!(is_unclear(&error) && error.exit_code() == 3, "{fault}: {error}");
            assert_eq!(reports[0].status.word(), "failed");
            let report = rough.run(job).await.remove(0);
            assert!(report.counts.balance());
        }
        assert_eq!(holdings(&rough), holdings(&calm), "{fault}");
        assert_eq!(rough.run(COMPANIES).await[0].calls.gainsight_writes, 0, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_repeated_is_repeated_within_the_run() {
    let calm = stage("").await;
    calm.run(CHAIN).await;
    let rough = stage(
        r#"{"service": "gainsight", "method": "PUT", "path": "/v1/peoplemgmt/", "nth": [2, 40], "close": "after"}
           {"service": "gainsight", "method": "PUT", "path": "/v1/peoplemgmt/", "nth": [11], "cut": 10}
           {"service": "gainsight", "method": "PUT", "path": "/v1/data/objects/company", "nth": [1], "html": 504}"#,
    )
    .await;
    rough.run(CHAIN).await;
    assert_eq!(holdings(&rough), holdings(&calm));
    assert_eq!(rough.run(PEOPLE).await[0].calls.gainsight_writes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_with_http_200_is_a_refusal_and_costs_no_good_row() {
    let calm = plain_stage("").await;
    calm.run(COMPANIES).await;
    let body =
        json!({ "result": false, "errorCode": "GSOBJ_1002", "errorDesc": "Invalid field", "data": null }).to_string();
    let rule = json!({ "service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [1],
        "status": 200, "text": body });
    let rough = plain_stage(&rule.to_string()).await;
    let report = rough.run(COMPANIES).await.remove(0);
    assert_eq!((report.counts.inserted, report.counts.error), (60, 0), "it named nobody, and its halves were taken");
    assert_eq!(holdings(&rough), holdings(&calm));
}

/// Faults drawn by chance, in reads and in writes that may be repeated.
#[tokio::test(flavor = "multi_thread")]
async fn whole_syncs_through_drawn_faults_arrive_whole() {
    let calm = plain_stage("").await;
    calm.run(CHAIN).await;
    let rough = plain_stage(
        r#"{"service": "dynamics", "path": "/api/data/v9.2/", "probability": 0.3, "html": 503, "times": 1}
           {"service": "dynamics", "path": "/api/data/v9.2/", "probability": 0.3, "cut": 1, "times": 1}
           {"service": "dynamics", "path": "/api/data/v9.2/systemusers", "probability": 0.3, "status": 429, "retry_after": 0, "in_a_row": 3, "times": 6}
           {"service": "gainsight", "path": "/v1/data/objects/query/", "probability": 0.3, "status": 429, "times": 4}
           {"service": "gainsight", "path": "/v1/data/objects/query/", "probability": 0.3, "close": "after", "times": 1}
           {"service": "gainsight", "path": "/v1/data/objects/", "method": "POST", "probability": 0.5, "status": 429, "times": 4}
           {"service": "gainsight", "path": "/v1/", "method": "PUT", "probability": 0.5, "status": 429, "times": 2}"#,
    )
    .await;
    rough.run(CHAIN).await;
    assert!(struck(&rough) >= 6, "{}", struck(&rough));
    assert_eq!(holdings(&rough), holdings(&calm));
    assert!(rough.run(CHAIN).await.iter().all(|report| report.calls.gainsight_writes == 0));
}

/// Every second batch is lost on its way back, and some on their way there: each run gets a little further.
#[tokio::test(flavor = "multi_thread")]
async fn runs_that_end_unclear_come_to_their_end_together() {
    let calm = stage("").await;
    calm.run(CHAIN).await;
    let rough = stage(
        r#"{"service": "gainsight", "path": "/v1/users/services", "method": "POST", "every": 2, "times": 2, "close": "after"}
           {"service": "gainsight", "path": "/v1/data/objects/company", "method": "POST", "every": 2, "times": 2, "close": "after"}
           {"service": "gainsight", "path": "/v1/data/objects/company", "method": "POST", "every": 3, "times": 1, "close": "before"}
           {"service": "gainsight", "path": "/v1/peoplemgmt/", "method": "PUT", "every": 7, "times": 2, "status": 500}"#,
    )
    .await;
    let mut ended_unclear = 0;
    for _ in 0..10 {
        match rough.try_run(CHAIN).await.1 {
            Ok(()) => break,
            Err(error) => {
                assert!(is_unclear(&error), "{error}");
                ended_unclear += 1;
            }
        }
    }
    assert!((3..=7).contains(&ended_unclear), "{ended_unclear}");
    assert_eq!(holdings(&rough), holdings(&calm));
    assert!(rough.run(CHAIN).await.iter().all(|report| report.calls.gainsight_writes == 0));
}
