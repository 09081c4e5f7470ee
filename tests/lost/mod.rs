//! Rows that the source loses: deleted, merged, or out of the filter, and what becomes of their records.

mod applied;
mod chained;
pub mod desk;
mod guarding;
mod interrupted;
mod links;
mod objects;
mod people;
mod users;
