//! Files as a source: in a folder or an object store, as CSV, JSON, Parquet, or an export of Synapse Link.
//!
//! It reads, and never writes. In: a connection, and which columns of a table are wanted. Out: Arrow batches, each row with where it
//! stands; a row that cannot be read says why instead. What becomes of rows is for `run` and `engine` to say.

pub mod assumptions;
mod building;
mod cell;
mod chunks;
pub mod client;
mod csv;
mod describe;
pub mod error;
mod json;
mod listing;
pub mod location;
mod parquet;
pub mod reading;
pub mod shape;
mod synapse;
