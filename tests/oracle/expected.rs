//! What the oracle works with: both services as plain rows, and what must come of them.
//!
//! A record that was there before is known by its GSID, a new one by a name made from its key; references use the same
//! names, because the GSIDs of new records depend on the order of writing.

use std::collections::{BTreeMap, HashMap};

use ferry::sandbox::Sandbox;
use serde_json::{Map, Value};

use super::{company, person, user};

/// A row of Dynamics or a record of Gainsight.
pub type Row = Map<String, Value>;

/// Records by GSID or, if new, by a name from their key.
pub type Records = BTreeMap<String, Row>;

/// Both services at one moment.
pub struct World {
    pub tables: HashMap<&'static str, Vec<Row>>,
    pub objects: HashMap<&'static str, Vec<Row>>,
}

impl World {
    pub fn of(sandbox: &Sandbox) -> Self {
        let tables = ["systemuser", "account", "contact"];
        let objects = ["gsuser", "company", "person", "company_person"];
        World {
            tables: tables.into_iter().map(|name| (name, sandbox.table(name))).collect(),
            objects: objects.into_iter().map(|name| (name, sandbox.records(name))).collect(),
        }
    }

    /// The records of an object as they must stay, but for when and by whom they were changed.
    pub fn kept(&self, object: &str) -> Records {
        let mut records = Records::new();
        for record in &self.objects[object] {
            let mut record = record.clone();
            record.retain(|field, _| field != "ModifiedDate" && field != "ModifiedBy");
            let gsid = text(&record, "Gsid").expect("a stored record has a GSID");
            records.insert(gsid, record);
        }
        records
    }
}

/// How a source row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Inserted,
    Updated,
    Unchanged,
    Filtered,
    Rejected(&'static str),
    Error(&'static str),
}

/// The end of every source row of a job in the first pass, by the row's primary key.
#[derive(Default)]
pub struct Ends(pub BTreeMap<String, End>);

impl Ends {
    /// The ends in the first pass (0), or in the second over the same world.
    pub fn in_pass(&self, number: usize) -> BTreeMap<String, End> {
        let again = |end: End| match end {
            End::Inserted | End::Updated => End::Unchanged,
            End::Error("REFUSED") => End::Error("REFUSED_BEFORE"),
            other => other,
        };
        let end = |end: End| if number == 0 { end } else { again(end) };
        self.0.iter().map(|(key, first)| (key.clone(), end(*first))).collect()
    }
}

/// What the chain must come to.
pub struct Expected {
    pub jobs: [(&'static str, Ends); 3],
    pub objects: HashMap<&'static str, Records>,
}

impl Expected {
    pub fn of(start: &World) -> Self {
        let (users, gsuser) = user::expect(start);
        let (companies, company) = company::expect(start);
        let (contacts, person, company_person) = person::expect(start, &company);
        let objects =
            [("gsuser", gsuser), ("company", company), ("person", person), ("company_person", company_person)];
        Expected {
            jobs: [
                ("User Sync_Dynamics Connection", users),
                ("Company Sync_Dynamics Connection", companies),
                ("Company Person Sync_Dynamics Connection", contacts),
            ],
            objects: objects.into(),
        }
    }
}

/// A text; an empty one is none, as in a stored text field.
pub fn text(row: &Row, column: &str) -> Option<String> {
    row[column].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A text as a target field stores it.
pub fn stored(row: &Row, column: &str) -> Value {
    text(row, column).map_or(Value::Null, Value::from)
}

/// The name of a record that is new.
pub fn new(key: &str) -> String {
    format!("new {key}")
}
