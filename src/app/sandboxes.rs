//! A sandbox with a project that leads to it.

use std::path::Path;
use std::sync::Arc;

use super::error::Error;
use super::projects::for_sandbox;
use super::workspace::Secrets;
use crate::model::secret::{Secret, environment_variable};
use crate::sandbox::{Credentials, Sandbox};
use crate::store;

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

/// Writes a ready project: the out-of-the-box jobs, connections that lead to the sandbox, and its secrets as a file that
/// a shell can read (`set -a; . ./secrets.env; set +a`).
///
/// # Errors
/// If a file is there already, or cannot be written.
pub fn write_project(folder: &Path, sandbox: &Sandbox) -> Result<(), Error> {
    let mut files = for_sandbox(sandbox.dynamics_url(), sandbox.gainsight_url());
    let lines = secrets(sandbox.credentials()).map(|(name, value)| format!("{}={value}\n", environment_variable(name)));
    files.push(("secrets.env", lines.concat()));
    Ok(store::project::write(folder, &files)?)
}
