//! The home: the folder below which everything is kept. One process works on it at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::durable;
use super::error::{Error, Result, disk};
use super::error_file::ERROR_FILE;
use super::state::State;

/// An open home. The lock is the operating system's: it ends with the process, however that ends.
pub struct Home {
    root: PathBuf,
    _lock: File,
}

impl Home {
    /// Opens a home, making it first if there is none. Only its owner may look into it.
    ///
    /// # Errors
    /// If the folder cannot be made, or another process has it.
    pub fn open(root: &Path) -> Result<Self> {
        // A folder that was there keeps its permissions; one that is made here is its owner's alone.
        if !root.exists() {
            std::fs::create_dir_all(root).map_err(disk("cannot create", root))?;
            owner_only(root)?;
        }
        let root = root.canonicalize().map_err(disk("cannot open", root))?;
        let path = root.join("lock");
        // Never emptied: a link in its place would have another file emptied.
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(disk("cannot create", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, _lock: lock }),
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

    /// The folder of a run, made now.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn run_folder(&self, run: &str) -> Result<PathBuf> {
        let runs = self.root.join("runs");
        own_folder(&runs)?;
        let path = runs.join(run);
        own_folder(&path)?;
        Ok(path)
    }

    /// The folder of a run, if it is there; a link in its place is none.
    #[must_use]
    pub fn existing_run_folder(&self, run: &str) -> Option<PathBuf> {
        let path = self.root.join("runs").join(run);
        (path.is_dir() && !path.is_symlink()).then_some(path)
    }

    /// Removes the folder of a run, and says how many bytes that freed.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove_run_folder(path: &Path) -> Result<u64> {
        let bytes = size_of_folder(path);
        std::fs::remove_dir_all(path).map_err(disk("cannot remove", path))?;
        Ok(bytes)
    }

    /// Removes the rows and the plan of a run, and leaves its error file; says how many bytes that freed.
    ///
    /// # Errors
    /// If they cannot be removed.
    pub fn remove_rows(path: &Path) -> Result<u64> {
        let mut bytes = 0;
        for entry in std::fs::read_dir(path).map_err(disk("cannot read", path))? {
            let entry = entry.map_err(disk("cannot read", path))?;
            if entry.file_name() == ERROR_FILE {
                continue;
            }
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                bytes += Self::remove_run_folder(&path)?;
            } else {
                bytes += entry.metadata().map_or(0, |meta| meta.len());
                std::fs::remove_file(&path).map_err(disk("cannot remove", &path))?;
            }
        }
        remove_if_empty(path)?;
        Ok(bytes)
    }

    /// Removes the error file of a run, and its folder if nothing else is in it; says how many bytes that freed.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove_error_file(path: &Path) -> Result<u64> {
        let file = path.join(ERROR_FILE);
        let bytes = file.metadata().map_or(0, |meta| meta.len());
        durable::remove(&file)?;
        remove_if_empty(path)?;
        Ok(bytes)
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

/// What is left of a run's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its folder, if it is there.
    pub folder: Option<PathBuf>,
    /// Whether its rows and its plan are: what lies in the folder beside the error file.
    pub has_rows: bool,
    /// The error file, if it is there.
    pub error_file: Option<PathBuf>,
}

/// What is left of a run's files in a home, open or not.
#[must_use]
pub fn kept_of_run(root: &Path, run: &str) -> Kept {
    let folder = root.join("runs").join(run);
    let Ok(entries) = std::fs::read_dir(&folder) else { return Kept::default() };
    let has_rows = entries.flatten().any(|entry| entry.file_name() != ERROR_FILE);
    let error_file = Some(folder.join(ERROR_FILE)).filter(|path| path.is_file());
    Kept { folder: Some(folder), has_rows, error_file }
}

fn remove_if_empty(path: &Path) -> Result<()> {
    if std::fs::read_dir(path).map_err(disk("cannot read", path))?.next().is_none() {
        std::fs::remove_dir(path).map_err(disk("cannot remove", path))?;
    }
    Ok(())
}

/// The right to follow the schedules of a home: one process's at a time, as long as it lives.
pub struct Following {
    _lock: File,
}

impl Following {
    /// Takes it.
    ///
    /// # Errors
    /// If another process has it, or the disk says no.
    pub fn take(root: &Path) -> Result<Self> {
        let path = root.join("serve.lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(disk("cannot create", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::Followed { path: root.to_owned() }),
            Err(TryLockError::Error(source)) => Err(Error::Disk { what: "cannot lock", path, source }),
        }
    }
}

/// Who has a home, in words, as far as its state says.
fn holder(root: &Path) -> String {
    let state = State::look(&state_path(root)).ok().flatten();
    let holder = state.and_then(|state| state.holder().ok().flatten());
    holder.map(|h| format!(" (process {}, since {})", h.process, h.since)).unwrap_or_default()
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

/// Makes a folder that is not there. A link in its place is not followed: rows would lie where nobody looks after them.
fn own_folder(path: &Path) -> Result<()> {
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
