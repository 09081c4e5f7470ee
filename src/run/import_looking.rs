//! Which records of a file Gainsight holds, where nobody knows by its counts: the object itself is asked for their keys.
//!
//! What is there as it was sent is written. What is there and holds something else is written by the API, which says why where it does not
//! take it. What is missing was not taken. In: rows of a file. Out: outcomes, and rows that are still to be dealt with.

use serde_json::Value;

use super::error::Error;
use super::import_file::Line;
use super::importing::Import;
use super::item::Item;
use super::load::Load;
use super::settling::READ_AGAIN_MS;
use crate::gainsight::assumptions::{IMPORT_MINUTES, LISTED_AT_MOST};
use crate::gainsight::write::Record;
use crate::model::outcome::Outcome;

const MINUTE_MS: i64 = 60_000;

/// What is found of rows that were handed over.
#[derive(Default)]
pub(super) struct Found {
    /// No record has their key.
    pub(super) missing: Vec<Line>,
    /// The record with their key holds something else; the items have its GSID.
    pub(super) differing: Vec<Item>,
}

impl Load<'_> {
    /// Settles rows by what the object holds of them. Records that are there and hold something else are written by the API, which says
    /// why where it does not take them.
    pub(super) async fn look_through(&mut self, import: &Import, lines: Vec<Line>) -> Result<(), Error> {
        let first = self.look_for(lines).await?;
        // A read may lag behind a write: what is missing must be missing twice.
        self.gainsight.wait(self.clock.real(READ_AGAIN_MS)).await;
        let Found { missing, differing } = self.look_for(first.missing).await?;
        let differing: Vec<Item> = first.differing.into_iter().chain(differing).collect();
        let id = &import.id;
        let message = format!("the bulk import {id} did not take the record; its log in Gainsight may say why");
        self.not_taken(import.call, &missing, &message)?;
        self.send_differing(differing).await
    }

    /// Looks for rows of a file of which nobody knows whether it was taken: an import takes minutes, so it is looked at until nothing
    /// comes any more.
    pub(super) async fn once_taken(&mut self, mut lines: Vec<Line>) -> Result<Found, Error> {
        let mut differing = Vec::new();
        let minutes = i64::try_from(IMPORT_MINUTES).unwrap_or(i64::MAX).saturating_mul(MINUTE_MS);
        let mut last = usize::MAX;
        loop {
            let found = self.look_for(lines).await?;
            differing.extend(found.differing);
            lines = found.missing;
            if lines.is_empty() || lines.len() == last {
                return Ok(Found { missing: lines, differing });
            }
            last = lines.len();
            self.gainsight.wait(self.clock.real(minutes)).await;
        }
    }

    pub(super) async fn send_differing(&mut self, mut items: Vec<Item>) -> Result<(), Error> {
        let size = self.gainsight.limits.batch_size as usize;
        while !items.is_empty() {
            let rest = items.split_off(size.min(items.len()));
            self.send(items, false).await?;
            items = rest;
        }
        Ok(())
    }

    /// Looks for the records of rows in the object itself, and settles those that are there as they were sent; gives the others.
    async fn look_for(&mut self, lines: Vec<Line>) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            // Keys without case are asked for in two spellings.
            let some: Vec<Line> = lines.by_ref().take(LISTED_AT_MOST / 2).collect();
            let items: Vec<Item> = some.iter().map(|one| one.item.clone()).collect();
            let records = self.read_back(&items).await?;
            let mut there = Vec::new();
            for mut one in some {
                let sent = one.item.fields.record();
                let mut own = records.iter().filter(|record| self.is_of(record, &sent));
                match (own.next(), own.next()) {
                    (None, _) => found.missing.push(one),
                    (Some(record), None) if self.holds(record, &sent, one.item.planned) => there.push(one),
                    (Some(record), None) => {
                        one.item.gsid = record.get("Gsid").and_then(Value::as_str).map(str::to_owned);
                        found.differing.push(one.item);
                    }
                    // Which of several it is nobody knows.
                    (Some(_), Some(_)) => found.missing.push(one),
                }
            }
            self.taken(None, there)?;
        }
        Ok(found)
    }

    /// Whether a record holds what was sent. Its key is the one that it was found by; and a new record may have values of its own where
    /// nothing was sent.
    fn holds(&self, record: &Record, sent: &Record, planned: Outcome) -> bool {
        let is_key = |name: &str| self.job.key.iter().any(|key| self.job.mappings[key.mapping].field.name == name);
        sent.iter().all(|(name, value)| {
            let is_open = value.is_null() && planned == Outcome::Inserted;
            is_key(name) || is_open || record.get(name).unwrap_or(&Value::Null) == value
        })
    }
}
