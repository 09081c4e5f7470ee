//! The whole way without a network: pages of Dataverse in, bodies for Gainsight out, by way of a run folder as a run has it.
//!
//! `run` has the pages in memory; `encode` is its last part alone, from the changes of a first load to bodies. `peer` reads them from files that `data` wrote and writes the bodies to a file, a body a line, which is
//! what the programs in `peers/` do too; it prints what it found as JSON.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, BooleanArray, StringArray};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use ferry::dynamics::decode::{Layout, decode};
use ferry::dynamics::odata::queries;
use ferry::engine::session::Engine;
use ferry::gainsight::encode::{Column, Keys};
use ferry::gainsight::sent::{Fields, body};
use ferry::model::dataset::{self, changes};
use ferry::model::job::Job;
use ferry::run::stages::stages;
use ferry::store::dataset::RunFolder;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::data::mixed_of;
use super::measured::{median, median_of, peak_bytes, say};
use super::workload::folder::stage_target;
use super::workload::job::job;
use super::workload::page::page;
use super::workload::{Mix, ROWS_PER_PAGE, Workload};

/// Records of a body.
const RECORDS_PER_BODY: usize = 50;
/// Pages that are decoded at once.
const DECODED_AT_ONCE: usize = 4;

/// Measures the way with pages in memory.
pub fn run(rows: &[u64]) {
    let runtime = Runtime::new().expect("a runtime");
    let job = job();
    for &rows in rows {
        let workload = Workload::of(rows);
        let pages: Vec<Bytes> = (0..workload.pages()).map(|number| page(&workload, number).into()).collect();
        let bytes = pages.iter().map(Bytes::len).sum();
        let place = Place::of(&runtime, &workload, &job);
        let taken = median(|| {
            let since = Instant::now();
            let mut bodies = Vec::new();
            let carried =
                runtime.block_on(place.carry(&job, pages.iter().cloned().map(held), &mut |body| bodies.push(body)));
            let taken = since.elapsed();
            assert_eq!(carried.outcomes.values().sum::<u64>(), rows, "each row has an outcome");
            taken
        });
        say("run, pages to bodies, 2 % changed", rows, bytes, taken);
    }
}

/// Measures what comes of changes, all of which are to be written.
pub fn encode(rows: &[u64]) {
    let runtime = Runtime::new().expect("a runtime");
    let job = job();
    for &rows in rows {
        let usual = Workload::of(rows);
        let workload = Workload { mix: Mix { changed: 0, new: 1_000, ..usual.mix }, ..usual };
        let place = Place::of(&runtime, &workload, &job);
        let batches = runtime.block_on(async {
            place
                .carry(&job, (0..workload.pages()).map(|number| held(page(&workload, number).into())), &mut drop)
                .await;
            place.kept(dataset::CHANGES).await
        });
        let (mut bytes, mut written) = (0, 0);
        let taken = median_of(|| {
            let mut bodies = Vec::new();
            let mut keep = |body| bodies.push(body);
            let mut sending = Sending::new(&job, &mut keep);
            batches.iter().for_each(|batch| sending.add(batch));
            let outcomes = sending.ended();
            (bytes, written) = (bodies.iter().map(Bytes::len).sum(), outcomes["inserted"]);
        });
        say("encode, changes to bodies, all new", written, bytes, taken);
    }
}

/// Does the work of a peer, once.
pub fn peer(data: &Path, out: &Path) {
    let text = std::fs::read_to_string(data.join("manifest.json")).expect("the folder was written by `data`");
    let manifest: Value = serde_json::from_str(&text).expect("it is JSON");
    let workload = Workload { rows: manifest["rows"].as_u64().expect("a number"), mix: mixed_of(&manifest["mix"]) };
    let runtime = Runtime::new().expect("a runtime");
    let job = job();
    let place = Place::of(&runtime, &workload, &job);
    let pages = (0..workload.pages()).map(|number| data.join(format!("pages/{number:06}.json")));
    let since = Instant::now();
    let mut file = BufWriter::new(std::fs::File::create(out).expect("a file"));
    let mut write =
        |body: Bytes| file.write_all(&body).and_then(|()| file.write_all(b"\n")).expect("a body is written");
    let pages = pages.map(on_disk);
    let carried = runtime.block_on(place.carry(&job, pages, &mut write));
    file.flush().expect("the file ends");
    let seconds = since.elapsed().as_secs_f64();
    let (version, rows) = (env!("CARGO_PKG_VERSION"), workload.rows);
    let stages: BTreeMap<&str, f64> = carried.stages.iter().map(|(name, taken)| (*name, taken.as_secs_f64())).collect();
    println!(
        "{}",
        json!({ "tool": "Ferry", "version": version, "seconds": seconds, "rows": rows, "outcomes": carried.outcomes, "stages": stages })
    );
}

/// Measures so many rows beside a target of so many records, with no page and no body held in memory; prints how much was.
pub fn large(rows: u64, records: u64) {
    let runtime = Runtime::new().expect("a runtime");
    let job = job();
    let workload = Workload::of(rows);
    let folder = std::env::temp_dir().join(format!("ferry-pages-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let paths: Vec<PathBuf> = (0..workload.pages()).map(|number| folder.join(number.to_string())).collect();
    let mut bytes = 0;
    for (number, path) in (0..).zip(&paths) {
        let page = page(&workload, number);
        bytes += page.len();
        std::fs::write(path, page).expect("a page is written");
    }
    let place = Place::of(&runtime, &Workload { rows: records, ..workload }, &job);
    let before = peak_bytes(std::process::id()).unwrap_or_default();
    let (mut bodies, since) = (0, Instant::now());
    let pages = paths.iter().cloned().map(on_disk);
    let carried = runtime.block_on(place.carry(&job, pages, &mut |body: Bytes| bodies += body.len()));
    say(&format!("large, a target of {records}"), rows, bytes, since.elapsed());
    let peak = peak_bytes(std::process::id()).unwrap_or_default();
    println!(
        "  peak memory {:.0} MB ({:.0} MB before), bodies {:.0} MB",
        peak / 1e6,
        before / 1e6,
        bodies as f64 / 1e6
    );
    println!("  {:?}; {:?}", carried.outcomes, carried.stages);
    let _gone = std::fs::remove_dir_all(folder);
}

/// A page, which is taken up where it is decoded.
type Page = Box<dyn FnOnce() -> Bytes + Send>;

fn held(bytes: Bytes) -> Page {
    Box::new(move || bytes)
}

fn on_disk(path: PathBuf) -> Page {
    Box::new(move || std::fs::read(path).expect("a page").into())
}

/// A run folder that holds Gainsight's side.
struct Place {
    path: PathBuf,
    folder: RunFolder,
}

/// What came of it.
struct Carried {
    outcomes: BTreeMap<String, u64>,
    stages: [(&'static str, Duration); 3],
}

impl Place {
    fn of(runtime: &Runtime, workload: &Workload, job: &Job) -> Self {
        let path = std::env::temp_dir().join(format!("ferry-carry-{}-{}", std::process::id(), workload.rows));
        std::fs::create_dir_all(&path).expect("a folder");
        let folder = RunFolder::open(&path).expect("the folder is there");
        runtime.block_on(async {
            stage_target(workload, job, &folder).await;
            let refused = folder.write(dataset::REFUSED, dataset::refused_schema());
            refused.finish().await.expect("an empty dataset is written");
        });
        Self { path, folder }
    }

    async fn carry(&self, job: &Job, pages: impl Iterator<Item = Page>, sink: Sink<'_>) -> Carried {
        let since = Instant::now();
        self.folder.clear(dataset::SOURCE).await.expect("what was there goes");
        self.read(job, pages).await;
        let read = since.elapsed();
        let engine = Engine::new(self.folder.root()).expect("an engine");
        let (mut sending, mut mapped) = (Sending::new(job, sink), read);
        let seen = |batch: Option<&RecordBatch>| match batch {
            Some(batch) => sending.add(batch),
            None => mapped = since.elapsed(),
        };
        stages(&engine, job, &self.folder, None, seen).await.expect("it plans");
        let outcomes = sending.ended();
        let stages = [("read", read), ("map", mapped - read), ("compare and encode", since.elapsed() - mapped)];
        Carried { outcomes, stages }
    }

    /// Decodes pages side by side, and stages them in their order.
    async fn read(&self, job: &Job, pages: impl Iterator<Item = Page>) {
        let layout = Arc::new(Layout::new(&queries(job).remove(0)));
        let mut writer = self.folder.write(dataset::SOURCE, layout.schema());
        let decoded = futures::stream::iter(pages.enumerate()).map(|(number, page)| {
            let (layout, before) = (Arc::clone(&layout), number as i64 * ROWS_PER_PAGE as i64);
            tokio::task::spawn_blocking(move || decode(&page(), &layout, before).expect("a page").rows)
        });
        let mut decoded = decoded.buffered(DECODED_AT_ONCE);
        while let Some(rows) = decoded.next().await {
            writer.page(rows.expect("it is decoded")).await.expect("it is written");
        }
        writer.finish().await.expect("it is written");
    }

    async fn kept(&self, name: &str) -> Vec<RecordBatch> {
        let mut reader = self.folder.read(name).await.expect("it is there");
        let mut batches = Vec::new();
        while let Some(batch) = reader.next().await.expect("it is read") {
            batches.push(batch);
        }
        batches
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.path);
    }
}

/// Bodies that are filled record by record.
struct Sending<'a> {
    job: &'a Job,
    keys: Keys,
    outcomes: BTreeMap<String, u64>,
    records: Vec<(Fields, Option<String>)>,
    sink: Sink<'a>,
}

/// Where bodies go.
type Sink<'a> = &'a mut dyn FnMut(Bytes);

impl<'a> Sending<'a> {
    fn new(job: &'a Job, sink: Sink<'a>) -> Self {
        let keys = Keys::of(job.mappings.iter().map(|mapping| mapping.field.name.as_str()));
        Self { job, keys, outcomes: BTreeMap::new(), records: Vec::new(), sink }
    }

    /// Takes the rows in of which something is to be written.
    fn add(&mut self, batch: &RecordBatch) {
        let label = &self.job.targets[0].object.label;
        let column = |name: String| batch.column_by_name(&name).expect("a column of the changes");
        let text = |name: &str| column(name.to_owned()).as_string::<i32>().clone();
        let (outcome, action, gsid): (StringArray, _, _) =
            (text(changes::OUTCOME), text(&changes::action(label)), text(&changes::gsid(label)));
        let fields: Vec<(Column, &BooleanArray)> = (self.job.mappings.iter())
            .map(|mapping| {
                let field = &mapping.field;
                let changed = column(changes::changed(label, &field.label)).as_boolean();
                (Column::of(column(changes::new(label, &field.label))), changed)
            })
            .collect();
        for at in 0..batch.num_rows() {
            match self.outcomes.get_mut(outcome.value(at)) {
                Some(count) => *count += 1,
                None => {
                    self.outcomes.insert(outcome.value(at).to_owned(), 1);
                }
            }
            let is_written = matches!(outcome.value(at), "inserted" | "updated");
            if !is_written || action.is_null(at) || !matches!(action.value(at), "insert" | "update") {
                continue;
            }
            let sent = fields.iter().enumerate();
            let sent = sent.filter(|(_, (_, changed))| !changed.is_null(at) && changed.value(at));
            let record = self.keys.fields(sent.map(|(key, (new, _))| (key, new)), at);
            self.records.push((record, gsid.is_valid(at).then(|| gsid.value(at).to_owned())));
            if self.records.len() == RECORDS_PER_BODY {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let records: Vec<_> = self.records.iter().map(|(fields, gsid)| (fields, gsid.as_deref())).collect();
        (self.sink)(body(&records));
        self.records.clear();
    }

    fn ended(mut self) -> BTreeMap<String, u64> {
        if !self.records.is_empty() {
            self.close();
        }
        self.outcomes
    }
}
