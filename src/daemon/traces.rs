//! Traces: each run that has ended as a span, with one below it for each of its stages. The sole home of OpenTelemetry.
//!
//! In: what the daemon tells, and what the state knows of a run's stages. Out: spans, by OTLP over HTTP, to where the standard variables
//! say. Spans are made when a run is at its end, from what was written down, so that a run of several processes is one trace. A
//! collector that is away loses spans and disturbs nothing. <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, Key, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter, SpanLinks};
use ring::digest::{SHA256, digest};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::told::Told;
use crate::app::error::Error;
use crate::http::spans::SpanSender;
use crate::model::outcome;
use crate::run::report::Report;
use crate::store::place::Place;
use crate::store::runs::{Run, Stage};
use crate::store::state::State;

/// Runs whose spans wait to be sent; beyond that they are lost.
const WAITING_AT_MOST: usize = 256;
/// How long the last spans may take when the daemon has stopped.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Where spans go.
pub struct Collector {
    /// Its whole URL; where there is none the standard variables say.
    pub endpoint: Option<String>,
    /// How long a request may take.
    pub timeout: Duration,
    /// Authorities to trust beside the public ones, as PEM.
    pub authorities: Option<Arc<str>>,
    /// The state whose runs they are of.
    pub place: Place,
}

/// What hears of runs that end.
pub struct Traces {
    queue: Sender<(Option<String>, Box<Report>)>,
    sending: tokio::task::JoinHandle<()>,
}

impl Traces {
    /// Begins to send. `lost` is told when spans are lost: the first time, and again after some have arrived.
    ///
    /// # Errors
    /// If there is no such address, or TLS cannot be set up.
    pub fn begin(to: Collector, lost: impl Fn(String) + Send + 'static) -> Result<Self, Error> {
        let wrong = |why: String| Error::Usage(format!("traces cannot be sent: {why}"));
        let sender =
            SpanSender::new(to.timeout, to.authorities.as_deref()).map_err(|error| wrong(error.to_string()))?;
        let mut builder = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(to.timeout);
        if let Some(endpoint) = &to.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let mut exporter = builder.build().map_err(|error| wrong(error.to_string()))?;
        exporter.set_resource(&resource());
        let (queue, waiting) = channel(WAITING_AT_MOST);
        let sending = tokio::spawn(send(exporter, waiting, to.place, lost));
        Ok(Self { queue, sending })
    }

    /// Hears what happened. A run that waits is sent when it has ended.
    pub fn hear(&self, told: &Told) {
        if let Told::Ended { chain, report, .. } = told
            && !report.status.is_waiting()
        {
            // A collector that takes nothing for so many runs gets none of this one.
            let _ = self.queue.try_send((chain.clone(), report.clone()));
        }
    }

    /// Sends what waits, for a short while.
    pub async fn end(self) {
        drop(self.queue);
        let _ = tokio::time::timeout(LAST_WORDS, self.sending).await;
    }
}

async fn send(
    exporter: impl SpanExporter,
    mut waiting: Receiver<(Option<String>, Box<Report>)>,
    place: Place,
    lost: impl Fn(String),
) {
    let mut was_lost = false;
    while let Some((chain, report)) = waiting.recv().await {
        let (place, run) = (place.clone(), report.run.clone());
        let known = tokio::task::spawn_blocking(move || State::look(&place)?.map_or(Ok(None), |state| state.run(&run)));
        let Ok(Ok(Some((run, stages)))) = known.await else { continue };
        match exporter.export(spans(&run, chain.as_deref(), &stages, &report)).await {
            Ok(()) => was_lost = false,
            Err(error) if !was_lost => {
                was_lost = true;
                lost(format!("the spans of run {} are lost: {error}", report.run));
            }
            Err(_) => {}
        }
    }
}

/// Whose spans they are: what the standard variables say, else `ferry`.
fn resource() -> Resource {
    let named = Resource::builder().build();
    let name = named.get(&Key::new("service.name")).map(|name| name.to_string()).unwrap_or_default();
    let builder = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if name.starts_with("unknown_service") { builder.with_service_name("ferry").build() } else { builder.build() }
}

/// The span of a run, then those of its stages.
fn spans(run: &Run, chain: Option<&str>, stages: &[Stage], report: &Report) -> Vec<SpanData> {
    let started = moment(&run.started).unwrap_or_else(Utc::now);
    let ended = run.ended.as_deref().and_then(moment).unwrap_or_else(Utc::now);
    // The same in each process that works on the run, and another in each home.
    let trace = digest(&SHA256, format!("{}\n{}\n{}", run.id, run.job, run.started).as_bytes());
    let trace_id = TraceId::from(u128::from_be_bytes(first(trace.as_ref())));
    let id = |number: usize| {
        SpanId::from(u64::from_be_bytes(first(digest(&SHA256, format!("{trace_id}{number}").as_bytes()).as_ref())))
    };
    let context = |number| SpanContext::new(trace_id, id(number), TraceFlags::SAMPLED, false, TraceState::default());
    let status = match report.status {
        outcome::Status::Success | outcome::Status::Partial => Status::Ok,
        other => Status::error(other.word()),
    };
    let mut all = vec![span(context(0), SpanId::INVALID, "run", (started, ended), of_run(run, chain, report), status)];
    for (number, stage) in stages.iter().enumerate() {
        let began = moment(&stage.started).unwrap_or(started);
        let until = Duration::try_from_secs_f64(stage.seconds).map_or(began, |long| began + long);
        let attributes = vec![KeyValue::new("ferry.rows", stage.rows)];
        all.push(span(context(number + 1), id(0), &stage.name, (began, until), attributes, Status::Unset));
    }
    all
}

fn of_run(run: &Run, chain: Option<&str>, report: &Report) -> Vec<KeyValue> {
    let number = |key: &'static str, n: u64| KeyValue::new(key, i64::try_from(n).unwrap_or(i64::MAX));
    let mut attributes = vec![
        KeyValue::new("ferry.run", run.id.clone()),
        KeyValue::new("ferry.job", run.job.clone()),
        KeyValue::new("ferry.status", report.status.word()),
        number("ferry.rows.read", report.counts.read),
        number("ferry.rows.written", report.counts.sent()),
        number("ferry.rows.failed", report.counts.failed()),
        number("ferry.calls.dynamics", report.calls.dynamics),
        number("ferry.calls.gainsight", report.calls.gainsight),
    ];
    attributes.extend(chain.map(|chain| KeyValue::new("ferry.chain", chain.to_owned())));
    attributes
}

fn span(
    span_context: SpanContext,
    parent_span_id: SpanId,
    name: &str,
    (started, ended): (DateTime<Utc>, DateTime<Utc>),
    attributes: Vec<KeyValue>,
    status: Status,
) -> SpanData {
    SpanData {
        span_context,
        parent_span_id,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.to_owned().into(),
        start_time: SystemTime::from(started),
        end_time: SystemTime::from(ended.max(started)),
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status,
        instrumentation_scope: InstrumentationScope::builder("ferry").with_version(env!("CARGO_PKG_VERSION")).build(),
    }
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// The first bytes of a digest, which is longer than any identifier.
fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut first = [0; N];
    first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    first
}
