//! Loading people: one call a row, which carries the person and its company.
//!
//! Calls of different people may be under way at once; those of one person go one after the other, the newest row last,
//! so that its fields win.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use serde_json::Value;

use super::changes::Changes;
use super::error::Error;
use super::load::{Item, Load};
use crate::gainsight::client::Gainsight;
use crate::gainsight::error::Refusal;
use crate::gainsight::write::Record;
use crate::model::dataset::{self, changes};
use crate::model::job::Route;
use crate::model::outcome::Outcome;
use crate::store::dataset::RunFolder;

/// Rows that are prepared before the first of them is sent.
const PREPARED_AT_MOST: usize = 256;

/// One row's call, with what it does to each target's record.
struct Call {
    item: Item,
    rank: String,
    person: Record,
    actions: Vec<(usize, String)>,
}

/// Rows of one person, the newest last.
type Person = Vec<Call>;
/// What came of a person's calls: an outcome for each that was answered, and what stopped the rest.
type Answer = (Person, Vec<Result<(), Refusal>>, Option<crate::gainsight::error::Error>);

/// Sends all changes of a Person job.
pub(super) async fn load(load: &mut Load<'_>, folder: &RunFolder) -> Result<(), Error> {
    let mut single: Vec<Person> = Vec::new();
    let mut several: Vec<(String, Call)> = Vec::new();
    let mut reader = folder.read(dataset::loaded(load.job)).await?;
    while let Some(batch) = reader.next().await? {
        let rows = Changes::new(load.job, batch);
        for at in 0..rows.len() {
            if !load.settle(&rows, at) {
                continue;
            }
            let call = prepare(load, &rows, at);
            if rows.siblings(at) > 1 {
                several.push((rows.text(changes::KEY, at).unwrap_or_default().to_owned(), call));
            } else {
                single.push(vec![call]);
            }
            if single.len() == PREPARED_AT_MOST {
                send(load, std::mem::take(&mut single)).await?;
            }
        }
    }
    several.sort_by(|a, b| (&a.0, &a.1.rank).cmp(&(&b.0, &b.1.rank)));
    let mut last = None;
    for (key, call) in several {
        match (single.last_mut(), last.as_deref() == Some(key.as_str())) {
            (Some(person), true) => person.push(call),
            _ => single.push(vec![call]),
        }
        last = Some(key);
    }
    send(load, single).await
}

fn prepare(load: &Load<'_>, rows: &Changes<'_>, at: usize) -> Call {
    let job = load.job;
    let mut person = rows.record(0, at);
    // The key goes with every call. A row that does not change the person repeats what is held, in its own spelling.
    let is_writing = matches!(rows.action(0, at), Some("insert" | "follow" | "update"));
    for key in &job.key {
        let field = &job.mappings[key.mapping].field.name;
        let held = rows.old_value(key.mapping, at);
        let value = if is_writing || held.is_null() { rows.new_value(key.mapping, at) } else { held };
        person.insert(field.clone(), value);
    }
    if let Some(target) = job.target_by_route(Route::CompanyPerson)
        && matches!(rows.action(target, at), Some("insert" | "update"))
    {
        let mut company = rows.record(target, at);
        if let Some((mapping, _)) = job.mappings_of(target).find(|(_, m)| m.field.name == "Company_ID") {
            company.insert("Company_ID".to_owned(), rows.new_value(mapping, at));
        }
        person.insert("companies".to_owned(), Value::Array(vec![Value::Object(company)]));
    }
    let actions = (0..job.targets.len()).filter_map(|t| rows.action(t, at).map(|a| (t, a.to_owned()))).collect();
    let rank = rows.text(changes::RANK, at).unwrap_or_default().to_owned();
    Call { item: load.item(rows, at), rank, person, actions }
}

async fn send(load: &mut Load<'_>, people: Vec<Person>) -> Result<(), Error> {
    let gainsight = load.gainsight;
    let at_once = gainsight.limits.max_in_flight as usize;
    let has_failed = AtomicBool::new(false);
    // After a failure no further call begins, and those under way are heard to the end: they may have been carried out.
    let people = people.into_iter().take_while(|_| !has_failed.load(Ordering::Relaxed));
    let mut answers = futures::stream::iter(people.map(|person| one(gainsight, person))).buffer_unordered(at_once);
    let mut failed = None;
    while let Some((person, outcomes, error)) = answers.next().await {
        for (call, outcome) in person.into_iter().zip(outcomes) {
            settle(load, call, outcome);
        }
        if failed.is_none() && load.still_bearable().is_err() {
            has_failed.store(true, Ordering::Relaxed);
        }
        if let Some(error) = error {
            has_failed.store(true, Ordering::Relaxed);
            failed.get_or_insert(error);
        }
    }
    failed.map_or_else(|| load.still_bearable(), |error| Err(error.into()))
}

async fn one(gainsight: &Gainsight, person: Person) -> Answer {
    let mut outcomes = Vec::with_capacity(person.len());
    for call in &person {
        match gainsight.write_person(&call.person).await {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => return (person, outcomes, Some(error)),
        }
    }
    (person, outcomes, None)
}

fn settle(load: &mut Load<'_>, call: Call, outcome: Result<(), Refusal>) {
    match outcome {
        Ok(()) => {
            load.counts.add(call.item.planned);
            for (target, action) in &call.actions {
                let count = load.record_count(*target);
                match action.as_str() {
                    "insert" => count.inserted += 1,
                    "update" => count.updated += 1,
                    _ => count.unchanged += 1,
                }
            }
            load.written.push(call.item.id);
            load.advance();
        }
        Err(refusal) => {
            load.counts.add(Outcome::Error);
            for (target, action) in &call.actions {
                if action != "unchanged" {
                    load.record_count(*target).error += 1;
                }
            }
            load.refuse(&call.item, refusal);
        }
    }
}
