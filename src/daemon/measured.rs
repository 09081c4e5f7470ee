//! What is measured when somebody asks: how old each job's data are, what is left of today's calls, how notices stand.
//!
//! In: the state of the home, and the project's limits. Out: numbers. It looks at the state beside whoever has it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::app::error::Error;
use crate::app::workspace::{Setting, tenant, text_of};
use crate::gainsight::windows::Bucket;
use crate::model::clock::Clock;
use crate::model::connection::{Connection, Service};
use crate::store::place::Place;
use crate::store::state::State;

const DAY_MS: i64 = 86_400_000;

/// How many calls of an API a tenant may make in a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Budget {
    /// The tenant's host.
    pub tenant: String,
    /// The API, by its word in the state.
    pub api: &'static str,
    /// Calls in a day.
    pub calls: u32,
}

/// What was measured.
#[derive(Debug, Default, PartialEq)]
pub struct Measured {
    /// Seconds since each job last ended with a success or a partial success.
    pub seconds_since: BTreeMap<String, f64>,
    /// Calls of today that are left, with what there is in a day.
    pub left: Vec<(Budget, u32)>,
    /// Notices by how they stand.
    pub notices: BTreeMap<String, u64>,
}

/// The budgets of a project's tenants, as its files say; none if they have mistakes.
#[must_use]
pub fn budgets(setting: &Setting) -> Vec<Budget> {
    let Ok(text) = text_of(setting) else { return Vec::new() };
    let tenants = text.parsed.connections.values().filter(|one| one.service == Service::Gainsight);
    let mut all: Vec<Budget> = tenants.flat_map(of_tenant).collect();
    all.sort();
    all.dedup_by(|a, b| (&a.tenant, a.api) == (&b.tenant, b.api));
    all
}

fn of_tenant(connection: &Connection) -> [Budget; 2] {
    let limits = &connection.limits;
    [(Bucket::Synchronous, limits.calls_per_day), (Bucket::Users, limits.users_per_day)].map(|(bucket, calls)| Budget {
        tenant: tenant(&connection.url),
        api: bucket.word(),
        calls: limits.spendable(calls),
    })
}

/// Looks whether the state can be written beside whoever has it, as each turn of the daemon needs it. It makes none where none is.
///
/// # Errors
/// Why it cannot be.
pub fn join(place: &Place) -> Result<(), Error> {
    if place.is_there()? {
        drop(State::join(place)?);
    }
    Ok(())
}

/// Measures.
///
/// # Errors
/// If the state cannot be read.
pub fn measure(place: &Place, clock: Clock, budgets: &[Budget]) -> Result<Measured, Error> {
    let Some(state) = State::look(place)? else { return Ok(Measured::default()) };
    let now = clock.now();
    let seconds = |ended: String| {
        let ended = DateTime::parse_from_rfc3339(&ended).ok()?.with_timezone(&Utc);
        Some((now - ended).as_seconds_f64().max(0.0))
    };
    let today = clock.limits_now_ms().div_euclid(DAY_MS);
    let spent = state.spent_in_windows()?;
    let left = budgets.iter().map(|budget| {
        let spent = spent.iter().find(|one| {
            one.tenant == budget.tenant && one.api == budget.api && one.length_ms == DAY_MS && one.number == today
        });
        (budget.clone(), budget.calls.saturating_sub(spent.map_or(0, |one| one.calls)))
    });
    Ok(Measured {
        left: left.collect(),
        seconds_since: state.last_completed()?.into_iter().filter_map(|(job, at)| Some((job, seconds(at)?))).collect(),
        notices: state.notices_by_state()?.0,
    })
}
