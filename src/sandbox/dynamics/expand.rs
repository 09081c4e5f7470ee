//! `$expand`: related rows inside a row.
//!
//! One row through a lookup, with rows through its own lookups; and the rows of a collection, one level deep, of which
//! `$filter`, `$orderby` and `$top` choose. Owners and other options answer 501. In: the option's text. Out: what to write after a row's columns.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::assumptions::{EXPAND_LIMIT, PAGE_LIMIT};
use super::errors::Refusal;
use super::filter::Condition;
use super::guid::Guid;
use super::nested::{Item, items};
use super::options::{Given, resolved, select, top};
use super::order::Order;
use super::relationships;
use super::row::Row;
use super::schema::Schema;
use super::store::Store;

/// What the service says of the order and number of rows where a lookup leads to one.
const TO_ONE: &str = "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or \
                      nested one-to-many relationship.";

/// Which rows an item leads to.
pub(in crate::sandbox) enum Leads {
    /// The row that a lookup of this table names.
    One { column: usize, target: usize },
    /// The rows of another table whose lookup names this row.
    Many { column: usize, target: usize },
}

/// One item of an `$expand`.
pub(in crate::sandbox) struct Expand {
    pub(in crate::sandbox) name: String,
    leads: Leads,
    /// The table of the related rows.
    pub(in crate::sandbox) table: usize,
    pub(in crate::sandbox) select: Option<Vec<usize>>,
    select_text: String,
    filter: Option<Condition>,
    order: Option<Order>,
    top: usize,
    pub(in crate::sandbox) inner: Vec<Expand>,
}

/// An item with the rows of its collection, by the row they belong to.
pub(in crate::sandbox) struct Expanded<'a> {
    pub(in crate::sandbox) expand: &'a Expand,
    collections: HashMap<Guid, Vec<&'a Row>>,
    pub(in crate::sandbox) inner: Vec<Expanded<'a>>,
}

/// What stands in a row under the item's name.
pub(in crate::sandbox) enum Related<'a> {
    One(Option<&'a Row>),
    Many(&'a [&'a Row]),
}

/// Reads all items; nested ones count towards the service's limit too.
pub(in crate::sandbox) fn read(
    text: &str,
    schema: &Schema,
    table: usize,
    given: &Given,
) -> Result<Vec<Expand>, Refusal> {
    let mut left = EXPAND_LIMIT;
    level(text, schema, table, given, &mut left)
}

fn level(text: &str, schema: &Schema, table: usize, given: &Given, left: &mut usize) -> Result<Vec<Expand>, Refusal> {
    let mut list = Vec::new();
    for item in items(text)? {
        *left = left.checked_sub(1).ok_or_else(|| {
            Refusal::option(format!("The number of $expand segments exceeds the limit of {EXPAND_LIMIT}."))
        })?;
        list.push(one(&item, schema, table, given, left)?);
    }
    Ok(list)
}

fn one(item: &Item<'_>, schema: &Schema, table: usize, given: &Given, left: &mut usize) -> Result<Expand, Refusal> {
    let (leads, related) = leads(item.name, schema, table)?;
    let many = matches!(leads, Leads::Many { .. });
    let (name, description) = (item.name.to_owned(), &schema.tables[related]);
    let (select_text, inner) = (String::new(), Vec::new());
    let (table, top_rows) = (related, PAGE_LIMIT);
    let mut expand =
        Expand { name, leads, table, select: None, select_text, filter: None, order: None, top: top_rows, inner };
    for (option, value) in &item.options {
        match *option {
            "$select" => {
                expand.select = Some(select(value, description)?);
                expand.select_text = (*value).to_owned();
            }
            "$filter" if many => expand.filter = Some(Condition::read(value, description, given)?),
            "$orderby" if many => expand.order = Some(Order::read(resolved(value, &given.aliases), description)?),
            "$top" if many => expand.top = top(value)?,
            "$orderby" | "$top" => return Err(Refusal::option(TO_ONE)),
            "$expand" if !many => {
                expand.inner = level(value, schema, related, given, left)?;
                if expand.inner.iter().any(|inner| matches!(inner.leads, Leads::Many { .. })) {
                    return Err(Refusal::missing("a collection below a lookup in $expand"));
                }
            }
            other => return Err(Refusal::missing(&format!("{other} inside $expand={}", item.name))),
        }
    }
    Ok(expand)
}

/// Where a navigation property of a table leads, and the table of the rows there.
pub(in crate::sandbox) fn leads(name: &str, schema: &Schema, table: usize) -> Result<(Leads, usize), Refusal> {
    let description = &schema.tables[table];
    if name.contains('/') {
        return Err(Refusal::missing(&format!("$expand={name}")));
    }
    if let Some((column, targets)) = description.navigation(name) {
        let [target] = targets else {
            return Err(Refusal::missing(&format!("$expand={name}, which has several types")));
        };
        let related = schema.table(target).ok_or_else(|| Refusal::missing(&format!("the table {target}")))?;
        let target = description.columns[column].targets.iter().position(|one| one == target).unwrap_or(0);
        return Ok((Leads::One { column, target }, related));
    }
    let found = relationships::all(schema).into_iter().find(|one| one.schema_name == name && one.leads_to(description));
    let found = found.ok_or_else(|| Refusal::property(name, &description.logical))?;
    let related = schema.table(&found.referencing.logical).unwrap_or(table);
    let column = schema.tables[related].column(&found.column.property).unwrap_or(0);
    let target = found.column.targets.iter().position(|one| *one == found.referenced).unwrap_or(0);
    Ok((Leads::Many { column, target }, related))
}

/// Items as the reply's context names them.
pub(in crate::sandbox) fn context(list: &[Expand]) -> Vec<String> {
    let one = |expand: &Expand| {
        let mut inner: Vec<String> = vec![expand.select_text.clone()];
        inner.extend(context(&expand.inner));
        inner.retain(|part| !part.is_empty());
        format!("{}({})", expand.name, inner.join(","))
    };
    list.iter().map(one).collect()
}

/// Finds the rows of all collections in one pass over their table, for the rows of a page.
pub(in crate::sandbox) fn prepare<'a>(
    list: &'a [Expand],
    store: &'a Store,
    schema: &Schema,
    rows: &[&Row],
) -> Vec<Expanded<'a>> {
    let one = |expand: &'a Expand| {
        let mut collections: HashMap<Guid, Vec<&'a Row>> = HashMap::new();
        if let Leads::Many { column, target } = expand.leads {
            collections.extend(rows.iter().filter_map(|row| row.guid(0)).map(|id| (id, Vec::new())));
            let rows = &store.tables[expand.table].rows;
            let sorted = expand.order.as_ref().map(|order| store.sorted(schema, expand.table, order));
            let in_order: Vec<&Row> = match &sorted {
                Some(sorted) => sorted.iter().filter_map(|(_, id)| Some(rows.get(id)?.as_ref())).collect(),
                None => rows.values().map(Arc::as_ref).collect(),
            };
            for row in in_order {
                let named = row.json(column).is_some_and(|(_, found)| found == target);
                let Some(found) = row.guid(column).filter(|_| named).and_then(|id| collections.get_mut(&id)) else {
                    continue;
                };
                let wanted = |filter: &Condition| filter.holds(row, &schema.tables[expand.table]);
                if found.len() < expand.top && expand.filter.as_ref().is_none_or(wanted) {
                    found.push(row);
                }
            }
        }
        // Below a lookup there are only lookups, which need no pass.
        Expanded { expand, collections, inner: prepare(&expand.inner, store, schema, &[]) }
    };
    list.iter().map(one).collect()
}

impl<'a> Expanded<'a> {
    pub(in crate::sandbox) fn related(&'a self, store: &'a Store, row: &Row) -> Related<'a> {
        match self.expand.leads {
            Leads::One { column, target } => {
                let named = row.json(column).is_some_and(|(_, found)| found == target);
                let id = row.guid(column).filter(|_| named);
                Related::One(id.and_then(|id| store.tables[self.expand.table].find(&id)))
            }
            Leads::Many { .. } => {
                let found = row.guid(0).and_then(|id| self.collections.get(&id));
                Related::Many(found.map_or(&[][..], Vec::as_slice))
            }
        }
    }
}
