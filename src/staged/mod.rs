//! The files that rows lie in between the stages of a run: from batches to bytes, and back.
//!
//! Rows that the next stage reads lie in files of Arrow: they are written and read by copying memory, where Parquet has to be encoded and
//! decoded, and are no larger, as neither is compressed here. What people read later is Parquet, and so are the rows of a run whose plans
//! are sent to a cluster or whose folder is in an object store, where a file is read in parts. Nothing is written here, and nothing is
//! known of datasets. In: batches, or a file. Out: bytes, or batches in their order.

mod form;
mod parts;
mod reading;
mod writing;

pub use form::Form;
pub use reading::{Batches, Content, ROWS_PER_BATCH, read};
pub use writing::encode;
