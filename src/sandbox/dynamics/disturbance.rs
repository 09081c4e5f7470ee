//! What needs the rows or the metadata: a source that changes while a client pages, by a fault or by a test's writer, and a
//! choice that nobody knows.
//!
//! Which request is struck is decided in `faults`. In: a request with its strike, and the reply made for it. Out: the same
//! reply or one with another choice, and rows that have changed since it was made.

use serde_json::{Map, Value};

use super::super::faults::{Effect, Touch};
use super::super::http::{Ask, Reply};
use super::super::writer::Change;
use super::place::Place;
use super::schema::{Column, Kind, TableSchema};
use super::service::Dynamics;

const FORMATTED: &str = "@OData.Community.Display.V1.FormattedValue";

/// Bytes at the end of a page that its link is in, and at its start that its annotations are in.
const LONGEST_LINK: usize = 8 * 1024;
const OPENING: usize = 1024;

/// Lets a strike act on the rows, or on the reply. A refused request is left alone.
pub(in crate::sandbox) fn after(dynamics: &Dynamics, ask: &Ask, reply: &mut Reply) {
    if reply.status != 200 {
        return;
    }
    if is_followed(reply)
        && let Some(table) = asked(dynamics, ask)
    {
        dynamics.writer.after_page(&table.logical).iter().for_each(|change| write(dynamics, change));
    }
    let draw = ask.strike.draw;
    match &ask.strike.effect {
        Some(Effect::Touch(touch)) => change(dynamics, touch, draw),
        Some(Effect::DropRow) => {
            if let Some(table) = asked(dynamics, ask) {
                let ids = drawn(dynamics, table, draw, 1);
                ids.iter().for_each(|id| {
                    dynamics.delete_row(&table.logical, id);
                });
            }
        }
        Some(Effect::UnknownChoice) => {
            if let Some(table) = asked(dynamics, ask) {
                forge(table, draw, reply);
            }
        }
        _ => {}
    }
}

/// Whether the reply is a page that another one follows.
fn is_followed(reply: &Reply) -> bool {
    let end = reply.body.len().saturating_sub(LONGEST_LINK);
    let (start, end) = (&reply.body[..reply.body.len().min(OPENING)], &reply.body[end..]);
    let has = |part: &[u8], text: &str| part.windows(text.len()).any(|window| window == text.as_bytes());
    has(end, "\"@odata.nextLink\":") || has(start, "\"@Microsoft.Dynamics.CRM.morerecords\":true")
}

fn write(dynamics: &Dynamics, change: &Change) {
    // What a test asks for and cannot be is left out; it sees what became of its rows.
    let _done = match change {
        Change::Put(table, row) => dynamics.put_row(table, row).is_ok(),
        Change::Delete(table, id) => dynamics.delete_row(table, id),
        Change::Merge(table, master, subordinate) => dynamics.merge_rows(table, master, subordinate),
    };
}

/// The table whose rows were asked for.
fn asked<'a>(dynamics: &'a Dynamics, ask: &Ask) -> Option<&'a TableSchema> {
    let place = Place::read(dynamics, ask).ok()?;
    let set = place.segments().first()?.split('(').next()?.to_owned();
    dynamics.schema.set(&set).map(|table| &dynamics.schema.tables[table])
}

/// The keys of so many rows that follow each other, from a drawn one on; after the last comes the first.
fn drawn(dynamics: &Dynamics, table: &TableSchema, draw: usize, count: usize) -> Vec<String> {
    let rows = dynamics.rows(&table.logical);
    let ids = rows.iter().filter_map(|row| row.get(table.key())?.as_str().map(str::to_owned));
    ids.cycle().skip(draw % rows.len().max(1)).take(count.min(rows.len())).collect()
}

fn change(dynamics: &Dynamics, touch: &Touch, draw: usize) {
    let Some(table) = dynamics.schema.table(&touch.table) else { return };
    let table = &dynamics.schema.tables[table];
    for id in drawn(dynamics, table, draw, touch.rows) {
        let row = Map::from_iter([(table.key().to_owned(), id.into()), (touch.column.clone(), touch.value.clone())]);
        // A rule is held against the schema when it is read, so a row can refuse only what was deleted meanwhile.
        let _changed = dynamics.put_row(&table.logical, &row);
    }
}

/// Puts a number that is no option in the place of one of the page's choices, and takes its formatted value away.
fn forge(table: &TableSchema, draw: usize, reply: &mut Reply) {
    let Ok(mut page) = serde_json::from_slice::<Value>(&reply.body) else { return };
    let Some(rows) = page.get_mut("value").and_then(Value::as_array_mut) else { return };
    let choices = |kind: Kind| table.columns.iter().filter(move |column| column.kind == kind);
    let mut places: Vec<(usize, &Column)> = Vec::new();
    for column in choices(Kind::Picklist) {
        places.extend(
            rows.iter().enumerate().filter(|(_, row)| row[&column.property].is_number()).map(|(at, _)| (at, column)),
        );
    }
    let Some((row, column)) = places.get(draw % places.len().max(1)) else { return };
    let unknown = column.choices.iter().map(|choice| choice.value).max().unwrap_or(0) + 1;
    if let Some(members) = rows[*row].as_object_mut() {
        members.insert(column.property.clone(), unknown.into());
        members.shift_remove(&format!("{}{FORMATTED}", column.property));
    }
    reply.body = page.to_string().into_bytes();
}
