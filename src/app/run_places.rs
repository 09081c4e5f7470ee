//! From a URL to a place in an object store: that of a home's run folders, or of the tables of a plan.

use std::path::Path;

use url::Url;

use super::error::Error;
use super::workspace::Setting;
use crate::files::location::{self, Storage};
use crate::store::bucket::Bucket;
use crate::store::export::Export;
use crate::store::home;

/// Schemes of object stores whose URLs say the whole way to a place.
const SCHEMES: [&str; 6] = ["s3", "gs", "az", "azure", "abfs", "abfss"];

/// The place of a URL, named by an option; the store signs in with what the environment says.
///
/// # Errors
/// If the URL is of no object store, or what the environment says does not suffice.
pub fn open(option: &str, url: &Url, storage: &Storage) -> Result<Bucket, Error> {
    // What somebody wrote in front of the host or behind the path may be a secret.
    let place = format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
    let wrong = |why: &str| Error::Usage(format!("{option} {place}: {why}"));
    if !SCHEMES.contains(&url.scheme()) {
        return Err(wrong("it takes a folder, or a place in an object store: s3://, abfss://, az:// or gs://"));
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

/// A place for the tables of a plan: a folder, or a place in an object store. Nothing may be there.
///
/// # Errors
/// If something is, or the place cannot be used.
pub async fn outlet(setting: &Setting, out: &Path) -> Result<Export, Error> {
    let Some(text) = out.to_str().filter(|text| text.contains("://")) else {
        return Ok(Export::into_folder(out)?);
    };
    let url = Url::parse(text).map_err(|e| Error::Usage(format!("what --out says is no URL ({e})")))?;
    if let ("file", Ok(folder)) = (url.scheme(), url.to_file_path()) {
        return Ok(Export::into_folder(&folder)?);
    }
    let bucket = open("--out", &url, &setting.storage)?;
    home::make(&setting.home)?;
    let beside = setting.home.join(format!("out-{}", std::process::id()));
    Ok(Export::into_bucket(bucket, &beside).await?)
}
