//! What a run would look for in an object of the target: the keys of its rows, and what its lookups search by.
//!
//! It serves to read just these records where that takes fewer calls than the whole object. In: the source's datasets. Out: values by
//! field; none where not everything that may be looked for is known beforehand, as a value that is itself looked up.

use std::collections::HashSet;

use arrow::array::AsArray;
use datafusion::logical_expr::{Expr, cast, ident};
use datafusion::prelude::DataFrame;
use futures::StreamExt;

use super::error::Result;
use super::lookup::{prepare, wanted_column};
use super::map::rows_taking_part;
use super::session::Engine;
use super::steps::Steps;
use super::stored::stored;
use crate::model::field::Field;
use crate::model::job::{Fold, Job, Route};
use crate::model::policy::OnSource;

/// Values that are looked for in one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The field.
    pub field: Field,
    /// The values, each once, in order.
    pub values: Vec<String>,
}

/// One way in which an object is searched.
enum Search {
    /// By the key of the job's records: the mapping that fills it, and how it is folded.
    Key(usize, Fold),
    /// By an equality of a lookup.
    Lookup(usize, usize),
}

/// Whether everything that a job looks for in an object is known before it is read.
#[must_use]
pub fn can_be_wanted(job: &Job, object: &str) -> bool {
    searches(job, object).is_some()
}

/// Everything that a job looks for in an object; none if that cannot be known, or is more than `at_most` values.
///
/// # Errors
/// If a dataset cannot be read or memory does not suffice.
pub async fn wanted(engine: &Engine, job: &Job, object: &str, at_most: usize) -> Result<Option<Vec<Wanted>>> {
    let Some(searches) = searches(job, object) else { return Ok(None) };
    let (mut all, mut count) = (Vec::new(), 0);
    for search in searches {
        let rows = rows_taking_part(engine, job).await?;
        let (field, rows, column, fold) = match search {
            Search::Key(index, fold) => {
                let mapping = &job.mappings[index];
                let mut steps = Steps::new('w');
                let value = stored(mapping, "wanted", job, &mut steps).value;
                let rows = super::frame::add(steps.taken(rows)?, vec![("wanted".to_owned(), value)])?;
                (&mapping.field, rows, "wanted".to_owned(), fold)
            }
            Search::Lookup(index, equality) => {
                let one = &job.lookups[index].matches[equality];
                let rows = prepare(index, &job.lookups[index], job, rows)?;
                (&one.field, rows, wanted_column(index, equality), one.fold)
            }
        };
        let values = distinct(engine, rows, &column, at_most.saturating_sub(count)).await?;
        let Some(values) = values else { return Ok(None) };
        let values = if fold == Fold::Guid { with_braces(values) } else { values };
        count += values.len();
        all.push(Wanted { field: field.clone(), values });
    }
    Ok((count <= at_most).then_some(all))
}

/// How an object is searched; none if one of the ways cannot be told by values.
fn searches(job: &Job, object: &str) -> Option<Vec<Search>> {
    let mut all = Vec::new();
    for target in job.targets.iter().filter(|target| target.object.name == object) {
        // Users are found by their identity too, people by what their person is, lost rows by what they became.
        let is_lost = job.on_delete != OnSource::Ignore || job.on_leave != OnSource::Ignore;
        if target.route != Route::Object || is_lost {
            return None;
        }
        let key = job.key.iter().find(|key| {
            let mapping = &job.mappings[key.mapping];
            mapping.field.kind.can_be_listed() && !mapping.value.uses_lookup()
        })?;
        all.push(Search::Key(key.mapping, key.fold));
    }
    for (index, lookup) in job.lookups.iter().enumerate() {
        if lookup.object.table.is_some() || lookup.object.name != object {
            continue;
        }
        // Matches are prepared together, so none of them may be looked up.
        if lookup.matches.iter().any(|one| one.value.uses_lookup()) {
            return None;
        }
        let equality = lookup.matches.iter().position(|one| one.field.kind.can_be_listed())?;
        all.push(Search::Lookup(index, equality));
    }
    Some(all)
}

async fn distinct(engine: &Engine, rows: DataFrame, column: &str, at_most: usize) -> Result<Option<Vec<String>>> {
    let text: Expr = cast(ident(column), arrow::datatypes::DataType::Utf8).alias("value");
    let rows = rows.filter(ident("_why").is_null().and(ident(column).is_not_null()))?.select(vec![text])?;
    // One by one, as it ends early where there are too many: to have them grouped first would take all of them.
    let mut batches = engine.in_any_order(rows).await?;
    let mut values = HashSet::new();
    while let Some(batch) = batches.next().await {
        for value in batch?.column(0).as_string::<i32>().iter().flatten() {
            if !values.contains(value) {
                values.insert(value.to_owned());
            }
        }
        if values.len() > at_most {
            return Ok(None);
        }
    }
    let mut values: Vec<String> = values.into_iter().collect();
    values.sort_unstable();
    Ok(Some(values))
}

/// GUIDs as they may be written: bare, and in braces. Queries compare without case.
fn with_braces(values: Vec<String>) -> Vec<String> {
    values.into_iter().flat_map(|value| [format!("{{{value}}}"), value]).collect()
}
