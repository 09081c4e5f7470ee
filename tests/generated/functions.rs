//! The functions that generated jobs call, one by one.

use chrono::{Datelike, NaiveDate};

use super::convert::{day_of, rounded};
use super::evaluate::{Fails, Place, Value, value};
use super::expression::E;
use super::value::V;

pub fn call(name: &str, arguments: &[E], at: &Place<'_>) -> Value {
    // The only one that does not look at all of its arguments.
    if name == "COALESCE" {
        for argument in arguments {
            let found = value(argument, at)?;
            if !found.is_null() {
                return Ok(found);
            }
        }
        return Ok(V::Null);
    }
    let found = arguments.iter().map(|a| value(a, at)).collect::<Result<Vec<V>, Fails>>()?;
    if name == "NULLIF" {
        let equal = !found[0].is_null() && !found[1].is_null() && found[0].order(&found[1]).is_eq();
        return Ok(if equal { V::Null } else { found[0].clone() });
    }
    if name == "CONCAT" {
        let text = |v: &V| if let V::Text(text) = v { text.clone() } else { String::new() };
        return Ok(V::Text(found.iter().map(text).collect()));
    }
    if found.iter().any(V::is_null) {
        return Ok(V::Null);
    }
    Ok(match (name, &found[..]) {
        ("LOWER", [V::Text(text)]) => V::Text(text.to_lowercase()),
        ("UPPER", [V::Text(text)]) => V::Text(text.to_uppercase()),
        ("TRIM", [V::Text(text)]) => V::text(text.trim_matches(' ')),
        ("REVERSE", [V::Text(text)]) => V::Text(text.chars().rev().collect()),
        ("LENGTH", [V::Text(text)]) => V::Whole(i64::try_from(text.chars().count()).unwrap()),
        ("LEFT", [V::Text(text), V::Whole(n)]) => V::Text(text.chars().take(usize::try_from(*n).unwrap()).collect()),
        ("SUBSTR", [V::Text(text), V::Whole(from)]) => {
            V::Text(text.chars().skip(usize::try_from(*from - 1).unwrap()).collect())
        }
        ("REPLACE", [V::Text(text), V::Text(old), V::Text(new)]) => V::Text(text.replace(old, new)),
        ("STARTS_WITH", [V::Text(text), V::Text(start)]) => V::Flag(text.starts_with(start.as_str())),
        ("CONTAINS", [V::Text(text), V::Text(part)]) => V::Flag(text.contains(part.as_str())),
        ("ROUND", [V::Exact(exact), V::Whole(digits)]) => V::Exact(rounded(*exact, u32::try_from(*digits).unwrap())),
        ("DATE_PART", [V::Text(part), V::Day(day)]) => V::Whole(part_of(part, date(*day))),
        ("DATE_PART", [V::Text(part), V::Moment(moment)]) => V::Whole(part_of(part, date(day_of(*moment, at.zone)))),
        ("DATE_TRUNC", [V::Text(_), V::Day(day)]) => {
            let first = date(*day).with_day(1).unwrap();
            V::Day(i64::from(first.to_epoch_days()))
        }
        other => panic!("{other:?} is no call that is made"),
    })
}

fn date(day: i64) -> NaiveDate {
    NaiveDate::from_epoch_days(i32::try_from(day).unwrap()).unwrap()
}

fn part_of(part: &str, date: NaiveDate) -> i64 {
    match part {
        "year" => i64::from(date.year()),
        "month" => i64::from(date.month()),
        _ => i64::from(date.day()),
    }
}
