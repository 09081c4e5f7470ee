//! The terminal: arguments in, text and an exit code out. The sole home of clap.
//!
//! stdout is data, stderr is talk. With `--json` stdout holds JSON only, one object a line.

mod activity;
mod activity_run;
mod approving;
mod arguments;
mod arguments_avatar;
mod arguments_operations;
mod arguments_sandbox;
mod arguments_schedule;
mod arguments_secret;
mod arguments_serve;
mod avatar;
mod check;
mod clean;
mod company;
mod connection;
mod demo;
mod describe;
mod doctor;
mod errors;
mod explain;
mod fmt;
mod hardening;
mod init;
mod jobs;
mod manual;
mod notices;
mod output;
mod plan;
mod preview;
mod profile;
mod progress;
mod refresh;
mod run;
mod sample;
mod sandbox;
mod schedule;
mod secret;
mod serve;
mod spreadsheet;
pub mod start;
mod state;
mod table;
mod test;
mod timeline;
mod typed;
