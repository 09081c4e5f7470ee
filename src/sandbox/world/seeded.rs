//! The generated world as a whole: how many rows of each table, and in which order they are drawn.
//!
//! Each table is in a file of its own; what Gainsight had before is in `target`. In: rows and a seed.
//! Out: rows in both services.

use chrono::{DateTime, Datelike, Timelike};
use serde_json::{Map, Value, json};

use super::super::dynamics::Dynamics;
use super::super::gainsight::Gainsight;
use super::super::options::Error;
use super::super::randomness::{Chance, Stream};
use super::corners::{Corners, drawn};
use super::reference::Currency;
use super::{accounts, contacts, opportunities, opportunity_corners, projects, reference, target, users};

/// How many contacts other rows may point to; the others are drawn and forgotten.
pub(super) const KNOWN_CONTACTS: usize = 2_000;

/// What the tables are drawn from.
pub(super) struct Draw {
    pub(super) chance: Chance,
    pub(super) corners: Corners,
    pub(super) business_unit: String,
    pub(super) currency: String,
    pub(super) currencies: Vec<Currency>,
    /// Ids that other rows may point to.
    pub(super) teams: Vec<String>,
    pub(super) users: Vec<String>,
    pub(super) accounts: Vec<String>,
    pub(super) contacts: Vec<String>,
}

/// A row under construction.
pub(super) type Row = Map<String, Value>;

pub(in crate::sandbox) fn generate(
    rows: usize,
    seed: u64,
    dynamics: &Dynamics,
    gainsight: &Gainsight,
) -> Result<(), Error> {
    let mut chance = Chance::new(seed, Stream::World);
    let corners = drawn(&mut chance, opportunity_corners::drawn(seed));
    let business_unit = dynamics.business_unit().to_owned();
    let currencies = reference::currencies(seed);
    let mut draw = Draw {
        chance,
        corners,
        business_unit,
        currency: currencies[0].id.clone(),
        currencies,
        teams: reference::teams(seed),
        users: Vec::new(),
        accounts: Vec::new(),
        contacts: Vec::new(),
    };
    let load = |table: &str, row: &Row| {
        // A generated row that does not fit is a mistake in the shipped schema or the generator.
        dynamics.load(table, row).map_err(|reason| Error::Schema { line: 0, reason: format!("{table}: {reason}") })
    };
    users::draw(&mut draw, (rows / 50).max(12), &mut |row| load("systemuser", row))?;
    accounts::draw(&mut draw, (rows / 5).max(20), &mut |row| load("account", row))?;
    contacts::draw(&mut draw, rows, &mut |row| load("contact", row))?;
    for (table, row) in reference::rows(seed, &draw.business_unit, &draw.users) {
        load(table, &row)?;
    }
    // A sequence of their own, so that the rows above do not depend on these.
    draw.chance = Chance::new(seed, Stream::Sales);
    opportunities::draw(&mut draw, (rows * 3 / 10).max(30), &mut |row| load("opportunity", row))?;
    projects::draw(&mut draw, (rows / 25).max(12), &mut |row| load("new_project", row))?;
    target::fill(&draw.corners, dynamics, gainsight);
    Ok(())
}

impl Draw {
    /// A time in the years before the sandbox's present.
    pub(super) fn created(&mut self) -> i64 {
        1_640_995_200 + self.chance.below(60_000_000) as i64
    }

    /// Adds when and by whom a row was made and changed.
    pub(super) fn stamp(&mut self, row: &mut Row) {
        let created = self.created();
        let modified = created + self.chance.below(60_000_000) as i64;
        row.insert("createdon".to_owned(), time(created).into());
        row.insert("modifiedon".to_owned(), time(modified).into());
    }

    pub(super) fn owner(&mut self) -> Value {
        let place = self.chance.below(self.users.len());
        self.users.get(place).map_or(Value::Null, |id| json!(id))
    }
}

/// A date and time as the service writes it.
pub(super) fn time(seconds: i64) -> String {
    // Plain formatting of the parts: a pattern costs more than the rest of the row.
    let moment = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let (day, time) = (moment.date_naive(), moment.time());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", day.year(), day.month(), day.day())
}

/// The members of an object as a row.
pub(super) fn row(values: Value) -> Row {
    if let Value::Object(values) = values { values } else { Row::new() }
}

/// Puts the values of a special row over a drawn one.
pub(super) fn over(row: &mut Row, values: Value) {
    if let Value::Object(values) = values {
        row.extend(values);
    }
}
