//! What is kept: run folders, the state database, the error file. The only module that writes to disk.
//!
//! A run is a folder of Parquet datasets below the home; the state database remembers runs, who is who, and what was
//! refused. Names of files are made from our own numbers, never from data or from a script.

pub mod connections;
pub mod dataset;
mod durable;
pub mod error;
pub mod error_file;
pub mod home;
pub mod keyring;
pub mod metadata;
mod parts;
pub mod project;
pub mod refusals;
pub mod runs;
pub mod schemas;
pub mod secrets;
pub mod state;
pub mod users;
pub mod windows;
