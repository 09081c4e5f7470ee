//! The action `Merge`: two rows of one table become one.
//!
//! The subordinate stays, inactive, and names its master; whatever leads to it leads to the master afterwards. In: the body
//! of the action, or a test's two keys. Out: changed rows, or a refusal and nothing changed.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/merge>

use serde_json::{Map, Value, json};

use super::errors::Refusal;
use super::guid::Guid;
use super::payload::object;
use super::route::no_content;
use super::row::TARGET;
use super::schema::Column;
use super::service::Dynamics;
use super::store::Store;
use super::target::RowKey;
use super::write::{Write, Written, save};

const ACTION: &str = "Merge";

/// Tables whose rows can be merged, of those that the sandbox has.
const TABLES: [&str; 2] = ["account", "contact"];
const MASTER: &str = "masterid";
const INACTIVE: i64 = 1;

/// The rows that one merge is about.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct Merge {
    pub(in crate::sandbox) table: usize,
    pub(in crate::sandbox) master: Guid,
    pub(in crate::sandbox) subordinate: Guid,
}

/// Whether a write is the action.
pub(in crate::sandbox) fn is_asked(write: &Write<'_>) -> bool {
    write.ask.method == "POST" && write.place.segments() == [ACTION]
}

/// Carries out the action as a request asks for it.
pub(in crate::sandbox) fn answer(write: &Write<'_>, store: &mut Store) -> Result<Written, Refusal> {
    let mut members = object(ACTION, &write.ask.body)?;
    let (table, master) = reference(write, &mut members, "Target")?;
    let (other, subordinate) = reference(write, &mut members, "Subordinate")?;
    if table != other {
        return Err(wrong("The two rows are not of one table."));
    }
    let content = match members.remove("UpdateContent") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(content)) => write.scope(store, table).read(&content)?.values,
        Some(_) => return Err(wrong("'UpdateContent' is not an object.")),
    };
    let merge = Merge { table, master, subordinate };
    match members.remove("PerformParentingChecks") {
        Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => merge.check_parents(write.dynamics, store)?,
        _ => return Err(wrong("The parameter 'PerformParentingChecks' is missing.")),
    }
    if let Some(name) = members.keys().next() {
        return Err(wrong(&format!("The parameter '{name}' is not one of the action.")));
    }
    merge.apply(write.dynamics, store, content, write.caller)?;
    Ok(Written { reply: no_content().writing(2), row: None })
}

/// The row that a parameter names by its type and its key.
fn reference(write: &Write<'_>, members: &mut Map<String, Value>, name: &str) -> Result<RowKey, Refusal> {
    let Some(Value::Object(named)) = members.remove(name) else {
        return Err(wrong(&format!("The parameter '{name}' is missing.")));
    };
    let schema = &write.dynamics.schema;
    let kind = named.get("@odata.type").and_then(Value::as_str).unwrap_or("").trim_start_matches('#');
    let table = kind.strip_prefix("Microsoft.Dynamics.CRM.").and_then(|logical| schema.table(logical));
    let table = table.ok_or_else(|| wrong(&format!("'{name}' must name its type in '@odata.type'.")))?;
    let id = named.get(schema.tables[table].key()).and_then(Value::as_str).and_then(Guid::parse);
    Ok((table, id.ok_or_else(|| wrong(&format!("'{name}' has no key.")))?))
}

fn wrong(text: &str) -> Refusal {
    Refusal::payload(ACTION, &format!("Microsoft.OData.ODataException: {text}"))
}

impl Merge {
    pub(in crate::sandbox) fn apply(
        self,
        dynamics: &Dynamics,
        store: &mut Store,
        content: Map<String, Value>,
        caller: &str,
    ) -> Result<(), Refusal> {
        self.check(dynamics, store)?;
        for (row, values) in self.led_to(dynamics, store) {
            save(dynamics, store, row, values, caller)?;
        }
        save(dynamics, store, (self.table, self.master), content, caller)?;
        let merged = json!({"merged": true, "_masterid_value": self.master.text(), "statecode": INACTIVE});
        let merged = merged.as_object().cloned().unwrap_or_default();
        save(dynamics, store, (self.table, self.subordinate), merged, caller)
    }

    fn check(self, dynamics: &Dynamics, store: &Store) -> Result<(), Refusal> {
        let table = &dynamics.schema.tables[self.table];
        if !TABLES.contains(&table.logical.as_str()) {
            return Err(Refusal::missing(&format!("merging rows of {}", table.logical)));
        }
        let rows = &store.tables[self.table].rows;
        for id in [self.master, self.subordinate] {
            let row = rows.get(&id).ok_or_else(|| Refusal::absent(&table.logical, &id.text()))?;
            let is_merged =
                table.column("merged").and_then(|column| row.json(column)).is_some_and(|(json, _)| json == "true");
            if is_merged {
                let text = format!("The {} with id {} was merged before.", table.logical, id.text());
                return Err(Refusal::new(400, "0x80040203", text));
            }
        }
        if self.master == self.subordinate {
            return Err(Refusal::new(400, "0x80040203", "A row cannot be merged with itself."));
        }
        Ok(())
    }

    /// What the service would say of rows with different parents is not known.
    fn check_parents(self, dynamics: &Dynamics, store: &Store) -> Result<(), Refusal> {
        let table = &dynamics.schema.tables[self.table];
        let column = table.column("_parentaccountid_value").or_else(|| table.column("_parentcustomerid_value"));
        let parent = |id: Guid| store.tables[self.table].rows.get(&id).and_then(|row| row.guid(column?));
        if parent(self.master) == parent(self.subordinate) {
            return Ok(());
        }
        Err(Refusal::missing("PerformParentingChecks for rows with different parents"))
    }

    /// Every row with a lookup that leads to the subordinate, and those lookups as they are afterwards. A row that was
    /// merged into it earlier keeps its master, and the master is not its own parent.
    fn led_to(self, dynamics: &Dynamics, store: &Store) -> Vec<(RowKey, Map<String, Value>)> {
        let (schema, merged) = (&dynamics.schema, &dynamics.schema.tables[self.table].logical);
        let mut found = Vec::new();
        for (place, table) in schema.tables.iter().enumerate() {
            let leads = |(index, column): (usize, &Column)| {
                let target = column.targets.iter().position(|target| target == merged)?;
                (column.logical != MASTER).then_some((index, target))
            };
            let lookups: Vec<(usize, usize)> = table.columns.iter().enumerate().filter_map(leads).collect();
            for (id, row) in &store.tables[place].rows {
                let mut values = Map::new();
                for &(index, target) in &lookups {
                    let names = row.json(index).is_some_and(|(_, found)| found == target);
                    if !names || row.guid(index) != Some(self.subordinate) {
                        continue;
                    }
                    let property = &table.columns[index].property;
                    let is_master = (place, *id) == (self.table, self.master);
                    values.insert(property.clone(), if is_master { Value::Null } else { self.master.text().into() });
                    if table.columns[index].targets.len() > 1 {
                        values.insert(format!("{property}{TARGET}"), merged.clone().into());
                    }
                }
                if !values.is_empty() && (place, *id) != (self.table, self.subordinate) {
                    found.push(((place, *id), values));
                }
            }
        }
        found
    }
}
