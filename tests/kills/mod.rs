//! Processes that are killed, with SIGKILL, and gone on with: what Gainsight holds in the end, and what every report says, is
//! what a run says that nobody disturbed, and running again writes nothing.
//!
//! The ordinary test run kills some fifty times, at places of every kind. All places, pairs of kills, kills during every write and kills
//! at random moments take some 45 minutes on two busy cores and are one command:
//!
//! ```sh
//! cargo test -- --ignored --nocapture --test-threads 1 kills::
//! ```
//!
//! Each test prints how often it killed, and where.

#![allow(clippy::print_stdout)] // The numbers are what one runs them for.

mod boundary;
mod in_a_row;
mod random;
mod sweep;
mod totals;
mod twice;
mod under_way;
pub mod world;
