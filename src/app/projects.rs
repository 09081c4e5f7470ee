//! A project's text: the files of a folder, or the out-of-the-box jobs where a folder has none.

use std::path::{Path, PathBuf};

use url::Url;

use super::error::Error;
use crate::diagnostic::source::Sources;
use crate::lang::project::{Parsed, not_text, read};
use crate::model::connection::is_loopback;
use crate::store;

/// The out-of-the-box project, as it lies in `jobs/`.
pub const OUT_OF_THE_BOX: [(&str, &str); 6] = [
    ("connections.ferry", include_str!("../../jobs/connections.ferry")),
    ("user_sync.ferry", include_str!("../../jobs/user_sync.ferry")),
    ("company_sync.ferry", include_str!("../../jobs/company_sync.ferry")),
    ("company_person_sync.ferry", include_str!("../../jobs/company_person_sync.ferry")),
    ("chain.ferry", include_str!("../../jobs/chain.ferry")),
    ("tests.ferry", include_str!("../../jobs/tests.ferry")),
];

/// The URLs that stand in the out-of-the-box connections: Dynamics, then Gainsight.
pub(super) const SHIPPED_URLS: [&str; 2] = ["https://gainsight123.crm.dynamics.com", "https://acme.gainsightcloud.com"];

/// A project that was read.
pub struct Text {
    /// Its files.
    pub sources: Sources,
    /// Its statements.
    pub parsed: Parsed,
}

/// Reads a project folder. With `environment`, `connections.<environment>.ferry` stands in for `connections.ferry`.
///
/// # Errors
/// If a file cannot be read.
pub fn open(folder: &Path, environment: Option<&str>) -> Result<Text, Error> {
    there_is(folder)?;
    let mut sources = Sources::default();
    let mut unreadable = Vec::new();
    let files = store::project::read(folder)?;
    if let Some(name) = environment {
        let wanted = format!("connections.{name}.ferry");
        if !files.iter().any(|f| Path::new(&f.name).ends_with(&wanted)) {
            return Err(Error::Usage(format!("--env {name}: {} has no file {wanted}", folder.display())));
        }
    }
    for file in files {
        if !belongs(&file.name, environment) {
            continue;
        }
        match String::from_utf8(file.bytes) {
            Ok(text) => {
                sources.add(file.name, text);
            }
            Err(_) => unreadable.push(sources.add(file.name, String::new())),
        }
    }
    if sources.iter().next().is_none() {
        for (name, text) in OUT_OF_THE_BOX {
            sources.add(format!("out-of-the-box/{name}"), text.to_owned());
        }
    }
    let mut parsed = read(&sources);
    unreadable.into_iter().for_each(|file| parsed.diagnostics.push(not_text(file)));
    Ok(Text { sources, parsed })
}

/// Whether a file of the project is among those that were named; all are if none was.
#[must_use]
pub fn is_named(file: &str, named: &[PathBuf]) -> bool {
    let file = Path::new(file);
    named.is_empty() || named.iter().any(|n| n.ends_with(file) || file.ends_with(n) || file.starts_with(n))
}

/// Files that were named and are none of the project's are a slip of whoever named them.
///
/// # Errors
/// If there is such a file.
pub fn all_there(sources: &Sources, named: &[PathBuf]) -> Result<(), Error> {
    let is_there = |n: &&PathBuf| sources.iter().any(|(_, file)| is_named(&file.name, std::slice::from_ref(*n)));
    match named.iter().find(|n| !is_there(n)) {
        Some(missing) => Err(Error::Usage(format!("the project has no file {}", missing.display()))),
        None => Ok(()),
    }
}

/// The out-of-the-box project with the connections leading to a sandbox.
#[must_use]
pub fn for_sandbox(dynamics_url: &str, gainsight_url: &str) -> Vec<(&'static str, String)> {
    let [dynamics, gainsight] = SHIPPED_URLS;
    OUT_OF_THE_BOX
        .map(|(name, text)| (name, text.replace(dynamics, dynamics_url).replace(gainsight, gainsight_url)))
        .to_vec()
}

/// Leads a connection to another URL, on this machine only: for trying a project on a sandbox.
///
/// # Errors
/// If there is no such connection, or the URL leads elsewhere.
pub fn redirect(parsed: &mut Parsed, name: &str, url: &str) -> Result<(), Error> {
    let usage = |message: String| Error::Usage(format!("--connection {name}={url}: {message}"));
    let parsed_url = Url::parse(url).map_err(|_| usage("this is not a URL".to_owned()))?;
    if !is_loopback(&parsed_url) {
        return Err(usage("only an address of this machine may stand in for a connection's own".to_owned()));
    }
    let connection =
        parsed.connections.get_mut(name).ok_or_else(|| usage("the project has no such connection".to_owned()))?;
    connection.url = parsed_url.origin().ascii_serialization();
    Ok(())
}

/// The project's folder is there.
///
/// # Errors
/// If it is not.
pub fn there_is(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    Err(Error::Usage(format!("there is no folder {}; choose one with --project", folder.display())))
}

/// Whether a file takes part: of the connection files, the one of the environment.
fn belongs(name: &str, environment: Option<&str>) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let Some(middle) = file.strip_prefix("connections.").and_then(|rest| rest.strip_suffix("ferry")) else {
        return true;
    };
    middle.strip_suffix('.') == environment
}
