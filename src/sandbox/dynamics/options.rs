//! The query options of a read: `$select`, `$filter`, `$orderby`, `$top`, `$count` and `$skiptoken`.
//!
//! In: the query string and the table. Out: the options understood, or the refusal of the first that is not.

use super::super::assumptions::{PAGE_LIMIT, UNSUPPORTED_OPTION};
use super::errors::Refusal;
use super::filter::Condition;
use super::order::Order;
use super::schema::{Kind, TableSchema};

/// The options of one request.
#[derive(Default)]
pub(in crate::sandbox) struct Options {
    /// Columns in the order of the schema; nothing selects all.
    pub(in crate::sandbox) select: Option<Vec<usize>>,
    pub(in crate::sandbox) select_text: String,
    pub(in crate::sandbox) filter: Option<Condition>,
    pub(in crate::sandbox) order: Option<Order>,
    pub(in crate::sandbox) top: Option<usize>,
    pub(in crate::sandbox) count: bool,
    pub(in crate::sandbox) skip_token: Option<String>,
}

impl Options {
    pub(in crate::sandbox) fn read(query: &str, table: &TableSchema) -> Result<Self, Refusal> {
        let mut options = Options::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "$select" => {
                    options.select = Some(select(&value, table)?);
                    options.select_text = value.into_owned();
                }
                "$filter" => options.filter = Some(Condition::read(&value, table)?),
                "$orderby" => options.order = Some(Order::read(&value, table)?),
                "$top" => options.top = Some(top(&value)?),
                "$count" => {
                    options.count = match value.as_ref() {
                        "true" => true,
                        "false" => false,
                        other => {
                            return Err(Refusal::option(format!("Invalid value '{other}' for $count query option.")));
                        }
                    }
                }
                "$skiptoken" => options.skip_token = Some(value.into_owned()),
                other => return Err(unknown(other)),
            }
        }
        Ok(options)
    }
}

/// Refuses an option: the sandbox lacks it, or the service itself does.
pub(in crate::sandbox) fn unknown(name: &str) -> Refusal {
    match name {
        "$expand" | "$apply" | "fetchXml" | "savedQuery" | "userQuery" | "$deltatoken" => Refusal::missing(name),
        alias if alias.starts_with('@') => Refusal::missing(&format!("parameter alias {alias}")),
        other => Refusal::option(UNSUPPORTED_OPTION.replace("{}", other)),
    }
}

fn top(value: &str) -> Result<usize, Refusal> {
    match value.parse::<usize>() {
        Ok(top) => Ok(top.min(PAGE_LIMIT)),
        Err(_) => Err(Refusal::option(format!("Invalid value '{value}' for $top query option found."))),
    }
}

fn select(value: &str, table: &TableSchema) -> Result<Vec<usize>, Refusal> {
    let mut columns = vec![0];
    for name in value.split(',').map(str::trim) {
        let index = table.column(name).ok_or_else(|| Refusal::property(name, &table.logical))?;
        columns.push(index);
        if table.columns[index].kind == Kind::Money {
            columns.extend(table.column("_transactioncurrencyid_value"));
        }
    }
    columns.sort_unstable();
    columns.dedup();
    Ok(columns)
}
