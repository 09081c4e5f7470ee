//! Files that are there whole or not at all, also after the power failed.
//!
//! A file is written beside its place, under a name that no reader looks for, brought to the disk, renamed, and its folder is
//! brought to the disk too. No link is followed: what lies under the temporary name is removed first, and what lies at the
//! place is replaced. In: bytes. Out: a file. What is in it is not known here.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use super::error::{Result, disk};
use super::home::{create_owned, owner_only};
use crate::model::sabotage;

/// Writes a file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = begin(path)?;
    let written = file.write_all(bytes).map_err(disk("cannot write", path)).and_then(|()| complete(&file, path));
    if written.is_err() {
        // On a full disk half a file takes room that somebody needs; what matters is the first error.
        let _abandoned = abandon(path);
    }
    written
}

/// Writes a file that is there whole or not at all, as long as the power does not fail: for what is made again from files that last.
pub(super) fn write_fleeting(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = begin(path)?;
    let placed = file.write_all(bytes).and_then(|()| std::fs::rename(temporary(path), path));
    if placed.is_err() {
        let _abandoned = abandon(path);
    }
    placed.map_err(disk("cannot write", path))
}

/// Begins a file under its temporary name. One that was left there is removed, and so is a link.
pub(super) fn begin(path: &Path) -> Result<File> {
    abandon(path)?;
    let beside = temporary(path);
    let file = create_owned(&beside).map_err(disk("cannot create", &beside))?;
    sabotage::place("file.begun");
    Ok(file)
}

/// Brings a file that was begun to its place.
pub(super) fn complete(file: &File, path: &Path) -> Result<()> {
    file.sync_all().map_err(disk("cannot write", path))?;
    sabotage::place("file.written");
    std::fs::rename(temporary(path), path).map_err(disk("cannot write", path))?;
    sabotage::place("file.placed");
    path.parent().map_or(Ok(()), sync_folder)
}

/// Digits of a name of one's own.
const OWN_DIGITS: usize = 16;

/// A file on its way to its place under a name of its own, which nobody else who writes the same file comes across. Dropped before it is in
/// its place, it is removed.
pub(super) struct Placing {
    file: File,
    beside: PathBuf,
    path: PathBuf,
    is_placed: bool,
}

impl Placing {
    /// Begins a file.
    pub(super) fn begin(path: &Path) -> Result<Self> {
        let mut own = [0; 8];
        let unnamed = |_| disk("cannot name", path)(io::Error::other("the system gave no random number"));
        SystemRandom::new().fill(&mut own).map_err(unnamed)?;
        let beside = temporary(&path.with_extension(format!("{:0OWN_DIGITS$x}", u64::from_be_bytes(own))));
        let file = create_owned(&beside).map_err(disk("cannot create", &beside))?;
        let begun = Self { file, beside, path: path.to_owned(), is_placed: false };
        sabotage::place("file.begun");
        Ok(begun)
    }

    /// Brings it to its place.
    pub(super) fn complete(&mut self) -> Result<()> {
        self.file.sync_all().map_err(disk("cannot write", &self.path))?;
        sabotage::place("file.written");
        std::fs::rename(&self.beside, &self.path).map_err(disk("cannot write", &self.path))?;
        self.is_placed = true;
        sabotage::place("file.placed");
        self.path.parent().map_or(Ok(()), sync_folder)
    }
}

impl Write for Placing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Placing {
    fn drop(&mut self) {
        if !self.is_placed {
            let _gone = std::fs::remove_file(&self.beside);
        }
    }
}

/// Removes what was begun of a file under names of its own and is left of processes that were killed. Whoever asks for it is alone in the
/// folder. What cannot be removed stays: nobody reads it.
pub(super) fn sweep(path: &Path) {
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem()) else { return };
    let begins = format!(".{}.", stem.to_string_lossy());
    let own = |name: &str| name.strip_prefix(&begins)?.strip_suffix(".new").map(str::to_owned);
    let is_own = |digits: &str| digits.len() == OWN_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    for name in names_in(folder).iter().filter(|name| own(name).is_some_and(|digits| is_own(&digits))) {
        let _kept = remove(&folder.join(name));
    }
}

/// Removes what was begun of a file, and says whether there was something.
pub(super) fn abandon(path: &Path) -> Result<bool> {
    remove(&temporary(path))
}

/// Removes a file or a link; whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(disk("cannot remove", path)(error)),
    }
}

/// Makes a folder that lies somewhere below a root, and those between. A link in the place of one is not followed.
pub(super) fn make_folder(root: &Path, path: &Path) -> Result<()> {
    let mut at = root.to_owned();
    for part in path.strip_prefix(root).into_iter().flatten() {
        let above = at.clone();
        at.push(part);
        match std::fs::create_dir(&at) {
            Ok(()) => {
                owner_only(&at)?;
                sync_folder(&above)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_folder(&at) => {}
            Err(error) => return Err(disk("cannot create", &at)(error)),
        }
    }
    Ok(())
}

/// The names of what lies in a folder; none, if it cannot be read.
pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Whether there is a folder; a link to one is none.
pub(super) fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_dir())
}

/// Brings the names in a folder to the disk.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(disk("cannot write", path))
}

/// Other systems keep names by themselves, or give no way to ask for it.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

/// The name beside a file: hidden, and with an ending that no reader looks for.
pub(super) fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}
