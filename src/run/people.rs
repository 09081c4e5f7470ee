//! Loading people: one call a row, which carries the person and its company.
//!
//! Calls of different people may be under way at once; those of one person go one after the other, the newest row last,
//! so that its fields win. Calls that begin together are written down together, and so are their answers: what a crash leaves
//! open is sent again when it can have no more effect, as a person's call sets the same values again.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use serde_json::Value;

use super::changes::Changes;
use super::columns;
use super::error::Error;
use super::item::Item;
use super::load::{Load, to_send};
use super::progress::Voice;
use super::settling::quiet_after;
use crate::gainsight::client::Gainsight;
use crate::gainsight::error::{Error as CallError, Refusal};
use crate::gainsight::write::Record;
use crate::model::clock::Clock;
use crate::model::dataset::{self, changes};
use crate::model::job::Route;
use crate::model::outcome::Outcome;
use crate::model::sabotage::{self, Bug};
use crate::store::dataset::RunFolder;
use crate::store::ledger::{Answer, Ledger, Recorded, Settled};
use crate::store::refusals::Refused;

/// People whose calls are written down before the first of them is sent.
const PREPARED_AT_MOST: usize = 256;
/// Answers that are written down together.
const ANSWERS_TOGETHER: usize = 64;
/// How often the answer to one call may be lost before the run stops.
const LOST_AT_MOST: u32 = 3;

/// One row's call, with what it does to each target's record.
#[derive(Clone)]
struct Call {
    item: Item,
    /// The call's number in the ledger.
    number: i64,
    rank: String,
    person: Record,
    actions: Vec<(usize, String)>,
}

/// Rows of one person, the newest last.
type Person = Vec<Call>;
/// What came of a person's calls: an outcome for each that was answered, and what stopped the rest.
type Heard = (Person, Vec<Result<(), Refusal>>, Option<CallError>);

/// Sends all changes of a Person job.
pub(super) async fn load(load: &mut Load<'_>, folder: &RunFolder) -> Result<(), Error> {
    if let Some(sent_at) = load.recorder.last_open()?.filter(|_| load.recorder.is_resumed) {
        load.wait_until_quiet(sent_at, "the run was interrupted").await;
    }
    let mut people: Vec<Person> = Vec::new();
    let mut several = Several::default();
    if load.job.load_first.is_some() {
        several = Several::all(load, folder).await?;
    }
    let mut lost: Vec<(String, Call)> = Vec::new();
    let mut files = folder.sift(dataset::loaded(load.job), columns::outcomes(load.job)).await?.picking(to_send);
    while let Some(file) = files.next().await? {
        load.count_unsent(&file);
        for batch in file.picked {
            let rows = Changes::new(load.job, batch);
            for at in 0..rows.len() {
                let call = prepare(load, &rows, at);
                match load.recorder.before(call.item.row, 1)? {
                    Some(Recorded::Written(_)) => count(load, call, None),
                    Some(Recorded::Refused(refused)) => count(load, call, Some(refused)),
                    Some(Recorded::Lost(_) | Recorded::Open) | None if call.item.parting.is_some() => {
                        lost.push((rows.key(at).unwrap_or_default().to_owned(), call));
                    }
                    Some(Recorded::Lost(_) | Recorded::Open) | None if rows.siblings(at) > 1 => {
                        people.extend(several.person(&rows, at, call));
                    }
                    Some(Recorded::Lost(_) | Recorded::Open) | None => people.push(vec![call]),
                }
                if people.len() == PREPARED_AT_MOST {
                    send(load, std::mem::take(&mut people)).await?;
                }
            }
        }
    }
    send(load, people).await?;
    for (key, call) in known(load, lost).await? {
        several.by_key.entry(key).or_default().push(call);
    }
    let mut rest = several.people();
    while !rest.is_empty() {
        let later = rest.split_off(rest.len().min(PREPARED_AT_MOST));
        send(load, std::mem::replace(&mut rest, later)).await?;
    }
    Ok(())
}

/// Calls of people of whom there are several.
#[derive(Default)]
struct Several {
    by_key: BTreeMap<String, Person>,
    /// Whether all are here already, so that a person goes with the first of his rows.
    is_complete: bool,
}

impl Several {
    /// All that are still to be sent, where the order of the load is the script's: a person goes as early as the most valuable of his
    /// rows, and each of his rows as late as it has to.
    async fn all(load: &Load<'_>, folder: &RunFolder) -> Result<Self, Error> {
        let mut several = Self::default();
        let mut files = folder.sift(dataset::loaded(load.job), columns::outcomes(load.job)).await?;
        while let Some(file) = files.next().await? {
            let rows = Changes::new(load.job, file.rows.clone());
            let is_to_send = |at: &usize| matches!(rows.outcome(*at), Some(Outcome::Inserted | Outcome::Updated));
            let wanted = (0..rows.len()).filter(|at| rows.siblings(*at) > 1).filter(is_to_send);
            for batch in file.pick(&wanted.collect::<Vec<_>>(), None).await? {
                let rows = Changes::new(load.job, batch);
                for at in 0..rows.len() {
                    let before = load.recorder.before(rows.row(at), 1)?;
                    if !matches!(before, Some(Recorded::Written(_) | Recorded::Refused(_))) {
                        several.person(&rows, at, prepare(load, &rows, at));
                    }
                }
            }
        }
        several.is_complete = true;
        Ok(several)
    }

    /// Takes a call in; or gives the calls of its person, once, where all are here already.
    fn person(&mut self, rows: &Changes<'_>, at: usize, call: Call) -> Option<Person> {
        let key = rows.key(at).unwrap_or_default().to_owned();
        if self.is_complete {
            return self.by_key.remove(&key).map(in_order);
        }
        self.by_key.entry(key).or_default().push(call);
        None
    }

    /// All that are left, each person's calls in order.
    fn people(self) -> Vec<Person> {
        self.by_key.into_values().map(in_order).collect()
    }
}

/// The calls of a person, the newest row's last.
fn in_order(mut person: Person) -> Person {
    person.sort_by(|a, b| a.rank.cmp(&b.rank));
    if sabotage::has(Bug::PersonUnordered) {
        person.reverse();
    }
    person
}

/// Calls about lost rows whose records are as the plan knew them: a call for a person who is there no more would make a new one.
async fn known(load: &mut Load<'_>, lost: Vec<(String, Call)>) -> Result<Vec<(String, Call)>, Error> {
    let items: Vec<Item> = lost.iter().map(|(_, call)| call.item.clone()).collect();
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let sound: HashSet<i64> = load.known(items).await?.iter().map(|item| item.row).collect();
    Ok(lost.into_iter().filter(|(_, call)| sound.contains(&call.item.row)).collect())
}

/// The call about a lost row: the key of its person, and the fields that are set in each of its records.
fn prepare_lost(load: &Load<'_>, rows: &Changes<'_>, at: usize) -> Call {
    let job = load.job;
    let item = load.item(rows, at);
    let mut person = rows.assigned(0, at);
    for key in &job.key {
        person.insert(job.mappings[key.mapping].field.name.clone(), rows.old_value(key.mapping, at));
    }
    if let Some(target) = job.target_by_route(Route::CompanyPerson)
        && rows.action(target, at).is_some()
    {
        let mut company = rows.assigned(target, at);
        if let Some((mapping, _)) = job.mappings_of(target).find(|(_, m)| m.field.name == "Company_ID") {
            company.insert("Company_ID".to_owned(), rows.old_value(mapping, at));
        }
        person.insert("companies".to_owned(), Value::Array(vec![Value::Object(company)]));
    }
    let actions = (0..job.targets.len()).filter_map(|t| rows.action(t, at).map(|a| (t, a.to_owned()))).collect();
    Call { item, number: 0, rank: String::new(), person, actions }
}

fn prepare(load: &Load<'_>, rows: &Changes<'_>, at: usize) -> Call {
    if rows.lost(at).is_some() {
        return prepare_lost(load, rows, at);
    }
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
    let rank = rows.rank(at);
    Call { item: load.item(rows, at), number: 0, rank, person, actions }
}

async fn send(load: &mut Load<'_>, mut people: Vec<Person>) -> Result<(), Error> {
    if people.is_empty() {
        return Ok(());
    }
    // What was counted of an earlier process may be too much already.
    load.still_bearable()?;
    let items: Vec<Item> = people.iter().flatten().map(|call| call.item.clone()).collect();
    let now = load.clock.now().timestamp_millis();
    let numbers = load.recorder.intend(1, "person", now, items.chunks(1))?;
    people.iter_mut().flatten().zip(numbers).for_each(|(call, number)| call.number = number);
    let mut unsent: Vec<i64> = people.iter().flatten().map(|call| call.number).collect();
    let failed = hear(load, people, &mut unsent).await?;
    // What never began, because a call before it failed, is open no longer.
    let withdrawn: Vec<(i64, Answer)> = unsent.into_iter().map(|number| (number, Answer::Withdrawn)).collect();
    if !withdrawn.is_empty() {
        load.recorder.settle(&withdrawn, &[])?;
    }
    failed.map_or_else(|| load.still_bearable(), |error| Err(error.into()))
}

/// Makes the calls and hears each that has begun to its end; gives the first failure. `unsent` keeps those that have not begun.
async fn hear(load: &mut Load<'_>, people: Vec<Person>, unsent: &mut Vec<i64>) -> Result<Option<CallError>, Error> {
    let (gainsight, clock, progress) = (load.gainsight, load.clock, load.progress);
    let has_failed = AtomicBool::new(false);
    // After a failure no further call begins, and those under way are heard to the end: they may have been carried out.
    let people = people.into_iter().take_while(|_| !has_failed.load(Ordering::Relaxed));
    let ledger = load.recorder.ledger;
    let calls = people.map(|person| one(gainsight, ledger, clock, progress, person));
    let mut heard = futures::stream::iter(calls).buffer_unordered(gainsight.limits.max_in_flight as usize);
    let mut failed = None;
    let (mut answers, mut rows, mut counted) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(one) = heard.next().await {
        let (person, outcomes, error) = one?;
        let answered = outcomes.len();
        if let Some(error) = &error {
            let answer = load.answer(error);
            answers.extend(person.get(answered).map(|call| (call.number, answer)));
            unsent.retain(|number| person.get(answered).is_none_or(|call| call.number != *number));
        }
        for (call, outcome) in person.into_iter().zip(outcomes) {
            unsent.retain(|number| *number != call.number);
            let refused = outcome.err().map(|refusal| load.refused(&call.item, refusal));
            let answer = if refused.is_some() { Answer::Refused } else { Answer::Acknowledged };
            answers.push((call.number, answer));
            rows.push(Settled {
                gsid: None,
                identity: None,
                refused: refused.clone(),
                ..load.settled(&call.item, None)
            });
            counted.push((call, refused));
        }
        let is_bearable = load.is_bearable_with(counted.iter().filter(|(_, refused)| refused.is_some()).count());
        if error.is_some() || !is_bearable {
            has_failed.store(true, Ordering::Relaxed);
        }
        failed = failed.or(error);
        if answers.len() >= ANSWERS_TOGETHER {
            load.recorder.settle(&std::mem::take(&mut answers), &std::mem::take(&mut rows))?;
            counted.drain(..).for_each(|(call, refused)| count(load, call, refused));
        }
    }
    if !answers.is_empty() {
        load.recorder.settle(&answers, &rows)?;
        counted.into_iter().for_each(|(call, refused)| count(load, call, refused));
    }
    Ok(failed)
}

/// The calls of one person, one after the other. A lost answer is waited out before the call is made again.
async fn one(
    gainsight: &Gainsight,
    ledger: &dyn Ledger,
    clock: Clock,
    progress: &Voice<'_>,
    person: Person,
) -> Result<Heard, Error> {
    let mut outcomes = Vec::with_capacity(person.len());
    for call in &person {
        let is_new = call.actions.iter().any(|(_, action)| matches!(action.as_str(), "insert" | "follow"));
        let mut lost = 0;
        loop {
            // They were written down together, and each may have waited for its turn.
            ledger.is_ours()?;
            match gainsight.write_person(&call.person, is_new || person.len() > 1).await {
                Ok(outcome) => break outcomes.push(outcome),
                Err(error) if error.is_unclear() && lost < LOST_AT_MOST && !sabotage::has(Bug::LostIsWritten) => {
                    lost += 1;
                    // It may have waited for its turn, but it had been sent by now.
                    let wait = quiet_after(clock.now().timestamp_millis(), &gainsight.limits, clock);
                    let seconds = wait.as_secs_f64();
                    progress.notice(format!(
                        "the answer to a call about a person was lost ({}); waiting {seconds:.1} s before it is sent again",
                        error.in_place_of_an_answer()
                    ));
                    gainsight.wait(wait).await;
                }
                Err(error) if error.is_unclear() && sabotage::has(Bug::LostIsWritten) => break outcomes.push(Ok(())),
                Err(error) => return Ok((person, outcomes, Some(error))),
            }
        }
    }
    Ok((person, outcomes, None))
}

/// Counts a row whose outcome is written down.
fn count(load: &mut Load<'_>, call: Call, refused: Option<Refused>) {
    let Some(refused) = refused else {
        load.counts.add(call.item.planned);
        for (target, action) in &call.actions {
            let count = load.record_count(*target);
            match action.as_str() {
                "insert" => count.inserted += 1,
                "update" | changes::SET => count.updated += 1,
                _ => count.unchanged += 1,
            }
        }
        load.advance();
        return;
    };
    load.counts.add(Outcome::Error);
    for (target, action) in &call.actions {
        if action != "unchanged" {
            load.record_count(*target).error += 1;
        }
    }
    load.fail(&call.item, refused);
}
