//! One case: a world, a job, and a schedule of faults, all from one seed.

use std::sync::LazyLock;

use ferry::app::projects::{OUT_OF_THE_BOX, Text};
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::sandbox::{FaultSchedule, Options, Sandbox, fault_schedule, start_with};
use serde_json::{Value, json};

use super::jobs::{EXTERNAL, JOBS, Listed};
use crate::generated::dice::Dice;
use crate::generated::served::served;
use crate::stage::{CHAIN, COMPANIES, PEOPLE, SCALE, Stage, USERS};

/// Generated jobs that are drawn from.
const GENERATED: usize = 60;

/// Rows, seed, whether Gainsight holds some of it already, and the sizes of pages and batches. They are few, so that the calm run of
/// a job on one of them serves many seeds.
const WORLDS: [(usize, u64, bool, usize, usize); 8] = [
    (20, 1, false, 5_000, 50),
    (20, 2, true, 7, 10),
    (40, 1, true, 20, 4),
    (40, 2, false, 7, 4),
    (40, 3, true, 5_000, 10),
    (40, 4, false, 20, 50),
    (80, 1, true, 20, 10),
    (80, 5, false, 7, 10),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Of the list.
    Listed(usize),
    /// By its own seed.
    Generated(u64),
}

/// What both runs of a case have in common, and what a calm run is remembered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct World {
    pub kind: Kind,
    rows: usize,
    seed: u64,
    /// Whether Gainsight holds some of it already, under other names.
    is_furnished: bool,
    page_size: usize,
    batch_size: usize,
}

pub struct Case {
    pub seed: u64,
    pub world: World,
    pub faults: FaultSchedule,
    /// Whether an interrupted run is gone on with by `resume`, or by running the job again.
    pub by_resume: bool,
}

impl Case {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed ^ 0x5eed);
        let faults = schedule(seed, &mut dice);
        let kind = if dice.maybe(12) { generated(&mut dice) } else { Kind::Listed(listed(&faults.rules, &mut dice)) };
        // A generated job has a world of its own, in the limits of one of these.
        let place =
            if let Kind::Generated(seed) = kind { seed as usize % WORLDS.len() } else { dice.below(WORLDS.len()) };
        let (rows, world_seed, is_furnished, page_size, batch_size) = WORLDS[place];
        let world = World { kind, rows, seed: world_seed, is_furnished, page_size, batch_size };
        Self { seed, world, faults, by_resume: dice.maybe(50) }
    }
}

fn generated(dice: &mut Dice) -> Kind {
    static FITTING: LazyLock<Vec<u64>> =
        LazyLock::new(|| (0..).filter(|seed| served(*seed).is_some()).take(GENERATED).collect());
    Kind::Generated(dice.pick(&FITTING))
}

/// The schedule of a seed; often more of the same on top, so that several things go wrong at once.
fn schedule(seed: u64, dice: &mut Dice) -> FaultSchedule {
    let mut all = fault_schedule(seed);
    let others = (1..).map(|n| fault_schedule(seed + n * 1_000_000));
    let others = others.filter(|other| !other.changes_source && !other.refuses_records);
    let more = dice.pick(&[0, 1, 2]);
    others.take(more).for_each(|other| all.rules += &other.rules);
    all
}

/// A job that the faults are about, more often than not.
fn listed(rules: &str, dice: &mut Dice) -> usize {
    let hits = |job: &Listed| rules.lines().filter(|rule| job.about.iter().any(|part| rule.contains(part))).count();
    let weights: Vec<usize> = JOBS.iter().map(|job| if job.name == CHAIN { 12 } else { 1 + 3 * hits(job) }).collect();
    let mut left = dice.below(weights.iter().sum());
    weights
        .iter()
        .position(|weight| {
            let is_it = left < *weight;
            left = left.saturating_sub(*weight);
            is_it
        })
        .expect("the weights add up")
}

impl World {
    /// The job or chain that is run.
    pub fn job(&self) -> &'static str {
        match self.kind {
            Kind::Listed(at) => JOBS[at].name,
            Kind::Generated(_) => "generated",
        }
    }

    /// The jobs that this is, in their order.
    pub fn jobs(&self) -> Vec<&'static str> {
        match self.job() {
            CHAIN => vec![USERS, COMPANIES, PEOPLE],
            one => vec![one],
        }
    }

    pub fn keys(&self) -> &'static [(&'static str, &'static str)] {
        match self.kind {
            Kind::Listed(at) => JOBS[at].keys,
            Kind::Generated(_) => &[],
        }
    }

    pub async fn open(&self, rules: &str) -> Stage {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["systemusers", "accounts", "contacts"] {
            std::fs::write(folder.path().join(format!("{name}.jsonl")), "").expect("a file");
        }
        let world = matches!(self.kind, Kind::Generated(_)).then(|| folder.path().to_owned());
        let options = Options { rows: self.rows, seed: self.seed, limits_scale: SCALE, world, ..Options::default() };
        let sandbox = start_with(options, rules).await.expect("the sandbox starts");
        match self.kind {
            Kind::Generated(seed) => served(seed).expect("it was drawn among those").put(&sandbox),
            Kind::Listed(_) if self.is_furnished => furnish(&sandbox),
            Kind::Listed(_) => {}
        }
        let mut stage = Stage::on(sandbox);
        stage.setting.consented = true;
        stage
    }

    /// The project, with the connections leading to the stage and in the limits of the case.
    pub fn text(&self, stage: &Stage) -> Text {
        let mut sources = Sources::default();
        for (name, text) in OUT_OF_THE_BOX {
            let text = text
                .replace("https://gainsight123.crm.dynamics.com", stage.sandbox.dynamics_url())
                .replace("https://acme.gainsightcloud.com", stage.sandbox.gainsight_url())
                .replace("page_size = 5000", &format!("page_size = {}", self.page_size))
                .replace("batch_size = 50", &format!("batch_size = {}", self.batch_size));
            sources.add(name.to_owned(), text);
        }
        let own = match self.kind {
            Kind::Listed(at) => JOBS[at].text.to_owned(),
            Kind::Generated(seed) => served(seed).expect("it was drawn among those").written("generated"),
        };
        sources.add("own.ferry".to_owned(), own);
        let parsed = read(&sources);
        Text { sources, parsed }
    }
}

/// A part of the rows is in Gainsight already, and not as they are.
fn furnish(sandbox: &Sandbox) {
    let put = |object: &str, record: Value| sandbox.put_record(object, record.as_object().cloned().unwrap_or_default());
    let there: Vec<Value> = sandbox.records("company").into_iter().map(|c| c[EXTERNAL].clone()).collect();
    for account in sandbox.table("account").into_iter().step_by(3) {
        let id = &account["accountid"];
        if !there.contains(id) {
            put("company", json!({ "Name": "Before", EXTERNAL: id, "Dynamics_Account_ID__gc": id, "Employees": 3 }));
        }
    }
    let deals = sandbox.table("opportunity").into_iter().map(|row| row["opportunityid"].clone()).step_by(4);
    let projects = sandbox.table("new_project").into_iter().map(|row| row["new_code"].clone()).step_by(4);
    for id in deals.chain(projects) {
        put("Opportunity__gc", json!({ "Name": "Before", "Opportunity_External_Id__gc": id, "Notes__gc": "before" }));
    }
}
