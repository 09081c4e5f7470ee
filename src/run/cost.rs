//! What a plan costs: write calls, minutes and days within the budgets of the target.
//!
//! In: how many records go which way, the limits of the connection, and what is left of today's calls. Out: numbers for people and
//! programs. Reading is not counted: it is done when a plan is there.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gainsight::assumptions::{IMPORT_MINUTES, IMPORT_ROWS_AT_MOST};
use crate::gainsight::client::Gainsight;
use crate::gainsight::windows::{Bucket, Day};
use crate::model::connection::Limits;
use crate::model::job::{Job, Route};
use crate::model::outcome::Counts;
use crate::model::policy::{Verb, Via};

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
    /// The road that is taken: `api`, `bulk` or `files`.
    pub via: &'static str,
    /// Whether the job leaves it to Ferry which road is taken, so that whoever reads the plan wants to see them all.
    #[serde(skip)]
    pub is_auto: bool,
    /// Each road that could be taken, with what it costs; none where there is but one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roads: Vec<Road>,
}

/// One road to the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Road {
    /// `api`, `bulk` or `files`.
    pub via: &'static str,
    /// Calls, or files.
    pub calls: u64,
    /// The time that they take, in minutes of days that have room.
    pub minutes: u64,
    /// On how many days calls are made.
    pub days: u64,
}

/// What is left of today's calls of the two budgets that a job may write from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Today {
    pub(super) calls: Day,
    pub(super) files: Day,
}

impl Freight {
    pub(super) fn add(&mut self, kind: Kind, records: u64) {
        *self.0.entry(kind).or_default() += records;
    }

    /// What it costs to write all that, with this much left today.
    pub(super) fn cost(&self, job: &Job, limits: &Limits, today: Today) -> Cost {
        let Today { calls: today, files } = today;
        let is_users = job.main_target().route == Route::User;
        let is_auto = matches!(job.via, Via::Auto { .. });
        let mut cost = Cost { api: bucket(job).word().to_owned(), is_auto, ..Cost::default() };
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
        cost.via = API;
        if matches!(job.via, Via::Files { .. }) && cost.calls > 0 {
            return self.handed_over(cost);
        }
        if could_be_imported(job) && cost.calls > 0 {
            let records = self.0.iter().filter(|(kind, _)| !matches!(kind, Kind::Deletes)).map(|(_, records)| records);
            let bulk = imported(records.sum(), limits, files);
            let api = Road { via: API, calls: cost.calls, minutes: cost.minutes, days: cost.days };
            let is_bulk = is_imported(&job.via, &api, &bulk);
            cost.roads = vec![api, bulk.clone()];
            if is_bulk {
                let Road { via, calls, minutes, days } = bulk;
                let by_kind = BTreeMap::from([("files".to_owned(), calls)]);
                let (left_today, per_day) = (u64::from(files.left), u64::from(files.of));
                let reserve = u64::from(limits.bulk_per_day.saturating_sub(files.of));
                let api = Bucket::Bulk.word().to_owned();
                return Cost {
                    calls,
                    by_kind,
                    api,
                    minutes,
                    days,
                    left_today,
                    per_day,
                    reserve,
                    via,
                    is_auto,
                    roads: cost.roads,
                };
            }
        }
        cost
    }
}

impl Freight {
    /// The same as files in a bucket: no call is made, and when a connector takes them in is the tenant's matter.
    fn handed_over(&self, cost: Cost) -> Cost {
        let records: u64 = self.0.values().sum();
        let files = records.div_ceil(IMPORT_ROWS_AT_MOST as u64);
        let api = Road { via: API, calls: cost.calls, minutes: cost.minutes, days: cost.days };
        let own = Road { via: FILES, calls: files, minutes: 0, days: 0 };
        let by_kind = BTreeMap::from([("files".to_owned(), files)]);
        Cost { calls: 0, by_kind, minutes: 0, days: 0, via: FILES, roads: vec![api, own], ..cost }
    }
}

const API: &str = "api";
const FILES: &str = "files";
const BULK: &str = "bulk";

/// Whether a bulk import would take the records of a job: one object's, whole, and nobody has to know their ids.
fn could_be_imported(job: &Job) -> bool {
    let is_pending = (0..job.lookups.len()).any(|lookup| job.is_pending(lookup));
    let is_plain = job.targets.len() == 1 && job.main_target().route == Route::Object && job.verb == Verb::Upsert;
    is_plain && !is_pending && !job.keeps_links()
}

/// What it costs to hand so many records over as files.
fn imported(records: u64, limits: &Limits, today: Day) -> Road {
    let files = records.div_ceil(IMPORT_ROWS_AT_MOST as u64);
    let an_hour = u64::from(limits.spendable(limits.bulk_per_hour));
    let minutes = (files.saturating_sub(1) / an_hour * 60).max(files * IMPORT_MINUTES);
    Road { via: BULK, calls: files, minutes, days: days(files, u64::from(today.left), u64::from(today.of)) }
}

fn is_imported(via: &Via, api: &Road, bulk: &Road) -> bool {
    match via {
        Via::Api | Via::Files { .. } => false,
        Via::Bulk { .. } => true,
        Via::Auto { .. } => (bulk.days, bulk.minutes) < (api.days, api.minutes),
    }
}

/// The job of Gainsight's that takes the records of a plan in; none if they are sent call by call. What a run decided it keeps to.
pub(super) fn import_of<'j>(job: &'j Job, planned: &Counts, limits: &Limits, today: Today) -> Option<&'j str> {
    let (Via::Bulk { job_id } | Via::Auto { job_id }) = &job.via else { return None };
    let mut freight = Freight::default();
    freight.add(Kind::Inserts, planned.inserted);
    freight.add(Kind::Updates, planned.updated);
    (freight.cost(job, limits, today).via == BULK).then_some(job_id.as_str())
}

/// What is left of today for a job.
pub(super) async fn today(job: &Job, target: &Gainsight) -> Today {
    Today { calls: target.today(bucket(job)).await, files: target.today(Bucket::Bulk).await }
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
        let via = self.via;
        self.roads.iter_mut().filter(|road| road.via == via).for_each(|road| road.days = self.days);
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
