//! The right to follow the schedules of a state: one process's at a time.
//!
//! Of a file it is a lock of the operating system's beside it, which ends with the process. Of a server it is a lease, as the home's is:
//! it runs out where its owner is gone or cut off. In: a place. Out: the right, as long as it is held.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::error::{Error, Result, disk};
use super::lease::SCHEDULES;
use super::place::Place;
use super::state::State;
use super::tenure::Tenure;

/// The right to follow the schedules.
pub struct Following(Right);

enum Right {
    Locked { _lock: File },
    Leased(Tenure),
}

impl Following {
    /// Takes it; the folder is the home's.
    ///
    /// # Errors
    /// If another process has it, or the disk or the server says no.
    pub fn take(root: &Path, place: &Place) -> Result<Self> {
        let Place::Server(server) = place else { return Self::locked(root) };
        let taken = || -> Result<Self> {
            let state = State::join(place)?;
            let since = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            if let Some(tenure) = Tenure::take(server, &state.database, SCHEDULES, &since)? {
                return Ok(Self(Right::Leased(tenure)));
            }
            let holder = state.holder_of(SCHEDULES)?.map(|holder| holder.words()).unwrap_or_default();
            Err(Error::Followed { path: place.to_string().into(), holder })
        };
        taken().map_err(|error| error.at(place))
    }

    fn locked(root: &Path) -> Result<Self> {
        let path = root.join("serve.lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(disk("cannot create", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(Right::Locked { _lock: lock })),
            Err(TryLockError::WouldBlock) => Err(Error::Followed { path: root.to_owned(), holder: String::new() }),
            Err(TryLockError::Error(source)) => Err(Error::Disk { what: "cannot lock", path, source }),
        }
    }

    /// Whether it is still held: a lease may have run out while the server was away.
    #[must_use]
    pub fn is_held(&self) -> bool {
        match &self.0 {
            Right::Locked { .. } => true,
            Right::Leased(tenure) => tenure.is_held(),
        }
    }
}
