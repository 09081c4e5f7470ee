//! Running a job: extract, plan, load. The only place that sees both services.
//!
//! In: a checked job, the clients of its connections, a home, and the ledger with what an earlier process did for the run. Out: a
//! report whose books balance, a run folder, an error file, and the state. Nothing here prints; progress goes to whoever listens.

mod ahead;
pub mod apply;
mod basis;
mod books;
pub mod chain;
mod changes;
mod chosen;
mod columns;
pub mod cost;
mod deleting;
mod drift;
pub mod error;
mod essence;
pub mod explained;
mod export;
mod extract;
pub mod guard;
mod identities;
mod item;
pub mod job;
mod load;
mod looking;
mod merging;
pub mod moved;
pub mod overlay;
mod people;
pub mod plan;
pub mod planning;
pub mod preview;
pub mod progress;
mod quota;
mod recorder;
mod records;
mod refreshing;
mod relied;
mod relinking;
pub mod report;
mod second_phase;
mod sending;
pub mod services;
mod settling;
mod skipping;
pub mod spending;
pub mod stages;
mod staging;
mod tally;
pub mod telling;
mod timed;
mod turn;
pub mod undertaking;
pub mod verifying;
pub mod waiting;
mod ways;
mod who;
