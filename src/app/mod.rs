//! The verbs: what a user may do, without a terminal around it.
//!
//! In: checked names and plain options. Out: plain results, diagnostics, errors with an exit code. Nothing here prints or
//! reads the environment; secrets come through a function that the caller gives.

pub mod activity;
pub mod applying;
pub mod approving;
pub mod associating;
pub mod audit;
pub mod avatars;
pub mod backups;
pub mod beginnings;
pub mod catalog;
pub mod cleaning;
pub mod clusters;
pub mod companies;
pub mod connections;
pub mod credentials;
pub mod demo;
pub mod describe;
pub mod doctor;
pub mod error;
pub mod errors;
pub mod explain;
pub mod formatting;
pub mod held;
pub mod jobs;
pub mod lineage;
pub mod notices;
pub mod preview;
pub mod probes;
pub mod projects;
pub mod resuming;
pub mod retention;
pub mod roles;
pub mod run_places;
pub mod runs;
pub mod sandboxes;
pub mod schedules;
pub mod snapshot;
pub mod stopping;
pub mod tests;
pub mod upcoming;
pub mod updates;
pub mod workspace;
