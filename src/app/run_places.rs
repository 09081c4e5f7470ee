//! From the URL of a home to the place in an object store where its run folders are.

use std::path::Path;

use url::Url;

use super::error::Error;
use crate::files::location::{self, Storage};
use crate::store::bucket::Bucket;

/// Schemes of object stores whose URLs say the whole way to a place.
const SCHEMES: [&str; 6] = ["s3", "gs", "az", "azure", "abfs", "abfss"];

/// The place of a URL; the store signs in with what the environment says.
///
/// # Errors
/// If the URL is of no object store, or what the environment says does not suffice.
pub fn open(url: &Url, storage: &Storage) -> Result<Bucket, Error> {
    let wrong = |why: &str| Error::Usage(format!("--home {url}: {why}"));
    if !SCHEMES.contains(&url.scheme()) {
        return Err(wrong("a home is a folder, or a place in an object store: s3://, abfss://, az:// or gs://"));
    }
    if url.query().is_some() || url.fragment().is_some() || url.password().is_some() {
        return Err(wrong("leave out everything but the bucket and the path; the environment says how to sign in"));
    }
    let (store, path) = location::open(url.as_str(), Path::new(""), storage).map_err(|e| wrong(&e.to_string()))?;
    let mut url = url.clone();
    // As the store has it, so that a path is the same wherever it is put together.
    url.set_path(path.as_ref());
    Ok(Bucket::new(store, url, path))
}
