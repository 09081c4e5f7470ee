//! In what condition a home is: who may look into it, how large it is, what room is left. Read from the file system alone.

use std::path::{Path, PathBuf};

use super::home::{size_of_folder, state_path};
use super::secrets::file as secrets_file;

/// The condition of a home.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Whether it is there.
    pub is_there: bool,
    /// Files and folders that others than their owner may look into, with their modes.
    pub open_to_others: Vec<(PathBuf, u32)>,
    /// Bytes of everything below it.
    pub bytes: u64,
    /// Bytes of the folders of runs, and how many there are.
    pub runs: (u64, usize),
    /// Bytes that are free there; unknown on some systems.
    pub free_bytes: Option<u64>,
    /// Whether this process may do everything on this machine.
    pub is_root: bool,
}

/// Looks at a home, and at a file outside of it that is as secret.
#[must_use]
pub fn condition(root: &Path, key_file: Option<&Path>) -> Condition {
    let runs = root.join("runs");
    let folders = std::fs::read_dir(&runs).map_or(0, |entries| entries.flatten().count());
    let secret = [root.to_owned(), state_path(root), secrets_file(root)];
    let secret = secret.into_iter().chain(key_file.map(Path::to_owned));
    Condition {
        is_there: root.is_dir(),
        open_to_others: secret.filter_map(|path| open(&path).map(|mode| (path, mode))).collect(),
        bytes: size_of_folder(root),
        runs: (size_of_folder(&runs), folders),
        free_bytes: free(root),
        is_root: is_root(),
    }
}

/// The mode of a file that others than its owner may look into.
#[cfg(unix)]
fn open(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open(_: &Path) -> Option<u32> {
    None
}

/// What an ordinary user may still write there.
#[cfg(unix)]
fn free(root: &Path) -> Option<u64> {
    let place = root.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new("."));
    let found = rustix::fs::statvfs(if place.as_os_str().is_empty() { Path::new(".") } else { place }).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Whether a process of that number is there; unknown on some systems.
#[cfg(unix)]
#[must_use]
pub fn is_process(number: i64) -> Option<bool> {
    let process = rustix::process::Pid::from_raw(i32::try_from(number).ok()?)?;
    match rustix::process::test_kill_process(process) {
        Ok(()) | Err(rustix::io::Errno::PERM) => Some(true),
        Err(_) => Some(false),
    }
}

/// Whether a process of that number is there; unknown on some systems.
#[cfg(not(unix))]
#[must_use]
pub fn is_process(_: i64) -> Option<bool> {
    None
}
