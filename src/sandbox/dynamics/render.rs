//! One row as JSON text, written straight into the reply.
//!
//! Annotations stand directly before the property they belong to. In: a row, its columns, the wishes of `Prefer`.
//! Out: text at the end of a buffer.

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
}

impl Renderer<'_> {
    /// Writes the row's keys and values after what the caller has written, without braces.
    pub(in crate::sandbox) fn members(&self, out: &mut String, row: &Row) {
        out.push_str("\"@odata.etag\":\"W/\\\"");
        out.push_str(&row.version.to_string());
        out.push_str("\\\"\"");
        let table = &self.schema.tables[self.table];
        for &index in self.columns {
            let column = &table.columns[index];
            let cell = row.json(index);
            if let Some((_, target)) = cell {
                self.annotations(out, row, table, index, target);
            }
            out.push_str(",\"");
            out.push_str(&column.property);
            out.push_str("\":");
            out.push_str(cell.map_or("null", |(json, _)| json));
        }
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
