//! Traces: a collector on this machine gets each run as a span with its stages, and one that is away disturbs nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use chrono::TimeDelta;
use ferry::daemon::told::Told;
use ferry::daemon::traces::{Collector, Traces};
use ferry::model::outcome::Status;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

use super::watched::Desk;
use crate::stage::{COMPANIES, Stage};

const DAILY: &str = r#"CREATE CHAIN "Daily" SCHEDULE EVERY DAY AT '02:00' AS RUN "Company Sync_Dynamics Connection";"#;

type Got = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

/// A collector; gives where its spans go to.
async fn collector() -> (String, Got) {
    let got: Got = Arc::default();
    let kept = Arc::clone(&got);
    let take = move |headers: HeaderMap, body: Bytes| async move {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        kept.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await });
    (endpoint, got)
}

/// A daemon that runs the chain once, with traces that go there; what was lost.
async fn traced(desk: &Desk, endpoint: String) -> Vec<String> {
    let lost: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lost);
    let to = Collector {
        endpoint: Some(endpoint),
        timeout: Duration::from_secs(5),
        authorities: None,
        place: desk.stage.setting.place(),
    };
    let traces = Arc::new(Traces::begin(to, move |why| kept.lock().unwrap().push(why)).unwrap());
    let ear = Arc::clone(&traces);
    let beside = LocalSet::new();
    beside
        .run_until(async {
            let mut daemon = desk.begin_with(Desk::options(), move |told: &Told| ear.hear(told)).await;
            let at = desk.next_of("Daily").await;
            desk.set_clock(at - TimeDelta::seconds(2));
            daemon.turns().await;
            desk.set_clock(at + TimeDelta::seconds(1));
            assert_eq!(daemon.ended().await.status, Status::Partial, "some of the world's rows are refused");
            daemon.stop(ferry::daemon::serve::Stop::Soon).await;
        })
        .await;
    drop(beside);
    Arc::into_inner(traces).expect("the daemon is gone").end().await;
    let lost = lost.lock().unwrap();
    lost.clone()
}

fn of<'a>(attributes: &'a [KeyValue], key: &str) -> &'a Value {
    let found = attributes.iter().find(|one| one.key == key);
    let Some(AnyValue { value: Some(value), .. }) = found.and_then(|one| one.value.as_ref()) else {
        panic!("no {key}: {attributes:#?}");
    };
    value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_arrives_as_a_span_with_its_stages() {
    let (endpoint, got) = collector().await;
    let desk = Desk::new(Stage::seeded(20).await, DAILY);
    assert_eq!(traced(&desk, endpoint).await, Vec::<String>::new());
    let got = got.lock().unwrap();
    assert_eq!(got.len(), 1);
    let of_resource = &got[0].resource_spans[0];
    let resource = &of_resource.resource.as_ref().unwrap().attributes;
    assert_eq!(of(resource, "service.name"), &Value::StringValue("ferry".to_owned()));
    let spans = &of_resource.scope_spans[0].spans;
    let run = &spans[0];
    assert_eq!((run.name.as_str(), run.parent_span_id.as_slice()), ("run", &[][..]));
    assert_eq!(of(&run.attributes, "ferry.job"), &Value::StringValue(COMPANIES.to_owned()));
    assert_eq!(of(&run.attributes, "ferry.chain"), &Value::StringValue("Daily".to_owned()));
    assert_eq!(of(&run.attributes, "ferry.run"), &Value::StringValue(desk.runs()[0].id.clone()));
    assert_eq!(of(&run.attributes, "ferry.status"), &Value::StringValue("partial".to_owned()));
    let stages: Vec<&str> = spans[1..].iter().map(|span| span.name.as_str()).collect();
    let (_, known) = desk.state().run(&desk.runs()[0].id).unwrap().unwrap();
    assert_eq!(stages, known.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>());
    assert!(stages.contains(&"extract") && stages.contains(&"load"), "{stages:?}");
    for span in spans {
        assert_eq!(span.trace_id, run.trace_id);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        assert!(span.name == "run" || span.parent_span_id == run.span_id);
    }
    assert_eq!(spans.iter().map(|span| &span.span_id).collect::<std::collections::BTreeSet<_>>().len(), spans.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_disturbs_no_run() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", nobody.local_addr().unwrap());
    drop(nobody);
    let desk = Desk::new(Stage::seeded(20).await, DAILY);
    let lost = traced(&desk, endpoint).await;
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].contains("are lost"), "{lost:?}");
    assert_eq!(desk.runs()[0].status, "partial");
}

#[tokio::test]
async fn an_address_that_is_none_is_said_at_once() {
    let to = Collector {
        endpoint: Some("not a url".to_owned()),
        timeout: Duration::from_secs(1),
        authorities: None,
        place: ferry::store::place::Place::File(std::path::PathBuf::new()),
    };
    let error = Traces::begin(to, |_| {}).err().expect("it is wrong");
    assert!(error.to_string().starts_with("traces cannot be sent: "), "{error}");
}
