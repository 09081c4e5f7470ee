//! What a daemon waits for before it begins: the right to follow the schedules, and definitions that are right.
//!
//! In: a setting, and a word to stop. Out: both, or nothing where it is asked to stop first. It says in each tick that it is alive.

use tokio::sync::watch;

use super::activation::status_of;
use super::definitions::{Definitions, NotTaken, look};
use super::options::Options;
use super::serve::Stop;
use super::told::{Listener, Told};
use crate::app::error::Error;
use crate::app::workspace::Setting;
use crate::model::outcome::Status;
use crate::store::error::Error as StoreError;
use crate::store::following::Following;
use crate::store::home::Home;
use crate::store::place::Place;
use crate::store::state::State;

/// The right to follow the schedules, waited for where another has it on another machine; none if it is asked to stop before.
pub(super) async fn followed(
    setting: &Setting,
    options: &Options,
    listener: &Listener,
    stop: &mut watch::Receiver<Stop>,
) -> Result<Option<Following>, Error> {
    let place = setting.place();
    let mut told = String::new();
    loop {
        let error = match began(setting, &place) {
            Ok(following) => return Ok(Some(following)),
            Err(error) => error,
        };
        let passes = match &error {
            // Two of one home are a mistake, which whoever began the second is to hear of.
            StoreError::Followed { .. } | StoreError::Busy { .. } => place.is_server(),
            StoreError::State { source, .. } => source.may_pass(),
            _ => false,
        };
        if !passes {
            return Err(error.into());
        }
        let why = error.to_string();
        if why != told {
            listener(&Told::StandsBy { why: why.clone() });
            told = why;
        }
        let looked_again = setting.clock.sleep(options.tick);
        if unless_stopped(looked_again, setting, options, listener, stop).await.is_none() {
            return Ok(None);
        }
    }
}

fn began(setting: &Setting, place: &Place) -> Result<Following, StoreError> {
    if !setting.home.exists() || !place.is_there()? {
        let home = Home::open(&setting.home)?;
        drop((State::open(place)?, home));
    }
    Following::take(&setting.home, place)
}

/// The definitions to begin with; none if it is asked to stop before there are any.
pub(super) async fn begun_with(
    setting: &Setting,
    options: &Options,
    listener: &Listener,
    stop: &mut watch::Receiver<Stop>,
) -> Result<Option<Definitions>, Error> {
    let mut told = String::new();
    loop {
        let checking = Definitions::of(look(setting)?, setting);
        let Some(checked) = unless_stopped(checking, setting, options, listener, stop).await else { return Ok(None) };
        let error = match checked {
            Ok(definitions) => return Ok(Some(definitions)),
            Err(NotTaken::Broken(broken)) => return Err(Error::Text(broken)),
            Err(NotTaken::Unchecked(error)) => error,
        };
        // A service that is away comes back by itself; a secret that is missing does not.
        if status_of(&error) != Status::WaitingRetry {
            return Err(error);
        }
        let why = error.to_string();
        if why != told {
            listener(&Told::Unchecked { why: why.clone() });
            told = why;
        }
        let since = setting.clock.mark();
        let waiting = async {
            while !setting.clock.may_have_passed(since, options.check_again_after) {
                setting.clock.sleep(options.tick).await;
            }
        };
        if unless_stopped(waiting, setting, options, listener, stop).await.is_none() {
            return Ok(None);
        }
    }
}

/// What comes of something that is waited for at the beginning; none if it is asked to stop first. It says in each tick that it is alive.
async fn unless_stopped<T>(
    what: impl Future<Output = T>,
    setting: &Setting,
    options: &Options,
    listener: &Listener,
    stop: &mut watch::Receiver<Stop>,
) -> Option<T> {
    let mut what = std::pin::pin!(what);
    // Whoever could ask it to stop may be gone: then nobody does.
    let asked = async {
        if stop.wait_for(|stop| *stop != Stop::No).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let mut asked = std::pin::pin!(asked);
    loop {
        tokio::select! {
            () = &mut asked => return None,
            came = &mut what => return Some(came),
            () = setting.clock.sleep(options.tick) => {
                listener(&Told::Turned { has_home: false, under_way: 0, waiting: 0 });
            }
        }
    }
}
