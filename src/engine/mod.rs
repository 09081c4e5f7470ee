//! The plan of a job: filter, map, look up, compare with the target, decide each row's outcome.
//!
//! In: a checked [`Job`](crate::model::job::Job) and the datasets of a run folder. Out: a stream of Arrow batches, ordered
//! by row number, for `store` to write. It sends nothing and writes nothing, so the same folder always gives the same
//! changes. The sole home of DataFusion: its types stay in here, and text never becomes SQL.
//!
//! Two stages. `map` is the source's side: which rows take part, what their lookups find, what their fields become.
//! `compare` is the target's side: keys, what is there already, what would have to be written. A third, `lost`, is of jobs that act on
//! rows that the source lost.

mod attach;
pub mod bucket;
mod calculate;
mod call;
pub mod compare;
mod convert;
mod digest;
mod driven;
pub mod elsewhere;
pub mod error;
mod explain;
mod fate;
mod frame;
pub mod functions;
mod given;
mod identity;
mod label;
mod lanes;
mod logic;
mod lookup;
pub mod lost;
mod lower;
pub mod map;
mod matching;
pub mod means;
mod moment;
mod ordered;
mod parts;
mod pending;
pub mod reason;
mod record_index;
mod repeated;
mod row_digest;
mod rules;
mod scan;
pub mod screen;
pub mod session;
mod side;
mod steps;
mod stored;
pub mod trial;
mod verdict;
pub mod wanted;
mod woven;
