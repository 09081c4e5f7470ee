//! Where a scheduler is. Rows go along, so anything but this machine is asked with TLS only.

use std::time::Duration;

use tonic::codegen::Service;
use tonic::codegen::http::{Request, StatusCode};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use url::Url;

use super::bounds::Bounds;
use super::error::{Error, beginning};
use crate::model::connection::is_loopback;

/// The port of a scheduler, where none is said.
pub const SCHEDULER_PORT: u16 = 50_050;
/// How a scheduler of the version that we speak calls itself. <https://docs.rs/ballista-scheduler/55.0.0>
const SERVER: &str = "ballista/55.";
/// The version that we speak.
pub(super) const VERSION: &str = "55";
/// Between two beats on a connection that is idle.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The address of a scheduler.
#[derive(Debug, Clone)]
pub struct Address {
    url: Url,
}

impl Address {
    /// Reads an address: `http://127.0.0.1:50050`, `https://ballista.acme.example:443`.
    ///
    /// # Errors
    /// If it is none, or leads elsewhere without TLS.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Address { url: text.to_owned(), why: why.to_owned() };
        let form = "write it as http://127.0.0.1:50050, or as https://HOST:PORT";
        let mut url = Url::parse(text).map_err(|_| wrong(form))?;
        let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || !is_plain || url.host().is_none() {
            return Err(wrong(form));
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(wrong(
                "rows would cross the network without TLS; write it with https, or lead a tunnel (such as `ssh -L`) to an address of this machine",
            ));
        }
        if url.port().is_none() && url.scheme() == "http" {
            url.set_port(Some(SCHEDULER_PORT)).map_err(|()| wrong(form))?;
        }
        Ok(Self { url })
    }

    /// As it is shown.
    #[must_use]
    pub fn shown(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }

    /// Whether it is asked with TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Host and port.
    pub(super) fn host_and_port(&self) -> (String, u16) {
        let port = self.url.port_or_known_default().unwrap_or(SCHEDULER_PORT);
        (self.url.host_str().unwrap_or_default().to_owned(), port)
    }

    /// A connection; that somebody answers does not say who it is.
    pub(super) async fn connect(&self, bounds: &Bounds) -> Result<Channel, Error> {
        let away = |reason: String| Error::Away { url: self.shown(), reason };
        let endpoint = Endpoint::from_shared(self.shown()).map_err(|e| away(e.to_string()))?;
        let endpoint = endpoint
            .connect_timeout(bounds.connect)
            .timeout(bounds.answer)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(bounds.answer)
            .keep_alive_while_idle(true);
        let endpoint =
            if self.is_tls() { endpoint.tls_config(tls()).map_err(|e| away(e.to_string()))? } else { endpoint };
        match tokio::time::timeout(bounds.connect, endpoint.connect()).await {
            Ok(connected) => connected.map_err(|error| away(innermost(&error))),
            Err(_) => Err(Error::Silent { url: self.shown(), what: "was connected to", after: bounds.connect }),
        }
    }

    /// Asks whether a scheduler of our version is there, and whether it has executors.
    pub(super) async fn has_executors(&self, channel: &Channel, bounds: &Bounds) -> Result<bool, Error> {
        let other = |reason: String| Error::Other { url: self.shown(), version: VERSION, reason };
        let mut channel = channel.clone();
        let asked = async {
            std::future::poll_fn(|context| channel.poll_ready(context)).await?;
            let request = Request::get(format!("{}/readyz", self.shown())).body(tonic::body::Body::default());
            channel.call(request.unwrap_or_default()).await
        };
        let silent = || Error::Silent { url: self.shown(), what: "was asked for its executors", after: bounds.answer };
        let answer = tokio::time::timeout(bounds.answer, asked).await.map_err(|_| silent())?;
        let answer = answer.map_err(|error| match innermost(&error) {
            reason if reason.contains("timeout") || reason.contains("Timeout") => silent(),
            reason => other(beginning(&reason)),
        })?;
        let server = answer.headers().get("server").and_then(|name| name.to_str().ok()).unwrap_or("no name");
        if !server.starts_with(SERVER) {
            return Err(other(format!("it says {} and calls itself {}", answer.status(), beginning(server))));
        }
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::SERVICE_UNAVAILABLE => Ok(false),
            status => Err(other(format!("it says {status} when asked whether it is ready"))),
        }
    }
}

/// The public authorities.
pub(super) fn tls() -> ClientTlsConfig {
    ClientTlsConfig::new().with_enabled_roots()
}

/// The last cause of an error, which is the system's own.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
