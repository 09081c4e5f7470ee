//! One page of an entity set by FetchXML.
//!
//! Pages go on by a cookie that the client puts into its next fetch; without one they are counted from the start, as far as
//! the service does that. In: a request with `fetchXml`. Out: a page, with the cookie beside it where the client prefers it.

use std::sync::PoisonError;

use serde_json::Value;

use super::super::assumptions::{COOKIELESS_LIMIT, PAGE_LIMIT};
use super::super::http::{Ask, Reply};
use super::cookie;
use super::errors::Refusal;
use super::fetch::Fetch;
use super::options::Given;
use super::page::{Cut, opening, totals};
use super::place::Place;
use super::prefer::Prefer;
use super::route::body;
use super::service::Dynamics;

pub(in crate::sandbox) fn is_asked(ask: &Ask) -> bool {
    ask.parameter("fetchXml").is_some()
}

pub(in crate::sandbox) fn answer(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    table: usize,
) -> Result<Reply, Refusal> {
    let schema = &dynamics.schema;
    if let Some((name, _)) = url::form_urlencoded::parse(ask.query.as_bytes()).find(|(name, _)| name != "fetchXml") {
        return Err(Refusal::missing(&format!("{name} beside fetchXml")));
    }
    let prefer = Prefer::read(&ask.headers)?;
    let text = ask.parameter("fetchXml").unwrap_or_default();
    let fetch = Fetch::read(&text, &schema.tables[table], Given::of(dynamics, "").now)?;
    let resume = match &fetch.cookie {
        Some(cookie) if dynamics.knows_link(cookie) => Some(cookie::read_inner(cookie).ok_or_else(cookie::invalid)?),
        Some(_) => return Err(cookie::invalid()),
        None => None,
    };
    let size = fetch.options.top.or(fetch.count).or(prefer.page_size).unwrap_or(PAGE_LIMIT);
    let skipped = if resume.is_some() { 0 } else { (fetch.page - 1).saturating_mul(size) };
    if skipped > COOKIELESS_LIMIT {
        let text = "Paging cookie is required when trying to retrieve a set of records on any high pages.";
        return Err(Refusal::new(400, "0x8004430a", text));
    }
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let cut = Cut { store: &store, schema, table, options: &fetch.options };
    let mut rows = cut.rows(resume.as_ref(), skipped + size + 1)?;
    rows.drain(..skipped.min(rows.len()));
    let more = fetch.options.top.is_none() && rows.len() > size;
    rows.truncate(size);

    let mut out = opening(place, &schema.tables[table].set, &fetch.options.context(), "");
    totals(&mut out, None, prefer.count);
    if prefer.more {
        out.push_str(&format!(",\"@Microsoft.Dynamics.CRM.morerecords\":{more}"));
    }
    if more && prefer.cookie {
        let page = resume.map_or(fetch.page, |resume| resume.page);
        let inner = cookie::inner(page, &cut.marks(&rows));
        let cookie = Value::from(cookie::annotation(page, &inner));
        out.push_str(&format!(",\"@Microsoft.Dynamics.CRM.fetchxmlpagingcookie\":{cookie}"));
        dynamics.remember_link(&inner);
    }
    cut.write(&mut out, &rows, &prefer);
    out.push('}');
    Ok(body(out, &prefer, rows.len()))
}
