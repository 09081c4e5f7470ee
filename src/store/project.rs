//! The files of a project: read as text, and written anew for a sandbox.

use std::path::{Path, PathBuf};

use super::error::{Error, Result, disk};
use super::home::owner_only;

/// The most files that a project may have.
const FILES_AT_MOST: usize = 10_000;

/// One file as it lies there.
#[derive(Debug)]
pub struct ProjectFile {
    /// Path below the project's folder.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// All `*.ferry` files below a folder, by name. Hidden folders are skipped, and so are folders named `target`.
///
/// # Errors
/// If a folder or file cannot be read.
pub fn read(root: &Path) -> Result<Vec<ProjectFile>> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(disk("cannot read", &folder))? {
            let path = entry.map_err(disk("cannot read", &folder))?.path();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            // A link may lead out of the project, or in a circle.
            if name.starts_with('.') || name == "target" || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".ferry") {
                let bytes = std::fs::read(&path).map_err(disk("cannot read", &path))?;
                let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                files.push(ProjectFile { name, bytes });
            }
        }
        if files.len() > FILES_AT_MOST {
            return Err(Error::Dataset {
                what: root.display().to_string(),
                detail: "there are more than 10,000 *.ferry files; choose the project's folder with --project".into(),
            });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Writes files into a folder, which is made if it is not there. A file that exists is left alone, and that is an error.
///
/// # Errors
/// If a file exists, or the disk says no.
pub fn write(root: &Path, files: &[(&str, String)]) -> Result<()> {
    std::fs::create_dir_all(root).map_err(disk("cannot create", root))?;
    for (name, _) in files {
        let path = root.join(name);
        if path.exists() {
            return Err(disk("will not overwrite", &path)(std::io::ErrorKind::AlreadyExists.into()));
        }
    }
    for (name, text) in files {
        let path = root.join(name);
        std::fs::write(&path, text).map_err(disk("cannot write", &path))?;
        owner_only(&path)?;
    }
    Ok(())
}

/// Writes a file of the project anew: whole, or not at all.
///
/// # Errors
/// If the disk says no.
pub fn rewrite(root: &Path, name: &str, text: &str) -> Result<()> {
    let path = root.join(name);
    let beside = path.with_extension("ferry-new");
    std::fs::write(&beside, text).map_err(disk("cannot write", &beside))?;
    let mode = std::fs::metadata(&path).map_err(disk("cannot read", &path))?.permissions();
    std::fs::set_permissions(&beside, mode).map_err(disk("cannot protect", &beside))?;
    std::fs::rename(&beside, &path).map_err(disk("cannot write", &path))
}

/// Removes the home of an earlier demo. A folder without our state in it is somebody else's, and is left alone.
///
/// # Errors
/// If it is not ours, or cannot be removed.
pub fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        if !super::home::state_path(folder).exists() {
            return Err(disk("will not clear (it is no home of Ferry)", folder)(
                std::io::ErrorKind::AlreadyExists.into(),
            ));
        }
        std::fs::remove_dir_all(folder).map_err(disk("cannot clear", folder))?;
    }
    Ok(())
}
