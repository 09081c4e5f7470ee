//! Gainsight NXT: metadata, queries, companies and custom objects, people and users, behind an access key or an application's
//! token, and rate windows.
//!
//! Bulk export, asynchronous people, OAuth for users and `lookups` are a 501. In: HTTP requests, and records put by the
//! world or a test. Out: replies as the written reference has them.

mod application;
mod batch;
mod bulk;
mod condition;
mod dates;
mod delete_log;
mod describe;
mod drift;
mod dropdown;
mod envelope;
mod expression;
mod gsid;
mod house_rules;
mod objects;
mod people;
mod query;
mod record;
mod refused;
mod schema;
mod serve;
mod service;
mod shape;
mod stale;
mod store;
mod users;
mod validate;
mod values;
mod windows;

pub use bulk::Oddity;
pub(super) use service::Gainsight;
pub use shape::{Items, NoRows, Rows, Shape, Times};
