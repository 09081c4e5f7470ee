//! `describe`: the tables and objects of both services, and the fields of one, as an analyst needs them while writing.

use serde::Serialize;

use super::catalog::all_names;
use super::error::Error;
use super::workspace::{Setting, Workspace};
use crate::model::catalog::{Object, ObjectName};

/// An object with the connection that has it.
#[derive(Debug, Serialize)]
pub struct Described {
    /// The connection's identifier.
    pub connection: String,
    /// The object with its fields.
    #[serde(flatten)]
    pub object: Object,
}

/// Every object of every connection, by connection.
///
/// # Errors
/// If a service does not answer.
pub async fn list(setting: &Setting) -> Result<Vec<(String, Vec<ObjectName>)>, Error> {
    let workspace = Workspace::everything(setting).await?;
    let names = if setting.offline { workspace.catalog.names } else { all_names(&workspace.services).await? };
    Ok(names.into_iter().collect())
}

/// The objects that a name stands for: `account`, `"Company Person"`, or `dynamics.account` for one connection alone.
///
/// # Errors
/// If there is none, or a service does not answer.
pub async fn object(setting: &Setting, written: &str) -> Result<Vec<Described>, Error> {
    let workspace = Workspace::everything(setting).await?;
    let known: Vec<String> = workspace.project.connections.keys().cloned().collect();
    let (only, name) = match written.split_once('.') {
        Some((connection, name)) if known.iter().any(|k| k.eq_ignore_ascii_case(connection)) => {
            (Some(connection), name)
        }
        _ => (None, written),
    };
    let name = name.trim_matches('"');
    let names = if setting.offline { workspace.catalog.names.clone() } else { all_names(&workspace.services).await? };
    let mut found = Vec::new();
    for (connection, objects) in &names {
        if only.is_some_and(|o| !o.eq_ignore_ascii_case(connection)) {
            continue;
        }
        let hits = objects.iter().filter(|o| o.name.eq_ignore_ascii_case(name) || same(&o.label, name));
        for hit in hits {
            if let Some(object) = described(&workspace, connection, &hit.name).await? {
                found.push(Described { connection: connection.clone(), object });
            }
        }
    }
    if found.is_empty() {
        return Err(unknown(name, only, &names, setting.offline));
    }
    Ok(found)
}

async fn described(workspace: &Workspace, connection: &str, name: &str) -> Result<Option<Object>, Error> {
    let failed =
        |cause: crate::run::error::Error| Error::Connection { name: connection.to_owned(), cause: Box::new(cause) };
    if let Some(dynamics) = workspace.services.dynamics.get(connection) {
        return dynamics.describe(name).await.map(Some).map_err(|e| failed(e.into()));
    }
    if let Some(files) = workspace.services.files.get(connection) {
        return files.describe(name).await.map(Some).map_err(|e| failed(e.into()));
    }
    if let Some(gainsight) = workspace.services.gainsight.get(connection) {
        let objects = gainsight.describe(&[name.to_owned()]).await.map_err(|e| failed(e.into()))?;
        return Ok(objects.into_iter().next());
    }
    Ok(workspace.catalog.connections.get(connection).and_then(|objects| objects.get(name)).cloned())
}

fn unknown(
    name: &str,
    only: Option<&str>,
    names: &std::collections::BTreeMap<String, Vec<ObjectName>>,
    offline: bool,
) -> Error {
    let all = names.iter().filter(|(c, _)| only.is_none_or(|o| o.eq_ignore_ascii_case(c))).flat_map(|(_, list)| list);
    let near = all
        .flat_map(|o| [o.label.as_str(), o.name.as_str()])
        .map(|n| (strsim::jaro_winkler(&n.to_lowercase(), &name.to_lowercase()), n))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let help = match near {
        Some((score, near)) if score < 1.0 => format!("did you mean \"{near}\"?"),
        Some(_) if offline => "the snapshot knows its name only: `ferry refresh` asks for its fields".to_owned(),
        _ => "`ferry describe` lists what there is".to_owned(),
    };
    Error::Usage(format!("no connection has an object \"{name}\"; {help}"))
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
