//! A project's text: the files of a folder, or the out-of-the-box jobs where a folder has none.

use std::path::Path;

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
    if !folder.is_dir() {
        return Err(Error::Usage(format!("there is no folder {}; choose one with --project", folder.display())));
    }
    let mut sources = Sources::default();
    let mut unreadable = Vec::new();
    for file in store::project::read(folder)? {
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

/// Whether a file takes part: of the connection files, the one of the environment.
fn belongs(name: &str, environment: Option<&str>) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let Some(middle) = file.strip_prefix("connections.").and_then(|rest| rest.strip_suffix("ferry")) else {
        return true;
    };
    middle.strip_suffix('.') == environment
}
