//! Reading a dataset where few rows matter: every row in a few columns, and then whole those that were chosen by them.
//!
//! A dataset that is read like this costs little more than its few columns: of the others only the rows that are picked are
//! decoded, or in a file of Arrow the parts up to the last of them. In: the names of columns, and positions in a file. Out: batches in the order of the rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use object_store::path::Path as StorePath;
use tokio::task::JoinHandle;

use super::dataset::{Place, RunFolder, beside, problem, read};
use super::error::Result;
use crate::staged::{Batches, Content};

/// A dataset of which rows are picked, file by file, in the order in which it was written.
pub struct Sift {
    name: String,
    folder: RunFolder,
    files: std::vec::IntoIter<StorePath>,
    columns: Vec<String>,
    choose: Option<Choose>,
    /// The columns of rows that are chosen; all, if there are none here.
    picked_columns: Option<Vec<String>>,
    /// The next file, which is read while somebody looks at the one before.
    ahead: Option<JoinHandle<Result<Sifted>>>,
}

/// Says by the few columns of a file's rows which of them are picked: positions, which rise.
type Choose = Arc<dyn Fn(&RecordBatch) -> Vec<usize> + Send + Sync>;

/// One file of it.
pub struct Sifted {
    name: String,
    file: StorePath,
    /// One in an object store is fetched once, and held while somebody looks at it.
    content: Content,
    /// All of its rows, in the columns that every row is looked at in, as far as the dataset has them.
    pub rows: RecordBatch,
    /// The positions that were chosen; none, if nobody chooses.
    pub chosen: Vec<usize>,
    /// The rows there, whole or in the columns that were asked for.
    pub picked: Vec<RecordBatch>,
}

impl RunFolder {
    /// Opens a dataset of which every row is looked at in some columns only. Columns that it does not have are left out.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub async fn sift(&self, name: &str, columns: Vec<String>) -> Result<Sift> {
        let files = self.files_of(name).await?.into_iter();
        let (name, folder) = (name.to_owned(), self.clone());
        Ok(Sift { name, folder, files, columns, choose: None, picked_columns: None, ahead: None })
    }
}

impl Sift {
    /// Picks rows of each file as soon as it is read, which is before anybody asks for it.
    #[must_use]
    pub fn picking(self, choose: impl Fn(&RecordBatch) -> Vec<usize> + Send + Sync + 'static) -> Self {
        Self { choose: Some(Arc::new(choose)), ..self }
    }

    /// Has rows that are picked in some columns only.
    #[must_use]
    pub fn picked_in(self, columns: Vec<String>) -> Self {
        Self { picked_columns: Some(columns), ..self }
    }

    /// The next file; none after the last.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn next(&mut self) -> Result<Option<Sifted>> {
        let Some(file) = self.ahead.take().or_else(|| self.begin()) else { return Ok(None) };
        self.ahead = self.begin();
        file.await.map_err(|e| problem(&self.name, &e))?.map(Some)
    }

    /// Begins to read the next file.
    fn begin(&mut self) -> Option<JoinHandle<Result<Sifted>>> {
        let file = self.files.next()?;
        let (columns, picked_columns) = (self.columns.clone(), self.picked_columns.clone());
        let (choose, name, of) = (self.choose.clone(), self.name.clone(), file.clone());
        let sifted = move |content: Content| {
            let rows = whole(&name, read(&of, &content, Some(&columns), None)?)?;
            let chosen = choose.map(|choose| choose(&rows)).unwrap_or_default();
            let picked = if chosen.is_empty() {
                Vec::new()
            } else {
                all(&name, read(&of, &content, picked_columns.as_deref(), Some(ranges(&chosen)))?)?
            };
            Ok(Sifted { name, file: of, content, rows, chosen, picked })
        };
        if let Place::Disk(top) = self.folder.place() {
            let path = top.join(file.as_ref());
            return Some(tokio::task::spawn_blocking(move || sifted(Content::File(path))));
        }
        let (folder, what) = (self.folder.clone(), self.name.clone());
        Some(tokio::spawn(async move {
            let bytes = folder.bytes_of(&file).await?;
            beside(&what, move || sifted(Content::Held(bytes))).await
        }))
    }
}

impl Sifted {
    /// Rows of the file by their positions in it, which rise: in some columns, or in all.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn pick(&self, positions: &[usize], columns: Option<Vec<String>>) -> Result<Vec<RecordBatch>> {
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let (content, what, file, picked) =
            (self.content.clone(), self.name.clone(), self.file.clone(), ranges(positions));
        let pick = move || all(&what, read(&file, &content, columns.as_deref(), Some(picked))?);
        beside(&self.name, pick).await
    }
}

/// Positions that rise as ranges without a gap.
fn ranges(positions: &[usize]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for at in positions {
        match ranges.last_mut() {
            Some(last) if last.end == *at => last.end += 1,
            _ => ranges.push(*at..*at + 1),
        }
    }
    ranges
}

fn whole(what: &str, batches: Batches) -> Result<RecordBatch> {
    let schema = Arc::clone(&batches.schema);
    concat_batches(&schema, &all(what, batches)?).map_err(|e| problem(what, &e))
}

fn all(what: &str, batches: Batches) -> Result<Vec<RecordBatch>> {
    batches.collect::<std::result::Result<_, _>>().map_err(|e| problem(what, &e))
}
