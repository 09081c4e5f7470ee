//! The database behind the state: SQLite in a file, or a PostgreSQL server. The rest of the store says what it wants once, for both.
//!
//! Statements are written in the words that both know; what they call differently stands in `dialect`. In: a place, statements with
//! `?1` in them and what is bound there. Out: rows and numbers of rows. It knows nothing of tables, runs or leases.

mod bound;
mod connection;
mod dialect;
mod failure;
mod pool;
mod row;
mod server;
mod session;
mod sqlite;
mod tls;
mod worker;

pub(super) use bound::{Bind, params};
pub(super) use connection::{Connection, OptionalExtension, Transaction};
pub(super) use failure::FREE_SPACE;
pub use failure::{Failure, Why};
pub(super) use row::Row;
pub use server::Server;
