//! What becomes of each row of a job, decided row by row and clause by clause, in the order that the design gives.

use super::evaluate::{Fails, Found, Place, truth, value};
use super::expression::E;
use super::job::{Duplicate, Job, Unknown, Verb};
use super::search::{folded, found, key_fold};
use super::stored::stored;
use super::tables::Kind;
use super::value::V;
use super::world::{Record, World, cell};

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: &'static str,
    pub code: Option<&'static str>,
    /// What the message must say, among other things.
    pub hint: String,
    /// `insert`, `update` or `unchanged`, of a row that nothing stands against.
    pub action: Option<&'static str>,
    /// The values that its record will have, of such a row.
    pub values: Vec<V>,
}

/// A row on its way.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: V,
    pub(super) verdict: Option<Verdict>,
    /// Mapped values in stored form.
    pub(super) mapped: Vec<V>,
    latest: V,
    /// The values of the key, made alike.
    key: Vec<V>,
    /// The target's record, where it has one.
    pub(super) record: Option<Record>,
}

fn verdict(outcome: &'static str, code: Option<&'static str>, hint: &str) -> Option<Verdict> {
    Some(Verdict { outcome, code, hint: hint.to_owned(), action: None, values: Vec::new() })
}

fn error(code: &'static str, hint: &str) -> Option<Verdict> {
    verdict("error", Some(code), hint)
}

fn rejected(code: &'static str, hint: &str) -> Option<Verdict> {
    verdict("rejected", Some(code), hint)
}

/// The verdicts, in the order of the source.
pub fn verdicts(job: &Job, world: &World, now: i64) -> Vec<Verdict> {
    let mut rows: Vec<Row> = (0..world.source.len()).map(|at| mapped(job, world, at, now)).collect();
    repeated(job, &mut rows);
    for row in &mut rows {
        if row.verdict.is_none() {
            matched(job, world, row);
        }
    }
    super::late::looked_up(job, world, &mut rows);
    rows.into_iter().map(|row| finished(job, row)).collect()
}

/// What the row alone decides: superseded, `WHERE`, mappings, lookups, `REQUIRE`, null keys.
pub(super) fn mapped(job: &Job, world: &World, at: usize, now: i64) -> Row {
    let source = &world.source[at];
    let id = cell(source, job.shape.columns[0].field);
    let zone = job.zone.parse().unwrap();
    let mut place = Place { world, row: source, found: &[], zone, now, unknown_choice: job.unknown_choice };
    let mut row = Row { id, verdict: None, mapped: Vec::new(), latest: V::Null, key: Vec::new(), record: None };
    let is_later = |other: &Record| cell(other, job.shape.columns[0].field) == row.id;
    if world.source[at + 1..].iter().any(is_later) {
        row.verdict = verdict("superseded", None, "");
        return row;
    }
    let (early, late) = split(&job.filter);
    row.verdict = filtered(early, &place);
    let searched: Vec<_> = job.lookups.iter().map(|lookup| found(lookup, job, &place)).collect();
    let all: Vec<Found> = searched.iter().map(|(found, _)| found.clone()).collect();
    place.found = &all;
    for mapping in &job.mappings {
        let made = if job.waits_for(mapping).is_some() { Ok(V::Null) } else { value(&mapping.value, &place) };
        let (stored, is_lost) = match made {
            Err(Fails) => (V::Null, true),
            Ok(made) => {
                let stored = stored(mapping, &made, job, zone);
                let is_text =
                    matches!(mapping.field.kind, Kind::Text | Kind::Email | Kind::Url | Kind::Picklist | Kind::Gsid);
                let is_lost = !is_text && stored.is_null() && !made.is_null();
                (stored, is_lost)
            }
        };
        row.mapped.push(stored);
        if is_lost && row.verdict.is_none() {
            row.verdict = error("BAD_VALUE", &format!("\"{}\"", mapping.field.label));
        }
    }
    for (lookup, (_, says)) in job.lookups.iter().zip(&searched) {
        if row.verdict.is_none() && !job.is_late(lookup) {
            row.verdict.clone_from(says);
        }
    }
    if row.verdict.is_none() {
        row.verdict = filtered(late, &place);
    }
    for (condition, message) in &job.requires {
        if row.verdict.is_none() {
            row.verdict = match value(condition, &place) {
                Err(Fails) => error("BAD_VALUE", "REQUIRE"),
                Ok(found) if truth(&found) == Some(true) => None,
                Ok(_) => rejected("REQUIRED", message),
            };
        }
    }
    if let Duplicate::Latest(by) = &job.duplicate {
        match value(by, &place) {
            Ok(found) => row.latest = found,
            Err(Fails) if row.verdict.is_none() => row.verdict = error("BAD_VALUE", "KEEP LATEST BY"),
            Err(Fails) => {}
        }
    }
    for (at, ignore_case) in &job.keys {
        let fold = key_fold(&job.mappings[*at], *ignore_case);
        row.key.push(folded(&row.mapped[*at], fold));
        if row.verdict.is_none() && row.mapped[*at].is_null() {
            row.verdict = error("NULL_KEY", &format!("\"{}\"", job.mappings[*at].field.label));
        }
    }
    row
}

/// The parts of `WHERE` that are decided before the lookups, and those that wait for them: what uses them, and what stands behind
/// such a part and can fail.
fn split(filter: &[E]) -> (Vec<E>, Vec<E>) {
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for part in filter {
        let waits = part.is_looked() || (!late.is_empty() && part.can_fail());
        if waits { late.push(part.clone()) } else { early.push(part.clone()) }
    }
    (early, late)
}

/// `WHERE`: the parts one after the other, until one is false.
fn filtered(parts: Vec<E>, place: &Place<'_>) -> Option<Verdict> {
    if parts.is_empty() {
        return None;
    }
    match value(&E::All(parts), place) {
        Err(Fails) => error("BAD_VALUE", "WHERE"),
        Ok(found) if truth(&found) == Some(true) => None,
        Ok(_) => verdict("filtered", None, ""),
    }
}

/// Several rows of one key; those that are decided already do not count.
fn repeated(job: &Job, rows: &mut [Row]) {
    let live: Vec<Row> = rows.iter().filter(|r| r.verdict.is_none()).cloned().collect();
    for row in rows.iter_mut().filter(|r| r.verdict.is_none()) {
        let same: Vec<&Row> = live.iter().filter(|other| other.key == row.key).collect();
        if same.len() < 2 {
            continue;
        }
        let label = format!("\"{}\"", job.mappings[job.keys[0].0].field.label);
        row.verdict = match &job.duplicate {
            Duplicate::Unsaid | Duplicate::Error => error("DUPLICATE_KEY", &label),
            Duplicate::Reject => rejected("DUPLICATE_KEY", &label),
            Duplicate::Latest(_) => {
                let is_before = |one: &Row, other: &Row| match (&one.latest, &other.latest) {
                    (V::Null, V::Null) => one.id.order(&other.id).is_gt(),
                    (V::Null, _) => false,
                    (_, V::Null) => true,
                    (a, b) => a.order(b).then(one.id.order(&other.id)).is_gt(),
                };
                let is_older = same.iter().any(|other| is_before(other, row));
                if is_older { verdict("superseded", None, "") } else { None }
            }
        };
    }
}

/// What the target decides: which record the row is, whether the job may write it, what metadata forbids.
fn matched(job: &Job, world: &World, row: &mut Row) {
    let is_same = |record: &&Record| {
        job.keys.iter().zip(&row.key).all(|((at, ignore_case), key)| {
            let mapping = &job.mappings[*at];
            folded(&cell(record, mapping.field.name), key_fold(mapping, *ignore_case)) == *key
        })
    };
    let records: Vec<&Record> = world.target.iter().filter(is_same).collect();
    let label = format!("\"{}\"", job.mappings[job.keys[0].0].field.label);
    if records.len() > 1 {
        row.verdict = error("AMBIGUOUS_TARGET", &label);
        return;
    }
    row.record = records.first().map(|r| (*r).clone());
    row.verdict = match (job.verb, &row.record) {
        (Verb::Insert, Some(_)) => rejected("ALREADY_THERE", &label),
        (Verb::Update, None) => rejected("NOT_THERE", &label),
        _ => None,
    };
    for (mapping, new) in job.mappings.iter().zip(&row.mapped) {
        if row.verdict.is_some() {
            return;
        }
        let field = mapping.field;
        let is_late = job.waits_for(mapping).is_some();
        let label = format!("\"{}\"", field.label);
        let is_left_alone = mapping.keep && row.record.is_some();
        row.verdict = match new {
            V::Null if field.required && !is_left_alone => error("REQUIRED_EMPTY", &label),
            V::Text(text) if field.length > 0 && !is_late && text.chars().count() > field.length => {
                error("TOO_LONG", &label)
            }
            V::Text(text)
                if field.kind == Kind::Picklist
                    && job.unknown_item == Unknown::Error
                    && !field.items.contains(&text.as_str()) =>
            {
                error("UNKNOWN_ITEM", &label)
            }
            _ => None,
        };
    }
}

/// What is written of a row that nothing stands against.
fn finished(job: &Job, row: Row) -> Verdict {
    if let Some(verdict) = row.verdict {
        return verdict;
    }
    let Some(record) = row.record else {
        let values = row.mapped;
        return Verdict { outcome: "inserted", code: None, hint: String::new(), action: Some("insert"), values };
    };
    let olds = job.mappings.iter().map(|m| cell(&record, m.field.name));
    let values: Vec<V> = job
        .mappings
        .iter()
        .zip(row.mapped)
        .zip(olds.clone())
        .map(|((m, new), old)| if m.keep && new.is_null() { old } else { new })
        .collect();
    let is_same = olds.zip(&values).all(|(old, new)| old == *new);
    let (outcome, action) = if is_same { ("unchanged", "unchanged") } else { ("updated", "update") };
    Verdict { outcome, code: None, hint: String::new(), action: Some(action), values }
}
