//! The daemon: `ferry serve`. It runs jobs and chains when they are due, and tells what it does.
//!
//! In: a project's folder, a home, and the signals of the operating system. Out: runs, and what is told of them ([`told::Told`]): the log,
//! the metrics and the answers to whoever watches it are made from that and nothing else. It prints nothing.
//!
//! It is one task: runs are futures side by side, because the state belongs to one thread. It has the home only while a run is under
//! way, so that people can use theirs in between.

pub mod activation;
pub mod answers;
mod beginning;
mod connections;
pub mod definitions;
mod ending;
pub mod health;
pub mod journal;
pub mod measured;
pub mod metrics;
pub mod options;
pub mod queue;
pub mod serve;
pub mod told;
pub mod traces;
mod turn;
pub mod watching;
