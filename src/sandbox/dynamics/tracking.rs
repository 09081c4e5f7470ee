//! Change tracking: a read that ends with a link, and what has changed since a link.
//!
//! A first read gives every row by key. A later one gives the rows with a version after the link's, in the order of their
//! versions, and behind them the keys of rows that were deleted since. Either may take several pages; each is a query of its
//! own, as everywhere. In: a request that prefers `odata.track-changes`, or follows such a link. Out: a page; the last
//! one has the next link. <https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems>

use std::ops::Bound;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::super::assumptions::{INVALID_DELTA_TOKEN, PAGE_LIMIT};
use super::super::faults::Effect;
use super::super::http::{Ask, Reply};
use super::cookie;
use super::delta::{self, Phase, Token, Turn};
use super::errors::Refusal;
use super::guid::Guid;
use super::options::{Options, value_of};
use super::page::{Cut, decoded, kept, opening};
use super::place::Place;
use super::prefer::{Prefer, tracks};
use super::route::body;
use super::row::Row;
use super::service::Dynamics;
use super::store::Table;

/// Options that change tracking does not go with.
const REFUSED: [&str; 4] = ["$filter", "$orderby", "$expand", "$top"];

/// Whether a read of a set is one of change tracking. A link of a page says so itself.
pub(in crate::sandbox) fn is_asked(ask: &Ask) -> bool {
    let is_page = || ask.parameter("$skiptoken").is_some_and(|token| token.contains("istracking=\"True\""));
    tracks(&ask.headers) || ask.parameter("$deltatoken").is_some() || is_page()
}

pub(in crate::sandbox) fn answer(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    table: usize,
) -> Result<Reply, Refusal> {
    let schema = &dynamics.schema;
    let prefer = Prefer::of_tracking(&ask.headers)?;
    let since = admitted(dynamics, ask, table)?;
    let options = read_options(dynamics, ask, table)?;
    let turn = turn(dynamics, ask, &options)?;
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let size = prefer.page_size.unwrap_or(PAGE_LIMIT);
    let stored = &store.tables[table];
    let begun = turn.as_ref().map_or_else(|| store.last_version(), |turn| turn.as_of);
    let (rows, gone) = match &since {
        None => (by_key(stored, turn.as_ref(), size + 1), Vec::new()),
        Some(since) => changes(stored, since.version, turn.as_ref(), size + 1),
    };
    // Whoever comes to the deletions has seen all rows up to now, so a link later than this would lose changes.
    let in_rows = turn.as_ref().is_none_or(|turn| turn.phase != Phase::Deletions);
    let as_of =
        if in_rows && !dynamics.tokens_mark_first.load(Ordering::SeqCst) { store.last_version() } else { begun };
    let more = rows.len() + gone.len() > size;
    let (rows, gone) = cut(rows, gone, size);

    let end = if since.is_some() { "/$delta" } else { "" };
    let set = &schema.tables[table].set;
    let mut out = opening(place, set, &options.context(), end);
    Cut { store: &store, schema, table, options: &options }.write(&mut out, &rows, &prefer);
    deletions(&mut out, &gone, place, set, rows.is_empty());
    let next = delta::next(turn.as_ref(), since.is_some(), &rows, &gone, as_of);
    let (name, query) = if let Some(next) = next.filter(|_| more) {
        let token = next.write(schema.tables[table].key());
        dynamics.remember_link(&decoded(&token));
        ("nextLink", format!("{}$skiptoken={token}", kept(&ask.query, &["$skiptoken"])))
    } else {
        let token = Token { version: as_of, given_ms: dynamics.clock.now_ms() };
        ("deltaLink", format!("{}$deltatoken={}", kept(&ask.query, &["$skiptoken", "$deltatoken"]), token.write()))
    };
    let link = serde_json::Value::from(format!("{}{}?{query}", place.base, place.rest));
    out.push_str(&format!(",\"@odata.{name}\":{link}}}"));
    Ok(body(out, &prefer, rows.len() + gone.len()))
}

/// How many rows and deletions there are since a token: a bare number.
pub(in crate::sandbox) fn count(dynamics: &Dynamics, ask: &Ask, table: usize) -> Result<Reply, Refusal> {
    let since = admitted(dynamics, ask, table)?.map_or(0, |token| token.version);
    read_options(dynamics, ask, table)?;
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let (rows, gone) = changes(&store.tables[table], since, None, usize::MAX);
    Ok(Reply::new(200, "text/plain", (rows.len() + gone.len()).to_string()))
}

/// Lets a caller read the changes of a table, from the token that he sends; nothing is a first read.
fn admitted(dynamics: &Dynamics, ask: &Ask, table: usize) -> Result<Option<Token>, Refusal> {
    let name = &dynamics.schema.tables[table].logical;
    if !dynamics.tracks(name) {
        let text = format!("Entity {name} isn't enabled for change tracking.");
        return Err(Refusal::new(400, "0x80072491", text));
    }
    if !dynamics.granted.reads_everything(name) {
        let schema_name = &dynamics.schema.tables[table].schema_name;
        let text = format!("Principal user is missing prvRead{schema_name} privilege at organization level.");
        return Err(Refusal::new(403, "0x80040220", text));
    }
    let Some(text) = ask.parameter("$deltatoken") else { return Ok(None) };
    let wrong = || Refusal::option(INVALID_DELTA_TOKEN);
    let token = Token::read(&text).ok_or_else(wrong)?;
    if token.version > dynamics.store.read().unwrap_or_else(PoisonError::into_inner).last_version() {
        return Err(wrong());
    }
    if dynamics.is_expired(name, &token) {
        let text = "Version stamp associated with the client has expired. Please perform a full sync.";
        return Err(Refusal::new(400, "0x80044352", text));
    }
    Ok(Some(token))
}

fn read_options(dynamics: &Dynamics, ask: &Ask, table: usize) -> Result<Options, Refusal> {
    if let Some(name) = REFUSED.iter().find(|name| value_of(&ask.query, name).is_some()) {
        let text = format!("The \"{name}\" query parameter isn't supported when Change Tracking is enabled.");
        return Err(Refusal::option(text));
    }
    if let Some(name) = ["$count", "$apply", "fetchXml"].iter().find(|name| value_of(&ask.query, name).is_some()) {
        return Err(Refusal::missing(&format!("{name} with change tracking")));
    }
    Options::read(dynamics, &kept(&ask.query, &["$deltatoken"]), table)
}

/// Where the page goes on, if it is not the first.
fn turn(dynamics: &Dynamics, ask: &Ask, options: &Options) -> Result<Option<Turn>, Refusal> {
    let Some(token) = &options.skip_token else { return Ok(None) };
    if matches!(ask.strike.effect, Some(Effect::ExpireLink)) || !dynamics.knows_link(token) {
        return Err(cookie::invalid());
    }
    let turn = Turn::read(token).ok_or_else(cookie::invalid)?;
    let again = matches!(ask.strike.effect, Some(Effect::RepeatRow));
    Ok(Some(Turn { again, ..turn }))
}

type Rows<'a> = Vec<(Guid, &'a Row)>;
/// Deletions, by version.
type Gone = Vec<(i64, Guid)>;

fn by_key<'a>(stored: &'a Table, turn: Option<&Turn>, limit: usize) -> Rows<'a> {
    let start = match turn {
        Some(turn) if turn.again => Bound::Included(turn.key),
        Some(turn) => Bound::Excluded(turn.key),
        None => Bound::Unbounded,
    };
    stored.rows.range((start, Bound::Unbounded)).map(|(id, row)| (*id, row.as_ref())).take(limit).collect()
}

fn changes<'a>(stored: &'a Table, since: i64, turn: Option<&Turn>, limit: usize) -> (Rows<'a>, Gone) {
    let from = |turn: &Turn| turn.position + i64::from(!turn.again);
    let (first_row, first_gone) = match turn {
        None => (Some(since + 1), since + 1),
        Some(turn) if turn.phase == Phase::Deletions => (None, from(turn)),
        Some(turn) => (Some(from(turn)), since + 1),
    };
    let rows: Rows<'a> = first_row.map(|first| stored.since(first).take(limit).collect()).unwrap_or_default();
    let gone = stored.deleted_since(first_gone).take(limit - rows.len()).collect();
    (rows, gone)
}

fn cut(mut rows: Rows<'_>, mut gone: Gone, size: usize) -> (Rows<'_>, Gone) {
    rows.truncate(size);
    gone.truncate(size - rows.len());
    (rows, gone)
}

/// Writes deletions behind the rows, into the page's list.
fn deletions(out: &mut String, gone: &Gone, place: &Place, set: &str, is_first: bool) {
    if gone.is_empty() {
        return;
    }
    out.pop();
    for (index, (_, id)) in gone.iter().enumerate() {
        if index > 0 || !is_first {
            out.push(',');
        }
        let context = format!("{}$metadata#{set}/$deletedEntity", place.base);
        let entry = serde_json::json!({"@odata.context": context, "id": id.text(), "reason": "deleted"});
        out.push_str(&entry.to_string());
    }
    out.push(']');
}
