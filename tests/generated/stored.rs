//! What a field of the target holds of a value that is mapped into it.

use chrono_tz::Tz;

use super::convert::{cast, rounded};
use super::job::{Job, Mapping, Unknown};
use super::tables::Kind;
use super::value::{ONE, T, V};

pub fn stored(mapping: &Mapping, made: &V, job: &Job, zone: Tz) -> V {
    match (mapping.field.kind, made) {
        (_, V::Null) => V::Null,
        (Kind::Number(digits), V::Whole(n)) => V::Exact(rounded(i128::from(*n) * ONE, digits)),
        (Kind::Number(digits), V::Exact(n)) => V::Exact(rounded(*n, digits)),
        (Kind::Moment, made) => cast(made, T::Moment, zone).expect("a day is a moment too"),
        (Kind::Flag | Kind::Day | Kind::Number(_), made) => made.clone(),
        (Kind::Text | Kind::Email | Kind::Url | Kind::Gsid | Kind::Picklist, made) => {
            let text = cast(made, T::Text, zone).expect("everything is a text too");
            let is_item = |item: &&str| text == V::text(item);
            let is_unknown = mapping.field.kind == Kind::Picklist && !mapping.field.items.iter().any(is_item);
            // An empty text is none.
            if text == V::text("") || (is_unknown && job.unknown_item == Unknown::Null) { V::Null } else { text }
        }
    }
}
