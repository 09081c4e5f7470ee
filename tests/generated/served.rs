//! A generated job with its world in a sandbox, so that it can run the whole road.
//!
//! Rows get ids that a service accepts, and what a column of the service cannot hold is left out: the rows need be odd, not complete.
//! Not here: what the interpreter says of them. In: a seed, a sandbox. Out: the job's text, and rows in both services.

use chrono::DateTime;
use ferry::sandbox::Sandbox;
use serde_json::{Map, Value, json};

use super::decide::verdicts;
use super::dice::Dice;
use super::job::{Job, Verb};
use super::value::{V, plain};
use super::world::{Record, World};
use super::{NOW, draw, furnish, tables, world};

const LOOKUPS: [(&str, &str); 3] =
    [("parentaccountid", "account"), ("parentcustomerid", "account"), ("ownerid", "systemuser")];
const TARGET: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";

pub struct Served {
    job: Job,
    world: World,
}

/// The job of a seed. None if running it twice may rightly write twice, as it uses the time, or looks among the records that it
/// writes as they were before; and none if it writes next to nothing.
pub fn served(seed: u64) -> Option<Served> {
    let mut dice = Dice::of(seed);
    let shape = if seed.is_multiple_of(4) { &tables::COMPANIES } else { &tables::SALES };
    let job = draw::job(shape, &mut dice);
    let mut world = world::world(shape, &mut dice);
    furnish::furnish(&job, &mut world, NOW, &mut dice);
    let text = job.written("");
    let is_of_its_time = text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "NOW" || word == "TODAY");
    let looks_back = job.lookups.iter().any(|l| l.object.name == job.shape.object && !job.is_late(l));
    if is_of_its_time || looks_back {
        return None;
    }
    let writes = verdicts(&job, &world, NOW).iter().filter(|v| matches!(v.action, Some("insert" | "update"))).count();
    (writes > 1).then_some(Served { job, world })
}

impl Served {
    pub fn written(&self, name: &str) -> String {
        self.job.written(name)
    }

    /// Whether what it inserts is in its way when it runs again.
    pub fn inserts_only(&self) -> bool {
        self.job.verb == Verb::Insert
    }

    pub fn put(&self, sandbox: &Sandbox) {
        let shape = self.job.shape;
        for (table, rows) in self.world.related.iter().filter(|(table, _)| **table != shape.table) {
            rows.iter().for_each(|row| put_row(sandbox, table, row));
        }
        self.world.source.iter().for_each(|row| put_row(sandbox, shape.table, row));
        for object in shape.searched.iter().filter(|o| o.name != shape.object) {
            for record in &self.world.searched[object.name] {
                match object.connection {
                    "dynamics" => put_row(sandbox, object.name, record),
                    _ => put_record(sandbox, object.name, record),
                }
            }
        }
        self.world.target.iter().for_each(|record| put_record(sandbox, shape.object, record));
    }
}

/// Column by column, so that one that does not fit takes no other with it.
fn put_row(sandbox: &Sandbox, table: &str, row: &Record) {
    let key = format!("{table}id");
    let Some(V::Text(id)) = row.get(&key) else { return };
    let mut head = Map::from_iter([(key.clone(), json!(guid(id)))]);
    // What is not given, a service takes from its clock, which no two sandboxes have alike.
    for stamp in ["createdon", "modifiedon"] {
        let given = row.get(stamp).filter(|value| !value.is_null()).unwrap_or(&V::Moment(NOW));
        head.insert(stamp.to_owned(), of_row(given));
    }
    for (name, value) in row.iter().filter(|(name, value)| !name.ends_with("@type") && !value.is_null()) {
        let mut one = head.clone();
        if let Some((lookup, table)) = LOOKUPS.iter().find(|(lookup, _)| lookup == name) {
            let V::Text(to) = value else { continue };
            let kind = match row.get(&format!("{name}@type")) {
                Some(V::Text(kind)) => kind,
                _ => *table,
            };
            one.insert(format!("_{lookup}_value"), json!(guid(to)));
            one.insert(format!("_{lookup}_value{TARGET}"), json!(kind));
        } else if *name != key {
            one.insert(name.clone(), of_row(value));
        }
        sandbox.put_row(table, one);
    }
}

fn put_record(sandbox: &Sandbox, object: &str, record: &Record) {
    let values = record.iter().map(|(name, value)| (name.clone(), of_record(value)));
    sandbox.put_record(object, values.collect());
}

fn of_row(value: &V) -> Value {
    let day = |ms: i64| DateTime::from_timestamp_millis(ms).expect("a moment of the pool");
    match value {
        V::Null => Value::Null,
        V::Text(text) => json!(text),
        V::Whole(number) => json!(number),
        V::Exact(exact) => json!(plain(*exact).parse::<f64>().expect("digits")),
        V::Flag(truth) => json!(truth),
        V::Day(days) => json!(day(days * 86_400_000).format("%Y-%m-%d").to_string()),
        V::Moment(ms) => json!(day(*ms).format("%Y-%m-%dT%H:%M:%SZ").to_string()),
    }
}

fn of_record(value: &V) -> Value {
    match value {
        V::Text(text) => json!(alike(text)),
        V::Day(days) => json!(days * 86_400_000),
        V::Moment(ms) => json!(ms),
        other => of_row(other),
    }
}

/// The id that a service accepts for one of the generated world.
fn guid(id: &str) -> String {
    let digits: String = id.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("00000000-0000-4000-8000-{digits:0>12.12}")
}

/// A text of the target; where it is an id, in braces and capitals as it was.
fn alike(text: &str) -> String {
    let bare = text.trim_start_matches('{').trim_end_matches('}');
    let small = bare.to_lowercase();
    let is_id = small.starts_with(['a', 'o', 'u', 't'])
        && small.len() > 1
        && small.bytes().skip(1).all(|byte| byte.is_ascii_digit());
    if !is_id {
        return text.to_owned();
    }
    let id = if bare == small { guid(&small) } else { guid(&small).to_uppercase() };
    if bare == text { id } else { format!("{{{id}}}") }
}
