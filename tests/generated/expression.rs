//! Expressions as trees of the oracle's own, and how a script writes them.

use super::tables::{Column, Searched};
use super::value::{T, V, plain};

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    pub months: i64,
    pub days: i64,
    pub hours: i64,
}

#[derive(Debug, Clone)]
pub enum E {
    Column(&'static Column),
    /// A field of the record that the job's lookup of this number found.
    Looked(usize, &'static Searched),
    Const(V),
    Now,
    Today,
    Label(&'static Column),
    TypeOf(&'static Column),
    Not(Box<E>),
    All(Vec<E>),
    Any(Vec<E>),
    Compare(Box<E>, &'static str, Box<E>),
    /// A choice compared with its labels: `= 'Open'`, `IN ('Open', 'Won')`.
    Labelled(&'static Column, Vec<&'static str>),
    IsNull(Box<E>, bool),
    In(Box<E>, Vec<V>, bool),
    Between(Box<E>, V, V, bool),
    Like(Box<E>, &'static str, bool, bool),
    Joined(Vec<E>),
    /// Two numbers, and the type of the result.
    Sum(Box<E>, char, Box<E>, T),
    Shift(Box<E>, Stretch),
    Days(Box<E>, Box<E>),
    Case(Vec<(E, E)>, Option<Box<E>>),
    /// A value, its type, the wanted type, and whether what cannot be converted is null.
    Cast(Box<E>, T, T, bool),
    Call(&'static str, Vec<E>),
}

impl E {
    /// The expression as a script has it, in brackets wherever they could matter.
    pub fn written(&self, alias: &str) -> String {
        let of = |e: &E| e.written(alias);
        let list = |all: &[E], with: &str| all.iter().map(|e| format!("({})", of(e))).collect::<Vec<_>>().join(with);
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            E::Column(column) => column.shown(alias),
            E::Looked(number, field) => format!("l{number}.{}", field.written),
            E::Const(value) => constant(value),
            E::Now => "NOW".to_owned(),
            E::Today => "TODAY".to_owned(),
            E::Label(column) => format!("LABEL({})", column.shown(alias)),
            E::TypeOf(column) => format!("TYPE_OF({})", column.shown(alias)),
            E::Not(inner) => format!("NOT ({})", of(inner)),
            E::All(all) => list(all, " AND "),
            E::Any(all) => list(all, " OR "),
            E::Compare(left, sign, right) => format!("({}) {sign} ({})", of(left), of(right)),
            E::Labelled(column, labels) => {
                let labels: Vec<String> = labels.iter().map(|l| format!("'{l}'")).collect();
                match &labels[..] {
                    [one] => format!("{} = {one}", column.shown(alias)),
                    many => format!("{} IN ({})", column.shown(alias), many.join(", ")),
                }
            }
            E::IsNull(inner, negated) => format!("({}) IS {}NULL", of(inner), not(negated)),
            E::In(inner, values, negated) => {
                let values: Vec<String> = values.iter().map(constant).collect();
                format!("({}) {}IN ({})", of(inner), not(negated), values.join(", "))
            }
            E::Between(inner, low, high, negated) => {
                format!("({}) {}BETWEEN {} AND {}", of(inner), not(negated), constant(low), constant(high))
            }
            E::Like(inner, pattern, ignore_case, negated) => {
                let word = if *ignore_case { "ILIKE" } else { "LIKE" };
                format!("({}) {}{word} '{pattern}'", of(inner), not(negated))
            }
            E::Joined(all) => list(all, " || "),
            E::Sum(left, sign, right, _) => format!("({}) {sign} ({})", of(left), of(right)),
            E::Shift(inner, by) => {
                let part = |count: i64, unit: &str| if count == 0 { None } else { Some(format!("{count} {unit}")) };
                let parts = [part(by.months, "months"), part(by.days, "days"), part(by.hours, "hours")];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                format!("({}) + INTERVAL '{}'", of(inner), parts.join(" "))
            }
            E::Days(to, from) => format!("({}) - ({})", of(to), of(from)),
            E::Case(arms, otherwise) => {
                let arms: Vec<String> = arms.iter().map(|(c, v)| format!("WHEN {} THEN {}", of(c), of(v))).collect();
                let otherwise = otherwise.as_deref().map_or(String::new(), |e| format!(" ELSE {}", of(e)));
                format!("CASE {}{otherwise} END", arms.join(" "))
            }
            E::Cast(inner, _, to, lenient) => {
                format!("{}CAST({} AS {})", if *lenient { "TRY_" } else { "" }, of(inner), word(*to))
            }
            E::Call(name, arguments) => {
                format!("{name}({})", arguments.iter().map(of).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Whether a part of it comes from a lookup.
    pub fn is_looked(&self) -> bool {
        match self {
            E::Looked(..) => true,
            E::Not(x) | E::IsNull(x, _) | E::In(x, ..) | E::Between(x, ..) | E::Like(x, ..) => x.is_looked(),
            E::Shift(x, ..) | E::Cast(x, ..) => x.is_looked(),
            E::All(all) | E::Any(all) | E::Joined(all) | E::Call(_, all) => all.iter().any(E::is_looked),
            E::Compare(a, _, b) | E::Sum(a, _, b, _) | E::Days(a, b) => a.is_looked() || b.is_looked(),
            E::Case(arms, otherwise) => {
                arms.iter().any(|(c, v)| c.is_looked() || v.is_looked())
                    || otherwise.as_deref().is_some_and(E::is_looked)
            }
            E::Column(_) | E::Const(_) | E::Now | E::Today | E::Label(_) | E::TypeOf(_) | E::Labelled(..) => false,
        }
    }
}

impl E {
    /// Whether it can fail a row, as far as its form tells.
    pub fn can_fail(&self) -> bool {
        match self {
            E::Label(_) | E::Sum(..) => true,
            E::Shift(inner, _) => !matches!(**inner, E::Now | E::Today),
            E::Cast(inner, from, to, lenient) => {
                let is_sure = from == to || *to == T::Text || matches!(from, T::Day | T::Moment | T::Flag | T::Whole);
                inner.can_fail() || !(*lenient || is_sure)
            }
            E::Call(name, all) => ["ROUND", "DATE_TRUNC", "REPLACE"].contains(name) || all.iter().any(E::can_fail),
            E::Not(x) | E::IsNull(x, _) | E::In(x, ..) | E::Between(x, ..) | E::Like(x, ..) => x.can_fail(),
            E::All(all) | E::Any(all) | E::Joined(all) => all.iter().any(E::can_fail),
            E::Compare(a, _, b) | E::Days(a, b) => a.can_fail() || b.can_fail(),
            E::Case(arms, otherwise) => {
                arms.iter().any(|(c, v)| c.can_fail() || v.can_fail()) || otherwise.as_deref().is_some_and(E::can_fail)
            }
            E::Column(_) | E::Looked(..) | E::Const(_) | E::Now | E::Today | E::TypeOf(_) | E::Labelled(..) => false,
        }
    }
}

fn word(of: T) -> &'static str {
    match of {
        T::Whole | T::Choice => "INTEGER",
        T::Exact => "DECIMAL",
        T::Flag => "BOOLEAN",
        T::Day => "DATE",
        T::Moment => "DATETIME",
        T::Text | T::Id | T::Gsid => "TEXT",
    }
}

/// A value as a script has it.
pub fn constant(value: &V) -> String {
    match value {
        V::Null => "NULL".to_owned(),
        V::Text(text) => format!("'{}'", text.replace('\'', "''")),
        V::Whole(number) => number.to_string(),
        V::Exact(exact) => {
            let written = plain(*exact);
            if written.contains('.') { written } else { format!("{written}.0") }
        }
        V::Flag(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
        V::Day(day) => format!("DATE '{}'", chrono::NaiveDate::from_epoch_days(i32::try_from(*day).unwrap()).unwrap()),
        V::Moment(millis) => {
            let moment = chrono::DateTime::from_timestamp_millis(*millis).unwrap();
            format!("TIMESTAMP '{}'", moment.format("%Y-%m-%dT%H:%M:%SZ"))
        }
    }
}
