//! What Gainsight holds at a moment, small enough to be kept: of each record a digest, and to whom it points.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ferry::sandbox::Sandbox;
use serde_json::{Map, Value};

/// The objects, and the field of each by which it depends on another record.
const OBJECTS: [(&str, &str); 4] =
    [("gsuser", "Manager"), ("company", ""), ("person", ""), ("company_person", "Person_ID")];
/// Fields that change with every write.
const SYSTEM: [&str; 4] = ["CreatedDate", "CreatedBy", "ModifiedDate", "ModifiedBy"];

/// Records by GSID, by object.
pub struct Held(HashMap<&'static str, HashMap<String, Record>>);

/// What is kept of a record.
#[derive(PartialEq, Eq)]
pub struct Record {
    digest: u64,
    modified: String,
    pub points_at: Option<String>,
}

impl Held {
    pub fn of(sandbox: &Sandbox) -> Self {
        let records = |object: &str, field: &str| {
            let all = sandbox.records(object).into_iter();
            all.map(|record| (text(&record, "Gsid").unwrap_or_default(), kept(&record, field))).collect()
        };
        Self(OBJECTS.into_iter().map(|(object, field)| (object, records(object, field))).collect())
    }

    pub fn object(&self, object: &str) -> &HashMap<String, Record> {
        &self.0[object]
    }

    /// Records that are new, or that were written, since an earlier moment.
    pub fn touched_since(&self, earlier: &Self, object: &str) -> usize {
        let before = earlier.object(object);
        self.object(object).iter().filter(|(gsid, now)| before.get(*gsid) != Some(now)).count()
    }

    /// GSIDs of records that are new since an earlier moment, and of those that say something else.
    pub fn new_and_changed(&self, earlier: &Self, object: &str) -> (Vec<&str>, Vec<&str>) {
        let (before, mut new, mut changed) = (earlier.object(object), Vec::new(), Vec::new());
        for (gsid, now) in self.object(object) {
            match before.get(gsid) {
                None => new.push(gsid.as_str()),
                Some(was) if was.digest != now.digest => changed.push(gsid.as_str()),
                Some(_) => {}
            }
        }
        (new, changed)
    }
}

fn kept(record: &Map<String, Value>, field: &str) -> Record {
    let mut digest = DefaultHasher::new();
    let said = record.iter().filter(|(name, _)| !SYSTEM.contains(&name.as_str()));
    said.for_each(|(name, value)| (name, value.to_string()).hash(&mut digest));
    let modified = record.get("ModifiedDate").map(Value::to_string).unwrap_or_default();
    Record { digest: digest.finish(), modified, points_at: text(record, field) }
}

fn text(record: &Map<String, Value>, field: &str) -> Option<String> {
    record.get(field)?.as_str().map(str::to_owned)
}
