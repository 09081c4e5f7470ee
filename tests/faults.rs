//! Runs against a sandbox that fails: what arrives is what arrives without faults, or the run says that it is unclear.

use std::collections::{BTreeMap, HashMap};

use ferry::app::error::Error;
use ferry::gainsight;
use ferry::run;
use ferry::sandbox::{Options, start};
use serde_json::{Value, json};

use crate::stage::{CHAIN, COMPANIES, PEOPLE, SCALE, Stage, USERS, faults_file};

/// What a record is known by in both systems; the GSID depends on the order of writes.
const KEYS: [(&str, &str); 4] = [
    ("gsuser", "SFDCUserName"),
    ("company", "External_Account_ID_gainsight123__gc"),
    ("person", "Email"),
    ("company_person", "External_Contact_ID_gainsight123__gc"),
];

const SYSTEM: [&str; 5] = ["Gsid", "CreatedDate", "CreatedBy", "ModifiedDate", "ModifiedBy"];

async fn stage(rules: &str) -> Stage {
    let file = faults_file(rules);
    let faults = Some(file.path().to_owned());
    let options = Options { rows: 100, limits_scale: SCALE, faults, ..Options::default() };
    Stage::on(start(options).await.expect("the sandbox starts"))
}

/// A world of which Gainsight refuses nothing: three users, and accounts for two batches.
async fn plain_stage(rules: &str) -> Stage {
    let user = |number: usize| {
        let id = format!("20000000-0000-0000-0000-{number:012}");
        let name = format!("u{number}@example.com");
        json!({ "systemuserid": id, "firstname": "F", "lastname": name, "domainname": name, "internalemailaddress": name,
            "personalemailaddress": name, "isdisabled": false })
    };
    let account = |number: usize| {
        let id = format!("00000000-0000-0000-0000-{number:012}");
        json!({ "accountid": id, "name": format!("A{number}"), "numberofemployees": number })
    };
    let lines = |rows: Vec<Value>| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    let folder = tempfile::tempdir().expect("a folder");
    let tables = [
        ("systemusers", lines((1..=3).map(user).collect())),
        ("accounts", lines((1..=60).map(account).collect())),
        ("contacts", String::new()),
    ];
    for (name, rows) in tables {
        std::fs::write(folder.path().join(format!("{name}.jsonl")), rows).expect("a file");
    }
    let file = faults_file(rules);
    let (world, faults) = (Some(folder.path().to_owned()), Some(file.path().to_owned()));
    let options = Options { world, limits_scale: SCALE, faults, ..Options::default() };
    Stage::on(start(options).await.expect("the sandbox starts"))
}

/// Everything that Gainsight holds, without what differs from run to run.
fn holdings(stage: &Stage) -> BTreeMap<&'static str, Vec<String>> {
    let mut names: HashMap<String, String> = HashMap::new();
    for (object, key) in KEYS {
        for record in stage.sandbox.records(object) {
            let gsid = record["Gsid"].as_str().unwrap().to_owned();
            names.insert(gsid, format!("{object} {}", record[key]));
        }
    }
    let plain = |record: serde_json::Map<String, Value>| {
        let kept = record.into_iter().filter(|(name, _)| !SYSTEM.contains(&name.as_str()));
        let kept = kept.map(|(name, value)| {
            let named = value.as_str().and_then(|gsid| names.get(gsid)).cloned().map(Value::from);
            (name, named.unwrap_or(value))
        });
        Value::Object(kept.collect()).to_string()
    };
    let sorted = |object| {
        let mut all: Vec<String> = stage.sandbox.records(object).into_iter().map(plain).collect();
        all.sort();
        all
    };
    KEYS.into_iter().map(|(object, _)| (object, sorted(object))).collect()
}

fn written(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.write).map(|call| call.records).sum()
}

fn struck(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.status == 0 || call.status >= 429).count()
}

fn is_unclear(error: &Error) -> bool {
    matches!(error, Error::Run(run::error::Error::Gainsight(gainsight::error::Error::Unclear { .. })))
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_reads_change_nothing_of_what_is_written() {
    let calm = stage("").await;
    let expected = calm.run(CHAIN).await;
    let rough = stage(
        r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [1], "html": 502}
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
    assert_eq!(struck(&rough), 10, "8 statuses and 2 connections without an answer; two bodies were cut");
    assert_eq!(written(&rough), written(&calm));
    assert_eq!(holdings(&rough), holdings(&calm));
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
