//! Which columns of a table are wanted, and in which form they come.
//!
//! In: a table's fields, as a job uses them. Out: the columns of every batch: those of [`dataset::table_schema`] without numbers, and of an
//! export two more, by which the newest of a row's versions is told.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};

use crate::model::dataset::{self, ROW, UNREAD};
use crate::model::field::{Field, FieldKind};

/// The column that says where a row stands: `contacts.csv:17`. It names the rows of a table that has no key.
pub const PLACE: &str = "@row";
/// The column of an export that tells which of a row's versions is newer.
pub const VERSION: &str = "@version";
/// The column of an export that says whether the row was deleted.
pub const GONE: &str = "@gone";

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Slot {
    /// The value of a field.
    Value(Field),
    /// At which table the value of a field points.
    TypeOf(String),
    /// Where the row stands.
    Place,
    /// Why the row cannot be read.
    Unread,
    /// Which version it is.
    Version,
    /// Whether it was deleted.
    Gone,
}

/// The columns that are wanted of a table.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Of every batch.
    pub schema: SchemaRef,
    pub(super) slots: Vec<Slot>,
    /// The column that names a row.
    pub(super) id: String,
    /// Whether a row without a name ends the reading: one that is called by its place would make its record look lost.
    pub needs_names: bool,
}

impl Shape {
    /// These fields of a table, and the one that names its rows. `is_versioned` says that rows come in versions.
    #[must_use]
    pub fn new(fields: &[Field], id: &str, is_versioned: bool) -> Self {
        let table = dataset::table_schema(&fields.iter().collect::<Vec<_>>(), false, Some(id));
        let mut columns: Vec<ArrowField> =
            table.fields().iter().filter(|f| f.name() != ROW).map(|f| f.as_ref().clone()).collect();
        if is_versioned {
            columns.push(ArrowField::new(VERSION, DataType::Int64, false));
            columns.push(ArrowField::new(GONE, DataType::Boolean, false));
        }
        let slots = columns.iter().map(|column| slot(column.name(), fields)).collect();
        Self { schema: Arc::new(Schema::new(columns)), slots, id: id.to_owned(), needs_names: false }
    }

    /// Whether rows that cannot be read are told of in a column.
    pub(super) fn has_unread(&self) -> bool {
        self.slots.contains(&Slot::Unread)
    }
}

fn slot(name: &str, fields: &[Field]) -> Slot {
    match name {
        PLACE => Slot::Place,
        UNREAD => Slot::Unread,
        VERSION => Slot::Version,
        GONE => Slot::Gone,
        _ => match (fields.iter().find(|field| field.name == name), name.strip_suffix("@type")) {
            (Some(field), _) => Slot::Value(field.clone()),
            (None, Some(base)) => Slot::TypeOf(base.to_owned()),
            (None, None) => Slot::Value(Field::bare(name, name, FieldKind::Text)),
        },
    }
}
