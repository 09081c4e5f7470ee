//! On what terms a client talks: how long it waits, by which clock, and whose certificates it takes.
//!
//! In: a connection and the setting of this machine. Out: plain data that clients of one connection share. Verification is
//! never switched off; who trusts an authority of his own names its certificate.

use std::sync::Arc;
use std::time::Duration;

use crate::model::clock::Clock;
use crate::model::connection::Connection;

/// The environment variable that names a file of certificates, as PEM, of authorities to trust beside the public ones.
pub const VARIABLE: &str = "FERRY_CA_FILE";

/// How long a call waits for a window of a budget at the most, and by default. The ledger counts with it: whoever finds a call without an
/// answer has to know how late it may have been sent.
pub const MAX_WAIT: Duration = Duration::from_secs(600);

/// How a client talks.
#[derive(Clone)]
pub struct Terms {
    /// How long one request may take, from its first byte to the last of its answer.
    pub timeout: Duration,
    /// The time.
    pub clock: Clock,
    /// How long a call may wait for a window of a budget to open.
    pub max_wait: Duration,
    /// Authorities to trust beside the public ones, as PEM.
    pub authorities: Option<Arc<str>>,
}

impl Terms {
    /// The terms of a connection.
    #[must_use]
    pub fn of(connection: &Connection, clock: Clock, authorities: Option<Arc<str>>) -> Self {
        let timeout = Duration::from_secs(u64::from(connection.limits.call_timeout_seconds));
        Self { timeout, clock, max_wait: MAX_WAIT, authorities }
    }

    /// Terms without an authority of one's own.
    #[must_use]
    pub fn new(timeout: Duration, clock: Clock) -> Self {
        Self { timeout, clock, max_wait: MAX_WAIT, authorities: None }
    }
}
