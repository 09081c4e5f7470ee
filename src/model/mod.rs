//! The nouns of Ferry: what a script declares, what a schema says, what becomes of a row.
//!
//! Nothing here parses, asks a service, or touches a disk. Everything else speaks in these types.

pub mod catalog;
pub mod chain;
pub mod clock;
pub mod conflict;
pub mod connection;
pub mod dataset;
pub mod expression;
pub mod field;
pub mod files;
pub mod fit;
pub mod function;
pub mod job;
pub mod literal;
pub mod lookup;
pub mod meter;
pub mod moment;
pub mod notice;
pub mod outcome;
pub mod place;
pub mod policy;
pub mod reject;
pub mod sabotage;
pub mod schedule;
pub mod secret;
pub mod settings;
pub mod spent;
pub mod test;
pub mod value;
