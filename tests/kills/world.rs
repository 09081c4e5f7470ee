//! A sandbox, a project with small pages and batches, and a home of its own: in each of them processes are killed and followed by
//! others until nothing is left to do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use ferry::sandbox::{Options, start_with};

use super::boundary::{Boundary, boundaries};
use super::totals::{Totals, ended};
use crate::faults::holdings;
use crate::stage::{CHAIN, SCALE, Stage};
use crate::terminal::Desk;

/// Worlds that are under way at once.
pub const AT_ONCE: usize = 3;
/// How often a chain is run until every job of it must have come to an end.
const RUNS_AT_MOST: usize = 4;

/// What a process is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Run,
    Anew,
    Resume,
}

pub struct World {
    pub desk: Desk,
}

/// What became of a world that nobody disturbed.
pub struct Calm {
    pub holdings: BTreeMap<&'static str, Vec<String>>,
    /// Of each job its first run and its second.
    pub totals: BTreeMap<String, Vec<Totals>>,
    pub boundaries: Vec<Boundary>,
    /// Method and path of every write, in order.
    pub writes: Vec<(String, String)>,
}

impl Verb {
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Run => &["run", CHAIN, "--json"],
            Self::Anew => &["run", CHAIN, "--anew", "--json"],
            Self::Resume => &["resume", "--json"],
        }
    }
}

impl World {
    /// A world of every special row: managers that come later, people at two companies, records that are refused. The contacts take
    /// several pages, the companies several calls.
    pub async fn new(faults: &str) -> Self {
        let options = Options { rows: 60, limits_scale: SCALE, ..Options::default() };
        let desk = Desk::on(Stage::on(start_with(options, faults).await.unwrap()));
        let connections = std::fs::read_to_string(desk.project().join("connections.ferry")).unwrap();
        let small =
            connections.replace("page_size = 5000", "page_size = 20").replace("batch_size = 50", "batch_size = 5");
        assert_ne!(small, connections);
        desk.write("connections.ferry", &small);
        Self { desk }
    }

    /// Lets a process pass every place, and says which there were.
    pub fn trace(&self, verb: Verb) -> Vec<Boundary> {
        let child = self.desk.begin_with(verb.arguments(), Stdio::null(), &[("FERRY_STOP_AT", "?")]);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
        boundaries(&said)
    }

    /// Kills a process at a place; false if it came to its end without passing it so often.
    pub fn kill(&self, verb: Verb, at: &str) -> bool {
        self.desk.kill(verb.arguments(), at)
    }

    /// Changes a bit in the middle of a page of the newest run.
    pub fn damage_a_page(&self) {
        let run =
            std::fs::read_dir(self.desk.home().join("runs")).unwrap().map(|run| run.unwrap().path()).max().unwrap();
        let is_page = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "arrow");
        let page = ["source", "related/u_parentsystemuserid", "target/gsuser"].iter().find_map(|folder| {
            let files = std::fs::read_dir(run.join(folder)).into_iter().flatten();
            files.map(|file| file.unwrap().path()).find(is_page)
        });
        let page = page.unwrap();
        let mut bytes = std::fs::read(&page).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        std::fs::write(&page, bytes).unwrap();
    }

    pub fn writes(&self) -> usize {
        self.desk.stage.sandbox.calls().iter().filter(|call| call.write).count()
    }

    /// Runs what is left to be run, until running again writes nothing.
    pub fn finish(&self, first: Verb, what: &str) {
        let mut verb = first;
        for _ in 0..RUNS_AT_MOST {
            let (is_complete, writes) = (ended(&self.desk.home()).len() == 3, self.writes());
            let (code, _, err) = self.desk.ferry(verb.arguments());
            assert!(code <= 1, "{what}: {verb:?} ended with {code}\n{err}");
            if is_complete && verb != Verb::Resume {
                assert_eq!(self.writes(), writes, "{what}: running again wrote\n{err}");
                return;
            }
            verb = Verb::Run;
        }
        panic!("{what}: the chain does not come to its end");
    }

    /// Holds the world against one that nobody disturbed. Runs that were begun anew have totals of their own.
    pub fn hold(&self, calm: &Calm, has_totals: bool, what: &str) {
        for (object, expected) in &calm.holdings {
            assert_eq!(&holdings(&self.desk.stage)[object], expected, "{what}: {object}");
        }
        for (job, runs) in ended(&self.desk.home()).iter().filter(|_| has_totals) {
            for (number, run) in runs.iter().enumerate() {
                assert_eq!(run, &calm.totals[job][number.min(1)], "{what}: run {number} of {job}");
            }
        }
    }

    pub async fn calm() -> Calm {
        let world = Self::new("").await;
        let boundaries = world.trace(Verb::Run);
        let calls = world.desk.stage.sandbox.calls().into_iter().filter(|call| call.write);
        let writes = calls.map(|call| (call.method, call.path)).collect();
        world.finish(Verb::Run, "nobody disturbed it");
        let totals = ended(&world.desk.home());
        assert!(totals.len() == 3 && totals.values().all(|runs| runs.len() == 2));
        Calm { holdings: holdings(&world.desk.stage), totals, boundaries, writes }
    }
}
