//! Plans on a cluster: Apache DataFusion Ballista 55, its own scheduler and its own executors. Cargo feature `cluster`.
//!
//! The sole home of Ballista and of gRPC. `client` sends a plan of the engine's as a job, follows it within [`bounds`], and fetches its rows;
//! `scheduler` and `executor` start Ballista's own in this process, with the engine's functions registered. In: physical plans over datasets
//! in places that all executors can read. Out: their rows, partition by partition. Which plans are sent, and what is done where that fails, is
//! not here (`engine/elsewhere.rs`). How to start one: `src/cluster/README.md`. <https://datafusion.apache.org/ballista/>

pub mod address;
pub mod bounds;
pub mod client;
pub mod error;
pub mod executor;
mod job;
mod rows;
pub mod scheduler;
mod stores;
