//! The language: text in, checked jobs, chains and connections out, with every mistake on the way.
//!
//! It never sees a service, a row or DataFusion. `split` cuts a file into statements, `syntax` parses one of them, `ast`
//! is what was written, `check` finds out what it means against a catalog of both services' schemas.

pub mod ast;
pub mod ast_expression;
pub mod ast_files;
mod check;
pub mod definitions;
mod expect;
mod habit;
mod habit_clause;
pub mod layout;
mod parse;
mod parse_expression;
mod parse_files;
mod parse_job;
mod parse_lookup;
mod parse_schedule;
mod parse_test;
pub mod project;
pub mod references;
pub mod scheduled;
mod split;
mod suggest;
mod syntax;
mod tokens;
