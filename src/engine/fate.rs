//! What is to be done about lost rows: which record each is, whether it may be touched, which fields would change.
//!
//! A record is left alone that is another row's too, or whose key is not the one that the lost row gave it. In: lost rows with their
//! links. Out: the same rows as changes.

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::functions::expr_fn::{coalesce, concat, md5};
use datafusion::functions_aggregate::expr_fn::{count, min};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Case, Expr, ExprFunctionExt, Operator, binary_expr, cast, ident, lit};
use datafusion::prelude::DataFrame;

use super::digest;
use super::error::Result;
use super::frame::{add, attach, null_text, without};
use super::identity::known_as;
use super::lost::{added, link_column, link_key_column, null, records};
use super::lower::{Lowered, folded};
use super::matching::{Held, main_index, old_column, when};
use super::reason::{Cause, Reasons};
use super::steps::{Steps, is_step};
use super::stored::stored;
use super::verdict::refused_before;
use crate::model::dataset::{ROW, changes};
use crate::model::job::{Job, Route};
use crate::model::outcome::Outcome;
use crate::model::policy::OnSource;
use crate::model::sabotage::{self, Bug};

/// Lost rows with everything decided: `g…` (the record), `ok…` (whether it may be touched), `o…` (what it holds), `new…`, `was…` and
/// `sets…` (the fields that the clause sets), `deletes`, `_why`, `outcome`, `link`.
pub(super) fn decided(
    job: &Job,
    reasons: &Reasons,
    lost: DataFrame,
    compared: &DataFrame,
    held: &Held,
    refused: DataFrame,
) -> Result<DataFrame> {
    let mut rows = lost;
    for target in records(job) {
        rows = found(job, target, rows, held)?;
        rows = claimed(job, target, rows, compared)?;
    }
    if let Some(avatars) = &held.avatars {
        rows = known_as(rows, avatars, "lid")?;
    }
    let rows = assigned(job, rows)?;
    let rows = judged(job, reasons, rows)?;
    let rows = refused_before(rows, refused, "lid")?;
    let again = coalesce(vec![ident("rf_print").eq(ident("print")), lit(false)]).and(ident("acts"));
    let rows = add(rows, reasons.decide(vec![(Cause::RefusedBefore, again, ident("rf_value"))]))?;
    concluded(job, rows)
}

/// The record of each row: the one of the link, or where its GSID was never told, the only one with its key.
fn found(job: &Job, target: usize, rows: DataFrame, held: &Held) -> Result<DataFrame> {
    let all = held_records(job, target, held)?;
    let name = |what: &str| format!("{what}{target}");
    let by_key = all.clone().filter(ident(name("rk")).is_not_null())?.aggregate(
        vec![ident(name("rk")).alias("found")],
        vec![count(lit(1_i64)).alias(name("dn")), min(ident(name("rg"))).alias(name("dg"))],
    )?;
    let rows = attach(by_key, rows, &[("found".to_owned(), link_key_column(target))])?;
    let only = when(ident(name("dn")).eq(lit(1_i64)), ident(name("dg")));
    let rows = add(rows, vec![(name("g"), coalesce(vec![ident(link_column(target)), only]))])?;
    let rows = without(rows, |column| column == name("dg"))?;
    let rows = attach(all, rows, &[(name("rg"), name("g"))])?;
    let is_there = coalesce(vec![ident(name("ex")), lit(false)]);
    let mut is_other = binary_expr(ident(name("rk")), Operator::IsDistinctFrom, ident(link_key_column(target)));
    let mut can_be_reached = is_there.clone();
    if job.targets[target].route == Route::CompanyPerson {
        // The call names the person: it has to be the one that the place belongs to.
        let person = job.target_by_route(Route::Person).unwrap_or_default();
        can_be_reached = can_be_reached.and(coalesce(vec![ident(format!("ex{person}")), lit(false)]));
        is_other = is_other.or(binary_expr(ident("rp"), Operator::IsDistinctFrom, ident(format!("g{person}"))));
    }
    add(rows, vec![(name("there"), can_be_reached), (name("moved"), is_there.and(is_other))])
}

/// What the target holds: `rg…` (GSID), `rk…` (digest of the key), `ex…` (true), `o…` (mapped fields), `was…` (fields that clauses set).
fn held_records(job: &Job, target: usize, held: &Held) -> Result<DataFrame> {
    let name = |what: &str| format!("{what}{target}");
    let object = held.targets[target].clone().expect("a record's object is one of Gainsight");
    let mut columns = vec![ident("Gsid").alias(name("rg")), lit(true).alias(name("ex"))];
    columns.extend(job.mappings_of(target).map(|(n, m)| ident(&m.field.name).alias(old_column(n))));
    let assigned = job.assigned().into_iter().enumerate().filter(|(_, (of, _))| *of == target);
    columns.extend(assigned.map(|(n, (_, field))| ident(&field.name).alias(format!("was{n}"))));
    if job.targets[target].route != Route::CompanyPerson {
        columns.push(digest::of_record(job).alias(name("rk")));
        return Ok(object.select(columns)?);
    }
    columns.push(ident("Person_ID").alias("rp"));
    columns.push(ident("Company_ID").alias("rc"));
    let person = held.targets[main_index(job)].clone().expect("people are an object of Gainsight");
    let person = person.select(vec![ident("Gsid").alias("pg"), digest::of_record(job).alias("pk")])?;
    let places = attach(person, object.select(columns)?, &[("pg".to_owned(), "rp".to_owned())])?;
    let places = add(places, vec![(name("rk"), digest::of_place(ident("pk"), ident("rc")))])?;
    without(places, |column| column == "pk" || column == "rc")
}

/// `ok…`: the record is there, has the row's key, is no other row's, and no lost row before this one deals with it.
fn claimed(job: &Job, target: usize, rows: DataFrame, compared: &DataFrame) -> Result<DataFrame> {
    let name = |what: &str| format!("{what}{target}");
    let label = &job.targets[target].object.label;
    let outcome = || ident(changes::OUTCOME);
    let others = [Outcome::Filtered, Outcome::Superseded].map(|o| lit(o.text())).to_vec();
    let live = compared.clone().filter(outcome().in_list(others, true))?;
    let of = |column: String, key: &str, flag: &str| -> Result<DataFrame> {
        let all = live.clone().select(vec![ident(column).alias(key)])?;
        add(all.filter(ident(key).is_not_null())?.distinct()?, vec![(flag.to_owned(), lit(true))])
    };
    let rows = attach(of(changes::gsid(label), "tg", "by_gsid")?, rows, &[("tg".to_owned(), name("g"))])?;
    let rows = attach(of(changes::keyed(label), "tk", "by_key")?, rows, &[("tk".to_owned(), name("rk"))])?;
    let is_taken = ident("by_gsid").is_true().or(ident("by_key").is_true());
    let rows = add(rows, vec![(name("taken"), is_taken)])?;
    let rows = without(rows, |column| column == "by_gsid" || column == "by_key")?;
    let is_taken = if sabotage::has(Bug::AnothersRecord) { lit(false) } else { ident(name("taken")) };
    let is_free = ident(name("there")).and(Expr::Not(Box::new(is_taken)));
    let rows = add(rows, vec![(name("free"), is_free)])?;
    let is_sound = ident(name("free")).and(Expr::Not(Box::new(ident(name("moved")))));
    let order = vec![is_sound.clone().sort(false, false), ident(ROW).sort(true, false)];
    let turn = row_number().partition_by(vec![ident(name("g"))]).order_by(order).build()?;
    let rows = rows.window(vec![turn.alias("turn")])?;
    let rows = add(rows, vec![(name("ok"), is_sound.and(ident("turn").eq(lit(1_u64))))])?;
    without(rows, |column| column == "turn")
}

/// `new…`, `was…` and `differs…` of each field that a clause sets, and `unset`: whether one of the constants has no value.
fn assigned(job: &Job, rows: DataFrame) -> Result<DataFrame> {
    let mut steps = Steps::new('s');
    let (mut values, mut fails) = (Vec::new(), Vec::new());
    let clauses = [(&job.on_delete, "nd", false), (&job.on_leave, "nl", true)];
    for (clause, name, leaves) in clauses {
        for (n, (target, field)) in job.assigned().into_iter().enumerate() {
            let mut all = clause.assigned().iter();
            let Some(one) = all.find(|m| m.target == target && m.field.name == field.name) else { continue };
            let column = format!("{name}{n}");
            let Lowered { value, fails: lost } = stored(one, &column, job, &mut steps);
            values.push((column, value));
            fails.extend(lost.map(|lost| lost.and(is_leaver().eq(lit(leaves)))));
        }
    }
    let known: Vec<String> = values.iter().map(|(column, _)| column.clone()).collect();
    let rows = add(steps.taken(rows)?, values)?;
    let mut columns = vec![("unset".to_owned(), fails.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false)))];
    for (n, (target, field)) in job.assigned().into_iter().enumerate() {
        let of = |name: &str| {
            let column = format!("{name}{n}");
            known.contains(&column).then(|| ident(column))
        };
        let (gone, left) = (of("nd"), of("nl"));
        let is_said = match (&gone, &left) {
            (Some(_), Some(_)) => lit(true),
            (None, _) => is_leaver(),
            (Some(_), None) => Expr::Not(Box::new(is_leaver())),
        };
        let nothing = || null(&field.kind.stored(field.scale));
        let new = either(is_leaver(), left.unwrap_or_else(nothing), gone.unwrap_or_else(nothing));
        let was = match job.targets[target].route {
            Route::Avatar => ident("av_active"),
            _ => ident(format!("was{n}")),
        };
        let differs = is_said.and(binary_expr(new.clone(), Operator::IsDistinctFrom, was.clone()));
        columns.push((format!("new{n}"), new));
        columns.push((format!("was{n}"), was));
        columns.push((format!("differs{n}"), differs));
    }
    without(add(rows, columns)?, is_step)
}

/// What stands against it, `sets…`, `deletes`, `acts`, and the digest by which a refusal is remembered.
fn judged(job: &Job, reasons: &Reasons, rows: DataFrame) -> Result<DataFrame> {
    let fields = job.assigned();
    let main = main_index(job);
    let is_deleting = either(is_leaver(), deletes(&job.on_leave), deletes(&job.on_delete));
    let any = |all: Vec<Expr>| all.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false));
    let of = |target: usize| fields.iter().enumerate().filter(move |(_, (t, _))| *t == target).map(|(n, _)| n);
    let may = |target: usize| match job.targets[target].route {
        Route::Avatar => ident("av_gsid").is_not_null(),
        _ => ident(format!("ok{target}")),
    };
    let wants = |target: usize| {
        let mut all: Vec<Expr> = of(target).map(|n| ident(format!("differs{n}"))).collect();
        if target == main {
            all.push(is_deleting.clone());
        }
        any(all)
    };
    let mut more = vec![("deletes".to_owned(), is_deleting.clone().and(ident(format!("ok{main}"))))];
    for (n, (target, _)) in fields.iter().enumerate() {
        more.push((format!("sets{n}"), may(*target).and(ident(format!("differs{n}")))));
    }
    let acts = any((0..job.targets.len()).map(|target| may(target).and(wants(target))).collect());
    more.push(("acts".to_owned(), acts));
    more.push(("_why".to_owned(), null(&DataType::Int32)));
    more.push(("_value".to_owned(), null_text()));
    let mut decisions = Vec::new();
    for target in records(job) {
        let name = |what: &str| ident(format!("{what}{target}"));
        let several = name("g").is_null().and(coalesce(vec![name("dn"), lit(0_i64)]).gt(lit(1_i64)));
        decisions.push((Cause::Ambiguous(target), several, null_text()));
        let moved = name("free").and(name("moved")).and(wants(target));
        decisions.push((Cause::KeyChanged(target), moved, null_text()));
    }
    decisions.push((Cause::Unset, ident("unset").and(ident("acts")), null_text()));
    let rows = add(rows, more)?;
    let rows = add(rows, reasons.decide(decisions))?;
    add(rows, vec![("print".to_owned(), fingerprint(job))])
}

/// A digest of what is to be done, and to which records.
fn fingerprint(job: &Job) -> Expr {
    let text = |value: Expr| coalesce(vec![cast(value, DataType::Utf8), lit("\u{0}")]);
    let mut parts = vec![lit("lost\u{1f}"), text(ident("deletes"))];
    for target in records(job) {
        parts.extend([lit("\u{1e}"), text(ident(format!("g{target}")))]);
    }
    for (n, (_, field)) in job.assigned().into_iter().enumerate() {
        parts.push(lit(format!("\u{1e}{}\u{1f}", field.name)));
        parts.extend(["sets", "new"].map(|what| text(ident(format!("{what}{n}")))));
    }
    cast(md5(concat(parts)), DataType::Utf8)
}

/// The outcome, and what becomes of the links: none are cut where something failed, so that it is tried again.
fn concluded(job: &Job, rows: DataFrame) -> Result<DataFrame> {
    let failed = || ident("_why").is_not_null();
    let outcome = either(
        failed(),
        lit(Outcome::Error.text()),
        either(ident("acts"), lit(Outcome::Deleted.text()), lit(Outcome::Filtered.text())),
    );
    let is_kept = records(job).map(|t| ident(format!("free{t}"))).reduce(Expr::or).unwrap_or_else(|| lit(false));
    let stays = is_leaver().and(Expr::Not(Box::new(deletes(&job.on_leave)))).and(is_kept);
    let link = either(failed(), null_text(), either(stays, lit(changes::LEFT), lit(changes::CUT)));
    add(rows, vec![("outcome".to_owned(), outcome), ("link".to_owned(), link)])
}

/// Decided rows in the columns of the changes. The old values are those of the record, the new ones none.
pub(super) fn changed(job: &Job, reasons: &Reasons, schema: &SchemaRef, rows: DataFrame) -> Result<DataFrame> {
    let is_person = job.target_by_route(Route::Person).is_some();
    let refused = |column: &str| {
        let number = reasons.number(Cause::RefusedBefore);
        number.map_or_else(null_text, |n| when(ident("_why").eq(lit(n)), ident(column)))
    };
    let mut filled: Vec<(String, Expr)> = vec![
        (ROW.to_owned(), ident(ROW)),
        (changes::ID.to_owned(), ident("lid")),
        (changes::OUTCOME.to_owned(), ident("outcome")),
        (changes::WHY.to_owned(), ident("_why")),
        (changes::VALUE.to_owned(), ident("_value")),
        (changes::MESSAGE.to_owned(), refused("rf_message")),
        (changes::FIELD.to_owned(), refused("rf_field")),
        (changes::FINGERPRINT.to_owned(), ident("print")),
        // Calls about one person go one after the other: this one with those of other rows that may be of the same person.
        (changes::SIBLINGS.to_owned(), lit(if is_person { 2_i64 } else { 1 })),
    ];
    if let Some(key) = job.key.first().filter(|_| is_person) {
        filled.push((changes::KEY.to_owned(), folded(ident(old_column(key.mapping)), key.fold)));
    }
    let fields = job.assigned();
    for (index, target) in job.targets.iter().enumerate() {
        let label = &target.object.label;
        let sets = (0..fields.len()).filter(|n| fields[*n].0 == index).map(|n| ident(format!("sets{n}")));
        let mut arms = Vec::new();
        if index == main_index(job) {
            arms.push((Box::new(ident("deletes")), Box::new(lit(changes::DELETE))));
        }
        arms.extend(sets.reduce(Expr::or).map(|any| (Box::new(any), Box::new(lit(changes::SET)))));
        let action = if arms.is_empty() { null_text() } else { Expr::Case(Case::new(None, arms, None)) };
        filled.push((changes::action(label), action));
        let gsid = if target.route == Route::Avatar { "av_gsid".to_owned() } else { format!("g{index}") };
        filled.push((changes::gsid(label), ident(gsid)));
    }
    for (index, mapping) in job.mappings.iter().enumerate() {
        let target = &job.targets[mapping.target];
        if target.route != Route::Avatar {
            filled.push((changes::old(&target.object.label, &mapping.field.label), ident(old_column(index))));
        }
    }
    let value = |name: &str| filled.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let of = |field: &arrow::datatypes::Field| value(field.name()).unwrap_or_else(|| null(field.data_type()));
    let mut columns: Vec<Expr> = schema.fields().iter().map(|field| of(field).alias(field.name())).collect();
    columns.extend(added(job, &|name| Some(ident(if name == "lost" { "kind" } else { name }))));
    Ok(rows.select(columns)?)
}

fn is_leaver() -> Expr {
    ident("kind").eq(lit(changes::LEAVE))
}

fn deletes(clause: &OnSource) -> Expr {
    lit(matches!(clause, OnSource::Delete(_)))
}

fn either(condition: Expr, yes: Expr, no: Expr) -> Expr {
    Expr::Case(Case::new(None, vec![(Box::new(condition), Box::new(yes))], Some(Box::new(no))))
}
