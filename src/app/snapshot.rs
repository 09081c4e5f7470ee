//! `refresh`, and what `--offline` reads: the schemas of both services as they lie in the project.

use std::path::PathBuf;

use super::catalog::all_names;
use super::error::Error;
use super::workspace::{Setting, Workspace};
use crate::lang::project::Parsed;
use crate::model::catalog::Catalog;
use crate::store::schemas;

/// Asks both services for the schemas that the project names and writes them into its folder; gives the files.
///
/// # Errors
/// If a service or the disk says no.
pub async fn refresh(setting: &Setting) -> Result<Vec<PathBuf>, Error> {
    let live = Setting { offline: false, anew: true, ..setting.clone() };
    let workspace = Workspace::open(&live).await?;
    let mut catalog = workspace.catalog;
    catalog.names = all_names(&workspace.services).await?;
    Ok(schemas::write(&setting.project, &catalog)?)
}

/// The snapshot of the connections that the statements use.
pub(super) fn catalog(parsed: &Parsed, setting: &Setting) -> Result<Catalog, Error> {
    let references = parsed.references();
    let used = |name: &&String| references.objects.iter().any(|(c, _)| c.eq_ignore_ascii_case(name));
    let found = schemas::read(&setting.project, parsed.connections.keys().filter(used))?;
    found.ok_or_else(|| {
        let folder = setting.project.join(schemas::FOLDER);
        let message = format!(
            "there is no snapshot of the services' schemas in {}; `ferry refresh` writes it, asking both services once",
            folder.display()
        );
        Error::Usage(message)
    })
}
