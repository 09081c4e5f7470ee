//! A lease in a server: taken for a time, renewed by a heartbeat as long as its owner lives, given back at the end.
//!
//! Two clocks are looked at, and never compared. Whether a lease has run out says the database's clock, to whoever wants to take it over.
//! Whether its owner may still rely on it, he says himself: by a clock of his machine that nobody sets and that goes on while the
//! machine sleeps, from before the last renewal was asked for, so that he gives up before the other may begin. In: a server, a name. Out: the
//! epoch, and whether it is still held.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::database::{Connection, OptionalExtension, Server, Transaction, params};
use super::error::{Error, Result};
use super::lease::{machine, process};

/// A lease is renewed so often within its length: 90 seconds, each 20.
const BEATS: f64 = 4.5;
/// How much of a lease must be left for a call to begin: of 90 seconds the 60 that a call may take.
const OUTLIVES: f64 = 2.0 / 3.0;
/// A renewal that failed is tried again so much sooner.
const SOONER: u32 = 10;

const TAKE: &str = "INSERT INTO lease (name, epoch, process, since, machine, expires)
    VALUES (?1, 1, ?2, ?3, ?4, clock_timestamp() + ?5 * interval '1 millisecond')
    ON CONFLICT (name) DO UPDATE SET epoch = lease.epoch + 1, process = excluded.process, since = excluded.since,
        machine = excluded.machine, expires = excluded.expires
    WHERE lease.expires IS NULL OR lease.expires <= clock_timestamp() RETURNING epoch";
const RENEW: &str =
    "UPDATE lease SET expires = clock_timestamp() + ?3 * interval '1 millisecond' WHERE name = ?1 AND epoch = ?2";
const RENEW_LATE: &str = "UPDATE lease SET expires = clock_timestamp() + ?3 * interval '1 millisecond'
    WHERE name = ?1 AND epoch = ?2 AND expires < clock_timestamp() + ?4 * interval '1 millisecond'";
const GIVE_BACK: &str = "UPDATE lease SET expires = clock_timestamp() WHERE name = ?1 AND epoch = ?2";

/// A lease that is held.
pub(super) struct Tenure {
    held: Arc<Held>,
    /// Dropped, it ends the heartbeat.
    _beat: Sender<()>,
}

struct Held {
    server: Server,
    name: &'static str,
    epoch: i64,
    /// Before the last renewal that worked was asked for, on the clock of [`now_ms`].
    renewed_ms: AtomicU64,
    is_lost: AtomicBool,
    /// Whether it was given back. Held while a lease is renewed, so that none is renewed behind that.
    is_over: Mutex<bool>,
}

impl Tenure {
    /// Takes a lease; none if somebody has it.
    ///
    /// # Errors
    /// If the server says no.
    pub(super) fn take(
        server: &Server,
        connection: &Connection,
        name: &'static str,
        since: &str,
    ) -> Result<Option<Self>> {
        let asked_ms = now_ms();
        let params = params![name, process(), since, machine(), millis(server.lease())];
        let Some(epoch) = connection.query_row(TAKE, params, |row| row.get(0)).optional()? else { return Ok(None) };
        let held = Arc::new(Held {
            server: server.clone(),
            name,
            epoch,
            renewed_ms: AtomicU64::new(asked_ms),
            is_lost: AtomicBool::new(false),
            is_over: Mutex::new(false),
        });
        let (stop, stopped) = channel::<()>();
        let beating = Arc::clone(&held);
        let beat = move || {
            let pause = beating.pause();
            let mut next = pause;
            while stopped.recv_timeout(next) == Err(RecvTimeoutError::Timeout) {
                match beating.renew() {
                    Ok(()) => next = pause,
                    Err(Error::OwnershipLost) => return,
                    // The server may come back before the lease has run out.
                    Err(_) => next = pause / SOONER,
                }
            }
        };
        let spawned = std::thread::Builder::new().name("lease".to_owned()).spawn(beat);
        spawned.map_err(super::error::disk("cannot begin a thread for the lease in", std::path::Path::new("")))?;
        Ok(Some(Self { held, _beat: stop }))
    }

    pub(super) fn epoch(&self) -> i64 {
        self.held.epoch
    }

    /// That it is held for longer than a call may take, renewed if need be.
    ///
    /// # Errors
    /// If it is another's, or the server does not say whose it is.
    pub(super) fn outlives_a_call(&self) -> Result<()> {
        if self.held.is_lost.load(Ordering::SeqCst) {
            return Err(Error::OwnershipLost);
        }
        let lease = self.held.server.lease();
        let age = now_ms().saturating_sub(self.held.renewed_ms.load(Ordering::SeqCst));
        let left = lease.saturating_sub(Duration::from_millis(age));
        if left >= lease.mul_f64(OUTLIVES) { Ok(()) } else { self.held.renew() }
    }

    /// Renews it within a change that has locked its row, behind what the change does, if the heartbeat is late by then: nobody takes it
    /// over before the change is kept, nor right after. Its owner goes on counting from his own last renewal.
    ///
    /// # Errors
    /// If the server says no.
    pub(super) fn renew_within(&self, change: &Transaction<'_>) -> Result<()> {
        let Held { server, name, epoch, .. } = &*self.held;
        let lease = server.lease();
        let left = lease.saturating_sub(self.held.pause());
        change.queue(RENEW_LATE, params![name, epoch, millis(lease), millis(left)])
    }

    /// Whether it is held at this moment, without asking the server.
    pub(super) fn is_held(&self) -> bool {
        let age = now_ms().saturating_sub(self.held.renewed_ms.load(Ordering::SeqCst));
        !self.held.is_lost.load(Ordering::SeqCst) && Duration::from_millis(age) < self.held.server.lease()
    }
}

impl Held {
    /// How long after one heartbeat the next comes.
    fn pause(&self) -> Duration {
        self.server.lease().div_f64(BEATS)
    }

    fn renew(&self) -> Result<()> {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_over {
            return Err(Error::OwnershipLost);
        }
        let asked_ms = now_ms();
        let connection = Connection::reach(&self.server)?;
        let renewed = connection.execute(RENEW, params![self.name, self.epoch, millis(self.server.lease())])?;
        if renewed == 0 {
            self.is_lost.store(true, Ordering::SeqCst);
            return Err(Error::OwnershipLost);
        }
        self.renewed_ms.store(asked_ms, Ordering::SeqCst);
        Ok(())
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        *self.held.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        if !self.held.is_lost.load(Ordering::SeqCst)
            && let Ok(connection) = Connection::reach(&self.held.server)
        {
            // Where the server is away, it runs out by itself.
            let _given_back = connection.execute(GIVE_BACK, params![self.held.name, self.held.epoch]);
        }
    }
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds on a clock of this machine that nobody sets, and that goes on while it sleeps.
#[cfg(target_os = "linux")]
fn now_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}

/// The same where there is no such clock: this one may stand still while the machine sleeps. What is sent after that is held off by the
/// epoch alone, which is looked at right before.
#[cfg(not(target_os = "linux"))]
fn now_ms() -> u64 {
    use std::sync::OnceLock;
    static SINCE: OnceLock<std::time::Instant> = OnceLock::new();
    let since = SINCE.get_or_init(std::time::Instant::now);
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
