//! One row as JSON text, written straight into the reply.
//!
//! Annotations stand directly before the property they belong to, related rows after all columns. In: a row, its columns,
//! the wishes of `Prefer`. Out: text at the end of a buffer.

use super::expand::{Expanded, Related};
use super::formatted::formatted;
use super::prefer::Prefer;
use super::row::Row;
use super::schema::{Schema, TableSchema};
use super::store::Store;

/// What every row of a reply is written with.
pub(in crate::sandbox) struct Renderer<'a> {
    pub(in crate::sandbox) store: &'a Store,
    pub(in crate::sandbox) schema: &'a Schema,
    pub(in crate::sandbox) table: usize,
    pub(in crate::sandbox) columns: &'a [usize],
    pub(in crate::sandbox) prefer: &'a Prefer,
    pub(in crate::sandbox) expanded: &'a [Expanded<'a>],
}

impl Renderer<'_> {
    /// Writes the row's keys and values after what the caller has written, without braces.
    pub(in crate::sandbox) fn members(&self, out: &mut String, row: &Row) {
        out.push_str("\"@odata.etag\":\"W/\\\"");
        out.push_str(&row.version.to_string());
        out.push_str("\\\"\"");
        let table = &self.schema.tables[self.table];
        for (&index, cell) in self.columns.iter().zip(row.cells(self.columns)) {
            let column = &table.columns[index];
            if let Some((_, target)) = cell {
                self.annotations(out, row, table, index, target);
            }
            out.push_str(",\"");
            out.push_str(&column.property);
            out.push_str("\":");
            out.push_str(cell.map_or("null", |(json, _)| json));
        }
        for expanded in self.expanded {
            self.related(out, expanded, row);
        }
    }

    fn related(&self, out: &mut String, expanded: &Expanded<'_>, row: &Row) {
        let table = expanded.expand.table;
        let all: Vec<usize> = (0..self.schema.tables[table].columns.len()).collect();
        let columns = expanded.expand.select.as_deref().unwrap_or(&all);
        let inner = Renderer { table, columns, expanded: &expanded.inner, ..*self };
        out.push_str(",\"");
        out.push_str(&expanded.expand.name);
        out.push_str("\":");
        match expanded.related(self.store, row) {
            Related::One(None) => out.push_str("null"),
            Related::One(Some(found)) => inner.object(out, found),
            Related::Many(list) => {
                out.push('[');
                for (index, found) in list.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    inner.object(out, found);
                }
                out.push(']');
            }
        }
    }

    fn object(&self, out: &mut String, row: &Row) {
        out.push('{');
        self.members(out, row);
        // A user is an owner too, and comes with both of his keys.
        if self.schema.tables[self.table].logical == "systemuser"
            && let Some(id) = row.guid(0)
        {
            out.push_str(&format!(",\"ownerid\":\"{}\"", id.text()));
        }
        out.push('}');
    }

    fn annotations(&self, out: &mut String, row: &Row, table: &TableSchema, index: usize, target: usize) {
        let column = &table.columns[index];
        if self.prefer.formatted
            && let Some(text) = formatted(self.store, self.schema, table, row, index)
        {
            annotate(out, &column.property, "OData.Community.Display.V1.FormattedValue", &text);
        }
        if !column.is_lookup() {
            return;
        }
        let target = &column.targets[target];
        if self.prefer.navigation {
            let navigation = column.navigation(target);
            annotate(out, &column.property, "Microsoft.Dynamics.CRM.associatednavigationproperty", &navigation);
        }
        if self.prefer.target {
            annotate(out, &column.property, "Microsoft.Dynamics.CRM.lookuplogicalname", target);
        }
    }
}

fn annotate(out: &mut String, property: &str, name: &str, value: &str) {
    out.push_str(",\"");
    out.push_str(property);
    out.push('@');
    out.push_str(name);
    out.push_str("\":");
    out.push_str(&serde_json::Value::from(value).to_string());
}
