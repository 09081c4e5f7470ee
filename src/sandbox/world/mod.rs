//! What is in both services when a sandbox starts.
//!
//! Either a folder of JSON lines, or a generated world with one row for every special case. In: options. Out: rows in
//! Dynamics and, for the generated world, what was in Gainsight before.

mod accounts;
mod contacts;
pub mod corners;
mod folder;
mod names;
mod opportunities;
mod opportunity_corners;
mod projects;
mod reference;
mod seeded;
mod target;
mod users;

pub(super) use folder::read_folder;
pub(super) use seeded::generate;
