//! A row that came: its columns by number or by name, as what the caller wants of them.

use tokio_postgres::types::Type;

use super::super::error::{Error, Result};
use super::failure::Failure;

/// A row of either database, as long as it lasts.
pub(in crate::store) struct Row<'a>(Inner<'a>);

enum Inner<'a> {
    File(&'a rusqlite::Row<'a>),
    Server(&'a tokio_postgres::Row),
}

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
}

/// What a column is called by.
pub(in crate::store) trait Column: Copy + std::fmt::Display {
    fn number(self, names: &dyn Fn(&str) -> Option<usize>) -> Option<usize>;
}

/// What can be made of what stands in a column.
pub(in crate::store) trait Read: Sized {
    fn read(cell: Value<'_>) -> Option<Self>;
}

/// See [`Cell`].
pub(in crate::store) struct Value<'a>(Cell<'a>);

impl<'a> Row<'a> {
    pub(super) fn of_file(row: &'a rusqlite::Row<'a>) -> Self {
        Self(Inner::File(row))
    }

    pub(super) fn of_server(row: &'a tokio_postgres::Row) -> Self {
        Self(Inner::Server(row))
    }

    /// A column's value.
    ///
    /// # Errors
    /// If there is no such column, or it holds something else.
    pub(in crate::store) fn get<T: Read>(&self, column: impl Column) -> Result<T> {
        let unreadable = || Error::from(Failure::unreadable(column));
        let names = |name: &str| match &self.0 {
            Inner::File(row) => row.as_ref().column_index(name).ok(),
            Inner::Server(row) => row.columns().iter().position(|one| one.name() == name),
        };
        let cell = column.number(&names).and_then(|number| self.cell(number)).ok_or_else(unreadable)?;
        T::read(Value(cell)).ok_or_else(unreadable)
    }

    fn cell(&self, number: usize) -> Option<Cell<'_>> {
        match &self.0 {
            Inner::File(row) => of_file(row.get_ref(number).ok()?),
            Inner::Server(row) => of_server(row, number),
        }
    }
}

fn of_file(value: rusqlite::types::ValueRef<'_>) -> Option<Cell<'_>> {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => Some(Cell::Null),
        ValueRef::Integer(number) => Some(Cell::Integer(number)),
        ValueRef::Real(number) => Some(Cell::Real(number)),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().map(Cell::Text),
        ValueRef::Blob(_) => None,
    }
}

fn of_server(row: &tokio_postgres::Row, number: usize) -> Option<Cell<'_>> {
    let kind = row.columns().get(number)?.type_();
    let cell = if *kind == Type::INT8 {
        row.try_get::<_, Option<i64>>(number).ok()?.map(Cell::Integer)
    } else if *kind == Type::INT4 {
        row.try_get::<_, Option<i32>>(number).ok()?.map(|one| Cell::Integer(one.into()))
    } else if *kind == Type::BOOL {
        row.try_get::<_, Option<bool>>(number).ok()?.map(|one| Cell::Integer(one.into()))
    } else if *kind == Type::FLOAT8 {
        row.try_get::<_, Option<f64>>(number).ok()?.map(Cell::Real)
    } else {
        row.try_get::<_, Option<&str>>(number).ok()?.map(Cell::Text)
    };
    Some(cell.unwrap_or(Cell::Null))
}

impl Column for usize {
    fn number(self, _: &dyn Fn(&str) -> Option<usize>) -> Option<usize> {
        Some(self)
    }
}

impl Column for &str {
    fn number(self, names: &dyn Fn(&str) -> Option<usize>) -> Option<usize> {
        names(self)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(cell: Value<'_>) -> Option<Self> {
        if cell.0 == Cell::Null { Some(None) } else { T::read(cell).map(Some) }
    }
}

impl Read for String {
    fn read(cell: Value<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell.0 { Some(text.to_owned()) } else { None }
    }
}

impl Read for i64 {
    fn read(cell: Value<'_>) -> Option<Self> {
        if let Cell::Integer(number) = cell.0 { Some(number) } else { None }
    }
}

impl Read for u32 {
    fn read(cell: Value<'_>) -> Option<Self> {
        i64::read(cell).and_then(|number| Self::try_from(number).ok())
    }
}

impl Read for bool {
    fn read(cell: Value<'_>) -> Option<Self> {
        i64::read(cell).map(|number| number != 0)
    }
}

impl Read for f64 {
    fn read(cell: Value<'_>) -> Option<Self> {
        match cell.0 {
            Cell::Real(number) => Some(number),
            _ => None,
        }
    }
}
