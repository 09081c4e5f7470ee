//! What the daemon answers over HTTP: `/healthz`, `/readyz`, `/metrics`. Read only, and nothing of rows or secrets.
//!
//! In: a listener, and what watches. Out: answers, until the future is dropped. On an address of this machine it answers only to those
//! who name such an address as the host: a page in somebody's browser that had its own name lead here reads nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State as Given};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::connections::Bounded;
use super::health::Health;
use super::measured::{Measured, join, measure};
use super::metrics::Metrics;
use crate::app::error::Error;
use crate::model::clock::Clock;
use crate::store::place::Place;

/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long a connection may stay, asked or not.
pub const STAYS_AT_MOST: Duration = Duration::from_secs(60);

/// What is answered from.
pub struct Answers {
    /// Whether it is alive and ready.
    pub health: Arc<Health>,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The state that is looked at.
    pub place: Place,
    /// The time.
    pub clock: Clock,
    /// How long a connection may stay: [`STAYS_AT_MOST`].
    pub stays: Duration,
}

struct Desk {
    answers: Answers,
    is_here: bool,
    /// One at a time looks at the state.
    looking: Mutex<()>,
}

/// Answers until it is dropped.
///
/// # Errors
/// If the listener has no address.
pub async fn answer(listener: TcpListener, answers: Answers) -> Result<(), std::io::Error> {
    let stays = answers.stays;
    let is_here = listener.local_addr()?.ip().is_loopback();
    let desk = Arc::new(Desk { answers, is_here, looking: Mutex::default() });
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .layer(from_fn_with_state(Arc::clone(&desk), only_here))
        .with_state(desk);
    axum::serve(Bounded::new(listener, stays), router).await
}

/// Keeps out whoever names another host, where the address is one of this machine.
async fn only_here(Given(desk): Given<Arc<Desk>>, request: Request, next: Next) -> Response {
    if desk.is_here && !names_this_machine(request.headers()) {
        return (StatusCode::MISDIRECTED_REQUEST, "this host is not served here\n").into_response();
    }
    next.run(request).await
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn healthz(Given(desk): Given<Arc<Desk>>) -> Response {
    verdict(desk.answers.health.hangs())
}

async fn readyz(Given(desk): Given<Arc<Desk>>) -> Response {
    match desk.answers.health.is_not_ready() {
        Some(why) => verdict(Some(why)),
        None => verdict(desk.joined().await.is_err().then_some("the state cannot be used")),
    }
}

async fn metrics(Given(desk): Given<Arc<Desk>>) -> Response {
    // What is counted is worth more than nothing, where the state cannot be read.
    let measured = desk.measured().await.unwrap_or_default();
    ([(header::CONTENT_TYPE, PROMETHEUS)], desk.answers.metrics.text(&measured)).into_response()
}

fn verdict(why_not: Option<&'static str>) -> Response {
    match why_not {
        None => "ok\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

impl Desk {
    async fn joined(&self) -> Result<(), Error> {
        let _alone = self.looking.lock().await;
        let place = self.answers.place.clone();
        blocking(move || join(&place)).await
    }

    async fn measured(&self) -> Result<Measured, Error> {
        let _alone = self.looking.lock().await;
        let (place, clock, budgets) = (self.answers.place.clone(), self.answers.clock, self.answers.metrics.budgets());
        blocking(move || measure(&place, clock, &budgets)).await
    }
}

async fn blocking<T: Send + 'static>(look: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let looked = tokio::task::spawn_blocking(look).await;
    looked.unwrap_or_else(|error| Err(Error::Usage(format!("nothing was looked at: {error}"))))
}
