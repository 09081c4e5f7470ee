//! The value of an expression for one row, part by part, as the language's page says it. No value is an error of the row.

use std::cmp::Ordering;

use super::convert::{cast, day_of, divided, midnight, moved_day, moved_moment, multiplied};
use super::expression::E;
use super::job::Unknown;
use super::tables::Column;
use super::value::{ONE, T, V};
use super::world::{Record, World, cell};

/// The row has no such value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fails;

pub type Value = Result<V, Fails>;

/// What an expression is about.
pub struct Place<'a> {
    pub world: &'a World,
    pub row: &'a Record,
    /// What each lookup found: a record, or what stands in for one.
    pub found: &'a [Found],
    pub zone: chrono_tz::Tz,
    pub now: i64,
    pub unknown_choice: Unknown,
}

#[derive(Debug, Clone)]
pub enum Found {
    Record(Record),
    Instead(V),
}

/// The value of a column, by way of the tables that lead to it.
pub fn column(of: &Column, row: &Record, world: &World) -> V {
    let mut at = row.clone();
    for (via, table) in of.hops {
        let id = cell(&at, via);
        let next = world.related[table].iter().find(|other| !id.is_null() && cell(other, &format!("{table}id")) == id);
        let Some(next) = next else { return V::Null };
        at = next.clone();
    }
    cell(&at, of.field)
}

pub fn value(e: &E, at: &Place<'_>) -> Value {
    let of = |e: &E| value(e, at);
    match e {
        E::Column(c) => Ok(column(c, at.row, at.world)),
        E::Looked(number, field) => Ok(match &at.found[*number] {
            Found::Record(record) => cell(record, field.name),
            Found::Instead(value) => value.clone(),
        }),
        E::Const(constant) => Ok(constant.clone()),
        E::Now => Ok(V::Moment(at.now)),
        E::Today => Ok(V::Day(day_of(at.now, at.zone))),
        E::Label(c) => label(c, at),
        E::TypeOf(c) => {
            let points = !cell(at.row, c.field).is_null();
            Ok(if points { cell(at.row, &format!("{}@type", c.field)) } else { V::Null })
        }
        E::Not(inner) => Ok(truth(&of(inner)?).map_or(V::Null, |t| V::Flag(!t))),
        E::All(all) => decided(all, false, at),
        E::Any(all) => decided(all, true, at),
        E::Compare(left, sign, right) => {
            let (left, right) = (of(left)?, of(right)?);
            Ok(compared(left, right, at.zone).map_or(V::Null, |order| V::Flag(holds(sign, order))))
        }
        E::Joined(all) => {
            let parts = all.iter().map(of).collect::<Result<Vec<V>, Fails>>()?;
            let texts: Option<Vec<String>> =
                parts.into_iter().map(|p| if let V::Text(text) = p { Some(text) } else { None }).collect();
            Ok(texts.map_or(V::Null, |t| V::Text(t.concat())))
        }
        E::Sum(left, sign, right, result) => calculated(of(left)?, *sign, of(right)?, *result),
        E::Shift(inner, by) => match of(inner)? {
            V::Null => Ok(V::Null),
            V::Day(day) if by.hours == 0 => moved_day(day, *by).map(V::Day).ok_or(Fails),
            V::Day(day) => moved_moment(midnight(day, at.zone), *by, at.zone).map(V::Moment).ok_or(Fails),
            V::Moment(moment) => moved_moment(moment, *by, at.zone).map(V::Moment).ok_or(Fails),
            other => panic!("{other:?} cannot be moved"),
        },
        E::Days(to, from) => Ok(match (of(to)?, of(from)?) {
            (V::Day(to), V::Day(from)) => V::Whole(to - from),
            _ => V::Null,
        }),
        E::Case(arms, otherwise) => {
            for (condition, then) in arms {
                if truth(&of(condition)?) == Some(true) {
                    return of(then);
                }
            }
            otherwise.as_deref().map_or(Ok(V::Null), of)
        }
        E::Cast(inner, _, to, lenient) => match of(inner)? {
            V::Null => Ok(V::Null),
            found => match cast(&found, *to, at.zone) {
                Some(made) => Ok(made),
                None if *lenient => Ok(V::Null),
                None => Err(Fails),
            },
        },
        E::Call(name, arguments) => super::functions::call(name, arguments, at),
        condition => tested(condition, at),
    }
}

/// A value held against constants.
fn tested(e: &E, at: &Place<'_>) -> Value {
    let of = |e: &E| value(e, at);
    match e {
        E::Labelled(c, labels) => Ok(match column(c, at.row, at.world) {
            V::Whole(code) => V::Flag(c.labels.iter().any(|(n, label)| *n == code && labels.contains(label))),
            _ => V::Null,
        }),
        E::IsNull(inner, negated) => Ok(V::Flag(of(inner)?.is_null() != *negated)),
        E::In(inner, values, negated) => Ok(match of(inner)? {
            V::Null => V::Null,
            found => V::Flag(values.iter().any(|v| v.order(&found) == Ordering::Equal) != *negated),
        }),
        E::Between(inner, low, high, negated) => Ok(match of(inner)? {
            V::Null => V::Null,
            found => {
                let inside = found.order(low) != Ordering::Less && found.order(high) != Ordering::Greater;
                V::Flag(inside != *negated)
            }
        }),
        E::Like(inner, pattern, ignore_case, negated) => Ok(match of(inner)? {
            V::Text(text) => {
                let fold = |s: &str| if *ignore_case { s.to_lowercase() } else { s.to_owned() };
                let (text, pattern): (Vec<char>, Vec<char>) =
                    (fold(&text).chars().collect(), fold(pattern).chars().collect());
                V::Flag(like(&text, &pattern) != *negated)
            }
            _ => V::Null,
        }),
        other => panic!("{other:?} is no condition"),
    }
}

pub fn truth(value: &V) -> Option<bool> {
    if let V::Flag(truth) = value { Some(*truth) } else { None }
}

/// `AND` and `OR`: the first part that decides ends it, and what stands behind it is not looked at.
fn decided(all: &[E], decides: bool, at: &Place<'_>) -> Value {
    let mut is_known = true;
    for part in all {
        match truth(&value(part, at)?) {
            Some(found) if found == decides => return Ok(V::Flag(decides)),
            Some(_) => {}
            None => is_known = false,
        }
    }
    Ok(if is_known { V::Flag(!decides) } else { V::Null })
}

fn label(of: &Column, at: &Place<'_>) -> Value {
    let V::Whole(code) = column(of, at.row, at.world) else { return Ok(V::Null) };
    match (of.labels.iter().find(|(n, _)| *n == code), at.unknown_choice) {
        (Some((_, label)), _) => Ok(V::text(label)),
        (None, Unknown::Error) => Err(Fails),
        (None, Unknown::Null) => Ok(V::Null),
        (None, Unknown::Text) => Ok(V::Text(code.to_string())),
    }
}

fn compared(left: V, right: V, zone: chrono_tz::Tz) -> Option<Ordering> {
    match (left, right) {
        (V::Null, _) | (_, V::Null) => None,
        (V::Day(day), V::Moment(moment)) => Some(midnight(day, zone).cmp(&moment)),
        (V::Moment(moment), V::Day(day)) => Some(moment.cmp(&midnight(day, zone))),
        (left, right) => Some(left.order(&right)),
    }
}

fn holds(sign: &str, order: Ordering) -> bool {
    match sign {
        "=" => order == Ordering::Equal,
        "<>" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }
}

fn calculated(left: V, sign: char, right: V, result: T) -> Value {
    if left.is_null() || right.is_null() {
        return Ok(V::Null);
    }
    if result == T::Whole {
        let (V::Whole(a), V::Whole(b)) = (left, right) else { panic!("whole numbers were promised") };
        let (a, b) = (i128::from(a), i128::from(b));
        let made = match sign {
            '+' => Some(a + b),
            '-' => Some(a - b),
            '*' => Some(a * b),
            _ => a.checked_rem(b),
        };
        return made.and_then(|n| i64::try_from(n).ok()).map(V::Whole).ok_or(Fails);
    }
    let exact = |v: V| match v {
        V::Whole(n) => i128::from(n) * ONE,
        V::Exact(n) => n,
        other => panic!("{other:?} is no number"),
    };
    let (a, b) = (exact(left), exact(right));
    let made = match sign {
        '+' => Some(a + b),
        '-' => Some(a - b),
        '*' => Some(multiplied(a, b)),
        '/' => divided(a, b),
        _ => a.checked_rem(b),
    };
    made.map(V::Exact).ok_or(Fails)
}

/// `%` stands for any text, `_` for one character.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|n| like(&text[n..], rest)),
        Some(('_', rest)) => !text.is_empty() && like(&text[1..], rest),
        Some((c, rest)) => text.first() == Some(c) && like(&text[1..], rest),
    }
}
