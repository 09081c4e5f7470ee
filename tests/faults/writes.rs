//! Faults of writes: what may be repeated is, and what may not is settled before anything is sent twice.

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
async fn an_insert_without_a_clear_answer_is_settled_within_the_run() {
    let calm = plain_stage("").await;
    let expected = [calm.run(USERS).await.remove(0), calm.run(COMPANIES).await.remove(0)];
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
        for (job, expected) in [USERS, COMPANIES].into_iter().zip(&expected) {
            let report = rough.run(job).await.remove(0);
            assert_eq!((report.counts, &report.records), (expected.counts, &expected.records), "{fault}");
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

/// The answer to one batch is lost again and again: the run stops, and the next ones are the same run.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_unclear_is_gone_on_with_and_has_the_totals_of_one() {
    let calm = plain_stage("").await;
    let expected = calm.run(COMPANIES).await.remove(0);
    for lost in ["before", "after"] {
        let rule = json!({ "service": "gainsight", "path": "/v1/data/objects/company", "method": "POST", "nth": [1],
            "in_a_row": 6, "close": lost });
        let rough = plain_stage(&rule.to_string()).await;
        let mut runs = Vec::new();
        let report = loop {
            let (mut reports, ended) = rough.try_run(COMPANIES).await;
            let report = reports.remove(0);
            runs.push(report.run.clone());
            match ended {
                Ok(()) => break report,
                Err(error) => assert!(is_unclear(&error) && error.exit_code() == 3, "{error}"),
            }
            assert!(runs.len() < 5, "it comes to an end");
        };
        runs.dedup();
        assert_eq!(runs.len(), 1, "one run: {runs:?}");
        assert_eq!((report.counts, &report.records), (expected.counts, &expected.records), "{lost}");
        assert_eq!(holdings(&rough), holdings(&calm), "{lost}");
        assert_eq!(rough.run(COMPANIES).await[0].calls.gainsight_writes, 0);
    }
}

/// Every second batch is lost on its way back, and some on their way there.
#[tokio::test(flavor = "multi_thread")]
async fn a_chain_whose_answers_are_lost_arrives_whole() {
    let calm = stage("").await;
    let expected = calm.run(CHAIN).await;
    let rough = stage(
        r#"{"service": "gainsight", "path": "/v1/users/services", "method": "POST", "every": 2, "times": 2, "close": "after"}
           {"service": "gainsight", "path": "/v1/data/objects/company", "method": "POST", "every": 2, "times": 2, "close": "after"}
           {"service": "gainsight", "path": "/v1/data/objects/company", "method": "POST", "every": 3, "times": 1, "close": "before"}
           {"service": "gainsight", "path": "/v1/peoplemgmt/", "method": "PUT", "every": 7, "times": 2, "status": 500}"#,
    )
    .await;
    let found = rough.run(CHAIN).await;
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!((found.counts, &found.records), (expected.counts, &expected.records), "{}", expected.job);
    }
    assert!(struck(&rough) >= 5, "{}", struck(&rough));
    assert_eq!(holdings(&rough), holdings(&calm));
    assert!(rough.run(CHAIN).await.iter().all(|report| report.calls.gainsight_writes == 0));
}
