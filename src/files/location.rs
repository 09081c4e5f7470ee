//! From a connection's URL to an object store, and the place in it.
//!
//! Keys and tokens come from the process's environment in the store's own names, or from the machine's identity: they pass by Ferry. TLS is
//! on for anything but this machine.

use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use url::Url;

use super::assumptions::REQUEST_SECONDS;
use super::error::Error;
use crate::model::connection::is_loopback;
use crate::model::secret::Secret;

/// How the names of environment variables begin that the stores read.
/// <https://docs.rs/object_store/0.13/object_store/enum.ObjectStoreScheme.html>
pub const VARIABLES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// What object stores are signed in to with: such variables, of which some are secrets.
pub type Storage = [(String, Secret)];

/// The store of a URL, and the folder in it. A path without a scheme lies below the project's folder.
///
/// # Errors
/// If there is no such folder, or the store cannot be opened with what the environment says.
pub fn open(url: &str, project: &Path, storage: &Storage) -> Result<(Arc<dyn ObjectStore>, StorePath), Error> {
    let wrong = |detail: String| Error::Location { url: url.to_owned(), detail };
    let local = |folder: &Path| -> Result<(Arc<dyn ObjectStore>, StorePath), Error> {
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(|e| wrong(format!("{} is no folder that can be read ({e})", folder.display())))?;
        Ok((Arc::new(store), StorePath::default()))
    };
    if !url.contains("://") {
        return local(&project.join(url));
    }
    let parsed = Url::parse(url).map_err(|e| wrong(e.to_string()))?;
    if parsed.scheme() == "file" {
        return local(&parsed.to_file_path().map_err(|()| wrong("it names no folder of this machine".to_owned()))?);
    }
    let options: Vec<(String, String)> =
        storage.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect();
    let is_here = here(&options).map_err(wrong)?;
    let own = [("timeout", format!("{REQUEST_SECONDS} seconds")), ("allow_http", is_here.to_string())];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    let (store, path) =
        object_store::parse_url_opts(&parsed, options.into_iter().chain(own)).map_err(|e| wrong(e.to_string()))?;
    Ok((Arc::from(store), path))
}

/// Whether the environment names an endpoint on this machine, the one kind that may be without TLS.
fn here(options: &[(String, String)]) -> Result<bool, String> {
    let mut is_here = false;
    for (name, value) in options.iter().filter(|(name, _)| name.contains("ENDPOINT")) {
        let Ok(url) = Url::parse(value) else { continue };
        if url.scheme() == "http" {
            if !is_loopback(&url) {
                return Err(format!("{name} leads elsewhere without TLS; plain http is for this machine only"));
            }
            is_here = true;
        }
    }
    let is_emulated = options.iter().any(|(name, value)| name == "AZURE_STORAGE_USE_EMULATOR" && value == "true");
    Ok(is_here || is_emulated)
}
