//! Drift: what a run relies on of both services' schemas, and what of that has changed since the run was planned.
//!
//! A change is what would make the run write something else, or be refused: a column that is gone, another type, a shorter text, an
//! option that is called otherwise. What is new is none, nor is what became longer. In: a job, which holds the fields that it was
//! checked against, and both services. Out: what changed, in words; a text that a later process can compare with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::services::Services;
use crate::dynamics;
use crate::model::catalog::Object;
use crate::model::dataset;
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Job, Route, Target};
use crate::model::policy::Verb;

/// Changes that a message names; of more it gives the number.
const CHANGES_SHOWN_AT_MOST: usize = 20;

/// What a job relies on. As JSON its order does not change by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Relied {
    /// By connection and API name.
    objects: BTreeMap<String, ReliedObject>,
}

/// A table or an object, as far as a job uses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ReliedObject {
    connection: String,
    name: String,
    /// What scripts call it.
    label: String,
    is_table: bool,
    /// By API name.
    fields: BTreeMap<String, ReliedField>,
    /// The fields that records cannot be without, if records are written: API name and label.
    required: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ReliedField {
    field: Field,
    is_written: bool,
}

/// Stops the run if anything that it relies on has changed since the services were asked for their schemas. What was asked for a
/// short while ago is not asked for again.
///
/// # Errors
/// [`Error::Drift`]; what a service says if it cannot be asked.
pub(super) async fn hold(job: &Job, services: &Services) -> Result<(), Error> {
    let is_old = |asked| services.clock.may_have_passed(asked, services.drift_after);
    if services.schemas_asked.is_some_and(|asked| !is_old(asked)) {
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
                Some(now) => lines.extend(used.changes(&now.field, object.is_table).map(|c| format!("{shown}: {c}"))),
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
    let (source, target) = (services.source(job)?, services.target(job)?);
    let before = Relied::of(job);
    let tables = before.objects.values().filter(|object| object.is_table).map(|object| async {
        match source.describe(&object.name).await {
            Err(dynamics::error::Error::NoTable(_)) => Ok(None),
            other => other.map(Some),
        }
    });
    let tables = async { Ok::<_, Error>(futures::future::try_join_all(tables).await?) };
    let objects = async {
        let known = target.objects().await?;
        let names = before.objects.values().filter(|object| !object.is_table).map(|object| &object.name);
        let names = names.filter(|name| known.iter().any(|k| k.name.eq_ignore_ascii_case(name)));
        Ok::<_, Error>(target.describe(&names.cloned().collect::<Vec<_>>()).await?)
    };
    let (tables, described) = futures::try_join!(tables, objects)?;
    let tables: Vec<Object> = tables.into_iter().flatten().collect();
    let objects = before.objects.into_iter().filter_map(|(key, object)| {
        let all = if object.is_table { &tables } else { &described };
        let now = all.iter().find(|now| now.name.eq_ignore_ascii_case(&object.name))?;
        Some((key, object.retold(job, now)))
    });
    Ok(Relied { objects: objects.collect() })
}

impl Relied {
    /// What a job relies on, as it was when the job was checked.
    pub(super) fn of(job: &Job) -> Self {
        let mut relied = Self { objects: BTreeMap::new() };
        let source = &job.source;
        relied.table(&source.connection, &source.table.name, &dataset::table_fields(job, None));
        for relation in &job.relations {
            let name = &relation.table.name;
            relied.table(&source.connection, name, &dataset::table_fields(job, Some(name)));
        }
        for (name, (_, fields)) in dataset::searched_tables(job) {
            relied.table(&source.connection, &name, &fields.iter().collect::<Vec<_>>());
        }
        let connection = &job.main_target().connection;
        for (name, fields) in dataset::objects(job) {
            let target = target_of(job, &name);
            let looked = job.lookups.iter().map(|lookup| &lookup.object).find(|object| object.name == name);
            let label = target.map(|(_, target)| &target.object.label).or(looked.map(|object| &object.label));
            let object = relied.object(connection, &name, label.unwrap_or(&name), false);
            for field in fields.into_iter().filter(|field| field.kind != FieldKind::Gsid) {
                let is_written =
                    target.is_some_and(|(index, _)| job.mappings_of(index).any(|(_, m)| m.field.name == field.name));
                object.fields.insert(field.name.clone(), ReliedField { field, is_written });
            }
            if let Some((_, target)) = target {
                object.required = required(job, &name, &target.object.fields);
            }
        }
        relied
    }

    fn table(&mut self, connection: &str, name: &str, fields: &[&Field]) {
        let table = self.object(connection, name, name, true);
        for field in fields {
            table.fields.insert(field.name.clone(), ReliedField { field: (*field).clone(), is_written: false });
        }
    }

    fn object(&mut self, connection: &str, name: &str, label: &str, is_table: bool) -> &mut ReliedObject {
        self.objects.entry(format!("{connection}.{name}")).or_insert_with(|| ReliedObject {
            connection: connection.to_owned(),
            name: name.to_owned(),
            label: label.to_owned(),
            is_table,
            fields: BTreeMap::new(),
            required: BTreeMap::new(),
        })
    }
}

impl ReliedObject {
    /// The same fields as they are now, without those that are gone.
    fn retold(self, job: &Job, now: &Object) -> Self {
        let fields = self.fields.into_iter().filter_map(|(name, used)| {
            let field = now.by_name(&name)?.clone();
            Some((name, ReliedField { field, ..used }))
        });
        let fields = fields.collect();
        let required = if self.is_table { BTreeMap::new() } else { required(job, &self.name, &now.fields) };
        Self { fields, required, ..self }
    }

    /// What scripts write.
    fn shown(&self) -> String {
        format!("{}.{}", self.connection, quoted(&self.label))
    }

    fn field_shown(&self, name: &str, label: &str) -> String {
        if self.is_table { format!("{}.{name}", self.shown()) } else { format!("{}.\"{label}\"", self.shown()) }
    }
}

impl ReliedField {
    fn changes(&self, now: &Field, is_source: bool) -> impl Iterator<Item = String> {
        let before = &self.field;
        let mut found = Vec::new();
        if before.kind != now.kind && !is_wider(before.kind, now.kind) {
            found.push(format!("its type went from {} to {}", before.kind.word(), now.kind.word()));
            return found.into_iter();
        }
        if self.is_written {
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
        found.into_iter()
    }
}

/// Whether a field of the second type takes every value of the first as it is.
fn is_wider(before: FieldKind, now: FieldKind) -> bool {
    use FieldKind::{Email, RichText, String, Url};
    matches!((before, now), (String | Email | Url, RichText) | (Email | Url, String))
}

/// The fields that a target's records cannot be without: of new ones all, of others those that the job fills.
fn required(job: &Job, object: &str, fields: &[Field]) -> BTreeMap<String, String> {
    let Some((index, target)) = target_of(job, object) else { return BTreeMap::new() };
    let is_filled = |field: &Field| job.mappings_of(index).any(|(_, m)| m.field.name == field.name);
    // The people call itself says which person a company person belongs to.
    let is_implied =
        |field: &Field| target.route == Route::CompanyPerson && field.targets.iter().any(|target| target == "person");
    let needed = fields.iter().filter(|field| field.required && field.writable && !is_implied(field));
    let needed = needed.filter(|field| job.verb != Verb::Update || is_filled(field));
    needed.map(|field| (field.name.clone(), field.label.clone())).collect()
}

fn target_of<'a>(job: &'a Job, object: &str) -> Option<(usize, &'a Target)> {
    let mut targets = job.targets.iter().enumerate().filter(|(_, target)| target.route != Route::Avatar);
    targets.find(|(_, target)| target.object.name == object)
}

/// A name as scripts write it: what is no plain word stands in quotes.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_plain { name.to_owned() } else { format!("\"{name}\"") }
}
