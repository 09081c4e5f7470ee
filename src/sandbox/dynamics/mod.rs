//! The Dataverse Web API of Dynamics 365 and the Entra token endpoint that guards it, on one port.
//!
//! It reads tables, pages, filters, orders and describes; it does not write, and what it does not know is a 501.
//! In: HTTP requests, and rows put by the world or a test. Out: replies as the written reference has them.

mod assertion;
mod attributes;
mod cookie;
mod entra;
mod errors;
mod filter;
mod formatted;
mod guid;
mod like;
mod metadata;
mod options;
mod order;
mod page;
mod people;
mod prefer;
mod render;
mod row;
mod schema;
mod seek;
mod serve;
mod service;
mod single;
mod store;
mod token;
mod totals;
mod words;

pub(super) use service::Dynamics;
