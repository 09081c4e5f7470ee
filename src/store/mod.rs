//! What is kept: run folders, the state database, the error file. The only module that writes to disk.
//!
//! A run is a folder of Parquet datasets below the home; the state database is the ledger of what each run has done, and remembers who
//! is who and what was refused. Names of files are made from our own numbers, never from data or from a script.

mod alive;
pub mod appending;
pub mod approvals;
pub mod aside;
pub mod associations;
pub mod backup;
mod bases;
mod batches;
pub mod bucket;
pub mod condition;
pub mod connections;
pub mod dataset;
pub mod definitions;
pub mod due;
mod durable;
pub mod error;
pub mod error_file;
pub mod error_rows;
pub mod executions;
pub mod export;
pub mod home;
mod in_sqlite;
pub mod keyring;
pub mod lease;
pub mod ledger;
mod line_diff;
pub mod links;
pub mod measures;
pub mod metadata;
pub mod notices;
mod objects;
mod pages;
mod parts;
pub mod project;
pub mod refusals;
pub mod restoring;
pub mod retention;
pub mod run_folders;
pub mod runs;
pub mod schemas;
pub mod secrets;
pub mod sift;
pub mod slots;
pub mod standing;
pub mod state;
mod tables;
pub mod updates;
pub mod users;
pub mod windows;
mod writer;
pub mod written;
