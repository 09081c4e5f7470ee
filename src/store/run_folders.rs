//! Where run folders are: below the home, or in an object store.
//!
//! In: the number of a run. Out: its folder, what is left of it, and its removal. One that lies in an object store has a folder below the
//! home as well, for what only a process at work needs, and for the error file, which is read more often than written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::bucket::Bucket;
use super::dataset::{Place, RunFolder};
use super::durable::{self, names_in};
use super::error::{Error, Result, disk};
use super::error_file::ERROR_FILE;
use super::home::{own_folder, size_of_folder};

/// Under this name the place in an object store says whose it is.
const OWNER: &str = "state.txt";

/// Where the run folders of a home are.
pub struct RunFolders {
    home: PathBuf,
    bucket: Option<Owned>,
}

/// A place in an object store, with whose it has to be.
struct Owned {
    place: Bucket,
    /// When the state began, in milliseconds since 1970; unknown to who only reads.
    born_ms: Option<i64>,
    is_ours: OnceCell<()>,
}

/// What is left of a run's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Where its folder is, as a path or a URL, if it is there.
    pub folder: Option<String>,
    /// Whether its rows and its plan are: what lies in the folder beside the error file.
    pub has_rows: bool,
    /// The error file on this machine, if it is there.
    pub error_file: Option<PathBuf>,
}

/// Which of a run's files are left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Whether its rows and its plan are.
    pub has_rows: bool,
    /// Whether the error file is.
    pub has_error_file: bool,
}

impl RunFolders {
    /// Those of a home: below it, or in a place of an object store. `born_ms` is when the state began, for who writes.
    #[must_use]
    pub fn of(home: &Path, bucket: Option<Bucket>, born_ms: Option<i64>) -> Self {
        let bucket = bucket.map(|place| Owned { place, born_ms, is_ours: OnceCell::new() });
        Self { home: home.to_owned(), bucket }
    }

    /// The folder of a run, made now.
    ///
    /// # Errors
    /// If it cannot be made, or the place is another state's.
    pub async fn make(&self, run: &str) -> Result<RunFolder> {
        let path = self.make_here(run)?;
        match &self.bucket {
            None => RunFolder::open(&path),
            Some(owned) => {
                owned.claim().await?;
                Ok(RunFolder::in_bucket(owned.of(run), &path))
            }
        }
    }

    /// The folder of a run, if it is there; a link in its place is none.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub async fn find(&self, run: &str) -> Result<Option<RunFolder>> {
        let Some(owned) = &self.bucket else {
            let path = self.here(run);
            return if path.is_dir() && !path.is_symlink() { RunFolder::open(&path).map(Some) } else { Ok(None) };
        };
        let place = owned.of(run);
        if !place.has_any().await? {
            return Ok(None);
        }
        Ok(Some(RunFolder::in_bucket(place, &self.make_here(run)?)))
    }

    /// Removes the folder of a run, and says how many bytes that freed.
    ///
    /// # Errors
    /// If it cannot be removed, or the place is another state's.
    pub async fn remove(&self, run: &str) -> Result<u64> {
        let freed = match &self.bucket {
            None => 0,
            Some(owned) => {
                owned.claim().await?;
                let place = owned.of(run);
                place.remove_all(place.list(None).await?).await?
            }
        };
        let path = self.here(run);
        if !path.is_dir() || path.is_symlink() {
            return Ok(freed);
        }
        let bytes = size_of_folder(&path);
        std::fs::remove_dir_all(&path).map_err(disk("cannot remove", &path))?;
        Ok(if self.bucket.is_some() { freed } else { bytes })
    }

    /// Removes the rows and the plan of a run, and leaves its error file; says how many bytes that freed.
    ///
    /// # Errors
    /// As [`RunFolders::remove`].
    pub async fn remove_rows(&self, run: &str) -> Result<u64> {
        let here = remove_rows(&self.here(run))?;
        let Some(owned) = &self.bucket else { return Ok(here) };
        owned.claim().await?;
        let place = owned.of(run);
        let mut found = place.list(None).await?;
        found.retain(|object| object.name != ERROR_FILE);
        place.remove_all(found).await
    }

    /// Removes the error file of a run, and its folder if nothing else is in it; says how many bytes that freed.
    ///
    /// # Errors
    /// As [`RunFolders::remove`].
    pub async fn remove_error_file(&self, run: &str) -> Result<u64> {
        let path = self.here(run);
        let file = path.join(ERROR_FILE);
        let bytes = file.metadata().map_or(0, |meta| meta.len());
        durable::remove(&file)?;
        if path.is_dir() {
            remove_if_empty(&path)?;
        }
        if let Some(owned) = &self.bucket {
            owned.claim().await?;
            owned.of(run).remove(ERROR_FILE).await?;
        }
        Ok(bytes)
    }

    /// What is left of the files of each run that has a folder, without fetching anything.
    ///
    /// # Errors
    /// If the disk or the object store cannot be asked.
    pub async fn left(&self) -> Result<BTreeMap<String, Left>> {
        let mut left: BTreeMap<String, Left> = BTreeMap::new();
        let mut add = |run: &str, files: &[String]| {
            let of_run = left.entry(run.to_owned()).or_default();
            of_run.has_error_file |= files.iter().any(|file| file == ERROR_FILE);
            of_run.has_rows |= files.iter().any(|file| file != ERROR_FILE);
        };
        match &self.bucket {
            // One listing for all: there may be thousands of runs, and each request costs.
            Some(owned) => {
                for object in owned.place.below("runs").list(None).await? {
                    if let Some((run, file)) = object.name.split_once('/') {
                        add(run, &[file.to_owned()]);
                    }
                }
            }
            None => {
                let runs = self.home.join("runs");
                for run in names_in(&runs) {
                    let path = runs.join(&run);
                    if path.is_dir() && !path.is_symlink() {
                        add(&run, &names_in(&path));
                    }
                }
            }
        }
        Ok(left)
    }

    /// What is left of a run's files. The error file is fetched, if it is not on this machine.
    ///
    /// # Errors
    /// If the object store cannot be asked.
    pub async fn kept(&self, run: &str) -> Result<Kept> {
        let path = self.here(run);
        let Some(owned) = &self.bucket else {
            if !path.is_dir() {
                return Ok(Kept::default());
            }
            let has_rows = names_in(&path).iter().any(|name| name != ERROR_FILE);
            let error_file = Some(path.join(ERROR_FILE)).filter(|path| path.is_file());
            return Ok(Kept { folder: Some(path.display().to_string()), has_rows, error_file });
        };
        let place = owned.of(run);
        let found = place.list(None).await?;
        if found.is_empty() {
            return Ok(Kept::default());
        }
        let has_rows = found.iter().any(|object| object.name != ERROR_FILE);
        let error_file = match found.iter().find(|object| object.name == ERROR_FILE) {
            Some(object) => self.fetched(run, &place, object.bytes).await?,
            None => None,
        };
        Ok(Kept { folder: Some(place.url().to_string()), has_rows, error_file })
    }

    /// The error file of a run on this machine. The store's is the one that counts: what an attempt that broke off has left here may be of
    /// another length.
    async fn fetched(&self, run: &str, place: &Bucket, bytes: u64) -> Result<Option<PathBuf>> {
        let path = self.here(run).join(ERROR_FILE);
        if path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() == bytes) {
            return Ok(Some(path));
        }
        self.make_here(run)?;
        Ok(place.download(ERROR_FILE, &path).await?.then_some(path))
    }

    fn here(&self, run: &str) -> PathBuf {
        self.home.join("runs").join(run)
    }

    fn make_here(&self, run: &str) -> Result<PathBuf> {
        own_folder(&self.home.join("runs"))?;
        let path = self.here(run);
        own_folder(&path)?;
        Ok(path)
    }
}

impl RunFolder {
    /// Brings an error file that was written on this machine to where the run's other files are.
    ///
    /// # Errors
    /// If that place cannot be written to.
    pub async fn keep_error_file(&self, written: Option<&Path>) -> Result<()> {
        let Place::Bucket(bucket) = self.place() else { return Ok(()) };
        match written {
            Some(path) => bucket.upload(path, ERROR_FILE).await,
            None => bucket.remove(ERROR_FILE).await,
        }
    }
}

impl Owned {
    fn of(&self, run: &str) -> Bucket {
        self.place.below("runs").below(run)
    }

    /// Makes sure that no other state has its runs here: they would have the same numbers.
    async fn claim(&self) -> Result<()> {
        self.is_ours.get_or_try_init(|| self.claimed()).await.map(drop)
    }

    async fn claimed(&self) -> Result<()> {
        let Some(born_ms) = self.born_ms else { return Ok(()) };
        let ours = words(born_ms);
        if self.place.put_new(OWNER, Bytes::from(ours.clone())).await? {
            return Ok(());
        }
        let theirs = self.place.get(OWNER).await?.unwrap_or_default();
        let theirs = String::from_utf8_lossy(&theirs).trim().to_owned();
        if theirs == ours { Ok(()) } else { Err(Error::NotOurs { place: self.place.url().to_string(), theirs, ours }) }
    }
}

fn words(at_ms: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn remove_rows(path: &Path) -> Result<u64> {
    let mut bytes = 0;
    if !path.is_dir() || path.is_symlink() {
        return Ok(bytes);
    }
    for entry in std::fs::read_dir(path).map_err(disk("cannot read", path))? {
        let entry = entry.map_err(disk("cannot read", path))?;
        if entry.file_name() == ERROR_FILE {
            continue;
        }
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            bytes += size_of_folder(&path);
            std::fs::remove_dir_all(&path).map_err(disk("cannot remove", &path))?;
        } else {
            bytes += entry.metadata().map_or(0, |meta| meta.len());
            std::fs::remove_file(&path).map_err(disk("cannot remove", &path))?;
        }
    }
    remove_if_empty(path)?;
    Ok(bytes)
}

fn remove_if_empty(path: &Path) -> Result<()> {
    if std::fs::read_dir(path).map_err(disk("cannot read", path))?.next().is_none() {
        std::fs::remove_dir(path).map_err(disk("cannot remove", path))?;
    }
    Ok(())
}
