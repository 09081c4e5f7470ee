//! How long all contacts take to be read in one chain of pages and in ranges, from a sandbox that is 300 ms away.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use arrow::array::{Array, AsArray};
use ferry::app::projects::{Text, for_sandbox};
use ferry::app::sandboxes::secret_source;
use ferry::app::workspace::{Setting, Workspace};
use ferry::diagnostic::source::Sources;
use ferry::dynamics::client::{Credentials, Dynamics, Proof};
use ferry::dynamics::error::Error;
use ferry::dynamics::odata::queries;
use ferry::dynamics::pages::Whole;
use ferry::http::terms::Terms;
use ferry::lang::project::read;
use ferry::model::clock::Clock;
use ferry::model::secret::Secret;
use ferry::sandbox::{Options, start};

/// Milliseconds added to each request.
const LATENCY_MS: u64 = 300;
const JOB: &str = "Company Person Sync_Dynamics Connection";

/// Reads this many contacts in both ways and compares what they brought.
pub fn ranges(rows: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let options = Options { rows, latency_ms: LATENCY_MS, ..Options::default() };
        let sandbox = start(options).await.expect("the sandbox starts");
        let mut sources = Sources::default();
        for (name, text) in for_sandbox(sandbox.dynamics_url(), sandbox.gainsight_url()) {
            sources.add(name.to_owned(), text);
        }
        let home = PathBuf::from(concat!(env!("CARGO_TARGET_TMPDIR"), "/bench"));
        let setting = Setting::new(home, secret_source(sandbox.credentials()), Clock::system(1.0));
        let parsed = read(&sources);
        let workspace = Workspace::of(Text { sources, parsed }, &setting).await.expect("both services answer");
        let mut query = queries(&workspace.project.jobs[JOB]).remove(0);
        query.filter = None;
        let known = sandbox.credentials();
        let client = |at_once: u32| {
            let mut connection = workspace.project.connections["dynamics"].clone();
            connection.limits.max_in_flight = at_once;
            let credentials = Credentials {
                tenant_id: Some(Secret::new(known.tenant_id.clone())),
                client_id: Secret::new(known.client_id.clone()),
                proof: Proof::Secret(Secret::new(known.client_secret.clone())),
            };
            Dynamics::new(&connection, credentials, &Terms::of(&connection, setting.clock, None)).expect("a client")
        };
        let (one, eight, sixteen) = (client(1), client(8), client(16));
        let chain = timed("one chain", one.read_whole(query.clone(), None)).await;
        let ranges = timed("ranges, 8 at once", eight.read_whole(query.clone(), None)).await;
        let more = timed("ranges, 16 at once", sixteen.read_whole(query, None)).await;
        println!("the same rows: {}", chain == ranges && chain == more);
    });
}

async fn timed(name: &str, begins: impl Future<Output = Result<Whole<'_>, Error>>) -> BTreeSet<String> {
    let since = Instant::now();
    let mut whole = begins.await.expect("it begins");
    let (mut keys, mut pages, mut rows) = (BTreeSet::new(), 0, 0);
    while let Some(page) = whole.next().await.expect("a page") {
        let ids = page.rows.column_by_name("contactid").expect("the key").as_string::<i32>().clone();
        keys.extend((0..ids.len()).map(|at| ids.value(at).to_owned()));
        (pages, rows) = (pages + 1, rows + ids.len());
    }
    let seconds = since.elapsed().as_secs_f64();
    println!("{name:18} {rows:>8} rows in {pages:>4} pages {seconds:>7.2} s {:>8.0} rows/s", rows as f64 / seconds);
    keys
}
