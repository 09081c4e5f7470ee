//! Schedules of faults, drawn from a seed.
//!
//! A schedule is the text of a file of faults and nothing else, so that a seed that fails can be printed, kept and run
//! again exactly. All of it is drawn before the first request, so no order of requests changes it. In: a seed. Out: two to
//! eight rules, each of which ends after a bounded number of strikes, and what the rules may change.

use serde_json::{Map, Value, json};

use super::super::randomness::Chance;
use super::catalogue::{self, Allowed};
use super::label::{self, Label};

/// Strikes in a row by their weights: a client that tries a request five times gets through the first four at once; the
/// others end a run, which has to be resumed.
const IN_A_ROW: [(usize, usize); 6] = [(50, 1), (18, 2), (10, 3), (10, 4), (6, 6), (6, 9)];

/// A schedule of faults on both services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultSchedule {
    /// JSON lines, as `ferry sandbox --faults FILE` takes them.
    pub rules: String,
    /// Whether rows of the source change, go, come twice or show a choice that is not theirs. Without, all that a run leaves
    /// behind is to be as it is without faults.
    pub changes_source: bool,
    /// Whether good records may be refused as bad ones, so that their rows end as rejected.
    pub refuses_records: bool,
}

/// The schedule of a seed: the same one whenever it is asked for.
pub fn fault_schedule(seed: u64) -> FaultSchedule {
    let mut chance = Chance::of_text(seed, "schedule of faults");
    let allowed = Allowed { changes_source: chance.percent(30), refuses_records: chance.percent(30) };
    let count = 2 + chance.below(7);
    let rules: Vec<Map<String, Value>> = (0..count).map(|_| rule(&mut chance, allowed)).collect();
    let names = |wanted: &[&str]| rules.iter().any(|rule| wanted.iter().any(|name| rule.contains_key(*name)));
    let changes_source = names(&["touch", "drop_row", "repeat_row", "unknown_choice"]);
    let refuses_records = names(&["refuse_records"]);
    let lines: String = rules.into_iter().map(|rule| format!("{}\n", Value::Object(rule))).collect();
    FaultSchedule { rules: format!("# Faults of seed {seed}.\n{lines}"), changes_source, refuses_records }
}

fn rule(chance: &mut Chance, allowed: Allowed) -> Map<String, Value> {
    let label = label::draw(chance);
    let mut rule = label.members();
    for part in [when(chance, &label), catalogue::draw(chance, &label, allowed)] {
        if let Value::Object(part) = part {
            rule.extend(part);
        }
    }
    rule
}

/// When a rule strikes; it always stops.
fn when(chance: &mut Chance, label: &Label) -> Value {
    let number = |chance: &mut Chance| 1 + chance.below(label.usual);
    let times = 1 + chance.below(4);
    match chance.below(100) {
        0..15 => json!({"every": 2 + chance.below(6), "times": times}),
        15..30 => json!({"probability": (5 + chance.below(40)) as f64 / 100.0, "times": times}),
        30..45 => json!({"nth": [number(chance), label.usual + number(chance)]}),
        _ => {
            let in_a_row = label::weighted(chance, &IN_A_ROW);
            let nth = number(chance);
            if in_a_row == 1 { json!({"nth": [nth]}) } else { json!({"nth": [nth], "in_a_row": in_a_row}) }
        }
    }
}
