//! Digests of keys: how a link names the key that a row gave its record, without holding it.
//!
//! The same from both sides: of the values that a row has mapped, and of those that a record holds, both folded as keys are.

use arrow::datatypes::DataType;
use datafusion::functions::expr_fn::{concat, md5};
use datafusion::logical_expr::{Expr, cast, ident, lit};

use super::lower::folded;
use super::map::mapped_column;
use super::matching::{company_mapping, key_column, when};
use crate::model::job::{Job, Route};

/// The digest of the key that a row has for its record of a target; null where a part of the key is.
pub(super) fn of_row(job: &Job, target: usize) -> Expr {
    let main = of((0..job.key.len()).map(|n| ident(key_column(n))).collect());
    match (job.targets[target].route, company_mapping(job)) {
        (Route::CompanyPerson, Some(company)) => of_place(main, ident(mapped_column(company))),
        _ => main,
    }
}

/// The same of a record of the main target, over its fields.
pub(super) fn of_record(job: &Job) -> Expr {
    of(job.key.iter().map(|key| folded(ident(&job.mappings[key.mapping].field.name), key.fold)).collect())
}

/// The digest of a person's place at a company.
pub(super) fn of_place(person: Expr, company: Expr) -> Expr {
    of(vec![person, company])
}

fn of(parts: Vec<Expr>) -> Expr {
    let is_whole = parts.iter().map(|part| part.clone().is_not_null()).reduce(Expr::and).unwrap_or_else(|| lit(false));
    let texts = parts.into_iter().flat_map(|part| [cast(part, DataType::Utf8), lit("\u{1f}")]);
    when(is_whole, cast(md5(concat(texts.collect())), DataType::Utf8))
}
