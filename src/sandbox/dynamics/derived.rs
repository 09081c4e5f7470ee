//! What the service itself puts into a row that is written: defaults, stamps and computed columns.
//!
//! It knows no request. In: the row before, and the values a body gives. Out: the whole row to store, or the refusal of
//! values that do not go together.

use serde_json::{Map, Value, json};

use super::super::assumptions::WRONG_STATUS;
use super::errors::Refusal;
use super::guid::Guid;
use super::row::{TARGET, instant};
use super::schema::{Column, Kind, Schema, TableSchema};
use super::store::Store;

/// Who writes, when, and what an unknown owner falls back to.
pub(in crate::sandbox) struct Stamp<'a> {
    pub(in crate::sandbox) caller: &'a str,
    pub(in crate::sandbox) business_unit: &'a str,
    pub(in crate::sandbox) now: &'a str,
}

const OWNER: &str = "_ownerid_value";
const CURRENCY: &str = "_transactioncurrencyid_value";

/// The row as it is stored after the change.
pub(in crate::sandbox) fn row(
    store: &Store,
    schema: &Schema,
    table: &TableSchema,
    id: Guid,
    changes: Map<String, Value>,
    stamp: &Stamp<'_>,
) -> Result<Map<String, Value>, Refusal> {
    let place = schema.table(&table.logical).unwrap_or(0);
    let before = store.tables[place].rows.get(&id).map(|row| row.map(table));
    let is_new = before.is_none();
    let mut row = before.unwrap_or_default();
    row.insert(table.key().to_owned(), id.text().into());
    let changed: Vec<String> = changes.keys().cloned().collect();
    let touches = |name: &str| changed.iter().any(|changed| changed == name);
    row.extend(changes);
    if is_new {
        defaults(table, &mut row, stamp);
    }
    if is_new || touches(OWNER) {
        owner(table, &mut row);
    }
    state(table, &mut row, id, is_new, (touches("statecode"), touches("statuscode")))?;
    if table.column("fullname").is_some() && (is_new || touches("firstname") || touches("lastname")) {
        row.insert("fullname".to_owned(), full_name(&row));
    }
    let counts = |column: &&Column| column.kind == Kind::Money && !column.read_only;
    let amounts: Vec<&str> = table.columns.iter().filter(counts).map(|column| column.property.as_str()).collect();
    if is_new || touches(CURRENCY) || amounts.iter().any(|name| touches(name)) {
        money(store, schema, table, &mut row, &amounts);
    }
    stamps(table, &mut row, is_new, stamp);
    Ok(row)
}

fn empty(row: &Map<String, Value>, name: &str) -> bool {
    row.get(name).is_none_or(Value::is_null)
}

fn defaults(table: &TableSchema, row: &mut Map<String, Value>, stamp: &Stamp<'_>) {
    if table.column(OWNER).is_some() && empty(row, OWNER) {
        row.insert(OWNER.to_owned(), stamp.caller.into());
        row.insert(format!("{OWNER}{TARGET}"), "systemuser".into());
    }
    let unit = "_owningbusinessunit_value";
    if table.column(unit).is_some() && empty(row, unit) {
        row.insert(unit.to_owned(), stamp.business_unit.into());
    }
}

/// An owner is kept a second time, under what he is.
fn owner(table: &TableSchema, row: &mut Map<String, Value>) {
    let is_team = row.get(&format!("{OWNER}{TARGET}")).is_some_and(|target| target == "team");
    let owner = row.get(OWNER).cloned().unwrap_or(Value::Null);
    for (name, wanted) in [("_owninguser_value", !is_team), ("_owningteam_value", is_team)] {
        if table.column(name).is_some() && table.column(OWNER).is_some() {
            row.insert(name.to_owned(), if wanted { owner.clone() } else { Value::Null });
        }
    }
}

/// A state brings its default reason, and a reason must be one of its state.
fn state(
    table: &TableSchema,
    row: &mut Map<String, Value>,
    id: Guid,
    is_new: bool,
    (state_given, reason_given): (bool, bool),
) -> Result<(), Refusal> {
    let (Some(states), Some(reasons)) = (table.column("statecode"), table.column("statuscode")) else { return Ok(()) };
    let (states, reasons) = (&table.columns[states].choices, &table.columns[reasons].choices);
    let number = |row: &Map<String, Value>, name: &str| row.get(name).and_then(Value::as_i64);
    if is_new && !state_given {
        row.insert("statecode".to_owned(), states.first().map(|choice| choice.value).into());
    }
    let state = number(row, "statecode");
    if (is_new || state_given) && !reason_given {
        let first = reasons.iter().find(|reason| reason.state == state).map(|reason| reason.value);
        row.insert("statuscode".to_owned(), first.into());
    }
    let reason = number(row, "statuscode");
    let belongs = reasons.iter().any(|choice| Some(choice.value) == reason && choice.state == state);
    if belongs || !(state_given || reason_given) {
        return Ok(());
    }
    let label = states.iter().find(|choice| Some(choice.value) == state).map_or("", |choice| choice.label.as_str());
    let text = format!(
        "{} is not a valid status code for state code {}State.{label} with Id {}.",
        reason.unwrap_or_default(),
        table.schema_name,
        id.text()
    );
    Err(Refusal::new(400, WRONG_STATUS, text))
}

fn full_name(row: &Map<String, Value>) -> Value {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("");
    let name = format!("{} {}", text("firstname"), text("lastname")).trim().to_owned();
    if name.is_empty() { Value::Null } else { name.into() }
}

/// Amounts in the base currency, and the rate and currency they were counted with.
fn money(store: &Store, schema: &Schema, table: &TableSchema, row: &mut Map<String, Value>, amounts: &[&str]) {
    if table.column(CURRENCY).is_none() || table.column("exchangerate").is_none() {
        return;
    }
    let any = amounts.iter().any(|name| !empty(row, name));
    if any && empty(row, CURRENCY) {
        row.insert(CURRENCY.to_owned(), base_currency(store, schema));
    }
    if let Some(rate) = rate(store, schema, row) {
        row.insert("exchangerate".to_owned(), rate.into());
    }
    let rate = row.get("exchangerate").and_then(Value::as_f64).filter(|rate| *rate > 0.0).unwrap_or(1.0);
    for name in amounts {
        let base = format!("{name}_base");
        if table.column(&base).is_some() {
            let amount = row.get(*name).and_then(Value::as_f64).map(|amount| amount / rate);
            row.insert(base, amount.map_or(Value::Null, |amount| json!(amount)));
        }
    }
}

fn rate(store: &Store, schema: &Schema, row: &Map<String, Value>) -> Option<f64> {
    let id = Guid::parse(row.get(CURRENCY)?.as_str()?)?;
    let place = schema.table("transactioncurrency")?;
    let column = schema.tables[place].column("exchangerate")?;
    store.tables[place].rows.get(&id)?.plain(column)?.parse().ok()
}

/// The currency whose rate is one.
fn base_currency(store: &Store, schema: &Schema) -> Value {
    let found = schema.table("transactioncurrency").and_then(|place| {
        let column = schema.tables[place].column("exchangerate")?;
        let is_base = |rate: Option<String>| rate.and_then(|rate| rate.parse::<f64>().ok()) == Some(1.0);
        store.tables[place].rows.iter().find(|(_, row)| is_base(row.plain(column))).map(|(id, _)| id.text())
    });
    found.map_or(Value::Null, Value::from)
}

fn stamps(table: &TableSchema, row: &mut Map<String, Value>, is_new: bool, stamp: &Stamp<'_>) {
    let earlier = row.get("modifiedon").and_then(Value::as_str).unwrap_or(stamp.now).to_owned();
    let latest = if instant(&earlier) > instant(stamp.now) { earlier } else { stamp.now.to_owned() };
    let mut set = |name: &str, value: &str| {
        if table.column(name).is_some() {
            row.insert(name.to_owned(), value.into());
        }
    };
    set("modifiedon", &latest);
    set("_modifiedby_value", stamp.caller);
    if is_new {
        set("createdon", stamp.now);
        set("_createdby_value", stamp.caller);
    }
}
