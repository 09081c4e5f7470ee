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
        // Not with its text: what somebody wrote in front of the host may be a secret.
        let url = Url::parse(text).map_err(|e| Error::Usage(format!("what --home says is no URL ({e})")))?;
        if url.scheme() == "file" {
            let nowhere = || Error::Usage("--home file:// names no folder of this machine".to_owned());
            let folder = url.to_file_path().map_err(|()| nowhere())?;
            return Ok(Self { folder, runs: None });
        }
        Ok(Self { folder: common.local_home.clone(), runs: Some(url) })
    }
}
