//! Random jobs: right ones, with every clause that decides something about a row.

use super::dice::Dice;
use super::expression::E;
use super::grow::Ground;
use super::job::{Duplicate, Job, Lookup, Mapping, Match, Multiple, Nothing, Unknown, Verb};
use super::tables::{Field, Kind, Object, Searched, Shape};
use super::value::{T, V};

/// A job of this shape.
pub fn job(shape: &'static Shape, dice: &mut Dice) -> Job {
    let zone = dice.pick(&["UTC", "Europe/Berlin", "America/New_York"]);
    let verb = dice.pick(&[Verb::Upsert, Verb::Upsert, Verb::Upsert, Verb::Insert, Verb::Update]);
    let unknown_choice = dice.pick(&[Unknown::Error, Unknown::Error, Unknown::Null, Unknown::Text]);
    let unknown_item = dice.pick(&[Unknown::Error, Unknown::Error, Unknown::Null]);
    let (mut mappings, keys) = keyed(shape, dice);
    let mapped: Vec<&'static Field> = mappings.iter().map(|m| m.field).collect();
    let lookups: Vec<Lookup> = (0..dice.below(4)).map(|_| lookup(shape, &mapped, dice)).collect();
    let wants_all = dice.maybe(50);
    for field in shape.fields {
        let is_mapped = mappings.iter().any(|m| std::ptr::eq(m.field, field));
        let chance = if field.kind == Kind::Gsid { 80 } else { 40 };
        if is_mapped || !(field.required || dice.maybe(chance)) {
            continue;
        }
        mappings.extend(mapping(field, shape, &lookups, wants_all && unknown_item == Unknown::Null, dice));
    }
    let mut ground = Ground { shape, lookups: &[], dice };
    let duplicate = match ground.dice.below(4) {
        0 => Duplicate::Unsaid,
        1 => Duplicate::Error,
        2 => Duplicate::Reject,
        _ => {
            let of = ground.dice.pick(&[T::Text, T::Whole, T::Exact, T::Day, T::Moment]);
            Duplicate::Latest(ground.grow(of, 2))
        }
    };
    ground.lookups = &lookups;
    let filter = if ground.dice.maybe(40) { filter(&mut ground) } else { Vec::new() };
    let count = if ground.dice.maybe(75) { 0 } else { 1 + ground.dice.below(2) };
    let requires = (0..count).map(|n| (ground.condition(2), format!("it is required, number {n}"))).collect();
    let filter = filter.into_iter().filter(|e| !matches!(e, E::All(_))).collect();
    Job { shape, zone, verb, keys, duplicate, mappings, lookups, filter, requires, unknown_choice, unknown_item }
}

/// Conditions that pass more often than they would by chance.
fn filter(ground: &mut Ground<'_>) -> Vec<E> {
    let count = 1 + ground.dice.below(3);
    (0..count)
        .map(|_| {
            let one = ground.condition(2);
            if ground.dice.maybe(50) { E::Any(vec![one, ground.condition(1), ground.condition(0)]) } else { one }
        })
        .collect()
}

/// The key's fields, mapped.
fn keyed(shape: &'static Shape, dice: &mut Dice) -> (Vec<Mapping>, Vec<(usize, bool)>) {
    let count = if dice.maybe(70) { 1 } else { 2 };
    let mut labels = shape.keys.to_vec();
    let mut mappings = Vec::new();
    let mut keys = Vec::new();
    for at in 0..count {
        let label = labels.remove(if dice.maybe(50) { 0 } else { dice.below(labels.len()) });
        let field = shape.fields.iter().find(|f| f.label == label).unwrap();
        let mut ground = Ground { shape, lookups: &[], dice };
        let (value, of) = match field.kind {
            Kind::Number(_) => (ground.grow(T::Whole, 0), T::Whole),
            _ if ground.dice.maybe(45) => (E::Column(&shape.columns[0]), T::Id),
            _ => {
                let written = ground.dice.pick(&["stepname", "address1_city", "description", "name"]);
                let column = shape.columns.iter().find(|c| c.written == written);
                (column.map_or_else(|| ground.grow(T::Text, 1), E::Column), T::Text)
            }
        };
        let of = if field.kind == Kind::Email && of == T::Id { T::Text } else { of };
        let value = if field.kind == Kind::Email && matches!(&value, E::Column(c) if c.of == T::Id) {
            ground.grow(T::Text, 0)
        } else {
            value
        };
        keys.push((at, matches!(field.kind, Kind::Text) && dice.maybe(30)));
        mappings.push(Mapping { field, value, of, keep: false });
    }
    (mappings, keys)
}

fn mapping(
    field: &'static Field,
    shape: &'static Shape,
    lookups: &[Lookup],
    any_item: bool,
    dice: &mut Dice,
) -> Option<Mapping> {
    if field.kind == Kind::Gsid {
        let fits = |l: &(usize, &Lookup)| l.1.object.label == field.points_at;
        let fitting: Vec<(usize, &Lookup)> = lookups.iter().enumerate().filter(fits).collect();
        if fitting.is_empty() {
            return None;
        }
        let (number, lookup) = dice.pick(&fitting);
        let keep = dice.maybe(20);
        return Some(Mapping { field, value: E::Looked(number, &lookup.object.fields[0]), of: T::Gsid, keep });
    }
    let of = match field.kind {
        Kind::Text if dice.maybe(65) => T::Text,
        Kind::Text => dice.pick(&[T::Whole, T::Exact, T::Flag, T::Day, T::Moment, T::Id, T::Choice]),
        Kind::Email | Kind::Url | Kind::Picklist | Kind::Gsid => T::Text,
        Kind::Number(_) => dice.pick(&[T::Whole, T::Exact, T::Exact, T::Choice]),
        Kind::Flag => T::Flag,
        Kind::Day => T::Day,
        Kind::Moment => dice.pick(&[T::Moment, T::Day]),
    };
    let mut ground = Ground { shape, lookups, dice };
    let of = if field.label == "Name" { T::Text } else { of };
    let value = if field.kind == Kind::Picklist && !(any_item && ground.dice.maybe(40)) {
        item(field, &mut ground)
    } else if field.label == "Name" && ground.dice.maybe(40) {
        E::Column(shape.columns.iter().find(|c| c.written == "name").unwrap())
    } else if field.required && ground.dice.maybe(70) {
        E::Call("COALESCE", vec![ground.grow(of, 1), ground_constant(of)])
    } else {
        ground.grow(of, 3)
    };
    // A required field is often given something to stand in, so that not all rows end here.
    Some(Mapping { field, value, of, keep: dice.maybe(20) })
}

fn ground_constant(of: T) -> E {
    E::Const(match of {
        T::Text | T::Gsid | T::Id => V::text("instead"),
        T::Whole | T::Choice => V::Whole(5),
        T::Exact => V::Exact(5),
        T::Flag => V::Flag(true),
        T::Day => V::Day(20_000),
        T::Moment => V::Moment(0),
    })
}

/// A text that may be an item of a picklist.
fn item(field: &Field, ground: &mut Ground<'_>) -> E {
    let choices: Vec<_> = ground.shape.columns.iter().filter(|c| c.of == T::Choice).collect();
    let constant = |n: usize| E::Const(V::text(field.items[n % field.items.len()]));
    match ground.dice.below(3) {
        0 => E::Label(ground.dice.pick(&choices)),
        1 => {
            let arms = (0..2).map(|n| (ground.condition(1), constant(n))).collect();
            E::Case(arms, Some(Box::new(constant(2))))
        }
        _ => {
            let column = ground.shape.columns.iter().find(|c| ["new_closetext", "accountnumber"].contains(&c.written));
            E::Column(column.unwrap())
        }
    }
}

fn lookup(shape: &'static Shape, mapped: &[&'static Field], dice: &mut Dice) -> Lookup {
    let object: &'static Object = dice.pick(shape.searched);
    let is_own = object.name == shape.object;
    let is_found = |f: &&Searched| mapped.iter().any(|m| m.name == f.name);
    let own: Vec<&'static Searched> = object.fields[1..].iter().filter(is_found).collect();
    let after_load = is_own && !own.is_empty() && dice.maybe(70);
    let is_late = after_load;
    let mut fields: Vec<&'static Searched> = if is_late { own } else { object.fields[1..].iter().collect() };
    fields.retain(|f| f.of != T::Moment);
    let most = fields.len().min(6);
    let count = if dice.maybe(50) { 1 } else { 1 + dice.below(most) };
    let matches: Vec<Match> = (0..count)
        .map(|_| {
            let field = fields.remove(dice.below(fields.len()));
            equality(field, shape, is_late, dice)
        })
        .collect();
    let multiple = match dice.below(3) {
        0 => Multiple::Error,
        1 if !is_late => {
            let mut orders: Vec<&'static Searched> = object.fields[1..].iter().collect();
            let count = 1 + dice.below(2);
            Multiple::First((0..count).map(|_| (orders.remove(dice.below(orders.len())), dice.maybe(50))).collect())
        }
        _ => Multiple::Any,
    };
    let none = match dice.below(4) {
        0 => Nothing::Reject,
        1 => Nothing::Use(V::text("1P-none")),
        _ => Nothing::Use(V::Null),
    };
    Lookup { object, matches, after_load, multiple, none }
}

fn equality(field: &'static Searched, shape: &'static Shape, is_late: bool, dice: &mut Dice) -> Match {
    let mut ground = Ground { shape, lookups: &[], dice };
    let depth = if is_late { 0 } else { 2 };
    let parent = shape.columns.iter().find(|c| c.written == "parentaccountid").unwrap();
    let by_parent = ["Dynamics_Account_ID__gc", "External_Account_ID_gainsight123__gc", "parentcustomerid"];
    let (value, of) = match field.of {
        _ if by_parent.contains(&field.name) => (E::Column(parent), T::Id),
        T::Choice => (E::Const(V::text(field.labels[0].1)), T::Choice),
        T::Exact if ground.dice.maybe(30) => (ground.grow(T::Whole, depth), T::Whole),
        of => (ground.grow(of, depth), of),
    };
    let is_text = field.of == T::Text && of == T::Text;
    Match { field, value, of, ignore_case: is_text && dice.maybe(40) }
}
