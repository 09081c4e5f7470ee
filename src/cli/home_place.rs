//! What `--home` names: a folder, or a place in an object store with a folder of this machine beside it.

use std::path::PathBuf;

use url::Url;

use super::arguments::Common;
use crate::app::error::Error;

/// Where a home is.
pub(super) struct HomePlace {
    /// The folder of the lock and the state.
    pub(super) folder: PathBuf,
    /// The place of the run folders, if they are not below it.
    pub(super) runs: Option<Url>,
}

impl HomePlace {
    /// As the options say.
    ///
    /// # Errors
    /// If a URL cannot be read, or leads to no folder of this machine.
    pub(super) fn of(common: &Common) -> Result<Self, Error> {
        let Some(text) = common.home.to_str().filter(|text| text.contains("://")) else {
            return Ok(Self { folder: common.home.clone(), runs: None });
        };
        let wrong = |why: String| Error::Usage(format!("--home {text}: {why}"));
        let url = Url::parse(text).map_err(|e| wrong(e.to_string()))?;
        if url.scheme() == "file" {
            let folder = url.to_file_path().map_err(|()| wrong("it names no folder of this machine".to_owned()))?;
            return Ok(Self { folder, runs: None });
        }
        Ok(Self { folder: common.local_home.clone(), runs: Some(url) })
    }
}
