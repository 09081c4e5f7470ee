//! Kills while rows are handed over as files and proven: nothing is handed over twice, and every row has one outcome.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use ferry::sandbox::{Options, start_with};
use futures::StreamExt;
use serde_json::json;
use tempfile::TempDir;

use super::boundary::{Boundary, boundaries, one_of_each};
use super::totals::{Totals, ended};
use super::world::AT_ONCE;
use crate::faults::holdings;
use crate::stage::{SCALE, Stage};
use crate::terminal::Desk;

const JOB: &str = "From files";
const RUNS_AT_MOST: usize = 8;
/// The exit code of a run that waits.
const WAITS: i32 = 3;

struct Calm {
    companies: Vec<String>,
    totals: Vec<Totals>,
    /// Of the process that hands over, and of the one that proves.
    boundaries: [Vec<Boundary>; 2],
}

struct World {
    desk: Desk,
    folder: TempDir,
    taken: Mutex<BTreeSet<String>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_files_are_handed_over_or_proven_loses_nothing() {
    let calm = Arc::new(calm().await);
    let mut worlds = Vec::new();
    for (number, places) in calm.boundaries.iter().enumerate() {
        // Of the process that hands over, what comes before is tried with every other load.
        let own: Vec<Boundary> = places.iter().filter(|place| number == 1 || place.phase == "load").cloned().collect();
        let places = one_of_each(&own);
        assert!(places.len() > 3, "{number}: {own:?}");
        if number == 0 {
            assert!(places.iter().any(|place| place.label == "file.handed"));
        }
        for place in places {
            worlds.push(tokio::spawn(one(Arc::clone(&calm), number == 1, place)));
        }
    }
    println!("while files are handed over and proven: {} kills", worlds.len());
    let mut worlds = futures::stream::iter(worlds).buffer_unordered(AT_ONCE);
    while let Some(world) = worlds.next().await {
        world.unwrap();
    }
}

async fn one(calm: Arc<Calm>, is_proof: bool, place: Boundary) {
    let world = World::new().await;
    let what = format!("killed at {place}, {}", if is_proof { "proving" } else { "handing over" });
    tokio::task::block_in_place(|| {
        if is_proof {
            assert_eq!(world.desk.ferry(&["run", JOB, "--json"]).0, WAITS, "{what}");
            world.connector();
        }
        assert!(world.desk.kill(&["run", JOB, "--json"], &place.to_string()), "{what}");
        world.finish(&what);
    });
    assert_eq!(holdings(&world.desk.stage)["company"], calm.companies, "{what}");
    assert_eq!(world.taken.lock().unwrap().len(), 1, "{what}: one file");
    for (number, run) in ended(&world.desk.home())[JOB].iter().enumerate() {
        assert_eq!(run, &calm.totals[number.min(1)], "{what}: run {number}");
    }
}

async fn calm() -> Calm {
    let world = World::new().await;
    let boundaries = tokio::task::block_in_place(|| {
        let passed = || {
            let all = [("FERRY_STOP_AT", "?")];
            let child = world.desk.begin_with(&["run", JOB, "--json"], std::process::Stdio::null(), &all);
            boundaries(&String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap())
        };
        let handing = passed();
        world.connector();
        let proving = passed();
        world.finish("nobody disturbed it");
        [handing, proving]
    });
    let totals = ended(&world.desk.home()).remove(JOB).unwrap();
    assert_eq!((totals[0].counts.inserted, totals[0].counts.error), (28, 0));
    Calm { companies: holdings(&world.desk.stage).remove("company").unwrap(), totals, boundaries }
}

impl World {
    async fn new() -> Self {
        let options = Options { rows: 0, limits_scale: SCALE, ..Options::default() };
        let desk = Desk::on(Stage::on(start_with(options, "").await.unwrap()));
        let folder = tempfile::tempdir().unwrap();
        let rows: String = (0..28).map(|number| format!("c{number},Company {number},{number}\n")).collect();
        std::fs::write(folder.path().join("companies.csv"), format!("code,name,employees\n{rows}")).unwrap();
        std::fs::create_dir(folder.path().join("out")).unwrap();
        let path = folder.path().display();
        let script = format!(
            "CREATE CONNECTION lake TO FILES URL 'file://{path}' FORMAT CSV \
             TABLE companies (code TEXT, name TEXT, employees INTEGER) KEY (code);\n\
             CREATE JOB \"{JOB}\" AS UPSERT INTO gainsight.Company KEY (\"Name\") \
             SELECT c.name AS \"Name\", c.employees AS \"Employees\" FROM lake.companies AS c \
             LOAD VIA FILES 'file://{path}/out';"
        );
        desk.write("files.ferry", &script);
        Self { desk, folder, taken: Mutex::default() }
    }

    /// Takes in what lies there and was not taken in before: each file adds its records.
    fn connector(&self) {
        for entry in std::fs::read_dir(self.folder.path().join("out/company")).into_iter().flatten().flatten() {
            if !self.taken.lock().unwrap().insert(entry.file_name().into_string().unwrap()) {
                continue;
            }
            for line in csv::Reader::from_path(entry.path()).unwrap().records() {
                let line = line.unwrap();
                let record = json!({ "Name": line[0], "Employees": line[1].parse::<f64>().unwrap() });
                self.desk.stage.sandbox.put_record("company", record.as_object().unwrap().clone());
            }
        }
    }

    /// Runs the job until it has come to its end, and once more, which hands nothing over.
    fn finish(&self, what: &str) {
        for _ in 0..RUNS_AT_MOST {
            let is_complete = ended(&self.desk.home()).contains_key(JOB);
            let (code, _, err) = self.desk.ferry(&["run", JOB, "--json"]);
            assert!(code <= 1 || (code == WAITS && !is_complete), "{what}: ended with {code}\n{err}");
            if is_complete {
                return;
            }
            self.connector();
        }
        panic!("{what}: the job does not come to its end");
    }
}
