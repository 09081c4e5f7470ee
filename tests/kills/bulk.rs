//! Kills while changes are loaded by bulk import: a file that was handed over is never handed over again where its records may come of
//! it, and every row has one outcome, wherever the process was killed.

use std::sync::Arc;

use ferry::sandbox::{Oddity, Options, start_with};
use futures::StreamExt;
use tempfile::TempDir;

use super::boundary::{Boundary, boundaries, one_of_each};
use super::totals::{Totals, ended};
use super::world::AT_ONCE;
use crate::faults::holdings;
use crate::stage::{SCALE, Stage};
use crate::terminal::Desk;

const JOB: &str = "From files";
/// Between a file and what became of it.
const OWN: [&str; 2] = ["import.taken", "import.ended"];
const RUNS_AT_MOST: usize = 4;

struct Calm {
    companies: Vec<String>,
    totals: Vec<Totals>,
    boundaries: Vec<Boundary>,
}

struct World {
    desk: Desk,
    // The rows; gone with the world.
    _folder: TempDir,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_during_a_bulk_import_loses_nothing() {
    let calm = Arc::new(calm().await);
    // Every passing of the places of its own, and one of each of the others.
    let (own, others): (Vec<Boundary>, Vec<Boundary>) =
        calm.boundaries.iter().filter(|place| place.phase == "load").cloned().partition(is_own);
    for label in OWN {
        let passed = own.iter().filter(|place| place.label == label).count();
        assert!(passed > 1, "{label} was passed {passed} times");
    }
    let places: Vec<Boundary> = own.into_iter().chain(one_of_each(&others)).collect();
    println!("during a bulk import: {} kills", places.len());
    let worlds = places.into_iter().map(|place| tokio::spawn(one(Arc::clone(&calm), place)));
    let mut worlds = futures::stream::iter(worlds).buffer_unordered(AT_ONCE);
    while let Some(world) = worlds.next().await {
        world.unwrap();
    }
}

fn is_own(place: &Boundary) -> bool {
    OWN.contains(&place.label.as_str())
}

async fn one(calm: Arc<Calm>, place: Boundary) {
    let world = World::new().await;
    tokio::task::block_in_place(|| {
        assert!(world.desk.kill(&["run", JOB, "--json"], &place.to_string()), "{place}");
        world.finish(&format!("killed at {place}"));
    });
    assert_eq!(holdings(&world.desk.stage)["company"], calm.companies, "killed at {place}");
    for (number, run) in ended(&world.desk.home())[JOB].iter().enumerate() {
        assert_eq!(run, &calm.totals[number.min(1)], "killed at {place}: run {number}");
    }
}

async fn calm() -> Calm {
    let world = World::new().await;
    let boundaries = tokio::task::block_in_place(|| {
        let child =
            world.desk.begin_with(&["run", JOB, "--json"], std::process::Stdio::null(), &[("FERRY_STOP_AT", "?")]);
        let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        world.finish("nobody disturbed it");
        boundaries(&said)
    });
    let totals = ended(&world.desk.home()).remove(JOB).unwrap();
    assert_eq!((totals[0].counts.inserted, totals[0].counts.error), (27, 1));
    Calm { companies: holdings(&world.desk.stage).remove("company").unwrap(), totals, boundaries }
}

impl World {
    /// 28 rows, of which Gainsight refuses one; files of more than ten are too large for it, so there are four.
    async fn new() -> Self {
        let options = Options { rows: 0, limits_scale: SCALE, ..Options::default() };
        let desk = Desk::on(Stage::on(start_with(options, "").await.unwrap()));
        desk.stage.sandbox.import_oddly(Oddity::Smaller(10));
        let folder = tempfile::tempdir().unwrap();
        let row = |number: i32| format!("c{number},Company {number},{}\n", if number == 9 { -5 } else { number });
        let rows: String = (0..28).map(row).collect();
        std::fs::write(folder.path().join("companies.csv"), format!("code,name,employees\n{rows}")).unwrap();
        let script = format!(
            "CREATE CONNECTION lake TO FILES URL 'file://{}' FORMAT CSV \
             TABLE companies (code TEXT, name TEXT, employees INTEGER) KEY (code);\n\
             CREATE JOB \"{JOB}\" AS UPSERT INTO gainsight.Company KEY (\"Name\" IGNORE CASE) \
             SELECT c.name AS \"Name\", c.employees AS \"Employees\" FROM lake.companies AS c \
             LOAD VIA BULK (job_id = 'company by Name');",
            folder.path().display()
        );
        desk.write("bulk.ferry", &script);
        Self { desk, _folder: folder }
    }

    /// Runs the job until it has come to its end, and once more, which writes nothing.
    fn finish(&self, what: &str) {
        for _ in 0..RUNS_AT_MOST {
            let (is_complete, writes) = (ended(&self.desk.home()).contains_key(JOB), self.writes());
            let (code, _, err) = self.desk.ferry(&["run", JOB, "--json"]);
            assert!(code <= 1, "{what}: ended with {code}\n{err}");
            if is_complete {
                assert_eq!(self.writes(), writes, "{what}: running again wrote\n{err}");
                return;
            }
        }
        panic!("{what}: the job does not come to its end");
    }

    fn writes(&self) -> usize {
        self.desk.stage.sandbox.calls().iter().filter(|call| call.write).count()
    }
}
