//! A connection to either database: one statement after the other, and changes that are made whole or not at all.

use std::borrow::Cow;
use std::cell::Cell;
use std::path::Path;

use rusqlite::{Connection as File, OpenFlags, TransactionBehavior};

use super::super::error::{Error, Result};
use super::bound::{Bound, Held, Params};
use super::dialect::declared;
use super::failure::{Failure, Why};
use super::row::Row;
use super::server::Server;
use super::session::Session;
use super::sqlite;

/// An open database.
pub(in crate::store) struct Connection(Engine);

enum Engine {
    File(File),
    Server(Session),
}

/// A statement that is used several times.
pub(in crate::store) struct Query<'c> {
    connection: &'c Connection,
    statement: String,
}

/// A change, made whole or not at all: without [`Transaction::commit`] nothing of it stays.
pub(in crate::store) struct Transaction<'c> {
    connection: &'c Connection,
    in_file: Option<rusqlite::Transaction<'c>>,
    is_open: Cell<bool>,
}

/// What came, if something came.
pub(in crate::store) trait OptionalExtension<T> {
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(Error::State { source, .. }) if source.is_no_row() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Connection {
    /// A file, for writing; made if it is not there.
    pub(in crate::store) fn open(path: &Path) -> Result<Self> {
        sqlite::opened(path).map(Engine::File).map(Self)
    }

    /// A file, for reading; or for writing, where only that recovers what a killed process left.
    pub(in crate::store) fn look(path: &Path, can_recover: bool) -> Result<Self> {
        let flags = if can_recover { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
        sqlite::opened_with(path, flags).map(Engine::File).map(Self)
    }

    /// A file, for counts of which a crash of the whole machine may take the last.
    pub(in crate::store) fn open_in_haste(path: &Path) -> Result<Self> {
        sqlite::opened_in_haste(path).map(Engine::File).map(Self)
    }

    /// A connection to a server.
    pub(in crate::store) fn reach(server: &Server) -> Result<Self> {
        Ok(Self(Engine::Server(Session::of(server.connection()?, server.to_string()))))
    }

    /// The file, for what only a file can do; none of a server.
    pub(in crate::store) fn file(&self) -> Option<&File> {
        if let Engine::File(file) = &self.0 { Some(file) } else { None }
    }

    /// From now on what is read outside of a change holds only if the lease has this epoch. In a file nobody else can have it meanwhile.
    pub(in crate::store) fn belong_to(&self, lease: &'static str, epoch: i64) {
        if let Engine::Server(session) = &self.0 {
            session.belong_to(lease, epoch);
        }
    }

    /// One row, as `read` makes it; [`OptionalExtension::optional`] for where there may be none.
    pub(in crate::store) fn query_row<T>(
        &self,
        statement: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        match &self.0 {
            Engine::File(file) => {
                let mut statement = file.prepare_cached(statement)?;
                let mut rows = statement.query(rusqlite::params_from_iter(params.all()))?;
                read(&Row::of_file(rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?))
            }
            Engine::Server(session) => {
                let answer = session.ask(statement, &params.all())?;
                let none = || Failure::of(Why::NoRow, "no row came");
                read(&Row::of_server(answer.rows.first().ok_or_else(none)?))
            }
        }
    }

    /// Hands out rows until `take` says that it has enough.
    pub(in crate::store) fn each(
        &self,
        statement: &str,
        params: impl Params,
        mut take: impl FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        match &self.0 {
            Engine::File(file) => {
                let mut statement = file.prepare_cached(statement)?;
                let mut rows = statement.query(rusqlite::params_from_iter(params.all()))?;
                while let Some(row) = rows.next()? {
                    if !take(&Row::of_file(row))? {
                        break;
                    }
                }
            }
            Engine::Server(session) => {
                for row in &session.ask(statement, &params.all())?.rows {
                    if !take(&Row::of_server(row))? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// All rows, as `read` makes each.
    pub(in crate::store) fn query_map<T, C: FromIterator<T>>(
        &self,
        statement: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<C> {
        let mut all = Vec::new();
        self.each(statement, params, |row| {
            all.push(read(row)?);
            Ok(true)
        })?;
        Ok(all.into_iter().collect())
    }

    /// Changes something now, and says how many rows.
    pub(in crate::store) fn execute(&self, statement: &str, params: impl Params) -> Result<usize> {
        match &self.0 {
            Engine::File(file) => {
                Ok(file.prepare_cached(statement)?.execute(rusqlite::params_from_iter(params.all()))?)
            }
            Engine::Server(session) => {
                let answer = session.ask(statement, &params.all())?;
                Ok(usize::try_from(answer.changed).unwrap_or(usize::MAX))
            }
        }
    }

    /// A change. Whoever writes into a file has it alone from here on.
    pub(in crate::store) fn begin(&self) -> Result<Transaction<'_>> {
        let in_file = match &self.0 {
            Engine::File(file) => Some(rusqlite::Transaction::new_unchecked(file, TransactionBehavior::Immediate)?),
            Engine::Server(session) => {
                session.begin();
                None
            }
        };
        Ok(Transaction { connection: self, in_file, is_open: Cell::new(true) })
    }

    /// What is read is nobody else's to change before this change is at its end. A file is written by one at a time anyway.
    pub(in crate::store) fn locking<'s>(&self, statement: &'s str) -> Cow<'s, str> {
        match &self.0 {
            Engine::File(_) => statement.into(),
            Engine::Server(_) => format!("{statement} FOR UPDATE").into(),
        }
    }

    /// A statement that is used several times.
    pub(in crate::store) fn prepare(&self, statement: &str) -> Query<'_> {
        Query { connection: self, statement: statement.to_owned() }
    }
}

impl Query<'_> {
    /// See [`Connection::query_row`].
    pub(in crate::store) fn query_row<T>(
        &self,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.connection.query_row(&self.statement, params, read)
    }

    /// See [`Connection::query_map`].
    pub(in crate::store) fn query_map<T, C: FromIterator<T>>(
        &self,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<C> {
        self.connection.query_map(&self.statement, params, read)
    }

    /// See [`Transaction::queue`].
    pub(in crate::store) fn queue(&self, params: impl Params) -> Result<()> {
        self.connection.queue(&self.statement, params)
    }
}

impl Connection {
    fn queue(&self, statement: &str, params: impl Params) -> Result<()> {
        match &self.0 {
            Engine::File(_) => self.execute(statement, params).map(drop),
            Engine::Server(session) => session.later(statement, &params.all()),
        }
    }
}

impl Transaction<'_> {
    /// Changes something by the time the change is committed, or something is asked: a server is told of many such at once.
    pub(in crate::store) fn queue(&self, statement: &str, params: impl Params) -> Result<()> {
        self.connection.queue(statement, params)
    }

    /// Makes or changes tables, in a server's words. One after the other: what comes next is understood only when they are there.
    pub(in crate::store) fn declare(&self, step: &str) -> Result<()> {
        declared(step).iter().try_for_each(|one| self.execute(one, ()).map(drop))
    }

    /// Brings it to the disk.
    pub(in crate::store) fn commit(mut self) -> Result<()> {
        self.is_open.set(false);
        match (&self.connection.0, self.in_file.take()) {
            (_, Some(in_file)) => Ok(in_file.commit()?),
            (Engine::Server(session), None) => session.commit(),
            (Engine::File(_), None) => Ok(()),
        }
    }
}

impl std::ops::Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if let (true, Engine::Server(session)) = (self.is_open.get(), &self.connection.0) {
            session.roll_back();
        }
    }
}

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::ValueRef;
        let value = match self.0 {
            Held::Null(_) => ValueRef::Null,
            Held::Integer(number) => ValueRef::Integer(number),
            Held::Real(number) => ValueRef::Real(number),
            Held::Text(text) => ValueRef::Text(text.as_bytes()),
        };
        Ok(rusqlite::types::ToSqlOutput::Borrowed(value))
    }
}
