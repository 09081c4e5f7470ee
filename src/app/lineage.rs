//! Lineage: for each target field of a job the columns, lookups and policies that its value comes from.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::expression::Expression;
use crate::model::job::Job;
use crate::model::literal::Literal;
use crate::model::lookup::{Lookup, OnMultiple, OnNone};

/// Where one target field comes from.
#[derive(Debug, Serialize)]
pub struct Lineage {
    /// The field, with its object.
    pub field: String,
    /// The mapping as it is written.
    pub mapping: String,
    /// Whether the field is part of the key.
    pub is_key: bool,
    /// The source columns that it reads, as paths from the source table.
    pub columns: Vec<String>,
    /// The lookups that it uses.
    pub lookups: Vec<LookupLineage>,
}

/// One lookup, as far as a field depends on it.
#[derive(Debug, Serialize)]
pub struct LookupLineage {
    /// Its alias.
    pub alias: String,
    /// The object that is searched.
    pub object: String,
    /// The fields of the found record that are used.
    pub fields: Vec<String>,
    /// What is searched, each with the columns that it is compared with.
    pub matches: Vec<(String, Vec<String>)>,
    /// What several matches mean.
    pub on_multiple: String,
    /// What no match means.
    pub on_none: String,
    /// Whether records of this very run are found.
    pub after_load: bool,
}

/// The lineage of every mapping, in script order.
#[must_use]
pub fn lineage(job: &Job) -> Vec<Lineage> {
    let of = |(index, mapping): (usize, &crate::model::job::Mapping)| {
        let mut used: Vec<(usize, usize)> = Vec::new();
        mapping.value.walk(&mut |e| {
            if let Expression::Looked { lookup, field } = e
                && !used.contains(&(*lookup, *field))
            {
                used.push((*lookup, *field));
            }
        });
        let numbers = used.iter().map(|(lookup, _)| *lookup).collect::<BTreeSet<usize>>();
        Lineage {
            field: format!("{}.\"{}\"", job.targets[mapping.target].object.label, mapping.field.label),
            mapping: mapping.place.clause.clone(),
            is_key: job.key.iter().any(|k| k.mapping == index),
            columns: columns(&mapping.value, job),
            lookups: numbers.into_iter().map(|n| looked(n, &used, job)).collect(),
        }
    };
    job.mappings.iter().enumerate().map(of).collect()
}

fn looked(number: usize, used: &[(usize, usize)], job: &Job) -> LookupLineage {
    let lookup: &Lookup = &job.lookups[number];
    let fields = used.iter().filter(|(n, _)| *n == number).map(|(_, f)| lookup.yields[*f].label.clone());
    let matches = lookup.matches.iter().map(|m| (m.field.label.clone(), columns(&m.value, job)));
    let on_multiple = match &lookup.on_multiple {
        OnMultiple::Error => "ERROR".to_owned(),
        OnMultiple::UseAny => "USE ANY".to_owned(),
        OnMultiple::UseFirst(orders) => {
            let order =
                orders.iter().map(|o| format!("\"{}\"{}", o.field.label, if o.descending { " DESC" } else { "" }));
            format!("USE FIRST BY {}", order.collect::<Vec<_>>().join(", "))
        }
    };
    let on_none = match &lookup.on_none {
        OnNone::Reject => "REJECT".to_owned(),
        OnNone::Use(Literal::Null) => "USE NULL".to_owned(),
        OnNone::Use(Literal::Text(text)) => format!("USE '{text}'"),
        OnNone::Use(_) => "USE a constant".to_owned(),
    };
    LookupLineage {
        alias: lookup.alias.clone(),
        object: lookup.object.label.clone(),
        fields: fields.collect(),
        matches: matches.collect(),
        on_multiple,
        on_none,
        after_load: lookup.after_load,
    }
}

/// The source columns that an expression reads, as paths.
fn columns(value: &Expression, job: &Job) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    value.walk(&mut |e| {
        if let Expression::Column(index) | Expression::Label(index) | Expression::TypeOf(index) = e {
            let path = format!("{}.{}", job.source.table.name, path(*index, job));
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    });
    paths
}

fn path(column: usize, job: &Job) -> String {
    let column = &job.columns[column];
    match column.relation {
        Some(relation) => format!("{}.{}", path(job.relations[relation].via, job), column.field.name),
        None => column.field.name.clone(),
    }
}
