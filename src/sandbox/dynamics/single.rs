//! One row by its key.
//!
//! Paths below a row answer 501. In: the text between the parentheses. Out: the row, nothing when
//! the client already has it, or the service's refusal of a key it does not have.

use std::sync::PoisonError;

use super::super::http::{Ask, Reply};
use super::errors::Refusal;
use super::expand;
use super::key::locate;
use super::options::Options;
use super::page::opening;
use super::place::Place;
use super::precondition::{Precondition, tag};
use super::prefer::Prefer;
use super::render::Renderer;
use super::route::body;
use super::row::Row;
use super::schema::Schema;
use super::service::Dynamics;
use super::store::Store;

pub(in crate::sandbox) fn row(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    table: usize,
    key: &str,
) -> Result<Reply, Refusal> {
    let schema = &dynamics.schema;
    let description = &schema.tables[table];
    let (prefer, condition) = (Prefer::read(&ask.headers)?, Precondition::read(&ask.headers)?);
    if condition.must_exist || condition.must_not_exist {
        return Err(Refusal::missing("If-Match, or If-None-Match: *, on a read"));
    }
    let options = Options::read(dynamics, &ask.query, table)?;
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let id = locate(description, &store.tables[table], key)?.existing(description)?;
    let found = store.tables[table].find(&id);
    let found = found.ok_or_else(|| Refusal::absent(&description.logical, &id.text()))?;
    let etag = tag(found.version);
    // What comes from other rows may have changed although this one has not.
    let alone = options.expand.is_empty() && !prefer.annotated;
    if alone && condition.known == Some(found.version) {
        let mut reply = body(String::new(), &Prefer::default(), 0).with("etag", etag);
        reply.status = 304;
        return Ok(reply);
    }
    Ok(entity(place, &store, schema, table, &options, &prefer, found)?.with("etag", etag))
}

/// The reply that holds one row.
pub(in crate::sandbox) fn entity(
    place: &Place,
    store: &Store,
    schema: &Schema,
    table: usize,
    options: &Options,
    prefer: &Prefer,
    row: &Row,
) -> Result<Reply, Refusal> {
    if options.filter.is_some() || options.order.is_some() || options.top.is_some() || options.skip_token.is_some() {
        return Err(Refusal::option("Only $select and $expand can be used on a single row."));
    }
    let description = &schema.tables[table];
    let all: Vec<usize> = (0..description.columns.len()).collect();
    let columns = options.select.as_deref().unwrap_or(&all);
    let expanded = expand::prepare(&options.expand, store, schema, &[row]);
    let mut out = opening(place, &description.set, &options.context(), "/$entity");
    out.push(',');
    Renderer { store, schema, table, columns, prefer, expanded: &expanded }.members(&mut out, row);
    out.push('}');
    Ok(body(out, prefer, 1))
}
