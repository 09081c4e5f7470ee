//! A new file for somebody: its owner's alone, whole or not at all.
//!
//! In: a path at which nothing is, and bytes. Out: the file; one that is not finished is taken away again.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::{Result, disk};
use super::home::create_owned;

/// A file being written.
pub struct NewFile {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl NewFile {
    /// Begins it.
    ///
    /// # Errors
    /// If something is there already, or it cannot be made.
    pub fn begin(path: &Path) -> Result<Self> {
        let file = create_owned(path).map_err(disk("cannot create", path))?;
        Ok(Self { path: path.to_owned(), file: Some(BufWriter::new(file)) })
    }

    /// Puts bytes at its end.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes));
        written.map_err(disk("cannot write", &self.path))
    }

    /// It is whole, and on the disk.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn finish(mut self) -> Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let written = file.flush().and_then(|()| file.get_ref().sync_all());
        if written.is_err() {
            self.file = Some(file);
        }
        written.map_err(disk("cannot write", &self.path))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Half a file would be taken for a whole one.
            let _removed = std::fs::remove_file(&self.path);
        }
    }
}
