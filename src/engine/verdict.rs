//! The last step: which fields differ, what is to be done with each record, and the row's outcome.

use arrow::datatypes::DataType;
use datafusion::functions::expr_fn::{coalesce, concat, md5, starts_with};
use datafusion::logical_expr::{Case, Expr, Operator, binary_expr, cast, ident, lit};
use datafusion::prelude::DataFrame;

use super::digest;
use super::error::Result;
use super::frame::{add, attach, null_text};
use super::lookup::wanted_column;
use super::lost::{null, records};
use super::lower::folded;
use super::map::{is_ranked, mapped_column};
use super::matching::{company_mapping, key_column, main_index, old_column, when};
use super::reason::{Cause, Reasons};
use super::row_digest::only_where;
use super::screen::compares_live_rows_only;
use crate::model::dataset::{ROW, TO_COME, changes};
use crate::model::field::FieldKind;
use crate::model::job::{Job, Mapping, Route};
use crate::model::outcome::Outcome;
use crate::model::policy::Verb;

/// Of which rows the changes hold the values of their fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Of all.
    All,
    /// Of those that are written; of others only those that point at records that are to come by other plans.
    Written,
    /// Of none, as none is written.
    Nothing,
}

/// The changes: one row for each source row, in the columns of [`changes`].
pub(super) fn decided(job: &Job, reasons: &Reasons, rows: DataFrame, shown: Shown) -> Result<DataFrame> {
    let flags = (0..job.mappings.len()).filter(|i| job.targets[job.mappings[*i].target].route != Route::Avatar);
    let rows = add(rows, flags.map(|i| (changed_column(i), changed(job, i))).collect())?;
    let actions = (0..job.targets.len()).map(|t| (action_column(t), action(job, t))).collect();
    let rows = add(rows, actions)?;
    let rows = add(rows, vec![("planned".to_owned(), planned(job))])?;
    let again = was_refused().and(ident("planned").not_eq(lit(Outcome::Unchanged.text())));
    let rows = add(rows, reasons.decide(vec![(Cause::RefusedBefore, again, ident("rf_value"))]))?;
    Ok(rows.select(final_columns(job, reasons, shown))?)
}

/// Rows with the digest of their values, and what is remembered of a refusal. It comes before `AFTER LOAD` lookups, which
/// have to know which records will not be updated.
pub(super) fn remembered(job: &Job, rows: DataFrame, refused: DataFrame) -> Result<DataFrame> {
    let rows = add(rows, vec![("print".to_owned(), fingerprint(job))])?;
    refused_before(rows, refused, "_id")
}

/// Rows with what is remembered of a refusal, by the column with their source key: `rf_print`, `rf_message`, `rf_field`, `rf_value`.
pub(super) fn refused_before(rows: DataFrame, refused: DataFrame, id: &str) -> Result<DataFrame> {
    let refused = refused.select(vec![
        ident("source_id").alias("rf_id"),
        ident("fingerprint").alias("rf_print"),
        ident("message").alias("rf_message"),
        ident("field").alias("rf_field"),
        ident("value").alias("rf_value"),
    ])?;
    attach(refused, rows, &[("rf_id".to_owned(), id.to_owned())])
}

/// Whether Gainsight refused just these values before.
pub(super) fn was_refused() -> Expr {
    coalesce(vec![ident("rf_print").eq(ident("print")), lit(false)])
}

/// The changes of rows that are settled: decided before, or their records, with these GSIDs, hold what the rows say.
pub(super) fn settled(job: &Job, reasons: &Reasons, rows: DataFrame, gsid: Expr) -> Result<DataFrame> {
    let mut more = vec![("gsid0".to_owned(), gsid), ("siblings".to_owned(), lit(1_i64))];
    more.extend(["print", "rf_message", "rf_field"].map(|name| (name.to_owned(), null_text())));
    if job.keeps_links() {
        for (n, key) in job.key.iter().enumerate() {
            more.push((key_column(n), folded(ident(mapped_column(key.mapping)), key.fold)));
        }
    }
    let rows = add(rows, more)?;
    let is_there = || ident("gsid0").is_not_null();
    let action = either(is_there(), lit("unchanged"), lit("insert"));
    let planned = either(is_there(), lit(Outcome::Unchanged.text()), lit(Outcome::Inserted.text()));
    let rows = add(rows, vec![(action_column(0), action), ("planned".to_owned(), planned)])?;
    Ok(rows.select(final_columns(job, reasons, Shown::Nothing))?)
}

/// The columns of a settled row beside its number, its id, and what is decided of it.
pub(super) fn screened_columns(job: &Job) -> Vec<String> {
    let first = job.load_first.as_ref().map(|_| "_first".to_owned());
    let keys = job.key.iter().filter(|_| job.keeps_links()).map(|key| mapped_column(key.mapping));
    first.into_iter().chain(keys).collect()
}

fn changed_column(mapping: usize) -> String {
    format!("x{mapping}")
}

fn action_column(target: usize) -> String {
    format!("a{target}")
}

/// The GSID column of a target's records.
fn gsid_column(job: &Job, target: usize) -> Expr {
    match job.targets[target].route {
        Route::CompanyPerson => ident("gsid1"),
        Route::Avatar => null_text(),
        _ => ident("gsid0"),
    }
}

/// Whether a field has to be sent: for a new record if there is a value, else if the two stored forms differ.
fn changed(job: &Job, index: usize) -> Expr {
    let mapping: &Mapping = &job.mappings[index];
    let (new, old) = (ident(mapped_column(index)), ident(old_column(index)));
    let is_new = gsid_column(job, mapping.target).is_null();
    let mut differs = binary_expr(new.clone(), Operator::IsDistinctFrom, old);
    if mapping.keep {
        differs = differs.and(new.clone().is_not_null());
    }
    if job.targets[mapping.target].route == Route::Person {
        // A job that only inserts leaves a person who is there as he is, whatever company he is new at.
        differs = if job.verb == Verb::Insert { lit(false) } else { differs.and(ident("wins")) };
    }
    either(is_new, brought(job, index), differs)
}

/// Whether a new record gets a field.
fn brought(job: &Job, index: usize) -> Expr {
    let mapping: &Mapping = &job.mappings[index];
    // A null is said outright, unless KEEP: the target may have a default, and an older row may have brought a value.
    let brought = if mapping.keep { ident(mapped_column(index)).is_not_null() } else { lit(true) };
    // A row that only follows brings its key and its company: what it says of the person is out of date.
    if job.targets[mapping.target].route == Route::Person { brought.and(ident("wins")) } else { brought }
}

/// `insert`, `update`, `unchanged`, `follow` or null: see [`changes::action`].
fn action(job: &Job, target: usize) -> Expr {
    if job.targets[target].route == Route::Avatar {
        return avatar_action(job, target);
    }
    let flags: Vec<Expr> = job.mappings_of(target).map(|(i, _)| ident(changed_column(i))).collect();
    let any = flags.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false));
    let insert = if job.targets[target].route == Route::Person {
        either(ident("wins"), lit("insert"), lit("follow"))
    } else {
        lit("insert")
    };
    let known = either(any, lit("update"), lit("unchanged"));
    let decided = either(gsid_column(job, target).is_null(), insert, known);
    match company_mapping(job) {
        Some(company) if job.targets[target].route == Route::CompanyPerson => {
            when(ident(mapped_column(company)).is_not_null(), decided)
        }
        _ => decided,
    }
}

/// The identity map changes when the user is new to it, is another one, or was enabled or disabled.
fn avatar_action(job: &Job, target: usize) -> Expr {
    let active = job.mappings_of(target).find(|(_, m)| m.field.kind.stored(0) == DataType::Boolean);
    let mut differs = binary_expr(ident("av_gsid"), Operator::IsDistinctFrom, ident("gsid0"));
    if let Some((index, _)) = active {
        differs = differs.or(binary_expr(ident("av_active"), Operator::IsDistinctFrom, ident(mapped_column(index))));
    }
    either(ident("av_known").is_null(), lit("insert"), either(differs, lit("update"), lit("unchanged")))
}

/// Whether the digest of a row's values is kept: of a record that stays as it is nobody asks for it.
fn is_printed(job: &Job) -> Expr {
    let is_sent = ident("planned").not_eq(lit(Outcome::Unchanged.text()));
    if compares_live_rows_only(job) {
        is_sent.and(ident("gsid0").is_not_null().or(ident("_why").is_null()))
    } else {
        is_sent
    }
}

/// The outcome of a row that nothing stands against.
fn planned(job: &Job) -> Expr {
    let is = |target: usize, what: &str| coalesce(vec![ident(action_column(target)).eq(lit(what)), lit(false)]);
    let records = || (0..job.targets.len()).filter(|t| job.targets[*t].route != Route::Avatar);
    let any = |list: Vec<Expr>| list.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false));
    let inserts = any(records().map(|t| is(t, "insert")).collect());
    let mut updates: Vec<Expr> = records().map(|t| is(t, "update")).collect();
    // A change of the identity map alone is an update of the row, though no call is spent on it.
    if let Some(avatar) = job.target_by_route(Route::Avatar) {
        updates.extend([is(avatar, "insert"), is(avatar, "update")]);
    }
    let rest = either(any(updates), lit(Outcome::Updated.text()), lit(Outcome::Unchanged.text()));
    either(inserts, lit(Outcome::Inserted.text()), rest)
}

/// A digest of all new values. Of `AFTER LOAD` lookups it takes what they search for, as what they find may be new.
fn fingerprint(job: &Job) -> Expr {
    let mut parts = Vec::new();
    // A refusal is about this record and these fields: a mapping to another field, or an update in place of an insert, is
    // another attempt.
    let records =
        ["gsid0", "gsid1"].into_iter().take(1 + usize::from(job.target_by_route(Route::CompanyPerson).is_some()));
    parts.extend(records.map(|gsid| coalesce(vec![ident(gsid), lit("\u{0}")])));
    for index in (0..job.mappings.len()).filter(|i| job.pending_lookup(*i).is_none()) {
        parts.push(lit(format!("\u{1e}{}\u{1f}", job.mappings[index].field.name)));
        parts.push(coalesce(vec![cast(ident(mapped_column(index)), DataType::Utf8), lit("\u{0}")]));
        parts.push(lit("\u{1f}"));
    }
    for (index, lookup) in job.lookups.iter().enumerate().filter(|(index, _)| job.is_pending(*index)) {
        for n in 0..lookup.matches.len() {
            parts.push(coalesce(vec![cast(ident(wanted_column(index, n)), DataType::Utf8), lit("\u{0}")]));
            parts.push(lit("\u{1f}"));
        }
    }
    cast(md5(concat(parts)), DataType::Utf8)
}

fn final_columns(job: &Job, reasons: &Reasons, shown: Shown) -> Vec<Expr> {
    let remembered = |column: &str| {
        let number = reasons.number(Cause::RefusedBefore);
        number.map_or_else(null_text, |n| when(ident("_why").eq(lit(n)), ident(column)))
    };
    let main = &job.targets[main_index(job)];
    let key = if main.route == Route::Person { ident(key_column(0)) } else { null_text() };
    let mut columns = vec![
        ident(ROW),
        ident("_id").alias(changes::ID),
        reasons.outcome(ident("planned")).alias(changes::OUTCOME),
        ident("_why").alias(changes::WHY),
        ident("_value").alias(changes::VALUE),
        remembered("rf_message").alias(changes::MESSAGE),
        remembered("rf_field").alias(changes::FIELD),
        // Of a record that stays as it is nobody asks for it.
        when(is_printed(job), ident("print")).alias(changes::FINGERPRINT),
        if is_ranked(job) { ident("_rank") } else { null_text() }.alias(changes::RANK),
        key.alias(changes::KEY),
        ident("siblings").alias(changes::SIBLINGS),
    ];
    if job.load_first.is_some() {
        columns.push(ident("_first").alias(changes::FIRST));
    }
    if job.target_by_route(Route::Avatar).is_some() {
        columns.push(cast(ident("candidates"), DataType::Utf8).alias(changes::CANDIDATES));
        columns.push(ident("owner").alias(changes::OWNER));
    }
    for (index, target) in job.targets.iter().enumerate() {
        let label = &target.object.label;
        columns.push(ident(action_column(index)).alias(changes::action(label)));
        let gsid = if target.route == Route::Avatar { ident("gsid0") } else { gsid_column(job, index) };
        columns.push(gsid.alias(changes::gsid(label)));
    }
    if job.keeps_links() {
        let keyed = |t: usize| digest::of_row(job, t).alias(changes::keyed(&job.targets[t].object.label));
        columns.extend(records(job).map(keyed));
    }
    let is_written = || ident("_why").is_null().and(ident("planned").not_eq(lit(Outcome::Unchanged.text())));
    let of = |column: String, kind: &DataType, is_asked: Option<Expr>| match shown {
        Shown::All => ident(column),
        Shown::Written => only_where(is_asked.map_or_else(is_written, |asked| is_written().or(asked)), ident(column)),
        Shown::Nothing => null(kind),
    };
    for (index, mapping) in job.mappings.iter().enumerate() {
        let target = &job.targets[mapping.target];
        let (label, field) = (&target.object.label, &mapping.field.label);
        let stored = mapping.field.kind.stored(mapping.field.scale);
        columns.push(of(mapped_column(index), &stored, is_to_come(mapping, index)).alias(changes::new(label, field)));
        if target.route != Route::Avatar {
            columns.push(of(old_column(index), &stored, None).alias(changes::old(label, field)));
            columns.push(of(changed_column(index), &DataType::Boolean, None).alias(changes::changed(label, field)));
        }
    }
    columns
}

/// Whether a mapped field points at a record that is to come by another plan, which is asked about unchanged rows too.
pub(super) fn is_to_come(mapping: &Mapping, index: usize) -> Option<Expr> {
    let is_marked = || starts_with(ident(mapped_column(index)), lit(TO_COME));
    (mapping.field.kind == FieldKind::Lookup).then(|| coalesce(vec![is_marked(), lit(false)]))
}

fn either(condition: Expr, yes: Expr, no: Expr) -> Expr {
    Expr::Case(Case::new(None, vec![(Box::new(condition), Box::new(yes))], Some(Box::new(no))))
}
