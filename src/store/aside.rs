//! Datasets that are set aside while others are made in their place, until it is decided which of them stay.
//!
//! In: a run folder. Out: the same folder, with some of its datasets below [`ASIDE`]. Whoever ends in between leaves them there, and
//! the next one puts them back before it does anything else.

use super::dataset::{Place, RunFolder};
use super::error::{Result, disk};
use super::parts::clear;
use super::{durable, objects};

/// Where datasets lie that are set aside.
pub const ASIDE: &str = "aside";

impl RunFolder {
    /// Sets datasets aside; those that are not there are passed over. A name may be of a folder of several.
    ///
    /// # Errors
    /// If one cannot be moved.
    pub async fn set_aside(&self, names: &[&str]) -> Result<()> {
        let top = match self.place() {
            Place::Disk(top) => top,
            Place::Bucket(bucket) => return objects::set_aside(bucket, names).await,
        };
        let aside = top.join(ASIDE);
        durable::make_folder(top, &aside)?;
        for name in names {
            let from = top.join(name);
            if durable::is_folder(&from) {
                std::fs::rename(&from, aside.join(name)).map_err(disk("cannot set aside", &from))?;
            }
        }
        durable::sync_folder(&aside)?;
        durable::sync_folder(top)
    }

    /// Puts back what was set aside; what was made in its place is removed.
    ///
    /// # Errors
    /// If one cannot be moved.
    pub async fn put_back(&self) -> Result<()> {
        let top = match self.place() {
            Place::Disk(top) => top,
            Place::Bucket(bucket) => return objects::put_back(bucket).await,
        };
        let aside = top.join(ASIDE);
        if !durable::is_folder(&aside) {
            return Ok(());
        }
        for entry in std::fs::read_dir(&aside).map_err(disk("cannot read", &aside))? {
            let entry = entry.map_err(disk("cannot read", &aside))?;
            let to = top.join(entry.file_name());
            clear(&to)?;
            std::fs::rename(entry.path(), &to).map_err(disk("cannot put back", &to))?;
        }
        clear(&aside)
    }

    /// Puts one dataset back, of several that were set aside together.
    ///
    /// # Errors
    /// If it cannot be moved.
    pub async fn take_from_aside(&self, name: &str) -> Result<()> {
        let top = match self.place() {
            Place::Disk(top) => top,
            Place::Bucket(bucket) => return objects::take_from_aside(bucket, name).await,
        };
        let (from, to) = (top.join(ASIDE).join(name), top.join(name));
        if let Some(folder) = to.parent() {
            durable::make_folder(top, folder)?;
        }
        std::fs::rename(&from, &to).map_err(disk("cannot put back", &to))
    }

    /// Removes what was set aside: what was made in its place stays.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub async fn forget_aside(&self) -> Result<()> {
        match self.place() {
            Place::Disk(top) => clear(&top.join(ASIDE)),
            Place::Bucket(bucket) => objects::forget_aside(bucket).await,
        }
    }
}
