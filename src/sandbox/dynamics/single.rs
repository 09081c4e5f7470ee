//! One row by its key.
//!
//! Alternate keys and paths below a row answer 501. In: the text between the parentheses. Out: the row, or the
//! service's refusal of a key it does not have.

use std::sync::PoisonError;

use super::super::http::{Ask, Reply};
use super::errors::Refusal;
use super::guid::Guid;
use super::options::Options;
use super::page::opening;
use super::prefer::Prefer;
use super::render::Renderer;
use super::serve::{Place, body};
use super::service::Dynamics;

pub(in crate::sandbox) fn row(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    table: usize,
    key: &str,
) -> Result<Reply, Refusal> {
    let schema = &dynamics.schema;
    let description = &schema.tables[table];
    if key.contains('=') {
        return Err(Refusal::missing("alternate keys"));
    }
    let unknown = || Refusal::syntax(format!("Error in query syntax: '{key}' is not a key of '{}'.", description.set));
    let id = Guid::parse(key).ok_or_else(unknown)?;
    let prefer = Prefer::read(&ask.headers)?;
    let options = Options::read(&ask.query, description)?;
    if options.filter.is_some() || options.order.is_some() || options.top.is_some() || options.skip_token.is_some() {
        return Err(Refusal::option("Only $select and $expand can be used on a single row."));
    }
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let Some(found) = store.tables[table].rows.get(&id) else {
        let text = format!("{} With Id = {} Does Not Exist", description.logical, id.text());
        return Err(Refusal::new(404, "0x80040217", text));
    };
    let all: Vec<usize> = (0..description.columns.len()).collect();
    let columns = options.select.as_deref().unwrap_or(&all);
    let mut out = opening(place, &description.set, &options.select_text, "/$entity");
    out.push(',');
    Renderer { store: &store, schema, table, columns, prefer: &prefer }.members(&mut out, found);
    out.push('}');
    Ok(body(out, &prefer, 1))
}
