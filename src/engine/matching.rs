//! Which record of the target each row is: keys, repeated keys, the identity map, and the values held now.
//!
//! In: mapped rows. Out: the same rows with `gsid0` (the main record), `gsid1` (the company person), `o…` (old values),
//! `wins` (whether the row is the newest of its person), of users `candidates` and `owner`, and everything decided that keys decide.
//! A user that the identity map knows needs no key: a null one, or one that another row has too, does not stand against it.

use datafusion::functions::expr_fn::{character_length, coalesce, octet_length};
use datafusion::functions_aggregate::expr_fn::{count, first_value, max, min};
use datafusion::functions_aggregate::string_agg::string_agg;
use datafusion::logical_expr::{Case, Expr, ExprFunctionExt, ident, lit};
use datafusion::prelude::DataFrame;

use super::error::Result;
use super::frame::{add, attach, null_text, without};
use super::identity::{identified, is_known, owned};
use super::lower::folded;
use super::map::mapped_column;
use super::reason::{Cause, Reasons};
use super::screen::compares_live_rows_only;
use super::stored::{has_items, is_item, is_text};
use super::verdict::was_refused;
use crate::model::job::{Job, Route};
use crate::model::policy::{DuplicateKey, Unknown, Verb};

/// What the target holds: one table for each target that Gainsight has, and Ferry's own map of users.
pub(super) struct Held {
    pub(super) targets: Vec<Option<DataFrame>>,
    pub(super) avatars: Option<DataFrame>,
}

/// The name of an old value.
pub(super) fn old_column(mapping: usize) -> String {
    format!("o{mapping}")
}

/// The name of a folded key field.
pub(super) fn key_column(key: usize) -> String {
    format!("k{key}")
}

/// The target whose records the key identifies.
pub(super) fn main_index(job: &Job) -> usize {
    job.key.first().map_or(0, |k| job.mappings[k.mapping].target)
}

/// The mapping that fills the company of a company person.
pub(super) fn company_mapping(job: &Job) -> Option<usize> {
    let target = job.target_by_route(Route::CompanyPerson)?;
    job.mappings_of(target).find(|(_, m)| m.field.name == "Company_ID").map(|(index, _)| index)
}

/// Rows with their records found and all key decisions taken.
pub(super) fn matched(job: &Job, reasons: &Reasons, rows: DataFrame, held: &Held) -> Result<DataFrame> {
    let rows = identified(job, rows, held)?;
    let rows = keyed(job, reasons, rows, held)?;
    let rows = main_record(job, rows, held)?;
    let rows = company_person(job, rows, held)?;
    let shown = || job.key.first().map_or_else(null_text, |k| ident(mapped_column(k.mapping)));
    let mut decisions = vec![(
        Cause::Ambiguous(main_index(job)),
        Expr::Not(Box::new(is_known(held))).and(ident("t_n").gt(lit(1_i64))),
        shown(),
    )];
    if let Some(target) = job.target_by_route(Route::CompanyPerson) {
        decisions.push((Cause::Ambiguous(target), ident("cp_n").gt(lit(1_i64)), shown()));
    }
    if job.target_by_route(Route::Avatar).is_some() {
        decisions.push((Cause::AvatarConflict, ident("owner").is_not_null(), shown()));
        decisions.push((Cause::AvatarParted, ident("is_parted"), shown()));
    }
    // A row of a person stands for the person at a company: there already is that record, or there is not.
    // Without a company it stands for the person alone.
    let record = || match company_mapping(job) {
        Some(company) => Expr::Case(Case::new(
            None,
            vec![(Box::new(ident(mapped_column(company)).is_null()), Box::new(ident("gsid0")))],
            Some(Box::new(ident("gsid1"))),
        )),
        None => ident("gsid0"),
    };
    match job.verb {
        Verb::Upsert => {}
        Verb::Insert => decisions.push((Cause::AlreadyThere, record().is_not_null(), shown())),
        Verb::Update => decisions.push((Cause::NotThere, record().is_null(), shown())),
    }
    decisions.extend(violations(job, false));
    let rows = add(rows, reasons.decide(decisions))?;
    without(rows, |name| ["t_n", "cp_n", "known", "is_parted"].contains(&name))
}

/// Folded keys; null and repeated ones are decided. Rows that are already decided do not count.
fn keyed(job: &Job, reasons: &Reasons, rows: DataFrame, held: &Held) -> Result<DataFrame> {
    let mut more: Vec<(String, Expr)> = Vec::new();
    for (index, key) in job.key.iter().enumerate() {
        let folded = folded(ident(mapped_column(key.mapping)), key.fold);
        let is_live_only = compares_live_rows_only(job);
        more.push((key_column(index), if is_live_only { when(ident("_why").is_null(), folded) } else { folded }));
    }
    // A person is one record at each company: the company belongs to the key of the row.
    if let Some(company) = company_mapping(job) {
        more.push(("k_company".to_owned(), coalesce(vec![ident(mapped_column(company)), lit("")])));
    }
    let names: Vec<String> = more.iter().map(|(name, _)| name.clone()).collect();
    let rows = add(rows, more)?;
    let nulls = job.key.iter().enumerate().map(|(index, key)| {
        let is_null = ident(key_column(index)).is_null().and(Expr::Not(Box::new(is_known(held))));
        (Cause::NullKey(key.mapping), is_null, null_text())
    });
    let rows = add(rows, reasons.decide(nulls.collect()))?;
    let rows = repeated(job, reasons, rows, &names, held)?;
    without(rows, |name| name == "d_found" || name == "k_company")
}

/// What several rows of one key mean. Rows that are already decided do not count.
fn repeated(job: &Job, reasons: &Reasons, rows: DataFrame, names: &[String], held: &Held) -> Result<DataFrame> {
    let live = rows.clone().filter(ident("_why").is_null())?;
    let is_latest = matches!(job.duplicate_key, DuplicateKey::KeepLatest(_));
    let found = if is_latest {
        let by = vec![ident("_latest").sort(false, false), ident("_id").sort(false, false)];
        first_value(ident("_id"), by)
    } else {
        count(lit(1_i64))
    };
    let groups = names.iter().map(|n| ident(n).alias(format!("d_{n}"))).collect();
    let grouped = live.aggregate(groups, vec![found.alias("d_found")])?;
    let on: Vec<_> = names.iter().map(|n| (format!("d_{n}"), n.clone())).collect();
    let rows = attach(grouped, rows, &on)?;
    let shown = job.key.first().map_or_else(null_text, |k| ident(mapped_column(k.mapping)));
    let (cause, is_repeated, shown) = if is_latest {
        (Cause::OlderKey, ident("d_found").not_eq(ident("_id")), null_text())
    } else {
        (Cause::DuplicateKey, ident("d_found").gt(lit(1_i64)), shown)
    };
    let decision = (cause, is_repeated.and(Expr::Not(Box::new(is_known(held)))), shown);
    add(rows, reasons.decide(vec![decision]))
}

/// Of several rows of one person the newest that will be sent gives the person's own fields. A row that was refused
/// before counts as its own newest, so that it is seen to differ and stays in the error file.
pub(super) fn newest(job: &Job, rows: DataFrame) -> Result<DataFrame> {
    if job.target_by_route(Route::CompanyPerson).is_none() {
        return add(rows, vec![("wins".to_owned(), lit(true)), ("siblings".to_owned(), lit(1_i64))]);
    }
    let live = rows.clone().filter(ident("_why").is_null().and(Expr::Not(Box::new(was_refused()))))?;
    let names: Vec<String> = (0..job.key.len()).map(key_column).collect();
    let groups = names.iter().map(|n| ident(n).alias(format!("w_{n}"))).collect();
    let best =
        live.aggregate(groups, vec![max(ident("_rank")).alias("w_rank"), count(lit(1_i64)).alias("siblings")])?;
    let on: Vec<_> = names.iter().map(|n| (format!("w_{n}"), n.clone())).collect();
    let rows = attach(best, rows, &on)?;
    let wins = ident("_rank").eq(ident("w_rank"));
    let wins = coalesce(vec![wins, lit(false)]).or(was_refused());
    without(add(rows, vec![("wins".to_owned(), wins)])?, |name| name == "w_rank")
}

/// `gsid0`: the record that the identity map names, if it is still there, else the one that has the key.
/// Of users also `candidates`, all that have the key.
fn main_record(job: &Job, rows: DataFrame, held: &Held) -> Result<DataFrame> {
    let index = main_index(job);
    let object = held.targets[index].clone().expect("the main target is an object of Gainsight");
    let mut groups = Vec::new();
    let mut on = Vec::new();
    for (n, key) in job.key.iter().enumerate() {
        groups.push(folded(ident(&job.mappings[key.mapping].field.name), key.fold).alias(format!("tk{n}")));
        on.push((format!("tk{n}"), key_column(n)));
    }
    let mut found = vec![count(lit(1_i64)).alias("t_n"), min(ident("Gsid")).alias("t_g")];
    if held.avatars.is_some() {
        let order = vec![ident("Gsid").sort(true, false)];
        found.push(string_agg(ident("Gsid"), lit(" ")).order_by(order).build()?.alias("candidates"));
    }
    let mut rows = attach(object.clone().aggregate(groups, found)?, rows, &on)?;
    if let Some(avatars) = &held.avatars {
        rows = owned(rows, avatars)?;
    }
    let by_key = when(ident("t_n").eq(lit(1_i64)), ident("t_g"));
    let gsid = if held.avatars.is_some() { coalesce(vec![ident("known"), by_key]) } else { by_key };
    let rows = without(add(rows, vec![("gsid0".to_owned(), gsid)])?, |name| name == "t_g")?;
    old_values(job, index, object, rows, "gsid0")
}

/// `gsid1`: the record of this person at this company.
fn company_person(job: &Job, rows: DataFrame, held: &Held) -> Result<DataFrame> {
    let (Some(index), Some(company)) = (job.target_by_route(Route::CompanyPerson), company_mapping(job)) else {
        return Ok(rows);
    };
    let object = held.targets[index].clone().expect("Company Person is an object of Gainsight");
    let groups = vec![ident("Person_ID").alias("cp_p"), ident("Company_ID").alias("cp_c")];
    let found = vec![count(lit(1_i64)).alias("cp_n"), min(ident("Gsid")).alias("gsid1")];
    let on = [("cp_p".to_owned(), "gsid0".to_owned()), ("cp_c".to_owned(), mapped_column(company))];
    let rows = attach(object.clone().aggregate(groups, found)?, rows, &on)?;
    old_values(job, index, object, rows, "gsid1")
}

fn old_values(job: &Job, target: usize, object: DataFrame, rows: DataFrame, gsid: &str) -> Result<DataFrame> {
    let mut columns = vec![ident("Gsid").alias("old_id")];
    columns.extend(job.mappings_of(target).map(|(n, m)| ident(&m.field.name).alias(old_column(n))));
    attach(object.select(columns)?, rows, &[("old_id".to_owned(), gsid.to_owned())])
}

/// What the target's metadata forbids, decided before any call is spent on it.
/// `is_known` of a row whose record is there.
pub(super) fn violations(job: &Job, is_known: bool) -> Vec<(Cause, Expr, Expr)> {
    let mut all = Vec::new();
    let company = company_mapping(job);
    for (index, mapping) in job.mappings.iter().enumerate() {
        if job.pending_lookup(index).is_some() || job.targets[mapping.target].route == Route::Avatar {
            continue;
        }
        let value = || ident(mapped_column(index));
        if mapping.field.required {
            let mut empty = value().is_null();
            if mapping.keep && is_known {
                continue;
            }
            if mapping.keep {
                let gsid = if mapping.target == main_index(job) { "gsid0" } else { "gsid1" };
                empty = empty.and(ident(gsid).is_null());
            }
            // A person without a company is a person all the same: there is no company person to be incomplete.
            if company == Some(index) {
                continue;
            }
            all.push((Cause::RequiredEmpty(index), empty, null_text()));
        }
        if let Some(length) = mapping.field.length.filter(|_| is_text(mapping.field.kind)) {
            let length = || lit(i64::from(length));
            // No text has more characters than bytes, and these need not be counted.
            let may_be = octet_length(value()).gt(length()).is_true();
            all.push((Cause::TooLong(index), may_be.and(character_length(value()).gt(length())), value()));
        }
        if job.unknown_item == Unknown::Error && has_items(&mapping.field) {
            let is_unknown = is_item(&mapping.field, value()).is_false();
            all.push((Cause::UnknownItem(index), is_unknown, value()));
        }
    }
    all
}

/// `CASE WHEN … THEN … END`
pub(super) fn when(condition: Expr, value: Expr) -> Expr {
    Expr::Case(Case::new(None, vec![(Box::new(condition), Box::new(value))], None))
}
