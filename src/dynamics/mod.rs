//! The source: a read client of the Dataverse Web API.
//!
//! In: a checked connection and its secrets, then which table, which columns and which filter. Out: schemas, and a stream
//! of Arrow batches, one for each page, with the link to the next. It writes nothing and knows nothing of jobs' targets.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview>

mod ahead;
mod assertion;
pub mod assumptions;
mod auth;
mod authority;
mod cell;
pub mod checkpoint;
pub mod client;
pub mod decode;
pub mod error;
mod flow;
mod grant;
pub mod metadata;
mod next_link;
pub mod odata;
mod page;
pub mod pages;
pub mod parallel;
pub mod people;
pub mod privileges;
pub mod probe;
mod range;
mod redirect;
pub mod sign_in;
mod size;
