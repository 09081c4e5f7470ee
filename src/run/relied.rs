//! What a job relies on of both services' schemas: the tables and objects that it uses, with the fields that it uses of them.
//!
//! Not the catalog, which has all fields: a change of others is no matter to the job. In: a checked job, which holds copies of its
//! fields; an object as a service describes it now. Out: two of a kind, to be compared in `drift`, and a text as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::catalog::Object;
use crate::model::dataset::{self, UNREAD};
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Job, Route, Target};
use crate::model::policy::Verb;

/// What a job relies on. As JSON its order does not change by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Relied {
    /// By connection and API name.
    pub(super) objects: BTreeMap<String, ReliedObject>,
}

/// A table or an object, as far as a job uses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ReliedObject {
    pub(super) connection: String,
    pub(super) name: String,
    /// What scripts call it.
    label: String,
    pub(super) is_table: bool,
    /// By API name.
    pub(super) fields: BTreeMap<String, ReliedField>,
    /// The fields that records cannot be without, if records are written: API name and label.
    pub(super) required: BTreeMap<String, String>,
}

/// A field, and whether the job writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ReliedField {
    pub(super) field: Field,
    pub(super) is_written: bool,
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
        for (table, fields) in dataset::searched_tables(job).into_values() {
            relied.table(&table.connection, &table.name, &fields.iter().collect::<Vec<_>>());
        }
        let connection = &job.main_target().connection;
        for (name, fields) in dataset::objects(job) {
            let target = target_of(job, &name);
            let looked = job.lookups.iter().map(|lookup| &lookup.object).find(|object| object.name == name);
            let label = target.map(|(_, target)| &target.object.label).or(looked.map(|object| &object.label));
            let object = relied.object(connection, &name, label.unwrap_or(&name), false);
            let assigned = job.assigned();
            for field in fields.into_iter().filter(|field| field.kind != FieldKind::Gsid) {
                let is_written = target.is_some_and(|(index, _)| {
                    job.mappings_of(index).any(|(_, m)| m.field.name == field.name)
                        || assigned.iter().any(|(t, assigned)| *t == index && assigned.name == field.name)
                });
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
        for field in fields.iter().filter(|field| field.name != UNREAD) {
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
    pub(super) fn retold(self, job: &Job, now: &Object) -> Self {
        let fields = self.fields.into_iter().filter_map(|(name, used)| {
            let field = now.by_name(&name)?.clone();
            Some((name, ReliedField { field, ..used }))
        });
        let fields = fields.collect();
        let required = if self.is_table { BTreeMap::new() } else { required(job, &self.name, &now.fields) };
        Self { fields, required, ..self }
    }

    /// What scripts write.
    pub(super) fn shown(&self) -> String {
        format!("{}.{}", self.connection, quoted(&self.label))
    }

    /// What scripts write of a field.
    pub(super) fn field_shown(&self, name: &str, label: &str) -> String {
        if self.is_table { format!("{}.{name}", self.shown()) } else { format!("{}.\"{label}\"", self.shown()) }
    }
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
