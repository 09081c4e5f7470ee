//! Where a PostgreSQL server is, and how it is reached: from a URL, with TLS unless it is on this machine.
//!
//! In: a URL as libpq takes it, and a password where the URL has none. Out: connections. Whatever is shown of it is without the password.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{Failure, Why};
use super::pool::{Pool, Pooled};
use super::tls::to_trust;
use super::worker::{CONNECT_WITHIN, STATEMENT_WITHIN, Sent, Worker};
use crate::model::secret::Secret;

/// How long a lease lasts that is not renewed: its owner may begin a call with two thirds of it left, which is the minute that a call may take.
const LEASE: Duration = Duration::from_secs(90);
/// How long a lease may be said to last.
const LEASE_SECONDS: std::ops::RangeInclusive<u64> = 2..=3600;
/// What the lease's length is called in the URL. It is ours, and not sent.
const LEASE_PARAMETER: &str = "lease_seconds=";
/// How long the connection may be silent before the network is asked whether it is there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// A server, with the connections to it that are at rest.
#[derive(Clone)]
pub struct Server(Arc<Reached>);

struct Reached {
    config: Config,
    tls: MakeRustlsConnect,
    shown: String,
    lease: Duration,
    pool: Arc<Pool>,
}

impl Server {
    /// A server by its URL: `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE`, <https://www.postgresql.org/docs/current/libpq-connect.html>.
    /// `authorities` are trusted beside the public ones, as PEM.
    ///
    /// # Errors
    /// If the URL is none, or would send the password and everything else in the clear.
    pub fn of(url: &Secret, password: Option<&Secret>, authorities: Option<&str>) -> Result<Self, Failure> {
        let unusable =
            |why: &str| Failure::of(Why::Other, format!("--state is no URL of a PostgreSQL database: {why}"));
        let (url, lease) = without_lease(url.expose()).map_err(|why| unusable(&why))?;
        // The driver names what it does not understand, never a value.
        let parsed = url.expose().parse::<Config>();
        let mut config = parsed.map_err(|_| unusable("write postgres://USER@HOST:PORT/DATABASE"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(unusable("it names no host"));
        }
        if let Some(password) = password.filter(|_| config.get_password().is_none()) {
            config.password(password.expose());
        }
        let shown = shown(&config);
        if is_here(&config) {
            // What never leaves this machine goes as it is, unless somebody wants otherwise.
            if config.get_ssl_mode() == SslMode::Prefer {
                config.ssl_mode(SslMode::Disable);
            }
        } else if config.get_ssl_mode() == SslMode::Disable {
            let words = format!("{shown} is not this machine, and sslmode=disable would send everything in the clear");
            return Err(Failure::of(Why::Unprotected, words));
        } else {
            config.ssl_mode(SslMode::Require);
        }
        if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            // Of several servers all but one are standbys.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_application_name().is_none() {
            config.application_name("ferry");
        }
        config.connect_timeout(CONNECT_WITHIN).keepalives_idle(KEEPALIVE_AFTER).tcp_user_timeout(KEEPALIVE_AFTER);
        let tls = to_trust(authorities)?;
        Ok(Self(Arc::new(Reached { config, tls, shown, lease, pool: Arc::default() })))
    }

    /// How long a lease lasts that is not renewed.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.0.lease
    }

    /// A connection, made or taken from those at rest.
    pub(super) fn connection(&self) -> Result<Pooled, Failure> {
        self.0.pool.take(|| self.made())
    }

    fn made(&self) -> Result<Worker, Failure> {
        let worker = Worker::connect(self.0.config.clone(), self.0.tls.clone())?;
        let millis = STATEMENT_WITHIN.as_millis();
        // A process that is stopped in the middle of a change must not keep everybody else out: the server ends its connection.
        let settings = [
            format!("SET statement_timeout = {millis}"),
            format!("SET lock_timeout = {millis}"),
            format!("SET idle_in_transaction_session_timeout = {millis}"),
            "SET default_transaction_isolation = 'read committed'".to_owned(),
            "SET client_min_messages = warning".to_owned(),
            "SELECT current_setting('synchronous_commit'), current_setting('server_encoding')".to_owned(),
        ];
        let answers = worker.ask(settings.iter().map(|one| Sent::of(one, &[])).collect())?;
        let told = answers.last().and_then(|answer| answer.rows.first());
        let setting = |at: usize| told.and_then(|row| row.try_get::<_, String>(at).ok()).unwrap_or_default();
        if setting(0) == "off" {
            return Err(Failure::of(Why::Unsafe, "its synchronous_commit is off"));
        }
        if setting(1) != "UTF8" {
            return Err(Failure::of(Why::Encoding, format!("its database keeps texts in {}", setting(1))));
        }
        Ok(worker)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.shown)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The URL for the driver, and how long a lease is to last.
fn without_lease(url: &str) -> Result<(Secret, Duration), String> {
    let Some((place, query)) = url.split_once('?') else { return Ok((Secret::new(url.to_owned()), LEASE)) };
    let mut lease = LEASE;
    let mut others = Vec::new();
    for one in query.split('&') {
        let Some(seconds) = one.strip_prefix(LEASE_PARAMETER) else {
            others.push(one);
            continue;
        };
        let seconds = seconds.parse().ok().filter(|seconds| LEASE_SECONDS.contains(seconds));
        lease = seconds.map(Duration::from_secs).ok_or_else(|| {
            format!("lease_seconds is a number from {} to {}", LEASE_SECONDS.start(), LEASE_SECONDS.end())
        })?;
    }
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    Ok((Secret::new(format!("{place}{query}")), lease))
}

/// Whether nothing leaves this machine: every host is a socket of the file system, or an address of loopback.
fn is_here(config: &Config) -> bool {
    let is_here = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

fn shown(config: &Config) -> String {
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    };
    let hosts: Vec<String> = config.get_hosts().iter().map(host).collect();
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let port = config.get_ports().first().map(|port| format!(":{port}")).unwrap_or_default();
    format!("postgres://{user}{}{port}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}
