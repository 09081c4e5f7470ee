//! The target: a client of the Gainsight NXT REST APIs.
//!
//! In: a checked connection and its key or application; which object and fields to read; records to insert or update. Out: schemas,
//! streams of Arrow batches in stored form, and one outcome for each record sent. It stays within the call limits of its
//! windows and knows nothing of Dynamics.

mod access;
mod ahead;
pub mod assumptions;
pub mod bulk;
mod cell;
pub mod client;
pub mod delete;
mod deletions;
pub mod encode;
pub mod error;
pub mod metadata;
mod narrow;
pub mod page;
pub mod people;
pub mod read;
pub mod read_back;
mod scrub;
pub mod sent;
mod stored;
mod stored_text;
pub mod windows;
pub mod write;
