//! The schemas that a project names, asked of both services: tables in use, tables that paths lead to, objects in use.
//!
//! What they said a short while ago is kept in the home, and asked again where it would make a mistake of anything: a field
//! that was added since is never called unknown. Whoever is about to write asks anew.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures::future::LocalBoxFuture;
use futures::stream::{self, FuturesOrdered};
use futures::{FutureExt, StreamExt, TryStreamExt};

use super::error::Error;
use super::workspace::Setting;
use crate::dynamics::{self, client::Dynamics};
use crate::files::{self, client::Files};
use crate::gainsight::{self, client::Gainsight};
use crate::lang::references::{Path, References};
use crate::model::catalog::{Catalog, Found, Object, ObjectName};
use crate::model::connection::Connection;
use crate::run::services::Services;
use crate::store::metadata::{self, Kept};

/// What the services said before, by connection.
pub(super) type Remembered = BTreeMap<String, Kept>;

/// Tables of a connection that are asked about at the same time. What is under way at once is bounded for Dynamics anyway, and not for files.
const TABLES_AT_ONCE: usize = 4;
/// How old what is kept may be, in seconds.
const METADATA_SECONDS: i64 = 900;

/// Asks for everything that the statements refer to, as far as it is not remembered. A table that does not exist is no error
/// here: the checker says so, with its place in the script.
pub(super) async fn catalog(
    references: &References,
    services: &Services,
    remembered: &Remembered,
) -> Result<Catalog, Error> {
    let mut asked: Vec<LocalBoxFuture<'_, Result<(&String, Said), Error>>> = Vec::new();
    for (name, client) in &services.dynamics {
        asked.push(of(name, tables(name, client, references, remembered.get(name))).boxed_local());
    }
    for (name, files) in &services.files {
        asked.push(of(name, file_tables(name, files, references)).boxed_local());
    }
    for (name, client) in &services.gainsight {
        asked.push(of(name, objects(name, client, references, remembered.get(name))).boxed_local());
    }
    // In their order: whoever answers first, it is the first of them that fails whose failure is told, and none is waited for behind it.
    let mut asked: FuturesOrdered<_> = asked.into_iter().collect();
    let mut catalog = Catalog::default();
    while let Some((connection, Said { objects, names })) = asked.try_next().await? {
        if !objects.is_empty() || names.is_some() {
            catalog.connections.insert(connection.clone(), objects);
        }
        catalog.names.extend(names.map(|names| (connection.clone(), names)));
    }
    Ok(catalog)
}

/// What a connection said, with its name; or why it said nothing.
async fn of<E: Into<crate::run::error::Error>>(
    connection: &String,
    said: impl Future<Output = Result<Said, E>>,
) -> Result<(&String, Said), Error> {
    let said = said.await.map_err(|e| wrap(connection, e.into()))?;
    Ok((connection, said))
}

/// What a connection said.
struct Said {
    /// The objects that are referred to, by API name.
    objects: BTreeMap<String, Object>,
    /// The names of all that there are, where they were asked for.
    names: Option<Vec<ObjectName>>,
}

/// What is kept of these connections and is not too old.
pub(super) fn remembered<'a>(connections: impl Iterator<Item = &'a Connection>, setting: &Setting) -> Remembered {
    let now = setting.clock.now().timestamp();
    let fresh = |connection: &Connection| {
        let kept = metadata::read(&setting.home, &connection.name)?;
        let is_fresh = (0..METADATA_SECONDS).contains(&(now - kept.asked_at));
        (is_fresh && kept.url == connection.url).then(|| (connection.name.clone(), kept))
    };
    connections.filter_map(fresh).collect()
}

/// Keeps what the services said now, and what was remembered beside it. It only saves calls, so a disk that is full stops
/// nobody here.
pub(super) fn remember<'a>(
    connections: impl Iterator<Item = &'a Connection>,
    catalog: &Catalog,
    before: &Remembered,
    setting: &Setting,
) {
    let now = setting.clock.now().timestamp();
    for connection in connections {
        let Some(objects) = catalog.connections.get(&connection.name) else { continue };
        let names = catalog.names.get(&connection.name).cloned().unwrap_or_default();
        let mut kept = Kept { url: connection.url.clone(), asked_at: now, names, objects: objects.clone() };
        if let Some(before) = before.get(&connection.name) {
            if objects.keys().all(|name| before.objects.contains_key(name)) {
                continue;
            }
            kept.asked_at = before.asked_at;
            before.objects.iter().for_each(|(name, object)| {
                kept.objects.entry(name.clone()).or_insert_with(|| object.clone());
            });
        }
        let _unkept = metadata::write(&setting.home, &connection.name, &kept);
    }
}

/// The names of every object of every open connection.
pub(super) async fn all_names(services: &Services) -> Result<BTreeMap<String, Vec<ObjectName>>, Error> {
    let mut names = BTreeMap::new();
    for (connection, client) in &services.dynamics {
        names.insert(connection.clone(), client.tables().await.map_err(|e| wrap(connection, e.into()))?);
    }
    for (connection, files) in &services.files {
        names.insert(connection.clone(), files.tables().await.map_err(|e| wrap(connection, e.into()))?);
    }
    for (connection, client) in &services.gainsight {
        names.insert(connection.clone(), client.objects().await.map_err(|e| wrap(connection, e.into()))?);
    }
    Ok(names)
}

fn wrap(connection: &str, cause: crate::run::error::Error) -> Error {
    Error::Connection { name: connection.to_owned(), cause: Box::new(cause) }
}

/// Tables of files, and those that paths lead to. They are looked at each time: that costs no call of a service.
async fn file_tables(connection: &str, files: &Files, references: &References) -> Result<Said, files::error::Error> {
    let (objects, is_any_unknown) =
        along_paths(connection, references, async |table: String| match files.describe(&table).await {
            Err(files::error::Error::NoTable(_)) => Ok(None),
            said => said.map(Some),
        })
        .await?;
    let names = if is_any_unknown { Some(files.tables().await?) } else { None };
    Ok(Said { objects, names })
}

async fn tables(
    connection: &str,
    client: &Dynamics,
    references: &References,
    kept: Option<&Kept>,
) -> Result<Said, dynamics::error::Error> {
    let (objects, is_any_unknown) = along_paths(connection, references, async |table: String| {
        let table = table.to_lowercase();
        if let Some(known) = kept.and_then(|kept| kept.objects.get(&table)) {
            return Ok(Some(known.clone()));
        }
        match client.describe(&table).await {
            Err(dynamics::error::Error::NoTable(_)) => Ok(None),
            said => said.map(Some),
        }
    })
    .await?;
    let names = if is_any_unknown { Some(client.tables().await?) } else { None };
    Ok(Said { objects, names })
}

/// The tables that are referred to, and those that paths lead to from them, each asked for once and those of one step together; and
/// whether one of them is not there.
async fn along_paths<E>(
    connection: &str,
    references: &References,
    describe: impl AsyncFn(String) -> Result<Option<Object>, E>,
) -> Result<(BTreeMap<String, Object>, bool), E> {
    let is_here = |name: &str| name.eq_ignore_ascii_case(connection);
    let named = references.objects.iter().filter(|(name, _)| is_here(name)).map(|(_, table)| table);
    let mut wanted: BTreeMap<String, String> = named.map(|table| (table.to_lowercase(), table.clone())).collect();
    let (mut known, mut seen, mut is_any_unknown) = (BTreeMap::new(), BTreeSet::new(), false);
    while !wanted.is_empty() {
        seen.extend(wanted.keys().cloned());
        let said = stream::iter(std::mem::take(&mut wanted).into_values()).map(|table| describe(table));
        let mut said = pin!(said.buffered(TABLES_AT_ONCE));
        while let Some(said) = said.try_next().await? {
            match said {
                Some(object) => _ = known.insert(object.name.clone(), object),
                None => is_any_unknown = true,
            }
        }
        let paths = references.paths.iter().filter(|path| is_here(&path.connection));
        let next = paths.flat_map(|path| next_tables(&known, path)).map(|table| (table.to_lowercase(), table));
        wanted.extend(next.filter(|(key, _)| !seen.contains(key)));
    }
    Ok((known, is_any_unknown))
}

/// The tables that a path leads to next, as far as they can be told from the tables known so far.
fn next_tables(known: &BTreeMap<String, Object>, path: &Path) -> Vec<String> {
    let mut here: Vec<String> = vec![path.table.to_lowercase()];
    for (column, treated) in &path.columns[..path.columns.len().saturating_sub(1)] {
        let mut next = Vec::new();
        for table in &here {
            let Some(object) = known.get(table) else { return here };
            if let Found::One(field) = object.field(column) {
                let is_meant = |t: &&String| treated.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(t));
                next.extend(field.targets.iter().filter(is_meant).cloned());
            }
        }
        here = next;
    }
    here
}

async fn objects(
    connection: &str,
    client: &Gainsight,
    references: &References,
    kept: Option<&Kept>,
) -> Result<Said, gainsight::error::Error> {
    let names = match kept.filter(|kept| !kept.names.is_empty()) {
        Some(kept) => kept.names.clone(),
        None => client.objects().await?,
    };
    let mut wanted: Vec<String> = Vec::new();
    for (_, written) in references.objects.iter().filter(|(c, _)| c.eq_ignore_ascii_case(connection)) {
        let same = |name: &str| name.eq_ignore_ascii_case(written);
        let found = names.iter().find(|o| same(&o.name)).or_else(|| names.iter().find(|o| same(&o.label)));
        wanted.extend(found.map(|o| o.name.clone()));
    }
    wanted.sort();
    wanted.dedup();
    let from_before = |name: &String| kept.and_then(|kept| kept.objects.get(name)).cloned();
    let all_kept: Option<Vec<Object>> = wanted.iter().map(from_before).collect();
    let described = match all_kept {
        Some(all) => all,
        None => client.describe(&wanted).await?,
    };
    let objects = described.into_iter().map(|object| (object.name.clone(), object)).collect();
    Ok(Said { objects, names: Some(names) })
}
