//! Ferry: sync jobs in, Dynamics records in Gainsight out. The page below is the map of the code.
//!
#![doc = include_str!("ARCHITECTURE.md")]

pub mod app;
pub mod cli;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod daemon;
pub mod decode;
pub mod diagnostic;
pub mod dynamics;
pub mod engine;
pub mod files;
pub mod gainsight;
pub mod http;
pub mod lang;
pub mod model;
pub mod notice;
pub mod run;
pub mod sandbox;
pub mod schedule;
pub mod staged;
pub mod store;
