//! Calls that are made against calls that are needed: days of the out-of-the-box chain, each job beside the least that the documented
//! limits allow.
//!
//! The sandbox counts the calls; `floor` says what the least is, from what Gainsight holds before and after, and knows nothing of
//! Ferry. Out: a table in Markdown, and whether a job takes more than a twentieth beyond its floor.

mod floor;
mod held;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use ferry::app::projects::{Text, for_sandbox};
use ferry::app::runs;
use ferry::app::sandboxes::secret_source;
use ferry::app::workspace::{Setting, Workspace};
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::model::clock::Clock;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::sandbox::{Call, Options, Sandbox, Service, start};

use floor::{JOBS, floor};
use held::Held;
use world::World;

const CHAIN: &str = "Dynamics_Company Person Sync";
/// So fast that no window is waited for. A day is a whole number of scaled windows, so both clocks may be set on by days.
const SCALE: f64 = 1_000_000.0;
const DAY_MS: i64 = 86_400_000;
/// Calls for each needed one, at the most.
const RATIO_AT_MOST: f64 = 1.05;
/// What happens on a day, to users, accounts and contacts alike: how many of a thousand rows change, and how many are new.
const DAYS: [(&str, usize, usize); 7] = [
    ("first load", 0, 0),
    ("nothing", 0, 0),
    ("0.1 %", 1, 0),
    ("2 %", 20, 0),
    ("30 %", 300, 0),
    ("0.1 % again", 1, 0),
    ("2 % and 2 % new", 20, 20),
];

/// Loads that many contacts, and lives through the days.
pub fn calls(contacts: usize) {
    let folder = std::env::temp_dir().join(format!("ferry-calls-{}", std::process::id()));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(days(contacts, &folder));
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

async fn days(contacts: usize, folder: &Path) {
    let mut world = World::of(contacts);
    world.write(&folder.join("world"));
    let options = Options { world: Some(folder.join("world")), limits_scale: SCALE, ..Options::default() };
    let sandbox = start(options).await.expect("the sandbox starts");
    // A clock takes a number that lives for ever.
    let set: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
    let clock = Clock::system(SCALE).set_by(set);
    let secrets = secret_source(sandbox.credentials());
    let setting = Setting { consented: true, ..Setting::new(folder.join("home"), secrets, clock) };
    let mut days = Days { sandbox: &sandbox, before: BTreeMap::new(), most: 0.0, refused: 0 };
    println!("| day | job | source rows | records changed | reads | writes | calls | floor | ratio |");
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|");
    for (number, (day, changed, new)) in DAYS.into_iter().enumerate() {
        if number > 0 {
            sandbox.advance_clock(DAY_MS);
            set.fetch_add(DAY_MS, Ordering::SeqCst);
            world.change(&sandbox, number, changed, new);
        }
        days.run(day, &setting).await;
    }
    let verdict = if days.most <= RATIO_AT_MOST { "within" } else { "ABOVE" };
    println!(
        "\nThe largest ratio is {:.3}, {verdict} {RATIO_AT_MOST}; {} calls were refused.",
        days.most, days.refused
    );
}

/// Days one after the other.
struct Days<'a> {
    sandbox: &'a Sandbox,
    /// Of each job what Gainsight held when it began the last time.
    before: BTreeMap<String, Held>,
    most: f64,
    refused: usize,
}

impl Days<'_> {
    /// Runs the chain, and prints a line for each of its jobs.
    async fn run(&mut self, day: &str, setting: &Setting) {
        let mut sources = Sources::default();
        for (name, text) in for_sandbox(self.sandbox.dynamics_url(), self.sandbox.gainsight_url()) {
            sources.add(name.to_owned(), text);
        }
        let parsed = read(&sources);
        let workspace = Workspace::of(Text { sources, parsed }, setting).await.expect("both services answer");
        let (mut from, mut held) = (self.sandbox.calls().len(), Held::of(self.sandbox));
        let progress = silent();
        let ended = runs::run(&workspace, setting, CHAIN, &progress, |report| {
            let after = Held::of(self.sandbox);
            let calls = self.sandbox.calls();
            self.line(day, report, &calls[from..], (&held, &after));
            let begun = std::mem::replace(&mut held, after);
            self.before.insert(report.job.clone(), begun);
            from = calls.len();
        });
        ended.await.expect("the chain ends");
    }

    fn line(&mut self, day: &str, report: &Report, calls: &[Call], (before, after): (&Held, &Held)) {
        let job = JOBS.iter().find(|job| job.name == report.job).expect("it is one of the three");
        let rows = self.sandbox.table(job.table).len();
        let floor = floor(job, rows, self.before.get(job.name), before, after);
        let of_data =
            |call: &&Call| call.service == Service::Gainsight && (call.write || call.path.contains("/query/"));
        let made: Vec<&Call> = calls.iter().filter(of_data).collect();
        let writes = made.iter().filter(|call| call.write).count();
        self.refused += made.iter().filter(|call| call.status != 200).count();
        let ratio = made.len() as f64 / floor.calls as f64;
        self.most = self.most.max(ratio);
        let shown = if ratio > RATIO_AT_MOST { format!("**{ratio:.3}**") } else { format!("{ratio:.3}") };
        println!(
            "| {day} | {} | {rows} | {} | {} | {writes} | {} | {} | {shown} |",
            job.short,
            floor.changed,
            made.len() - writes,
            made.len(),
            floor.calls
        );
    }
}
