//! Files that grow side by side, below one folder: what a sandbox exports.
//!
//! They are made with their first bytes, and belong to whoever asked for them; nothing of ours is kept in them. In: names and bytes. Out: files.

use std::collections::HashMap;
use std::fs::{File, create_dir_all};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Files being written.
pub struct Appending {
    folder: PathBuf,
    open: HashMap<String, BufWriter<File>>,
}

impl Appending {
    /// Nothing is written yet.
    #[must_use]
    pub fn below(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), open: HashMap::new() }
    }

    /// Puts bytes at the end of a file, which begins empty.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if !self.open.contains_key(name) {
            let path = self.folder.join(name);
            path.parent().map(create_dir_all).transpose()?;
            self.open.insert(name.to_owned(), BufWriter::new(File::create(path)?));
        }
        self.open.get_mut(name).map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Everything is written.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn finish(self) -> io::Result<()> {
        self.open.into_values().try_for_each(|mut file| file.flush())
    }
}
