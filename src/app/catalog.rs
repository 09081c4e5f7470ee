//! The schemas that a project names, asked of both services: tables in use, tables that paths lead to, objects in use.
//!
//! What they said a short while ago is kept in the home, and asked again where it would make a mistake of anything: a field
//! that was added since is never called unknown. Whoever is about to write asks anew.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::workspace::Setting;
use crate::dynamics;
use crate::files::{self, client::Files};
use crate::lang::references::{Path, References};
use crate::model::catalog::{Catalog, Found, Object, ObjectName};
use crate::model::connection::Connection;
use crate::run::services::Services;
use crate::store::metadata::{self, Kept};

/// What the services said before, by connection.
pub(super) type Remembered = BTreeMap<String, Kept>;

/// How old what is kept may be, in seconds.
const METADATA_SECONDS: i64 = 900;

/// Asks for everything that the statements refer to, as far as it is not remembered. A table that does not exist is no error
/// here: the checker says so, with its place in the script.
pub(super) async fn catalog(
    references: &References,
    services: &Services,
    remembered: &Remembered,
) -> Result<Catalog, Error> {
    let mut catalog = Catalog::default();
    for connection in services.dynamics.keys() {
        let kept = remembered.get(connection);
        tables(connection, references, services, kept, &mut catalog).await.map_err(|e| wrap(connection, e.into()))?;
    }
    for (connection, files) in &services.files {
        file_tables(connection, files, references, &mut catalog).await.map_err(|e| wrap(connection, e.into()))?;
    }
    for connection in services.gainsight.keys() {
        let kept = remembered.get(connection);
        objects(connection, references, services, kept, &mut catalog).await.map_err(|e| wrap(connection, e.into()))?;
    }
    Ok(catalog)
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
async fn file_tables(
    connection: &str,
    files: &Files,
    references: &References,
    catalog: &mut Catalog,
) -> Result<(), files::error::Error> {
    let of = |name: &str| name.eq_ignore_ascii_case(connection);
    let mut wanted: Vec<String> =
        references.objects.iter().filter(|(c, _)| of(c)).map(|(_, table)| table.clone()).collect();
    let (mut seen, mut is_any_unknown) = (BTreeSet::new(), false);
    while let Some(table) = wanted.pop() {
        if !seen.insert(table.to_lowercase()) {
            continue;
        }
        match files.describe(&table).await {
            Ok(object) => {
                catalog.connections.entry(connection.to_owned()).or_default().insert(object.name.clone(), object);
            }
            Err(files::error::Error::NoTable(_)) => is_any_unknown = true,
            Err(error) => return Err(error),
        }
        let known = &catalog.connections.entry(connection.to_owned()).or_default();
        for path in references.paths.iter().filter(|p| of(&p.connection)) {
            wanted.extend(next_tables(known, path));
        }
    }
    if is_any_unknown {
        catalog.names.insert(connection.to_owned(), files.tables().await?);
    }
    Ok(())
}

async fn tables(
    connection: &str,
    references: &References,
    services: &Services,
    kept: Option<&Kept>,
    catalog: &mut Catalog,
) -> Result<(), dynamics::error::Error> {
    let client = &services.dynamics[connection];
    let of = |name: &str| name.eq_ignore_ascii_case(connection);
    let mut wanted: Vec<String> =
        references.objects.iter().filter(|(c, _)| of(c)).map(|(_, table)| table.to_lowercase()).collect();
    let mut seen = BTreeSet::new();
    let mut is_any_unknown = false;
    while let Some(table) = wanted.pop() {
        if !seen.insert(table.clone()) {
            continue;
        }
        let said = match kept.and_then(|kept| kept.objects.get(&table)) {
            Some(object) => Ok(object.clone()),
            None => client.describe(&table).await,
        };
        match said {
            Ok(object) => {
                catalog.connections.entry(connection.to_owned()).or_default().insert(object.name.clone(), object);
            }
            Err(dynamics::error::Error::NoTable(_)) => is_any_unknown = true,
            Err(error) => return Err(error),
        }
        let known = &catalog.connections.entry(connection.to_owned()).or_default();
        for path in references.paths.iter().filter(|p| of(&p.connection)) {
            wanted.extend(next_tables(known, path));
        }
    }
    if is_any_unknown {
        catalog.names.insert(connection.to_owned(), client.tables().await?);
    }
    Ok(())
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
    references: &References,
    services: &Services,
    kept: Option<&Kept>,
    catalog: &mut Catalog,
) -> Result<(), crate::gainsight::error::Error> {
    let client = &services.gainsight[connection];
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
    let known = catalog.connections.entry(connection.to_owned()).or_default();
    known.extend(described.into_iter().map(|object| (object.name.clone(), object)));
    catalog.names.insert(connection.to_owned(), names);
    Ok(())
}
