//! What statements mean: names are found, types are compared, rules of the product are held. AST in, `model` out.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::source::Sources;
use crate::model::catalog::Catalog;
use crate::model::connection::Connection;
use crate::model::function::Functions;
use crate::model::settings::Settings;

mod arithmetic;
mod bounds;
mod call;
pub(super) mod chain;
pub(super) mod chain_order;
mod compare;
pub(super) mod connection;
mod convert;
mod export;
mod expression;
mod familiar;
mod files;
pub(super) mod head;
mod items;
pub(super) mod job;
mod key;
mod length;
mod literal;
mod lookup;
mod lost;
pub(super) mod mail;
mod mapping;
pub(super) mod names;
mod notify;
mod pattern;
mod policy;
pub(super) mod resolution;
mod rules;
mod scope;
pub(super) mod settings;
mod sign_in;
pub(super) mod target;
pub(super) mod test;

/// What the project has for notices, right or with a mistake of its own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Posts {
    /// A mail connection.
    pub(super) has_mail: bool,
    /// A key that signs messages to webhooks.
    pub(super) has_key: bool,
}

/// What a job is checked against.
pub(super) struct Context<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) connections: &'a BTreeMap<String, Connection>,
    /// The names of connections that have a mistake of their own, in small letters.
    pub(super) broken: &'a BTreeSet<String>,
    pub(super) sources: &'a Sources,
    /// The functions that mappings may call.
    pub(super) functions: &'a Functions,
    /// What holds for the project as a whole.
    pub(super) settings: &'a Settings,
    /// What notices go out by.
    pub(super) posts: Posts,
    /// The names of all jobs that are written, right or wrong.
    pub(super) jobs: &'a BTreeSet<&'a str>,
}
