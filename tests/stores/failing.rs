//! A store that fails a run at each of its requests: the run says so, is gone on with, and ends as one that was not disturbed.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::bucket;
use crate::schedules::held::{difference, held};
use crate::stage::{COMPANIES, Stage};

/// Requests between two that are tried.
const EVERY: u64 = 7;

/// A store of which one request fails.
#[derive(Debug)]
struct Failing {
    inner: Arc<InMemory>,
    /// Requests until then; below zero none fails any more.
    until: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    /// Whether a request that fails has its effect all the same.
    is_done: bool,
}

impl Display for Failing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("failing")
    }
}

impl Failing {
    fn fails(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst) == self.until.load(Ordering::SeqCst)
    }
}

fn away() -> Error {
    Error::Generic { store: "test", source: "the store is away".into() }
}

#[async_trait]
impl ObjectStore for Failing {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let fails = self.fails();
        if fails && !self.is_done {
            return Err(away());
        }
        let put = self.inner.put_opts(location, payload, opts).await;
        if fails { Err(away()) } else { put }
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        if self.fails() { Err(away()) } else { self.inner.put_multipart_opts(location, opts).await }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.fails() { Err(away()) } else { self.inner.get_opts(location, options).await }
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if self.fails() { Err(away()) } else { self.inner.get_ranges(location, ranges).await }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        if self.fails() { stream::once(async { Err(away()) }).boxed() } else { self.inner.delete_stream(locations) }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.fails() { stream::once(async { Err(away()) }).boxed() } else { self.inner.list(prefix) }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        if self.fails() { Err(away()) } else { self.inner.list_with_delimiter(prefix).await }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        if self.fails() { Err(away()) } else { self.inner.copy_opts(from, to, options).await }
    }
}

/// Runs a job on a store that fails at a request, and then again; gives how many requests there were.
async fn disturbed(at: u64, is_done: bool, expected: &Stage) -> u64 {
    let mut stage = Stage::seeded(30).await;
    let asked = Arc::new(AtomicU64::new(0));
    let until = Arc::new(AtomicU64::new(at));
    let store = Failing { inner: Arc::default(), until: until.clone(), asked: asked.clone(), is_done };
    stage.setting.runs = Some(bucket(Arc::new(store)));
    let (reports, ended) = stage.try_run(COMPANIES).await;
    let requests = asked.load(Ordering::SeqCst);
    if let Err(error) = &ended {
        let said = error.to_string();
        assert!(said.contains("the store is away"), "request {at}: {said}");
        assert_eq!(error.exit_code(), 3, "request {at}: {said}");
        until.store(u64::MAX, Ordering::SeqCst);
        let (again, ended) = stage.try_run(COMPANIES).await;
        ended.unwrap_or_else(|error| panic!("request {at}: it is gone on with: {error}, after {reports:?}"));
        assert!(again.last().is_some_and(|report| report.counts.balance()), "request {at}: {again:?}");
    }
    assert_eq!(difference(&held(&expected.sandbox), &held(&stage.sandbox)), "", "request {at}");
    let (_, idle) = stage.try_run(COMPANIES).await;
    idle.expect("a further run ends");
    assert_eq!(difference(&held(&expected.sandbox), &held(&stage.sandbox)), "", "request {at}");
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn at_each_request() {
    let expected = Stage::seeded(30).await;
    expected.run(COMPANIES).await;
    let requests = disturbed(u64::MAX, false, &expected).await;
    assert!(requests > 40, "{requests}");
    for at in (0..requests).filter(|at| at % EVERY == 3 || *at < 3) {
        disturbed(at, at % 2 == 0, &expected).await;
    }
}
