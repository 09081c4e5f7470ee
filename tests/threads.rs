//! A stream that a thread of its own drives.

use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use futures::StreamExt;

#[path = "../src/engine/driven.rs"]
mod driving;

use driving::driven;

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_panics_is_an_error_and_no_end() {
    let batches = futures::stream::iter(0..3).map(|number| match number {
        0 => Ok(RecordBatch::new_empty(Arc::new(Schema::empty()))),
        _ => panic!("a bug"),
    });
    let mut stream = driven(batches.boxed());
    assert!(stream.next().await.is_some_and(|first| first.is_ok()));
    assert!(stream.next().await.is_some_and(|second| second.is_err()));
    assert!(stream.next().await.is_none());
}
