//! All tests of Ferry, in one binary: every link target links DataFusion, so there is one.

#![allow(clippy::unwrap_used, clippy::panic)] // A test that cannot go on fails.

mod architecture;
mod authoring;
mod authorizing;
mod bad_services;
mod call_windows;
mod checkpoints;
mod clauses;
mod connections;
mod corners;
mod datasets;
mod disk;
mod drift;
mod examples;
mod faults;
mod gainsight_calls;
mod gainsight_shapes;
mod generated;
mod grammar;
mod guard;
mod keyring;
mod kills;
mod language;
mod layout;
mod limits;
mod mapping;
mod matrix;
mod metadata_age;
mod mutants;
mod oracle;
mod ownership;
mod pages;
mod paging;
mod random_scripts;
mod ranges;
mod requests;
mod resuming;
mod road;
mod sandbox;
mod secrets;
mod security;
mod stage;
mod stored_forms;
mod terminal;
mod unreadable;
