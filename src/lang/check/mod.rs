//! What statements mean: names are found, types are compared, rules of the product are held. AST in, `model` out.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::source::Sources;
use crate::model::catalog::Catalog;
use crate::model::connection::Connection;

pub(super) mod chain;
pub(super) mod connection;
mod expression;
pub(super) mod job;
mod key;
mod lookup;
mod mapping;
pub(super) mod names;
pub(super) mod resolution;
mod rules;
mod scope;
mod target;

/// What a job is checked against.
pub(super) struct Context<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) connections: &'a BTreeMap<String, Connection>,
    pub(super) sources: &'a Sources,
    /// The names of all jobs that are written, right or wrong.
    pub(super) jobs: &'a BTreeSet<&'a str>,
}
