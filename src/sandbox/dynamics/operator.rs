//! The operators that query functions and FetchXML share, made into conditions.
//!
//! Their names are their languages' own, see `query_function` and `fetch_filter`. In: a column, an operator with its values
//! as text, and the moment. Out: a condition over stored rows, or the refusal of values that do not fit.

use super::super::assumptions::LONGEST_SPAN_DAYS;
use super::errors::Refusal;
use super::filter::{Condition, Side, Test};
use super::like::Pattern;
use super::row::{Comparable, comparable};
use super::schema::{Column, Kind, TableSchema};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// How a column is tested.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::sandbox) enum Operator {
    Compare(Test),
    Like,
    In,
    Between,
    ContainValues,
    Null,
    On,
    OnOrAfter,
    OnOrBefore,
    Today,
    LastDays,
    LastHours,
}

impl Operator {
    pub(in crate::sandbox) fn condition(
        self,
        table: &TableSchema,
        column: usize,
        values: &[String],
        now: i64,
    ) -> Result<Condition, Refusal> {
        let description = &table.columns[column];
        let read = |text: &String| literal(description, text);
        let compare = |test, value| Condition::Compare(column, test, Side::Value(value));
        let since = |seconds| compare(Test::GreaterOrEqual, Comparable::Instant(seconds));
        let before = |seconds| compare(Test::Less, Comparable::Instant(seconds));
        let until_now = || compare(Test::LessOrEqual, Comparable::Instant(now));
        let midnight = now - now.rem_euclid(DAY);
        Ok(match (self, values) {
            (Operator::Compare(test), [value]) => compare(test, read(value)?),
            (Operator::Like, [value]) if description.is_text() => {
                Condition::Like(column, Pattern::new(&value.to_lowercase()))
            }
            (Operator::In, [_, ..]) => {
                let equal = values.iter().map(|value| Ok(compare(Test::Equal, read(value)?)));
                Condition::Any(equal.collect::<Result<_, Refusal>>()?)
            }
            (Operator::Between, [low, high]) => {
                Condition::All(vec![compare(Test::GreaterOrEqual, read(low)?), compare(Test::LessOrEqual, read(high)?)])
            }
            (Operator::ContainValues, [_, ..]) if description.kind == Kind::MultiSelectPicklist => {
                let number = |value: &String| value.trim().parse::<i64>().map_err(|_| unfit(description, value));
                Condition::Chosen(column, values.iter().map(number).collect::<Result<_, _>>()?)
            }
            (Operator::Null, []) => compare(Test::Equal, Comparable::Null),
            (Operator::Today, []) if is_date(description) => {
                Condition::All(vec![since(midnight), before(midnight + DAY)])
            }
            (Operator::LastDays, [count]) if is_date(description) => {
                let days = span(description, count, LONGEST_SPAN_DAYS)?;
                Condition::All(vec![since(midnight - days * DAY), until_now()])
            }
            (Operator::LastHours, [count]) if is_date(description) => {
                let hours = span(description, count, LONGEST_SPAN_DAYS * 24)?;
                Condition::All(vec![since(now - hours * HOUR), until_now()])
            }
            (Operator::On | Operator::OnOrAfter | Operator::OnOrBefore, [value]) if is_date(description) => {
                let Comparable::Instant(moment) = read(value)? else { return Err(unfit(description, value)) };
                let day = moment - moment.rem_euclid(DAY);
                match self {
                    Operator::On => Condition::All(vec![since(day), before(day + DAY)]),
                    Operator::OnOrAfter => since(day),
                    _ => before(day + DAY),
                }
            }
            _ => {
                let text = format!(
                    "The operator of a condition cannot be used on '{}' with {} values.",
                    description.logical,
                    values.len()
                );
                return Err(Refusal::new(400, "0x80040203", text));
            }
        })
    }

    /// The opposite condition, which rows without a value satisfy as far as they do for "not equal".
    pub(in crate::sandbox) fn negated(condition: Condition) -> Condition {
        Condition::Not(Box::new(condition))
    }
}

fn is_date(column: &Column) -> bool {
    column.kind == Kind::DateTime
}

/// A number of days or hours.
fn span(column: &Column, text: &str, most: i64) -> Result<i64, Refusal> {
    let number = text.trim().parse::<i64>().ok();
    number.filter(|number| (1..=most).contains(number)).ok_or_else(|| unfit(column, text))
}

/// A value as queries write it, which is less strict than rows are.
fn literal(column: &Column, text: &str) -> Result<Comparable, Refusal> {
    let found = match column.kind {
        Kind::Uniqueidentifier | Kind::Lookup | Kind::Customer | Kind::Owner => {
            let bare = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
            comparable(column.kind, bare)
        }
        Kind::Boolean => match text {
            "0" | "false" => Some(Comparable::Flag(false)),
            "1" | "true" => Some(Comparable::Flag(true)),
            _ => None,
        },
        // What has no offset is UTC.
        Kind::DateTime => comparable(column.kind, text).or_else(|| comparable(column.kind, &format!("{text}Z"))),
        kind => comparable(kind, text),
    };
    let is_finite = |value: &Comparable| !matches!(value, Comparable::Number(number) if !number.is_finite());
    found.filter(is_finite).ok_or_else(|| unfit(column, text))
}

fn unfit(column: &Column, text: &str) -> Refusal {
    let text = format!("The value '{text}' does not fit the attribute '{}'.", column.logical);
    Refusal::new(400, "0x80040203", text)
}
