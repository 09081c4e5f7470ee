//! Mistakes in text: many at once, each with a stable code, the place, and what to type instead.
//!
//! A diagnostic is never an error of the world (a service that is away) and never a rejection (a row that is wrong).

pub mod code;
pub mod pages;
pub mod render;
pub mod report;
pub mod source;
