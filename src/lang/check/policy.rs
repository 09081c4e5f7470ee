//! The clauses of a job that say what happens in cases that go wrong: `WHEN DUPLICATE KEY`, `REQUIRE`, `ON …`, `LOAD FIRST`.

use super::expression::{self, check};
use super::lost;
use super::scope::Scope;
use crate::diagnostic::code::{CLAUSE, COMPARISON, REPEATED};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::{self, LateClause};
use crate::lang::ast_expression::Expression as Written;
use crate::model::expression::Expression;
use crate::model::job::{Require, Target};
use url::Url;

use crate::model::policy::{DuplicateKey, OnError, OnSource, Unknown, Via};
use crate::model::value::ValueType;

/// The clauses behind `WHERE` and `REQUIRE`, with what holds where they are absent.
pub(super) struct Late {
    pub(super) on_error: OnError,
    pub(super) on_delete: OnSource,
    pub(super) on_leave: OnSource,
    pub(super) unknown_choice: Unknown,
    pub(super) unknown_item: Unknown,
    pub(super) via: Via,
    pub(super) load_first: Option<(Expression, bool)>,
}

/// What `ON UNKNOWN ITEM` says, which mappings need to know before they are checked.
pub(super) fn unknown_item(written: &ast::Job) -> Unknown {
    let said = written.late.iter().find_map(|clause| match clause {
        LateClause::OnUnknownItem { becomes, .. } => Some(unknown(*becomes)),
        _ => None,
    });
    said.unwrap_or(Unknown::Error)
}

/// The late clauses of a job, each at most once.
pub(super) fn late(
    written: &ast::Job,
    targets: &[Option<Target>],
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Late> {
    let mut made = Late {
        on_error: OnError::Continue,
        on_delete: OnSource::Ignore,
        on_leave: OnSource::Ignore,
        unknown_choice: Unknown::Error,
        unknown_item: unknown_item(written),
        via: Via::Api,
        load_first: None,
    };
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for clause in &written.late {
        let (name, span) = named(clause);
        if let Some((_, first)) = seen.iter().find(|(n, _)| *n == name) {
            let wrong = Diagnostic::error(REPEATED, span, format!("{name} is said twice"));
            out.push(wrong.related(*first, "it is said here").help("keep one of the two"));
        }
        seen.push((name, span));
        match clause {
            LateClause::OnError { stop, up_to, .. } => made.on_error = on_error(*stop, up_to.as_ref(), out)?,
            LateClause::OnSource { delete, action, span } => {
                let action = lost::check(*delete, action, *span, targets, scope, out)?;
                if *delete { made.on_delete = action } else { made.on_leave = action }
            }
            LateClause::OnUnknownChoice { becomes, .. } => made.unknown_choice = unknown(*becomes),
            LateClause::OnUnknownItem { .. } => {}
            LateClause::LoadVia { place: Some(place), .. } => made.via = files(place, out)?,
            LateClause::LoadVia { way, setting, .. } => made.via = via(way, setting.as_ref(), out)?,
            LateClause::LoadFirst { by, descending, .. } => {
                made.load_first = Some((ordered(by, "LOAD FIRST BY", scope, out)?, *descending));
            }
        }
    }
    Some(made)
}

/// `WHEN DUPLICATE KEY THEN …`
pub(super) fn duplicate_key(
    written: Option<&ast::DuplicateKey>,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<DuplicateKey> {
    Some(match written {
        None | Some(ast::DuplicateKey::Error) => DuplicateKey::Error,
        Some(ast::DuplicateKey::Reject) => DuplicateKey::Reject,
        Some(ast::DuplicateKey::KeepLatest(by)) => DuplicateKey::KeepLatest(ordered(by, "KEEP LATEST BY", scope, out)?),
    })
}

/// `REQUIRE condition ELSE REJECT 'text'`
pub(super) fn requires(written: &[ast::Require], scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Vec<Require>> {
    let all: Vec<Option<Require>> = written
        .iter()
        .map(|one| {
            let condition = expression::truth(&one.condition, scope, out);
            if one.message.text.trim().is_empty() {
                let message = "REQUIRE says nothing to whoever reads the error file";
                out.push(
                    Diagnostic::error(CLAUSE, one.message.span, message).help("ELSE REJECT 'close date is missing'"),
                );
            }
            let place = scope.context.sources.place(one.span);
            Some(Require { condition: condition?, message: one.message.text.clone(), place })
        })
        .collect();
    all.into_iter().collect()
}

/// A value that has an order and is of the source row itself.
fn ordered(written: &Written, clause: &str, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Expression> {
    let (value, found) = check(written, scope, out)?;
    if value.uses_lookup() {
        let message = format!("{clause} takes a column of the source");
        out.push(Diagnostic::error(CLAUSE, written.span, message).label("this comes from a lookup"));
        return None;
    }
    if matches!(found, ValueType::Boolean | ValueType::Choices | ValueType::Interval | ValueType::Null) {
        let message = format!("{clause} takes a value that has an order, and this is {}", found.word());
        out.push(Diagnostic::error(COMPARISON, written.span, message).help("such as o.modifiedon"));
        return None;
    }
    Some(value)
}

fn on_error(stop: bool, up_to: Option<&(ast::Name, bool)>, out: &mut Diagnostics) -> Option<OnError> {
    let Some((number, is_share)) = up_to else {
        return Some(if stop { OnError::Stop } else { OnError::Continue });
    };
    let (made, range) = if *is_share {
        let share = number.text.parse::<f64>().ok().filter(|n| (0.0..=100.0).contains(n));
        (share.map(OnError::UpToPercent), "a number from 0 to 100")
    } else {
        (number.text.parse::<u64>().ok().map(OnError::UpToRows), "a whole number")
    };
    if made.is_none() {
        out.push(Diagnostic::error(CLAUSE, number.span, format!("UP TO takes {range} here")));
    }
    made
}

/// `LOAD VIA …`
fn via(way: &str, setting: Option<&(ast::Name, ast::Name)>, out: &mut Diagnostics) -> Option<Via> {
    let Some((name, value)) = setting else { return Some(Via::Api) };
    if !name.text.eq_ignore_ascii_case("job_id") {
        let message = format!("LOAD VIA {way} has no setting `{}`", name.text);
        out.push(Diagnostic::error(CLAUSE, name.span, message).help("it has job_id"));
        return None;
    }
    let job_id = value.text.trim().to_owned();
    if job_id.is_empty() || job_id.chars().any(char::is_control) {
        let message = "the job of the bulk import has to be named";
        let help = "it is the jobId of the cURL that Administration > Connectors 2.0 > GS Bulk API shows";
        out.push(Diagnostic::error(CLAUSE, value.span, message).help(help));
        return None;
    }
    Some(if way == "AUTO" { Via::Auto { job_id } } else { Via::Bulk { job_id } })
}

/// `LOAD VIA FILES '…'`
fn files(place: &ast::Name, out: &mut Diagnostics) -> Option<Via> {
    let url = place.text.trim().to_owned();
    let parsed = Url::parse(&url).ok();
    let wrong = match &parsed {
        None => Some("files are handed over in a place that a URL names"),
        Some(one) if !SCHEMES.contains(&one.scheme()) => Some("files cannot be handed over there"),
        Some(one) if !one.username().is_empty() && !one.scheme().starts_with("abfs") || one.password().is_some() => {
            Some("a URL in a script has no secrets")
        }
        Some(one) if one.query().is_some() || one.fragment().is_some() => {
            Some("a place has a path, and nothing behind it")
        }
        Some(_) => None,
    };
    if let Some(message) = wrong {
        let help = "write LOAD VIA FILES 's3://bucket/folder', or abfss://, az://, gs:// or file:///; the environment says how to sign in";
        out.push(Diagnostic::error(CLAUSE, place.span, message.to_owned()).help(help));
        return None;
    }
    Some(Via::Files { url })
}

/// Where files can be handed over.
const SCHEMES: [&str; 6] = ["s3", "abfss", "abfs", "az", "gs", "file"];

fn unknown(written: ast::Unknown) -> Unknown {
    match written {
        ast::Unknown::Error => Unknown::Error,
        ast::Unknown::Null => Unknown::Null,
        ast::Unknown::Text => Unknown::Text,
    }
}

fn named(clause: &LateClause) -> (&'static str, Span) {
    match clause {
        LateClause::OnError { span, .. } => ("ON ERROR", *span),
        LateClause::OnSource { delete: true, span, .. } => ("ON SOURCE DELETE", *span),
        LateClause::OnSource { span, .. } => ("ON SOURCE LEAVE", *span),
        LateClause::OnUnknownChoice { span, .. } => ("ON UNKNOWN CHOICE", *span),
        LateClause::OnUnknownItem { span, .. } => ("ON UNKNOWN ITEM", *span),
        LateClause::LoadVia { span, .. } => ("LOAD VIA", *span),
        LateClause::LoadFirst { span, .. } => ("LOAD FIRST BY", *span),
    }
}
