#![doc = include_str!("ARCHITECTURE.md")]

pub mod diagnostic;
pub mod engine;
pub mod lang;
pub mod model;
