//! The language: text in, checked jobs, chains and connections out, with every mistake on the way.
//!
//! It never sees a service, a row or DataFusion. `split` cuts a file into statements, `syntax` parses one of them, `ast`
//! is what was written, `check` finds out what it means against a catalog of both services' schemas.

pub mod ast;
mod check;
mod expect;
mod parse;
mod parse_expression;
mod parse_job;
pub mod project;
mod split;
mod suggest;
mod syntax;
