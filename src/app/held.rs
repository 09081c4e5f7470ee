//! A home that this process has, with its state open for writing. Whoever runs something needs it; it is left when it is dropped.

use std::time::{Duration, Instant};

use super::error::Error;
use super::workspace::Setting;
use crate::run::progress::{Event, Progress};
use crate::store::error::Error as StoreError;
use crate::store::home::Home;
use crate::store::state::State;

/// How often a home that another process has is tried again.
const TRIED_AGAIN: Duration = Duration::from_millis(250);

/// The home and its state.
pub struct Held {
    // Dropped in this order: the state is closed before the home is left.
    /// The ledger.
    pub state: State,
    /// The folder.
    pub home: Home,
}

impl Held {
    /// Takes the home; waits for another process to leave it as long as the setting allows.
    ///
    /// # Errors
    /// If another process has it for longer, or it cannot be used.
    pub async fn take(setting: &Setting, progress: &Progress) -> Result<Self, Error> {
        let since = Instant::now();
        let mut is_told = false;
        loop {
            match Self::at_once(setting) {
                Err(Error::Run(crate::run::error::Error::Store(busy @ StoreError::Busy { .. }))) => {
                    if setting.patience.is_none_or(|patience| since.elapsed() >= patience) {
                        return Err(busy.into());
                    }
                    if !std::mem::replace(&mut is_told, true) {
                        progress(Event::Notice(format!("waiting: {busy}")));
                    }
                    setting.clock.sleep(TRIED_AGAIN).await;
                }
                taken => return taken,
            }
        }
    }

    /// Takes the home now or not at all.
    ///
    /// # Errors
    /// If another process has it, or it cannot be used.
    pub fn at_once(setting: &Setting) -> Result<Self, Error> {
        let home = Home::open(&setting.home)?;
        let state = State::open(setting.place())?;
        let home = match &setting.runs {
            Some(bucket) => home.with_runs_in(bucket.clone(), state.birth(setting.clock.now().timestamp_millis())?),
            None => home,
        };
        Ok(Self { state, home })
    }
}
