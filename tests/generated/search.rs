//! Lookups: every record is held against every equality.

use super::decide::Verdict;
use super::evaluate::{Fails, Found, Place, value};
use super::job::{Job, Lookup, Mapping, Match, Multiple, Nothing};
use super::tables::Kind;
use super::value::{T, V};
use super::world::{Record, cell};

/// How values are made alike before they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    Exact,
    Case,
    Id,
}

pub fn folded(of: &V, fold: Fold) -> V {
    match (of, fold) {
        (V::Text(text), Fold::Case) => V::Text(text.to_lowercase()),
        (V::Text(text), Fold::Id) => V::Text(text.trim_matches(['{', '}']).to_lowercase()),
        (V::Whole(n), _) => V::Exact(i128::from(*n) * super::value::ONE),
        _ => of.clone(),
    }
}

/// E-mail addresses have no case, ids neither case nor braces; other keys are exact unless the script says otherwise.
pub fn key_fold(mapping: &Mapping, ignore_case: bool) -> Fold {
    match (mapping.of, mapping.field.kind) {
        (T::Id, _) => Fold::Id,
        (_, Kind::Email) => Fold::Case,
        _ if ignore_case => Fold::Case,
        _ => Fold::Exact,
    }
}

pub fn match_fold(of: &Match) -> Fold {
    if of.of == T::Id || of.field.of == T::Id {
        Fold::Id
    } else if of.ignore_case || of.field.is_email {
        Fold::Case
    } else {
        Fold::Exact
    }
}

/// What an equality searches for: a label of a choice is its number.
pub fn wanted(of: &Match, place: &Place<'_>) -> Result<V, Fails> {
    let made = value(&of.value, place)?;
    Ok(match (&made, of.of) {
        (V::Text(label), T::Choice) => {
            V::Whole(of.field.labels.iter().find(|(_, l)| l == label).expect("a label of the choice").0)
        }
        _ => folded(&made, match_fold(of)),
    })
}

/// Which of some records come first, by the lookup's order and then by the smallest id.
pub fn first<'a>(lookup: &Lookup, records: &[&'a Record]) -> Option<&'a Record> {
    let id = lookup.object.fields[0].name;
    let mut sorted = records.to_vec();
    sorted.sort_by(|a, b| {
        let orders = if let Multiple::First(orders) = &lookup.multiple { &orders[..] } else { &[] };
        for (field, descending) in orders {
            let order = match (cell(a, field.name), cell(b, field.name)) {
                (V::Null, V::Null) => std::cmp::Ordering::Equal,
                // Nulls come last, whichever way the rest goes.
                (V::Null, _) => std::cmp::Ordering::Greater,
                (_, V::Null) => std::cmp::Ordering::Less,
                (a, b) if *descending => b.order(&a),
                (a, b) => a.order(&b),
            };
            if order.is_ne() {
                return order;
            }
        }
        cell(a, id).order(&cell(b, id))
    });
    sorted.first().copied()
}

/// What a lookup finds for a row, and what its policies say of that.
pub fn found(lookup: &Lookup, job: &Job, place: &Place<'_>) -> (Found, Option<Verdict>) {
    let wanted: Vec<Result<V, Fails>> = lookup.matches.iter().map(|m| wanted(m, place)).collect();
    let records = match lookup.object.name == job.shape.object {
        true => &place.world.target,
        false => &place.world.searched[lookup.object.name],
    };
    let holds = |record: &&Record| {
        lookup.matches.iter().zip(&wanted).all(|(m, wanted)| {
            let held = cell(record, m.field.name);
            let held = if m.of == T::Choice { held } else { folded(&held, match_fold(m)) };
            !held.is_null() && *wanted == Ok(held)
        })
    };
    let hits: Vec<&Record> = records.iter().filter(holds).collect();
    let label = lookup.object.label;
    let mut says = says(lookup, hits.len(), label);
    if wanted.iter().any(Result::is_err) {
        says = Some(verdict("error", "BAD_VALUE", &format!("{label} is searched by")));
    }
    match (first(lookup, &hits), &lookup.none) {
        (Some(record), _) => (Found::Record(record.clone()), says),
        (None, Nothing::Use(instead)) => (Found::Instead(instead.clone()), says),
        (None, Nothing::Reject) => (Found::Instead(V::Null), says),
    }
}

/// What the policies say of so many matches.
pub fn says(lookup: &Lookup, count: usize, label: &str) -> Option<Verdict> {
    match (count, &lookup.none, &lookup.multiple) {
        (0, Nothing::Reject, _) => Some(verdict("rejected", "NO_MATCH", label)),
        (2.., _, Multiple::Error) => Some(verdict("error", "SEVERAL_MATCHES", label)),
        _ => None,
    }
}

fn verdict(outcome: &'static str, code: &'static str, hint: &str) -> Verdict {
    Verdict { outcome, code: Some(code), hint: hint.to_owned(), action: None, values: Vec::new() }
}
