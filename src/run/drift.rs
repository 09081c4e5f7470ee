//! Drift: what of the schemas that a run relies on has changed since the run was planned.
//!
//! A change is what would make the run write something else, or be refused: a column that is gone, another type, a shorter text, an
//! option that is called otherwise. What is new is none, nor is what became longer. In: a job, which holds the fields that it was
//! checked against, and both services. Out: what changed, in words.

use super::error::Error;
use super::relied::{Relied, ReliedField};
use super::services::Services;
use crate::model::catalog::Object;
use crate::model::field::{Field, FieldKind};
use crate::model::job::Job;
use crate::model::sabotage::{self, Bug};

/// Changes that a message names; of more it gives the number.
const CHANGES_SHOWN_AT_MOST: usize = 20;

/// Stops the run if anything that it relies on has changed since the services were asked for their schemas. What was asked for a
/// short while ago is not asked for again.
///
/// # Errors
/// [`Error::Drift`]; what a service says if it cannot be asked.
pub(super) async fn hold(job: &Job, services: &Services) -> Result<(), Error> {
    let is_old = |asked| services.clock.may_have_passed(asked, services.drift_after);
    if services.schemas_asked.is_some_and(|asked| !is_old(asked)) || sabotage::has(Bug::NoDriftCheck) {
        return Ok(());
    }
    let mut changed = changes(&Relied::of(job), &now(job, services).await?);
    if changed.is_empty() {
        return Ok(());
    }
    let more = changed.len().saturating_sub(CHANGES_SHOWN_AT_MOST);
    changed.truncate(CHANGES_SHOWN_AT_MOST);
    if more > 0 {
        changed.push(format!("and {more} more"));
    }
    Err(Error::Drift(changed))
}

/// What has changed, a line each, sorted.
pub(super) fn changes(before: &Relied, after: &Relied) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, object) in &before.objects {
        let Some(now) = after.objects.get(key) else {
            lines.push(format!("{}: the {} is gone", object.shown(), if object.is_table { "table" } else { "object" }));
            continue;
        };
        for (name, used) in &object.fields {
            let shown = object.field_shown(name, &used.field.label);
            match now.fields.get(name) {
                Some(now) => {
                    let found = differences(used, &now.field, object.is_table).into_iter();
                    lines.extend(found.map(|change| format!("{shown}: {change}")));
                }
                None => {
                    lines.push(format!("{shown}: the {} is gone", if object.is_table { "column" } else { "field" }));
                }
            }
        }
        let new = now.required.iter().filter(|(name, _)| !object.required.contains_key(*name));
        lines.extend(new.map(|(name, label)| format!("{}: it became required", object.field_shown(name, label))));
    }
    lines.sort();
    lines
}

/// The same parts of the schemas as the services have them now.
pub(super) async fn now(job: &Job, services: &Services) -> Result<Relied, Error> {
    let target = services.target(job)?;
    let before = Relied::of(job);
    let tables = before.objects.values().filter(|object| object.is_table);
    let tables = tables.map(|object| async {
        Ok::<_, Error>((&object.connection, services.table(&object.connection, &object.name).await?))
    });
    let tables = futures::future::try_join_all(tables);
    let objects = async {
        let known = target.objects().await?;
        let names = before.objects.values().filter(|object| !object.is_table).map(|object| &object.name);
        let names = names.filter(|name| known.iter().any(|k| k.name.eq_ignore_ascii_case(name)));
        Ok::<_, Error>(target.describe(&names.cloned().collect::<Vec<_>>()).await?)
    };
    let (tables, described) = futures::try_join!(tables, objects)?;
    let tables: Vec<(String, Object)> =
        tables.into_iter().filter_map(|(connection, table)| Some((connection.clone(), table?))).collect();
    let objects = before.objects.into_iter().filter_map(|(key, object)| {
        let is_it = |now: &&Object| now.name.eq_ignore_ascii_case(&object.name);
        let now = if object.is_table {
            tables.iter().filter(|(connection, _)| *connection == object.connection).map(|(_, now)| now).find(is_it)?
        } else {
            described.iter().find(is_it)?
        };
        Some((key, object.retold(job, now)))
    });
    Ok(Relied { objects: objects.collect() })
}

/// What is different of a field, in words.
fn differences(used: &ReliedField, now: &Field, is_source: bool) -> Vec<String> {
    let before = &used.field;
    let mut found = Vec::new();
    if before.kind != now.kind && !is_wider(before.kind, now.kind) {
        found.push(format!("its type went from {} to {}", before.kind.word(), now.kind.word()));
        return found;
    }
    if used.is_written {
        match (before.length, now.length) {
            (Some(before), Some(now)) if now < before => {
                found.push(format!("its length went from {before} to {now}"));
            }
            (None, Some(now)) => found.push(format!("its length is {now} now, and was not limited")),
            _ => {}
        }
        if before.writable && !now.writable {
            found.push("it cannot be written any more".to_owned());
        }
    }
    if before.kind == FieldKind::Number && before.scale != now.scale {
        found.push(format!("its decimal places went from {} to {}", before.scale, now.scale));
    }
    let word = if is_source { "option" } else { "item" };
    for choice in &before.choices {
        match now.choices.iter().find(|now| now.code == choice.code) {
            None => found.push(format!("the {word} \"{}\" is gone", choice.label)),
            Some(now) if now.label != choice.label => {
                found.push(format!("the {word} \"{}\" is called \"{}\" now", choice.label, now.label));
            }
            Some(_) => {}
        }
    }
    let gone = before.targets.iter().filter(|target| !now.targets.contains(target));
    found.extend(gone.map(|target| format!("it does not lead to {target} any more")));
    // What leads to one table only is read without asking to which.
    if is_source && before.targets.len() == 1 {
        let new = now.targets.iter().filter(|target| !before.targets.contains(target));
        found.extend(new.map(|target| format!("it leads to {target} too now")));
    }
    found
}

/// Whether a field of the second type takes every value of the first as it is.
fn is_wider(before: FieldKind, now: FieldKind) -> bool {
    use FieldKind::{Email, RichText, String, Url};
    matches!((before, now), (String | Email | Url, RichText) | (Email | Url, String))
}
