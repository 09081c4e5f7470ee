//! Processes that are killed, with SIGKILL, and gone on with: what Gainsight holds in the end, and what every report says, is
//! what a run says that nobody disturbed, and running again writes nothing.
//!
//! The ordinary test run kills some hundred times, at places of every kind, on the first day, on the second, when only what changed is
//! read, and during bulk imports. All places of both days, pairs of kills, kills during every write and kills at random moments take more than an hour on two
//! busy cores and are one command:
//!
//! ```sh
//! cargo test -- --ignored --nocapture --test-threads 1 kills::
//! ```
//!
//! Each test prints how often it killed, and where.

#![allow(clippy::print_stdout)] // The numbers are what one runs them for.

mod boundary;
mod bulk;
mod day;
mod files;
mod in_a_row;
mod killing;
mod next_day;
mod random;
mod sweep;
mod totals;
mod twice;
mod under_way;
pub mod world;
