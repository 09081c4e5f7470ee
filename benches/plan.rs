//! The two stages of a plan over a run folder: `map` with filter, expressions and lookups that hit and miss, `compare` with a target of
//! which a little, some or everything differs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use ferry::engine::map::Mapped;
use ferry::engine::session::{Engine, Rows};
use ferry::model::dataset;
use ferry::model::job::Job;
use ferry::run::stages::stages;
use ferry::store::dataset::RunFolder;
use futures::TryStreamExt;
use tokio::runtime::Runtime;

use super::measured::{median, say};
use super::workload::folder::stage;
use super::workload::job::{job, job_with};
use super::workload::{Mix, Workload};

/// Lookups of a job.
const LOOKUPS: [usize; 4] = [0, 1, 2, 6];
/// Rows of a thousand whose company and owner are not there.
const MISSES: [u64; 3] = [0, 45, 500];
/// How often a plan is made.
const ROUNDS: usize = 5;
/// Rows of a thousand whose record holds something else.
const CHANGED: [u64; 3] = [1, 20, 1_000];

/// Measures the stage on the source's side.
pub fn map_stage(rows: &[u64]) {
    let runtime = Runtime::new().expect("a runtime");
    for &rows in rows {
        let usual = Workload::of(rows);
        let run = Run::of(&runtime, &usual, &job_with(6));
        for lookups in LOOKUPS {
            run.map(&format!("map, {lookups} lookups"), &job_with(lookups));
        }
        for misses in MISSES {
            let mix = Mix { without_company: misses, without_owner: misses, ..usual.mix };
            let run = Run::of(&runtime, &Workload { mix, ..usual }, &job());
            run.map(&format!("map, 2 lookups, {:.1} % miss", misses as f64 / 10.0), &job());
        }
    }
}

/// Measures both sides as a run has them: the whole plan, and how much of it comes when all rows are mapped or settled.
pub fn compare_stage(rows: &[u64]) {
    let runtime = Runtime::new().expect("a runtime");
    let job = job();
    for &rows in rows {
        for changed in CHANGED {
            let usual = Workload::of(rows);
            let workload = Workload { mix: Mix { changed, ..usual.mix }, ..usual };
            let run = Run::of(&runtime, &workload, &job);
            let taken: Vec<_> = (0..ROUNDS).map(|_| runtime.block_on(run.plan(&job))).collect();
            let middle = |of: fn(&(Duration, Duration)) -> Duration| {
                let mut all: Vec<Duration> = taken.iter().map(of).collect();
                all.sort_unstable();
                all[ROUNDS / 2]
            };
            let (changed, bytes) = (changed as f64 / 10.0, size(&run.path.join(dataset::SOURCE)));
            say(&format!("compare, {changed:.1} % changed"), rows, bytes, middle(|(_, compare)| *compare));
            say(&format!("plan, {changed:.1} % changed"), rows, bytes, middle(|(plan, _)| *plan));
        }
    }
}

/// A run folder with the workload.
pub struct Run<'a> {
    runtime: &'a Runtime,
    rows: u64,
    path: PathBuf,
    folder: RunFolder,
}

impl<'a> Run<'a> {
    /// Stages the workload as the job reads it.
    pub fn of(runtime: &'a Runtime, workload: &Workload, job: &Job) -> Self {
        let path = std::env::temp_dir().join(format!("ferry-bench-{}-{}", std::process::id(), workload.rows));
        // What an earlier workload left must not be read with this one.
        let _none = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        let folder = RunFolder::open(&path).expect("the folder is there");
        runtime.block_on(stage(workload, job, &folder));
        Self { runtime, rows: workload.rows, path, folder }
    }

    fn map(&self, what: &str, job: &Job) {
        self.timed(what, dataset::SOURCE, async || {
            let engine = Engine::new(self.folder.root()).expect("an engine");
            let rows = Mapped::of(&engine, job).await.expect("its datasets are there");
            drained(rows.all().await.expect("it plans")).await
        });
    }

    /// Makes the plan; gives what it took, and how much of that came after the source's side was done.
    async fn plan(&self, job: &Job) -> (Duration, Duration) {
        let since = Instant::now();
        let engine = Engine::new(self.folder.root()).expect("an engine");
        let (mut rows, mut mapped) = (0, Duration::ZERO);
        let seen = |batch: Option<&RecordBatch>| match batch {
            Some(batch) => rows += batch.num_rows() as u64,
            None => mapped = since.elapsed(),
        };
        stages(&engine, job, &self.folder, None, seen).await.expect("it plans");
        assert_eq!(rows, self.rows, "each row has an outcome");
        (since.elapsed(), since.elapsed() - mapped)
    }

    fn timed(&self, what: &str, read: &str, work: impl AsyncFn() -> u64) {
        let taken = median(|| {
            let since = Instant::now();
            let rows = self.runtime.block_on(work());
            let taken: Duration = since.elapsed();
            assert_eq!(rows, self.rows, "each row has an outcome");
            taken
        });
        say(what, self.rows, size(&self.path.join(read)), taken);
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.path);
    }
}

/// Takes all batches of a plan, and says how many rows they had.
async fn drained(rows: Rows) -> u64 {
    let batches = rows.batches.try_fold(0, async |all, batch: RecordBatch| Ok(all + batch.num_rows() as u64));
    batches.await.expect("it comes to its end")
}

/// Bytes of the files in a folder.
fn size(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).expect("a folder");
    files.filter_map(Result::ok).filter_map(|file| file.metadata().ok()).map(|about| about.len() as usize).sum()
}
