//! What may be done with each table, and what the caller may.
//!
//! It is told, not enforced, but for change tracking, which needs to read everything. In: a table, or what a test grants. Out:
//! privileges as metadata lists them, and those that the caller holds.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::super::http::Reply;
use super::definition::metadata_id;
use super::errors::Refusal;
use super::place::Place;
use super::prefer::Prefer;
use super::route::body;
use super::schema::TableSchema;
use super::service::Dynamics;

/// The bound function that tells a user's privileges.
const FUNCTION: &str = "Microsoft.Dynamics.CRM.RetrieveUserPrivileges";
const KINDS: [&str; 8] = ["Create", "Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo"];

/// The privileges of the caller, as far as they differ from reading everything: table and kind, with the depth if it is held.
#[derive(Default)]
pub(in crate::sandbox) struct Granted(Mutex<BTreeMap<(String, String), Option<String>>>);

impl Granted {
    /// Gives or takes one privilege.
    pub(in crate::sandbox) fn set(&self, table: &str, kind: &str, depth: Option<&str>) {
        let mut granted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        granted.insert((table.to_owned(), kind.to_owned()), depth.map(str::to_owned));
    }

    /// Whether the caller may read all rows of a table.
    pub(in crate::sandbox) fn reads_everything(&self, table: &str) -> bool {
        self.depth(table, "Read").as_deref() == Some("Global")
    }

    fn depth(&self, table: &str, kind: &str) -> Option<String> {
        let granted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reads = || (kind == "Read").then(|| "Global".to_owned());
        granted.get(&(table.to_owned(), kind.to_owned())).cloned().unwrap_or_else(reads)
    }
}

/// The privileges that a table knows. The name of the one for users is short, as it is older than the table's.
pub(in crate::sandbox) fn of_table(table: &TableSchema) -> Value {
    let name = if table.logical == "systemuser" { "User" } else { table.schema_name.as_str() };
    let one = |kind: &&str| {
        json!({
            "CanBeBasic": true, "CanBeDeep": true, "CanBeGlobal": true, "CanBeLocal": true,
            "CanBeEntityReference": false, "CanBeParentEntityReference": false, "CanBeRecordFilter": false,
            "Name": format!("prv{kind}{name}"),
            "PrivilegeId": id(&table.logical, kind),
            "PrivilegeType": kind,
        })
    };
    KINDS.iter().map(one).collect()
}

/// Whether a path asks for somebody's privileges.
pub(in crate::sandbox) fn is_asked(segments: &[&str]) -> bool {
    matches!(segments, [user, call] if user.starts_with("systemusers(") && call.trim_end_matches("()") == FUNCTION)
}

/// Those of the caller; nobody else's are known.
pub(in crate::sandbox) fn held(
    dynamics: &Dynamics,
    place: &Place,
    segments: &[&str],
    caller: &str,
) -> Result<Reply, Refusal> {
    let user = segments.first().and_then(|first| first.strip_prefix("systemusers(")?.strip_suffix(')'));
    if !user.is_some_and(|user| user.eq_ignore_ascii_case(caller)) {
        return Err(Refusal::missing("the privileges of another than the caller"));
    }
    let tables = dynamics.schema.tables.iter();
    let held: Vec<Value> = tables
        .flat_map(|table| KINDS.iter().map(move |kind| (table, *kind)))
        .filter_map(|(table, kind)| {
            let depth = dynamics.granted.depth(&table.logical, kind)?;
            Some(json!({
                "Depth": depth, "PrivilegeId": id(&table.logical, kind), "BusinessUnitId": dynamics.business_unit,
            }))
        })
        .collect();
    let context = format!("{}$metadata#Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse", place.base);
    let answer = json!({"@odata.context": context, "RolePrivileges": held});
    Ok(body(answer.to_string(), &Prefer::default(), 0))
}

fn id(table: &str, kind: &str) -> String {
    metadata_id(&format!("privilege {kind} {table}"))
}
