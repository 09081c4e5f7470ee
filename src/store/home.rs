//! The home: the folder below which everything is kept. One process works on it at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::bucket::Bucket;
use super::error::{Error, Result, disk};
use super::run_folders::RunFolders;
use super::state::State;

/// An open home. The lock is the operating system's: it ends with the process, however that ends.
pub struct Home {
    root: PathBuf,
    runs: RunFolders,
    _lock: File,
}

impl Home {
    /// Opens a home, making it first if there is none. Only its owner may look into it.
    ///
    /// # Errors
    /// If the folder cannot be made, or another process has it.
    pub fn open(root: &Path) -> Result<Self> {
        make(root)?;
        let root = root.canonicalize().map_err(disk("cannot open", root))?;
        let path = root.join("lock");
        // Never emptied: a link in its place would have another file emptied.
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(disk("cannot create", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { runs: RunFolders::of(&root, None, None), root, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::Busy { holder: holder(&root), path: root }),
            Err(TryLockError::Error(source)) => Err(Error::Disk { what: "cannot lock", path, source }),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the state database is.
    #[must_use]
    pub fn state_path(&self) -> PathBuf {
        state_path(&self.root)
    }

    /// Its run folders.
    #[must_use]
    pub fn runs(&self) -> &RunFolders {
        &self.runs
    }

    /// The same with its run folders in an object store, of a state that began at `born_ms`.
    #[must_use]
    pub fn with_runs_in(self, bucket: Bucket, born_ms: i64) -> Self {
        let runs = RunFolders::of(&self.root, Some(bucket), Some(born_ms));
        Self { runs, ..self }
    }

    /// The folder of previews, empty.
    ///
    /// # Errors
    /// If it cannot be emptied or made.
    pub fn preview_folder(&self) -> Result<PathBuf> {
        let path = self.root.join("preview");
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(disk("cannot clear", &path))?;
        }
        own_folder(&path)?;
        Ok(path)
    }
}

/// Makes the folder of a home. One that was there keeps its permissions; one that is made here is its owner's alone.
///
/// # Errors
/// If it cannot be made.
pub fn make(root: &Path) -> Result<()> {
    if !root.exists() {
        std::fs::create_dir_all(root).map_err(disk("cannot create", root))?;
        owner_only(root)?;
    }
    Ok(())
}

/// Who has a home, in words, as far as its state says.
fn holder(root: &Path) -> String {
    let state = State::look(&state_path(root)).ok().flatten();
    let holder = state.and_then(|state| state.holder().ok().flatten());
    holder.map(|holder| holder.words()).unwrap_or_default()
}

/// Bytes of the files below a folder; what cannot be looked at counts as nothing.
pub(super) fn size_of_folder(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_of_folder(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// A folder for what lives as long as a process does, its owner's alone; made if it is not there.
///
/// # Errors
/// If it cannot be made, or others may look into it.
pub fn work_folder(path: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(path).map_err(disk("cannot create", path))?;
    owner_only(path)?;
    path.canonicalize().map_err(disk("cannot open", path))
}

/// Makes a folder that is not there. A link in its place is not followed: rows would lie where nobody looks after them.
pub(super) fn own_folder(path: &Path) -> Result<()> {
    if path.is_symlink() {
        let why = "it is a link; remove it, or choose another place for everything with --home";
        return Err(disk("will not write into", path)(io::Error::other(why)));
    }
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.map_err(disk("cannot create", path)),
    }
}

/// Whether a process is at work on a home.
#[must_use]
pub fn is_busy(root: &Path) -> bool {
    match File::open(root.join("lock")) {
        Ok(lock) => matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    }
}

/// Where the state database of a home is, open or not: readers need no lock.
#[must_use]
pub fn state_path(root: &Path) -> PathBuf {
    root.join("state.db")
}

#[cfg(unix)]
pub(super) fn owner_only(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(disk("cannot protect", path))
}

#[cfg(not(unix))]
pub(super) fn owner_only(_: &Path) -> Result<()> {
    Ok(())
}

/// Makes a new file that is its owner's alone from the first moment on; an error if something is there.
pub(super) fn create_owned(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
