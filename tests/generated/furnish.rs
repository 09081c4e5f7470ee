//! Records that rows will meet: what lookups find, and what the target holds already. Chance alone would seldom hit.

use super::decide::mapped;
use super::dice::Dice;
use super::evaluate::Place;
use super::job::{Job, Lookup};
use super::search::{Fold, key_fold, match_fold, wanted};
use super::value::{ONE, T, V};
use super::world::{Record, World, stored};

pub fn furnish(job: &Job, world: &mut World, now: i64, dice: &mut Dice) {
    if world.source.is_empty() {
        return;
    }
    for lookup in job.lookups.iter().filter(|l| l.object.name != job.shape.object) {
        for number in 0..dice.below(6) {
            let at = dice.below(world.source.len());
            if let Some(record) = found_by(lookup, job, world, at, number, now, dice) {
                world.searched.get_mut(lookup.object.name).unwrap().push(record);
            }
        }
    }
    let mut target = Vec::new();
    for number in 0..dice.below(7) {
        let row = mapped(job, world, dice.below(world.source.len()), now);
        let mut record = Record::new();
        for (at, mapping) in job.mappings.iter().enumerate() {
            let is_random = row.mapped.len() <= at || dice.maybe(5);
            let value = if is_random { stored(mapping.field, dice) } else { row.mapped[at].clone() };
            let value = if value == V::text("") { V::Null } else { value };
            let key = job.keys.iter().find(|(n, _)| *n == at);
            let fold = key.map_or(Fold::Exact, |(_, ignore)| key_fold(mapping, *ignore));
            record.insert(mapping.field.name.to_owned(), otherwise(value, fold, dice));
        }
        if dice.maybe(40) {
            let field = job.mappings[dice.below(job.mappings.len())].field;
            record.insert(field.name.to_owned(), stored(field, dice));
        }
        record.insert("Gsid".to_owned(), V::Text(format!("1T-{}{number}", dice.below(10))));
        target.push(record);
    }
    world.target = target;
}

/// A record that the lookup finds for the row.
fn found_by(
    lookup: &Lookup,
    job: &Job,
    world: &World,
    at: usize,
    number: usize,
    now: i64,
    dice: &mut Dice,
) -> Option<Record> {
    let (row, zone) = (&world.source[at], job.zone.parse().unwrap());
    let place = Place { world, row, found: &[], zone, now, unknown_choice: job.unknown_choice };
    let others = &world.searched[lookup.object.name];
    let mut record = if others.is_empty() { Record::new() } else { dice.pick(others) };
    for one in &lookup.matches {
        let value = match (wanted(one, &place).ok()?, one.field.of) {
            (V::Null, _) => return None,
            (V::Exact(n), T::Whole) => V::Whole(i64::try_from(n / ONE).ok()?),
            (V::Exact(n), _) if one.field.name == "Employees" => V::Exact(super::convert::rounded(n, 0)),
            (value, _) => value,
        };
        record.insert(one.field.name.to_owned(), otherwise(value, match_fold(one), dice));
    }
    record.insert(lookup.object.fields[0].name.to_owned(), V::Text(format!("1Q-{}{number}{}", dice.below(10), at)));
    Some(record)
}

/// The same text as far as it is compared, written otherwise.
fn otherwise(value: V, fold: Fold, dice: &mut Dice) -> V {
    match (value, fold) {
        (V::Text(text), Fold::Case) if dice.maybe(50) => V::Text(text.to_uppercase().to_lowercase()),
        (V::Text(text), Fold::Id) if dice.maybe(50) => V::Text(format!("{{{}}}", text.to_uppercase())),
        (value, _) => value,
    }
}
