//! `AFTER LOAD`: a lookup that finds records as they will be when this run has loaded: those it is going to insert too,
//! and those it is going to update by their new values.
//!
//! A record to be inserted has no GSID yet. It is named by `~` and its row's number; loading replaces that by the GSID that
//! Gainsight acknowledges, in a second phase. `~` sorts behind every letter and digit, so `USE ANY` prefers a record that
//! is there already.

use arrow::datatypes::DataType;
use datafusion::functions::expr_fn::{coalesce, concat, lpad};
use datafusion::logical_expr::{Expr, JoinType, cast, ident, lit};
use datafusion::prelude::DataFrame;

use super::error::Result;
use super::frame::{add, without};
use super::lookup;
use super::lower::{folded, looked};
use super::map::mapped_column;
use super::matching::{main_index, old_column};
use super::reason::Reasons;
use super::verdict::was_refused;
use crate::model::dataset::ROW;
use crate::model::job::Job;

/// Rows with the `AFTER LOAD` lookups resolved, decided and mapped. They are decided last of all: which records a run
/// inserts is known only when everything else is.
pub(super) fn resolved(
    job: &Job,
    reasons: &Reasons,
    mut rows: DataFrame,
    objects: &[Option<DataFrame>],
) -> Result<DataFrame> {
    for (index, one) in job.lookups.iter().enumerate().filter(|(index, _)| job.is_pending(*index)) {
        let object = objects[main_index(job)].clone().expect("the main target is an object of Gainsight");
        // A new record that Gainsight refused before is still to come: whoever points at it stays due, and loading says
        // so without a call. One that is there already and will not be updated counts with what it holds.
        let will_be = ident("gsid0").is_null().or(Expr::Not(Box::new(was_refused())));
        let is_coming = ident("_why").is_null().and(will_be);
        let coming = rows.clone().filter(is_coming)?;
        // A record that this run writes counts with its new values only.
        let written = coming.clone().select(vec![ident("gsid0").alias("written")])?;
        let rest = object.join(written, JoinType::LeftAnti, &["\"Gsid\""], &["written"], None)?;
        let there = lookup::held(index, one, rest)?;
        let number = lpad(vec![cast(ident(ROW), DataType::Utf8), lit(12_i64), lit("0")]);
        let name = coalesce(vec![ident("gsid0"), concat(vec![lit("~"), number])]);
        let mut columns = vec![name.clone().alias("gsid")];
        for (n, m) in one.matches.iter().enumerate() {
            let mapping = job.mappings_of(main_index(job)).find(|(_, x)| x.field.name == m.field.name);
            let (number, mapping) = mapping.expect("the checker wants the searched field to be mapped");
            let (new, old) = (ident(mapped_column(number)), ident(old_column(number)));
            let value = if mapping.keep { coalesce(vec![new, old]) } else { new };
            columns.push(folded(value, m.fold).alias(format!("g{index}_{n}")));
        }
        columns.extend((0..one.yields.len()).map(|n| name.clone().alias(format!("y{n}"))));
        rows = lookup::join(index, one, job, there.union(coming.select(columns)?)?, rows)?;
        rows = add(rows, reasons.decide(lookup::decisions(index, one, job)))?;
    }
    let values = job.mappings.iter().enumerate().filter_map(|(index, mapping)| {
        let lookup = job.pending_lookup(index)?;
        let crate::model::expression::Expression::Looked { field, .. } = mapping.value else { return None };
        Some((mapped_column(index), ident(looked(lookup, field))))
    });
    let rows = add(rows, values.collect())?;
    without(rows, |name| name.starts_with('h') || name.starts_with('l'))
}
