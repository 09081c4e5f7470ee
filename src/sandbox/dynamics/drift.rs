//! A schema with one change made to it, as metadata shows it afterwards.
//!
//! In: a schema, the name of a table or of one of its columns (`account`, `account.fax`), a change. Out: the other schema.

use super::super::drift::Drift;
use super::schema::{Choice, Column, Schema, kind};

/// Numbers of options that are added begin after all that are shipped.
const FIRST_NEW_OPTION: i64 = 900_000;

/// The changed schema; nothing if there is no such table, column or option, or the change is none that columns know.
pub(in crate::sandbox) fn drifted(schema: &Schema, place: &str, drift: &Drift<'_>) -> Option<Schema> {
    let mut schema = schema.clone();
    let (table, column) = place.split_once('.').map_or((place, None), |(table, column)| (table, Some(column)));
    let at = schema.tables.iter().position(|known| known.logical == table)?;
    let Some(name) = column else {
        matches!(drift, Drift::Gone).then(|| drop(schema.tables.remove(at)))?;
        return Some(schema);
    };
    let table = &mut schema.tables[at];
    if matches!(drift, Drift::New) {
        let text = table.columns.iter().find(|known| known.is_text())?;
        table.columns.push(Column {
            logical: name.to_owned(),
            property: name.to_owned(),
            label: name.to_owned(),
            ..text.clone()
        });
        return Some(schema);
    }
    let index = table.logical_column(name)?;
    if matches!(drift, Drift::Gone) {
        // The name column is told by its place.
        (index != 0 && index != table.primary_name).then_some(())?;
        table.columns.remove(index);
        table.primary_name -= usize::from(index < table.primary_name);
        return Some(schema);
    }
    change(&mut table.columns[index], drift)?;
    Some(schema)
}

fn change(column: &mut Column, drift: &Drift<'_>) -> Option<()> {
    let place = |label: &str| column.choices.iter().position(|choice| choice.label == label);
    match *drift {
        Drift::Length(most) => column.max_length = Some(most),
        Drift::Type(name) => column.kind = kind(name)?,
        Drift::Renamed(from, to) => {
            let index = place(from)?;
            to.clone_into(&mut column.choices[index].label);
        }
        Drift::WithoutOption(label) => drop(column.choices.remove(place(label)?)),
        Drift::NewOption(label) => {
            let value = column.choices.last()?.value.max(FIRST_NEW_OPTION) + 1;
            column.choices.push(Choice { value, label: label.to_owned(), state: None });
        }
        Drift::Targets(tables) => column.targets = tables.split(',').map(str::to_owned).collect(),
        Drift::Gone | Drift::New | Drift::Decimals(_) | Drift::Required | Drift::ReadOnly => return None,
    }
    Some(())
}
