//! Every reason for which a row of a job may not be written, numbered.
//!
//! The plan carries a number per row; this list says what it means. Both stages and the error file build it from the job
//! alone, so that a number means the same everywhere.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Case, Expr, cast, ident, lit};

use super::frame::null_text;
use crate::model::expression::Expression;
use crate::model::job::{Job, Route};
use crate::model::lookup::{OnMultiple, OnNone};
use crate::model::outcome::Outcome;
use crate::model::place::Place;
use crate::model::policy::DuplicateKey;
use crate::model::reject::RejectCode;

/// What decides: the key by which the plan finds the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A newer version of the row was read.
    Superseded,
    /// A row of files cannot be read.
    Unread,
    /// The row was merged into another one, and the job acts on rows that are gone.
    Merged,
    /// `WHERE`, on source columns.
    Filter,
    /// `WHERE`, on looked-up columns.
    LateFilter,
    /// The value of a mapping cannot be converted.
    BadValue(usize),
    /// A value in `WHERE` cannot be converted.
    UnreadableFilter,
    /// A value that a lookup searches for cannot be converted.
    UnreadableMatch(usize),
    /// `REQUIRE` is not true.
    Require(usize),
    /// A value in `REQUIRE` cannot be converted.
    UnreadableRequire(usize),
    /// The value of `KEEP LATEST BY` cannot be converted.
    UnreadableOrder,
    /// The value of `LOAD FIRST BY` cannot be converted.
    UnreadableFirst,
    /// A lookup of a company is fed by a contact whose parent is a contact.
    ParentIsContact(usize),
    /// A lookup found nothing.
    NoMatch(usize),
    /// A lookup found several.
    SeveralMatches(usize),
    /// A key field is null.
    NullKey(usize),
    /// Two rows of the run have one key.
    DuplicateKey,
    /// Another row of the run has the key and is the latest.
    OlderKey,
    /// `INSERT`, and the record is there.
    AlreadyThere,
    /// `UPDATE`, and the record is not there.
    NotThere,
    /// The record with the key is another Dynamics user, by the identity map.
    AvatarConflict,
    /// Somebody said that the record with the key is not this Dynamics user.
    AvatarParted,
    /// Several records of a target have the key.
    Ambiguous(usize),
    /// A required field would be empty.
    RequiredEmpty(usize),
    /// A text is too long.
    TooLong(usize),
    /// A text is no item of the picklist.
    UnknownItem(usize),
    /// The record of a lost row has another key than the row gave it.
    KeyChanged(usize),
    /// A constant that a clause sets in records of lost rows has no value.
    Unset,
    /// Refused before, and unchanged since.
    RefusedBefore,
}

/// One numbered reason.
#[derive(Debug, Clone)]
pub struct Reason {
    /// What decides.
    pub cause: Cause,
    /// What becomes of the row.
    pub outcome: Outcome,
    /// The code in the error file; none for rows that are not in it.
    pub code: Option<RejectCode>,
    /// What happened and what to do, in an analyst's words.
    pub message: String,
    /// The clause that decided.
    pub place: Place,
    /// The label of the target field concerned.
    pub field: Option<String>,
}

/// The reasons of one job.
#[derive(Debug, Clone)]
pub struct Reasons(Vec<Reason>);

impl Reasons {
    /// All reasons that the job's clauses can give.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        let mut all = vec![
            plain(Cause::Superseded, Outcome::Superseded, job),
            plain(Cause::Filter, Outcome::Filtered, job),
            plain(Cause::LateFilter, Outcome::Filtered, job),
            plain(Cause::OlderKey, Outcome::Superseded, job),
        ];
        if job.merged.is_some() {
            all.push(plain(Cause::Merged, Outcome::Filtered, job));
        }
        if job.unread.is_some() {
            let (cause, outcome, code) = (Cause::Unread, Outcome::Error, Some(RejectCode::BadValue));
            let message = "a row of the file cannot be read; mend it there, or declare the column as TEXT".to_owned();
            all.push(Reason { cause, outcome, code, message, place: job.place.clone(), field: None });
        }
        conditions(job, &mut all);
        lookups(job, &mut all);
        for (index, mapping) in job.mappings.iter().enumerate() {
            let field = &mapping.field;
            let label = &field.label;
            let mut push = |cause, code, message: String| {
                let (place, field) = (mapping.place.clone(), Some(label.clone()));
                all.push(Reason { cause, outcome: Outcome::Error, code: Some(code), message, place, field });
            };
            let message = match mapping.value {
                // Nothing else of a bare label can fail.
                Expression::Label(_) => format!(
                    "Dynamics has no name for this option, so \"{label}\" gets none; name it there, or say what it becomes with ON UNKNOWN \
                     CHOICE NULL or TEXT"
                ),
                _ => format!("the value cannot go into \"{label}\" ({})", field.kind.word()),
            };
            push(Cause::BadValue(index), RejectCode::BadValue, message);
            if job.key.iter().any(|k| k.mapping == index) {
                let message = format!("the key field \"{label}\" is empty; fill it in Dynamics");
                push(Cause::NullKey(index), RejectCode::NullKey, message);
            }
            if field.required {
                let message = format!("\"{label}\" is required and would be empty; fill it in Dynamics");
                push(Cause::RequiredEmpty(index), RejectCode::RequiredEmpty, message);
            }
            if let Some(length) = field.length {
                let message = format!("the text is longer than the {length} characters of \"{label}\"");
                push(Cause::TooLong(index), RejectCode::TooLong, message);
            }
            if !field.choices.is_empty() {
                let message = format!("\"{label}\" has no such item; add it in Gainsight or map another text");
                push(Cause::UnknownItem(index), RejectCode::UnknownItem, message);
            }
        }
        keys(job, &mut all);
        if job.keeps_links() {
            lost(job, &mut all);
        }
        Self(all)
    }

    /// The reason with this number.
    #[must_use]
    pub fn get(&self, number: i32) -> Option<&Reason> {
        usize::try_from(number).ok().and_then(|n| self.0.get(n))
    }

    /// The number of a cause; none if the job cannot give it.
    pub(super) fn number(&self, cause: Cause) -> Option<i32> {
        self.0.iter().position(|r| r.cause == cause).and_then(|n| i32::try_from(n).ok())
    }

    /// `_why` and `_value` after some more decisions: what was decided before stands, then the first that holds.
    pub(super) fn decide(&self, decisions: Vec<(Cause, Expr, Expr)>) -> Vec<(String, Expr)> {
        let mut why = vec![(ident("_why").is_not_null(), ident("_why"))];
        let mut value = vec![(ident("_why").is_not_null(), ident("_value"))];
        for (cause, holds, shown) in decisions {
            if let Some(number) = self.number(cause) {
                let shown = cast(shown, DataType::Utf8);
                why.push((holds.clone(), lit(number)));
                // Each arm takes its rows out of all columns: one does for decisions in a row that show the same.
                match value.last_mut() {
                    Some((before, same)) if *same == shown => *before = before.clone().or(holds),
                    _ => value.push((holds, shown)),
                }
            }
        }
        value.pop_if(|(_, shown)| *shown == cast(null_text(), DataType::Utf8));
        let case = |arms: Vec<(Expr, Expr)>, otherwise: Expr| {
            let arms = arms.into_iter().map(|(holds, value)| (Box::new(holds), Box::new(value))).collect();
            Expr::Case(Case::new(None, arms, Some(Box::new(otherwise))))
        };
        vec![
            ("_why".to_owned(), case(why, Expr::Literal(ScalarValue::Int32(None), None))),
            ("_value".to_owned(), case(value, null_text())),
        ]
    }

    /// The outcome of a row that has a reason, as text.
    pub(super) fn outcome(&self, otherwise: Expr) -> Expr {
        let mut arms = Vec::new();
        for outcome in [Outcome::Superseded, Outcome::Filtered, Outcome::Rejected] {
            let numbers = (0_i32..).zip(&self.0).filter(|(_, r)| r.outcome == outcome).map(|(n, _)| lit(n));
            let numbers: Vec<Expr> = numbers.collect();
            if !numbers.is_empty() {
                arms.push((Box::new(ident("_why").in_list(numbers, false)), Box::new(lit(outcome.text()))));
            }
        }
        arms.push((Box::new(ident("_why").is_not_null()), Box::new(lit(Outcome::Error.text()))));
        Expr::Case(Case::new(None, arms, Some(Box::new(otherwise))))
    }
}

fn plain(cause: Cause, outcome: Outcome, job: &Job) -> Reason {
    Reason { cause, outcome, code: None, message: String::new(), place: job.place.clone(), field: None }
}

fn conditions(job: &Job, all: &mut Vec<Reason>) {
    let mut push = |cause, outcome, code, message: String, place: &Place| {
        all.push(Reason { cause, outcome, code: Some(code), message, place: place.clone(), field: None });
    };
    let unreadable = |clause: &str| format!("a value in {clause} cannot be converted; TRY_CAST makes NULL of it");
    if job.filter.iter().chain(&job.late_filter).any(Expression::may_fail) {
        push(Cause::UnreadableFilter, Outcome::Error, RejectCode::BadValue, unreadable("WHERE"), &job.place);
    }
    if let DuplicateKey::KeepLatest(by) = &job.duplicate_key
        && by.may_fail()
    {
        let message = unreadable("KEEP LATEST BY");
        push(Cause::UnreadableOrder, Outcome::Error, RejectCode::BadValue, message, &job.place);
    }
    if let Some((by, _)) = &job.load_first
        && by.may_fail()
    {
        let message = unreadable("LOAD FIRST BY");
        push(Cause::UnreadableFirst, Outcome::Error, RejectCode::BadValue, message, &job.place);
    }
    for (index, require) in job.requires.iter().enumerate() {
        if require.condition.may_fail() {
            let (cause, message) = (Cause::UnreadableRequire(index), unreadable("REQUIRE"));
            push(cause, Outcome::Error, RejectCode::BadValue, message, &require.place);
        }
        push(Cause::Require(index), Outcome::Rejected, RejectCode::Required, require.message.clone(), &require.place);
    }
}

fn lookups(job: &Job, all: &mut Vec<Reason>) {
    for (index, lookup) in job.lookups.iter().enumerate() {
        let label = &lookup.object.label;
        let filled = job.mappings.iter().find(|m| m.value.uses_lookup_number(index));
        let field = filled.map(|m| m.field.label.clone());
        let searched: Vec<String> = lookup.matches.iter().map(|m| format!("\"{}\"", m.field.label)).collect();
        let searched = searched.join(", ");
        let mut push = |cause, outcome, code, message: String| {
            let (place, field) = (lookup.place.clone(), field.clone());
            all.push(Reason { cause, outcome, code: Some(code), message, place, field });
        };
        if lookup.matches.iter().any(|m| m.value.may_fail()) {
            push(
                Cause::UnreadableMatch(index),
                Outcome::Error,
                RejectCode::BadValue,
                format!("a value that {label} is searched by cannot be converted; TRY_CAST makes NULL of it"),
            );
        }
        if lookup.on_none == OnNone::Reject {
            push(
                Cause::ParentIsContact(index),
                Outcome::Rejected,
                RejectCode::ParentIsContact,
                "the parent is a contact, not an account; give the contact an account in Dynamics".to_owned(),
            );
            push(
                Cause::NoMatch(index),
                Outcome::Rejected,
                RejectCode::NoMatch,
                format!("no {label} has this {searched}; load it first, or mend the reference in Dynamics"),
            );
        }
        if lookup.on_multiple == OnMultiple::Error {
            push(
                Cause::SeveralMatches(index),
                Outcome::Error,
                RejectCode::SeveralMatches,
                format!("several {label} records have this {searched}; merge them in Gainsight"),
            );
        }
    }
}

fn lost(job: &Job, all: &mut Vec<Reason>) {
    let mut push = |cause, code, message: String| {
        let place = job.on_delete.place().or(job.on_leave.place()).unwrap_or(&job.place).clone();
        all.push(Reason { cause, outcome: Outcome::Error, code: Some(code), message, place, field: None });
    };
    for (index, target) in job.targets.iter().enumerate().filter(|(_, target)| target.route != Route::Avatar) {
        push(Cause::KeyChanged(index), RejectCode::KeyChanged, key_changed(&target.object.label));
    }
    let message =
        "a constant that the clause sets has no value at this moment, so the record was left alone; mend the clause";
    push(Cause::Unset, RejectCode::BadValue, message.to_owned());
}

/// What is said of a record that is not known by its key any more.
#[must_use]
pub fn key_changed(label: &str) -> String {
    format!(
        "the {label} record of this lost row has another key in Gainsight than the row gave it, so it was left alone; give it its key back, or \
         delete it there if it is not needed"
    )
}

fn keys(job: &Job, all: &mut Vec<Reason>) {
    let fields: Vec<String> = job.key.iter().map(|k| format!("\"{}\"", job.mappings[k.mapping].field.label)).collect();
    let fields = fields.join(", ");
    let place = job.key.first().map_or_else(|| job.place.clone(), |k| job.mappings[k.mapping].place.clone());
    let field = job.key.first().map(|k| job.mappings[k.mapping].field.label.clone());
    let mut push_as = |cause, outcome, code, message: String| {
        let (place, field) = (place.clone(), field.clone());
        all.push(Reason { cause, outcome, code: Some(code), message, place, field });
    };
    let main = &job.main_target().object.label;
    let there = format!("{main} has a record with this {fields} already, and the job only inserts");
    push_as(Cause::AlreadyThere, Outcome::Rejected, RejectCode::AlreadyThere, there);
    let absent = format!("{main} has no record with this {fields}, and the job only updates");
    push_as(Cause::NotThere, Outcome::Rejected, RejectCode::NotThere, absent);
    let at = if job.target_by_route(Route::CompanyPerson).is_some() { " at the same company" } else { "" };
    let repeated = if job.duplicate_key == DuplicateKey::Reject { Outcome::Rejected } else { Outcome::Error };
    let is_user = job.target_by_route(Route::Avatar).is_some();
    let or = if is_user { ", or say who each of them is with `ferry avatar associate`" } else { "" };
    push_as(
        Cause::DuplicateKey,
        repeated,
        RejectCode::DuplicateKey,
        format!("another row of this run has the same {fields}{at}; merge the rows in Dynamics{or}"),
    );
    let mut push = |cause, code, message: String| push_as(cause, Outcome::Error, code, message);
    for (index, target) in job.targets.iter().enumerate().filter(|(_, t)| t.route != Route::Avatar) {
        let label = &target.object.label;
        let help = if target.route == Route::User {
            "say which of them it is with `ferry avatar associate`"
        } else {
            "merge them in Gainsight"
        };
        let message = format!("several {label} records have this {fields}, so none was touched; {help}");
        push(Cause::Ambiguous(index), RejectCode::AmbiguousTarget, message);
    }
    if is_user {
        let message =
            format!("the user with this {fields} is another Dynamics user already; rename one of the two in Dynamics");
        push(Cause::AvatarConflict, RejectCode::AvatarConflict, message);
        let message = format!(
            "the user with this {fields} was parted from this Dynamics user by `ferry avatar dissociate`, so no key joins them; say who it is"
        );
        push(Cause::AvatarParted, RejectCode::AvatarDissociated, message);
    }
    let message = "Gainsight refused this record before, and nothing about it has changed since".to_owned();
    push(Cause::RefusedBefore, RejectCode::RefusedBefore, message);
}
