//! The HTTP loop that both services share: it turns a request into an [`Ask`], lets the service answer, and logs.
//!
//! It knows nothing of either service. In: a listener and a service. Out: replies on the wire and entries in the log.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::assumptions::{LARGEST_BODY, LARGEST_IMPORT};
use super::calls::{Call, CallLog, Service};
use super::clock::Clock;
use super::faults::{Close, Effect, Fault, Faults, Strike, breaking, spoil};
use super::holds::Holds;
use super::tls::TlsListener;

/// A request, read completely.
pub(in crate::sandbox) struct Ask {
    pub(in crate::sandbox) method: String,
    pub(in crate::sandbox) path: String,
    pub(in crate::sandbox) query: String,
    pub(in crate::sandbox) headers: HeaderMap,
    pub(in crate::sandbox) body: Bytes,
    /// What strikes the request; the service itself heeds only what needs its own data.
    pub(in crate::sandbox) strike: Strike,
}

impl Ask {
    pub(in crate::sandbox) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The decoded value of a query parameter.
    pub(in crate::sandbox) fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into())
    }
}

/// An answer, with what the log needs to know of it.
pub(in crate::sandbox) struct Reply {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) headers: Vec<(&'static str, String)>,
    pub(in crate::sandbox) body: Vec<u8>,
    pub(in crate::sandbox) write: bool,
    pub(in crate::sandbox) records: usize,
    /// Where the connection breaks, if a fault wants it to.
    pub(in crate::sandbox) breaks: Option<Breaks>,
}

/// Where in an answer a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Breaks {
    /// Before anything of it is sent.
    Unanswered,
    /// After so many bytes of the body.
    After(usize),
}

impl Reply {
    pub(in crate::sandbox) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Reply { status, headers, body: body.into(), write: false, records: 0, breaks: None }
    }

    pub(in crate::sandbox) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(in crate::sandbox) fn writing(mut self, records: usize) -> Self {
        self.write = true;
        self.records = if self.status < 300 { records } else { 0 };
        self
    }
}

/// A service that answers requests.
pub(in crate::sandbox) trait Answering: Send + Sync + 'static {
    fn service(&self, ask: &Ask) -> Service;
    fn answer(&self, ask: &Ask) -> Reply;
    /// The service's own way of failing with a status.
    fn fail(&self, ask: &Ask, fault: &Fault) -> Reply;
}

/// What one port needs to answer.
pub(in crate::sandbox) struct Port {
    pub(in crate::sandbox) service: Arc<dyn Answering>,
    pub(in crate::sandbox) log: Arc<CallLog>,
    pub(in crate::sandbox) faults: Arc<Faults>,
    pub(in crate::sandbox) holds: Arc<Holds>,
    pub(in crate::sandbox) clock: Clock,
    /// What passes before a request is answered.
    pub(in crate::sandbox) latency: Duration,
}

/// Serves until told to stop; requests under way are answered first.
pub(in crate::sandbox) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    port: Port,
    mut stop: watch::Receiver<bool>,
) {
    let router = Router::new().fallback(handle).with_state(Arc::new(port));
    let stopped = async move {
        let _closed_counts_as_stop = stop.wait_for(|stop| *stop).await;
    };
    // The only errors here come from single connections, and their clients see those themselves.
    let _ended = match tls {
        Some(tls) => axum::serve(TlsListener::new(listener, tls), router).with_graceful_shutdown(stopped).await,
        None => axum::serve(listener, router).with_graceful_shutdown(stopped).await,
    };
}

async fn handle(State(port): State<Arc<Port>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let _under_way = port.log.begin();
    if !port.latency.is_zero() {
        tokio::time::sleep(port.latency).await;
    }
    let largest = if head.uri.path().ends_with("/bulkimport") { LARGEST_IMPORT } else { LARGEST_BODY };
    let body = to_bytes(body, largest).await;
    let too_large = body.is_err();
    let mut ask = Ask {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or("").to_owned(),
        headers: head.headers,
        body: body.unwrap_or_default(),
        strike: Strike::default(),
    };
    let path = head.uri.path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
    port.holds.pass(port.service.service(&ask), &ask.method, &ask.path).await;
    ask.strike = port.faults.next(port.service.service(&ask), &ask).unwrap_or_default();
    let latency = ask.strike.latency;
    if let (Some(&Effect::Late(late)), false) = (ask.strike.effect.as_ref(), too_large) {
        let reply = spoil(unavailable(&port, &ask), &Effect::Close(Close::After), &path);
        // The work waits apart, so that it is done although the client goes away in the meantime.
        let place = log(&port, &ask, path, &reply);
        tokio::spawn(carry_out_late(Arc::clone(&port), ask, late, place));
        tokio::time::sleep(latency).await;
        return response(dated(reply, &port.clock));
    }
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let reply = answered(&port, &ask, too_large);
    let reply = match &ask.strike.effect {
        Some(effect) => spoil(reply, effect, &path),
        None => reply,
    };
    log(&port, &ask, path, &reply);
    response(dated(reply, &port.clock))
}

/// The reply with the time that the service takes it to be.
fn dated(reply: Reply, clock: &Clock) -> Reply {
    reply.with("date", clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn answered(port: &Port, ask: &Ask, too_large: bool) -> Reply {
    match &ask.strike.effect {
        Some(Effect::Fail(fault) | Effect::Page(fault) | Effect::Text(fault, _)) => port.service.fail(ask, fault),
        Some(Effect::Close(Close::Before)) => unavailable(port, ask),
        _ if too_large => Reply::new(413, "text/plain", "Request Entity Too Large"),
        _ => port.service.answer(ask),
    }
}

/// A reply that stands for none: nobody sees it, but it knows whether the request asks for a change.
fn unavailable(port: &Port, ask: &Ask) -> Reply {
    port.service.fail(ask, &Fault { status: 503, ..Fault::default() })
}

async fn carry_out_late(port: Arc<Port>, ask: Ask, late: Duration, place: usize) {
    tokio::time::sleep(late).await;
    let reply = port.service.answer(&ask);
    port.log.carried_out(place, reply.records);
}

fn log(port: &Port, ask: &Ask, path: String, reply: &Reply) -> usize {
    port.log.add(Call {
        service: port.service.service(ask),
        method: ask.method.clone(),
        path,
        status: if reply.breaks == Some(Breaks::Unanswered) { 0 } else { reply.status },
        write: reply.write,
        records: reply.records,
    })
}

fn response(reply: Reply) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    match reply.breaks {
        Some(breaks) => breaking(response, reply.body, breaks),
        None => {
            *response.body_mut() = Body::from(reply.body);
            response
        }
    }
}
