//! The files of a dataset: which there are, whether they are what they were, and which are none of it.
//!
//! A crash leaves files that nobody recorded, and a disk may lose or change those that somebody did. In: a folder, and the
//! parts that were recorded. Out: yes or no, and a folder with these parts alone. Rows are not looked at here.

use std::fs::DirEntry;
use std::io;
use std::path::Path;

use ring::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::durable;
use super::error::{Result, disk};
use crate::model::sabotage::{self, Bug};
use crate::staged::Form;

/// One file of a dataset, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the dataset's folder.
    pub file: String,
    /// Its rows.
    pub rows: u64,
    /// The digest of its bytes: see [`checksum`].
    pub digest: String,
}

/// The name of the file of a number.
pub(super) fn name(number: usize, form: Form) -> String {
    format!("part-{number:06}.{}", form.suffix())
}

/// The number of the file of a name; none if it is no file of a dataset.
pub(super) fn number(name: &str) -> Option<usize> {
    Form::of_part(name).map(|(_, number)| number)
}

/// Whether all these parts are there as they were written.
pub(super) fn are_whole(folder: &Path, kept: &[Part]) -> Result<bool> {
    if sabotage::has(Bug::NoDigest) {
        return Ok(true);
    }
    for part in kept {
        let path = folder.join(&part.file);
        // A name that is none of ours is no path either.
        if number(&part.file).is_none() || path.is_symlink() {
            return Ok(false);
        }
        match std::fs::read(&path) {
            Ok(bytes) if is_of(&bytes, &part.digest) => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(disk("cannot read", &path)(error)),
        }
    }
    Ok(true)
}

/// Removes every file but these parts: what a crash left.
pub(super) fn keep_only(folder: &Path, kept: &[Part]) -> Result<()> {
    if !durable::is_folder(folder) {
        return Ok(());
    }
    let mut has_removed = false;
    for entry in entries(folder)? {
        let is_kept = kept.iter().any(|part| entry.file_name() == part.file.as_str());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_kept && !is_folder {
            has_removed |= durable::remove(&entry.path())?;
        }
    }
    if has_removed { durable::sync_folder(folder) } else { Ok(()) }
}

/// Removes a folder with all that is in it; a link alone, if it is one.
pub(super) fn clear(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Ok(()) => folder.parent().map_or(Ok(()), durable::sync_folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(disk("cannot clear", folder)(error)),
    }
}

/// One digest of the names and the contents of all parts in a folder, in their order.
pub(super) fn digest_of(folder: &Path) -> Result<String> {
    let names = if durable::is_folder(folder) { entries(folder)? } else { Vec::new() };
    let names = names.into_iter().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<(usize, String)> = names.filter_map(|name| Some((number(&name)?, name))).collect();
    names.sort();
    let mut all = Context::new(&SHA256);
    for (_, name) in names {
        let path = folder.join(&name);
        let bytes = std::fs::read(&path).map_err(disk("cannot read", &path))?;
        all.update(line(&name, &checksum(&bytes)).as_bytes());
    }
    Ok(hexadecimal(all.finish().as_ref()))
}

/// What the digest of a dataset says of one file: lines of fixed form, so that no name can run into a content.
pub(super) fn line(name: &str, digest: &str) -> String {
    format!("{name} {digest}\n")
}

/// Whether bytes have a digest: one of ours, or a SHA-256, which files had before.
pub(super) fn is_of(bytes: &[u8], recorded: &str) -> bool {
    if recorded.len() == 2 * SHA256.output_len() {
        hexadecimal(digest(&SHA256, bytes).as_ref()) == recorded
    } else {
        checksum(bytes) == recorded
    }
}

/// 128 bits of xxHash3, in hexadecimal digits: they tell what a disk did to a file, ten times as fast as SHA-256. They are no proof against
/// somebody who forges files, who could as well write to the state.
pub(super) fn checksum(bytes: &[u8]) -> String {
    format!("{:032x}", xxh3_128(bytes))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entries(folder: &Path) -> Result<Vec<DirEntry>> {
    let found = std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    found.map_err(disk("cannot read", folder))
}
