//! `AFTER LOAD`: lookups among the records as they will be when the run has loaded.

use super::decide::Row;
use super::evaluate::Place;
use super::job::{Job, Nothing};
use super::search::{first, folded, match_fold, says, wanted};
use super::value::V;
use super::world::{Record, World, cell};

/// Decides the late lookups in script order, each among the rows that are still to be written.
pub(super) fn looked_up(job: &Job, world: &World, rows: &mut [Row]) {
    for (number, lookup) in job.lookups.iter().enumerate().filter(|(_, l)| job.is_late(l)) {
        let will_be = after_load(job, world, rows);
        for (row, source) in rows.iter_mut().zip(&world.source) {
            let zone = job.zone.parse().unwrap();
            let place = Place { world, row: source, found: &[], zone, now: 0, unknown_choice: job.unknown_choice };
            let holds = |record: &&Record| {
                lookup.matches.iter().all(|m| {
                    let held = folded(&cell(record, m.field.name), match_fold(m));
                    !held.is_null() && wanted(m, &place) == Ok(held)
                })
            };
            let hits: Vec<&Record> = will_be.iter().filter(holds).collect();
            let gsid = match (first(lookup, &hits), &lookup.none) {
                (Some(record), _) => cell(record, "Gsid"),
                (None, Nothing::Use(instead)) => instead.clone(),
                (None, Nothing::Reject) => V::Null,
            };
            if row.verdict.is_none() {
                row.verdict = says(lookup, hits.len(), lookup.object.label);
            }
            for (mapping, value) in job.mappings.iter().zip(&mut row.mapped) {
                if job.waits_for(mapping) == Some(number) {
                    *value = gsid.clone();
                }
            }
        }
    }
}

/// The target's records with what the rows make of them; a new one is named by its row.
fn after_load(job: &Job, world: &World, rows: &[Row]) -> Vec<Record> {
    let mut records = world.target.clone();
    for (at, row) in rows.iter().enumerate().filter(|(_, r)| r.verdict.is_none()) {
        let mut record = row.record.clone().unwrap_or_default();
        records.retain(|other| row.record.is_none() || cell(other, "Gsid") != cell(&record, "Gsid"));
        for (mapping, new) in job.mappings.iter().zip(&row.mapped) {
            if !(mapping.keep && new.is_null()) {
                record.insert(mapping.field.name.to_owned(), new.clone());
            }
        }
        record.entry("Gsid".to_owned()).or_insert_with(|| V::Text(format!("~{:012}", at + 1)));
        records.push(record);
    }
    records
}
