//! The query options of a read: `$select`, `$filter`, `$orderby`, `$top`, `$count`, `$expand` and `$skiptoken`.
//!
//! In: the query string and the table. Out: the options understood, with parameter aliases (`@p1`) put in, or the refusal
//! of the first that is not.

use std::collections::HashMap;

use super::super::assumptions::{PAGE_LIMIT, UNSUPPORTED_OPTION};
use super::errors::Refusal;
use super::expand::{self, Expand};
use super::filter::Condition;
use super::order::Order;
use super::schema::{Kind, TableSchema};
use super::service::Dynamics;

/// The values of parameter aliases, by name with the `@`.
pub(in crate::sandbox) type Aliases = HashMap<String, String>;

/// What the text of an option may refer to.
pub(in crate::sandbox) struct Given {
    pub(in crate::sandbox) aliases: Aliases,
    /// The moment, in seconds since 1970.
    pub(in crate::sandbox) now: i64,
}

impl Given {
    pub(in crate::sandbox) fn of(dynamics: &Dynamics, query: &str) -> Self {
        Given { aliases: aliases(query), now: dynamics.clock.now_ms().div_euclid(1000) }
    }
}

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
    pub(in crate::sandbox) expand: Vec<Expand>,
}

impl Options {
    pub(in crate::sandbox) fn read(dynamics: &Dynamics, query: &str, table: usize) -> Result<Self, Refusal> {
        let mut options = Options::default();
        let (schema, given) = (&dynamics.schema, Given::of(dynamics, query));
        let (place, table) = (table, &schema.tables[table]);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "$select" => {
                    options.select = Some(select(&value, table)?);
                    options.select_text = value.into_owned();
                }
                "$filter" => options.filter = Some(Condition::read(&value, table, &given)?),
                "$orderby" => options.order = Some(Order::read(resolved(&value, &given.aliases), table)?),
                "$expand" => options.expand = expand::read(&value, schema, place, &given)?,
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
                alias if alias.starts_with('@') => {}
                other => return Err(unknown(other)),
            }
        }
        Ok(options)
    }

    /// The same options for those rows only.
    pub(in crate::sandbox) fn only(mut self, only: Option<Condition>) -> Self {
        self.filter = match (self.filter, only) {
            (Some(filter), Some(only)) => Some(Condition::All(vec![only, filter])),
            (filter, only) => only.or(filter),
        };
        self
    }

    /// What the reply's context says in parentheses.
    pub(in crate::sandbox) fn context(&self) -> String {
        let mut parts = vec![self.select_text.clone()];
        parts.extend(expand::context(&self.expand));
        parts.retain(|part| !part.is_empty());
        parts.join(",")
    }
}

/// The decoded value of an option, if it is there.
pub(in crate::sandbox) fn value_of(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

pub(in crate::sandbox) fn aliases(query: &str) -> Aliases {
    let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
    pairs.filter(|(name, _)| name.starts_with('@')).collect()
}

/// The value of an alias, or the text itself.
pub(in crate::sandbox) fn resolved<'a>(text: &'a str, aliases: &'a Aliases) -> &'a str {
    aliases.get(text.trim()).map_or(text, String::as_str)
}

/// Refuses an option: the sandbox lacks it, or the service itself does.
pub(in crate::sandbox) fn unknown(name: &str) -> Refusal {
    match name {
        "$expand" | "$apply" | "fetchXml" | "savedQuery" | "userQuery" | "$deltatoken" | "sql" => {
            Refusal::missing(name)
        }
        alias if alias.starts_with('@') => Refusal::missing(&format!("parameter alias {alias}")),
        other => Refusal::option(UNSUPPORTED_OPTION.replace("{}", other)),
    }
}

pub(in crate::sandbox) fn top(value: &str) -> Result<usize, Refusal> {
    match value.parse::<usize>() {
        Ok(top) => Ok(top.min(PAGE_LIMIT)),
        Err(_) => Err(Refusal::option(format!("Invalid value '{value}' for $top query option found."))),
    }
}

pub(in crate::sandbox) fn select(value: &str, table: &TableSchema) -> Result<Vec<usize>, Refusal> {
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
