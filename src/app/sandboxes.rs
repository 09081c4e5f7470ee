//! A sandbox with a project that leads to it.

use std::path::Path;
use std::sync::Arc;

use super::error::Error;
use super::projects::for_sandbox;
use super::workspace::Secrets;
use crate::http::terms::VARIABLE;
use crate::model::secret::{Secret, environment_variable};
use crate::sandbox::{Credentials, Export, Sandbox};
use crate::store;
use crate::store::appending::Appending;

/// The file with the authority of a sandbox that speaks TLS.
const AUTHORITY: &str = "authority.pem";

/// The secrets of a sandbox, by the names that the out-of-the-box connections use.
#[must_use]
pub fn secrets(credentials: &Credentials) -> [(&'static str, String); 4] {
    [
        ("dynamics/tenant_id", credentials.tenant_id.clone()),
        ("dynamics/client_id", credentials.client_id.clone()),
        ("dynamics/client_secret", credentials.client_secret.clone()),
        ("gainsight/access_key", credentials.access_key.clone()),
    ]
}

/// The same as a source of secrets.
#[must_use]
pub fn secret_source(credentials: &Credentials) -> Secrets {
    let known = secrets(credentials);
    Arc::new(move |name| known.iter().find(|(n, _)| *n == name).map(|(_, value)| Secret::new(value.clone())))
}

/// The folders of the export that is written, and of the one that is under way then.
const INTERVALS: [&str; 2] = ["2025-01-01T00.15.00Z", "2025-01-01T00.30.00Z"];

/// Writes the world of a sandbox as an export of Synapse Link.
///
/// # Errors
/// If a file cannot be written.
pub fn write_export(folder: &Path, sandbox: &Sandbox) -> Result<(), Error> {
    let [interval, next] = INTERVALS;
    let mut files = Appending::below(folder);
    let written = sandbox.export_folder(&mut Export::new(1), interval, next, &mut |name, bytes| files.put(name, bytes));
    let written = written.and_then(|()| files.finish());
    let disk =
        |source| store::error::Error::Disk { what: "cannot write the export into", path: folder.to_owned(), source };
    Ok(written.map_err(disk)?)
}

/// Writes a ready project: the out-of-the-box jobs, connections that lead to the sandbox, and its secrets as a file that
/// a shell can read (`set -a; . ./secrets.env; set +a`).
///
/// # Errors
/// If a file is there already, or cannot be written.
pub fn write_project(folder: &Path, sandbox: &Sandbox) -> Result<(), Error> {
    let mut files = for_sandbox(sandbox.dynamics_url(), sandbox.gainsight_url());
    let lines = secrets(sandbox.credentials()).map(|(name, value)| format!("{}={value}\n", environment_variable(name)));
    let mut settings = lines.concat();
    if let Some(authority) = sandbox.authority() {
        let path = std::path::absolute(folder.join(AUTHORITY)).unwrap_or_else(|_| folder.join(AUTHORITY));
        settings.push_str(&format!("{VARIABLE}='{}'\n", path.display().to_string().replace('\'', "'\\''")));
        files.push((AUTHORITY, authority.to_owned()));
    }
    files.push(("secrets.env", settings));
    Ok(store::project::write(folder, &files)?)
}
