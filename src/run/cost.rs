//! What a plan costs: write calls, minutes and days within the budgets of the target.
//!
//! In: how many records go which way, the limits of the connection, and what is left of today's calls. Out: numbers for people and
//! programs. Reading is not counted: it is done when a plan is there.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gainsight::windows::{Bucket, Day};
use crate::model::connection::Limits;
use crate::model::job::{Job, Route};

/// The ways by which records are written, as the plan counts their calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// New records, a batch a call.
    Inserts,
    /// Changed records, a batch a call.
    Updates,
    /// People, one a call.
    People,
    /// Records that are deleted, one a call.
    Deletes,
    /// Fields that point at records which the same run inserts, a batch a call.
    SecondPhase,
}

/// Records on their way, by kind.
#[derive(Debug, Default)]
pub(super) struct Freight(BTreeMap<Kind, u64>);

/// What a plan costs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Write calls in all.
    pub calls: u64,
    /// Write calls by kind: `inserts`, `updates`, `people`, `deletes`, `second phase`, `users`. Kinds without a call are left out.
    pub by_kind: BTreeMap<String, u64>,
    /// From which budget: `object` or `user management`.
    pub api: String,
    /// The time that the calls take within the connection's limits and its reserve, in minutes of days that have room.
    pub minutes: u64,
    /// On how many days calls are made, today among them: 1 where all fit into what is left today, 0 where there is none.
    pub days: u64,
    /// Calls that are left today, without the reserve.
    pub left_today: u64,
    /// Calls that may be made in a whole day, without the reserve.
    pub per_day: u64,
    /// Calls of a whole day that are left to other integrations of the tenant.
    pub reserve: u64,
}

impl Freight {
    pub(super) fn add(&mut self, kind: Kind, records: u64) {
        *self.0.entry(kind).or_default() += records;
    }

    /// What it costs to write all that, with this much left today.
    pub(super) fn cost(&self, job: &Job, limits: &Limits, today: Day) -> Cost {
        let is_users = job.main_target().route == Route::User;
        let mut cost = Cost { api: bucket(job).word().to_owned(), ..Cost::default() };
        for (kind, records) in &self.0 {
            let a_call = if matches!(kind, Kind::People | Kind::Deletes) { 1 } else { u64::from(limits.batch_size) };
            let calls = records.div_ceil(a_call);
            if calls > 0 {
                *cost.by_kind.entry(kind.word(is_users).to_owned()).or_default() += calls;
            }
            cost.calls += calls;
        }
        let per_day = if is_users { limits.users_per_day } else { limits.calls_per_day };
        cost.left_today = u64::from(today.left);
        cost.per_day = u64::from(today.of);
        cost.reserve = u64::from(per_day.saturating_sub(today.of));
        cost.minutes = minutes(cost.calls, limits, is_users);
        cost.days = days(cost.calls, cost.left_today, cost.per_day);
        cost
    }
}

/// The budget that a job's writes are called from.
pub(super) fn bucket(job: &Job) -> Bucket {
    if job.main_target().route == Route::User { Bucket::Users } else { Bucket::Synchronous }
}

fn minutes(calls: u64, limits: &Limits, is_users: bool) -> u64 {
    if is_users {
        // The windows of user management are hours, so what does not fit into one waits for the next.
        let an_hour = u64::from(limits.spendable(limits.users_per_hour));
        calls.saturating_sub(1) / an_hour * 60 + u64::from(calls > 0)
    } else {
        calls.div_ceil(u64::from(limits.spendable(limits.calls_per_minute)))
    }
}

fn days(calls: u64, left_today: u64, per_day: u64) -> u64 {
    u64::from(calls > 0) + calls.saturating_sub(left_today).div_ceil(per_day.max(1))
}

impl Cost {
    /// The same when calls of other plans come first on the same day.
    pub(super) fn take_from_today(&mut self, calls: u64) {
        self.left_today = self.left_today.saturating_sub(calls);
        self.days = days(self.calls, self.left_today, self.per_day);
    }

    /// Whether all calls fit into what is left today.
    #[must_use]
    pub fn fits_today(&self) -> bool {
        self.days <= 1
    }
}

impl Kind {
    fn word(self, is_users: bool) -> &'static str {
        match self {
            Self::Inserts | Self::Updates | Self::SecondPhase if is_users => "users",
            Self::Inserts => "inserts",
            Self::Updates => "updates",
            Self::People => "people",
            Self::Deletes => "deletes",
            Self::SecondPhase => "second phase",
        }
    }
}
