//! What Ferry promises of every run that comes to its end, whatever happened on the way.
//!
//! In: a trial after its last run. Out: every promise that is broken, in words that say which one and where.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::trial::{Ended, Trial};
use super::world::{Whole, held, undisturbed};
use crate::faults::KEYS;
use crate::stage::lines;

pub type Verdict = Result<(), String>;

/// Nothing is broken, or all that is.
pub fn verdict(broken: Vec<String>) -> Verdict {
    if broken.is_empty() { Ok(()) } else { Err(broken.join("; ")) }
}

/// All promises at once: the totals are those of an undisturbed run, and so is what is true afterwards.
pub fn all(trial: &Trial, job: &str, ended: &Ended) -> Vec<String> {
    let mut broken = totals(ended, undisturbed(job));
    broken.extend(aftermath(trial, job, ended));
    broken
}

/// The target holds what it should, the error file and what is due name the failed rows, and a second run writes nothing.
pub fn aftermath(trial: &Trial, job: &str, ended: &Ended) -> Vec<String> {
    let whole = undisturbed(job);
    let mut broken = outcome(ended, whole);
    broken.extend(target(trial, job, whole));
    broken.extend(books(trial, job, ended, whole));
    // What is broken already is not improved by running again.
    if broken.is_empty() { repeated(trial, job) } else { broken }
}

fn outcome(ended: &Ended, whole: &Whole) -> Vec<String> {
    let code = i32::from(!whole.failed.is_empty());
    if ended.code == code {
        return Vec::new();
    }
    let last = ended.said.lines().last().unwrap_or_default();
    vec![format!("the run ended with {}, not {code}: {last}", ended.code)]
}

fn totals(ended: &Ended, whole: &Whole) -> Vec<String> {
    if ended.report.is_null() {
        return vec!["there is no report".to_owned()];
    }
    let mut broken = differing("rows", &ended.report["counts"], &whole.counts);
    let records = whole.records.as_object().into_iter().flatten();
    broken.extend(records.flat_map(|(name, whole)| differing(name, &ended.report["records"][name], whole)));
    broken
}

fn differing(what: &str, found: &Value, whole: &Value) -> Vec<String> {
    let counts = whole.as_object().into_iter().flatten();
    let wrong = counts.filter(|(name, count)| found[name.as_str()] != **count);
    wrong.map(|(name, count)| format!("{what} {name}: {}, not {count}", found[name.as_str()])).collect()
}

fn target(trial: &Trial, job: &str, whole: &Whole) -> Vec<String> {
    let mut broken = Vec::new();
    for (object, found) in held(trial.stage(), job) {
        let mut missing = whole.held[object].clone();
        let mut extra = Vec::new();
        for record in found {
            match missing.iter().position(|one| *one == record) {
                Some(at) => drop(missing.remove(at)),
                None => extra.push(record),
            }
        }
        let (twice, other): (Vec<_>, Vec<_>) = extra.iter().partition(|one| whole.held[object].contains(one));
        for (word, records) in [("there twice", twice), ("wrong", other), ("missing", missing.iter().collect())] {
            if let Some(first) = records.first() {
                broken.push(format!("{} of {object} {word}, such as {}", records.len(), key_of(object, first)));
            }
        }
    }
    broken
}

fn key_of(object: &str, record: &str) -> String {
    let record: Value = serde_json::from_str(record).unwrap();
    let (_, key) = KEYS.iter().find(|(known, _)| *known == object).expect("an object that is compared");
    record[key].to_string()
}

/// Each failed row is in the error file once, and due.
fn books(trial: &Trial, job: &str, ended: &Ended, whole: &Whole) -> Vec<String> {
    let mut broken = Vec::new();
    let file = ended.report["error_file"].as_str();
    let keys: Vec<String> =
        file.map(|file| lines(Path::new(file))).into_iter().flatten().map(|l| l["source_key"].clone()).collect();
    let once: BTreeSet<String> = keys.iter().cloned().collect();
    if once != whole.failed || keys.len() != once.len() {
        broken.push(format!("the error file has {} of {} failed rows", keys.len(), whole.failed.len()));
    }
    let due = due(trial, job);
    if due != whole.failed {
        broken.push(format!("{} of {} failed rows are due", due.len(), whole.failed.len()));
    }
    broken
}

fn due(trial: &Trial, job: &str) -> BTreeSet<String> {
    let child = trial.begin(&["errors", "list", job], &[]);
    let out = child.wait_with_output().unwrap().stdout;
    let rows = String::from_utf8(out).unwrap();
    let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| row["source_key"].as_str().unwrap().to_owned()).collect()
}

/// Running again writes nothing.
pub fn repeated(trial: &Trial, job: &str) -> Vec<String> {
    let before = trial.writes();
    trial.run(job);
    match trial.writes() - before {
        0 => Vec::new(),
        calls => vec![format!("a second run made {calls} write calls")],
    }
}
