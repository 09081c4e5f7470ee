//! Running a job: extract, plan, load. The only place that sees both services.
//!
//! In: a checked job, the clients of its connections, a home. Out: a report whose books balance, a run folder, an error
//! file, and the state. Nothing here prints; progress goes to whoever listens.

mod books;
pub mod chain;
mod changes;
mod drift;
pub mod error;
mod extract;
pub mod guard;
pub mod job;
mod load;
mod people;
pub mod plan;
pub mod preview;
pub mod progress;
mod relied;
pub mod report;
pub mod services;
