#![doc = include_str!("ARCHITECTURE.md")]

pub mod app;
pub mod cli;
pub mod diagnostic;
pub mod dynamics;
pub mod engine;
pub mod gainsight;
pub mod http;
pub mod lang;
pub mod model;
pub mod run;
pub mod sandbox;
pub mod store;
