//! The Dataverse Web API of Dynamics 365 and the Entra token endpoint that guards it, on one port.
//!
//! It reads tables, pages, filters, orders, expands and describes, and it writes rows; what it does not know is a 501.
//! In: HTTP requests, and rows put by the world or a test. Out: replies as the written reference has them.

mod apply;
mod assertion;
mod attributes;
mod batch;
mod below;
mod cookie;
mod csdl;
mod dated;
mod definition;
mod delta;
mod derived;
mod disturbance;
mod drift;
mod entra;
mod errors;
mod expand;
mod export;
mod fetch;
mod fetch_filter;
mod fetch_page;
mod filter;
mod formatted;
mod functions;
mod guid;
mod identity;
mod key;
mod like;
mod member_filter;
mod merge;
mod metadata;
mod multipart;
mod multiple;
mod nested;
mod operator;
mod options;
mod order;
mod page;
mod parts;
mod payload;
mod people;
mod place;
mod precondition;
mod prefer;
mod privileges;
mod query_function;
mod relationships;
mod render;
mod route;
mod row;
mod schema;
mod serve;
mod service;
mod single;
mod store;
mod target;
mod token;
mod tracking;
mod values;
mod wish;
mod words;
mod write;

pub use export::{Export, Sink};
pub(super) use service::Dynamics;
