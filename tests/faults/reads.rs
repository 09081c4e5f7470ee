//! Faults of reads: they pass, or they end the run before anything is written.

use ferry::app::error::Error;
use ferry::gainsight;
use ferry::run;

use super::{holdings, plain_stage, stage, struck, written};
use crate::stage::{CHAIN, COMPANIES};

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_reads_change_nothing_of_what_is_written() {
    let calm = stage("").await;
    let expected = calm.run(CHAIN).await;
    let rough = stage(
        r#"{"service": "entra", "nth": [1], "close": "after"}
           {"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [1], "html": 502}
           {"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [2], "in_a_row": 2, "status": 429, "retry_after": 0}
           {"service": "dynamics", "path": "/api/data/v9.2/contacts", "nth": [1], "cut": 900}
           {"service": "dynamics", "path": "/api/data/v9.2/systemusers", "nth": [1], "close": "before"}
           {"service": "dynamics", "path": "/api/data/v9.2/systemusers", "nth": [2], "status": 500, "code": "0x80044151"}
           {"service": "gainsight", "path": "/v1/data/objects/query/company", "nth": [1], "cut": 40}
           {"service": "gainsight", "path": "/v1/data/objects/query/company", "nth": [2], "in_a_row": 2, "status": 429}
           {"service": "gainsight", "path": "/v1/data/objects/query/gsuser", "nth": [1], "html": 503}
           {"service": "gainsight", "path": "/v1/data/objects/query/person", "nth": [1], "close": "after"}
           {"service": "gainsight", "path": "/v1/data/objects/query/person", "nth": [2], "status": 429, "text": "Too many requests"}"#,
    )
    .await;
    let found = rough.run(CHAIN).await;
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(found.counts, expected.counts, "{}", expected.job);
        assert_eq!(found.calls.gainsight_writes, expected.calls.gainsight_writes, "{}", expected.job);
    }
    assert_eq!(struck(&rough), 11, "8 statuses and 3 connections without an answer; two bodies were cut");
    assert_eq!(written(&rough), written(&calm));
    assert_eq!(holdings(&rough), holdings(&calm));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stays_away_ends_the_run_and_harms_nothing() {
    for rule in [
        r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "truncate_json": true}"#,
        r#"{"service": "gainsight", "path": "/v1/data/objects/query/", "truncate_json": true}"#,
        r#"{"service": "gainsight", "path": "/v1/data/objects/query/", "status": 500}"#,
        r#"{"service": "gainsight", "path": "/v1/data/objects/query/", "status": 200, "text": "<html>Signed out</html>"}"#,
        r#"{"service": "gainsight", "path": "/v1/data/objects/query/", "status": 200, "text": "{\"result\": true, \"data\": null}"}"#,
        r#"{"service": "gainsight", "path": "/v1/data/objects/query/", "status": 200, "text": "{\"result\": true, \"data\": {}}"}"#,
        r#"{"service": "gainsight", "path": "/v1/data/objects/query/", "status": 200, "text": "{\"result\": true, \"data\": {\"records\": null}}"}"#,
        r#"{"service": "gainsight", "path": "/v1/data/objects/query/", "status": 403, "text": "Forbidden"}"#,
    ] {
        let rough = stage(rule).await;
        let before = holdings(&rough);
        let (_, ended) = rough.try_run(COMPANIES).await;
        let error = ended.expect_err("nothing could be read");
        assert_eq!(error.exit_code(), 3, "{rule}: {error}");
        assert_eq!((written(&rough), holdings(&rough)), (0, before), "{rule}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_go_in_circles_end_the_run() {
    let rough = stage(r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "repeat_link": true}"#).await;
    let mut workspace = rough.workspace(&[]).await.or_mistakes().expect("the project is right");
    workspace.services.dynamics.values_mut().for_each(|dynamics| dynamics.page_size = 5);
    let silent = ferry::run::progress::silent();
    let ended = ferry::app::runs::run(&workspace, &rough.setting, COMPANIES, &silent, |_| {}).await;
    let error = ended.expect_err("the first page leads to itself");
    let is_loop = matches!(&error, Error::Run(run::error::Error::Dynamics(ferry::dynamics::error::Error::Loop { .. })));
    assert!(is_loop && written(&rough) == 0, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_on_the_list_is_told() {
    let rough = plain_stage("").await;
    let workspace = rough.workspace(&[]).await.or_mistakes().expect("the project is right");
    rough.sandbox.refuse_address(true);
    let silent = ferry::run::progress::silent();
    let ended = ferry::app::runs::run(&workspace, &rough.setting, COMPANIES, &silent, |_| {}).await;
    let error = ended.expect_err("the key's list does not have us");
    let is_address = matches!(&error, Error::Run(run::error::Error::Gainsight(gainsight::error::Error::Address(_))));
    assert!(is_address && error.to_string().contains("add its address to the access key's list"), "{error}");
    assert_eq!((error.exit_code(), written(&rough)), (3, 0));
}
