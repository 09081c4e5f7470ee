//! A dataset as it is now: the rows of an earlier run, without those that are gone, and with those that changed.
//!
//! What changed comes in several datasets, and of one key the last word counts. Only where that stands is held in memory, a few dozen
//! bytes a key, as a bulk edit may change every row; the rows themselves stream past. In: datasets. Out: batches of the dataset's own columns, in the order of the earlier rows, what changed behind them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray, new_null_array};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use tokio::task::{JoinError, JoinSet};

use super::error::Error;
use super::row_keys::{RowKeys, key, texts};
use crate::model::dataset::ROW;
use crate::model::sabotage::{self, Bug};
use crate::store::dataset::{Reader, RunFolder};

/// The column of a staged change that says whether the row is gone.
const GONE: &str = "@gone";

/// What is said of a key last: gone, or where its row stands among the changes, by batch and row.
type Said = HashMap<u128, Option<(u32, u32)>>;

/// A dataset being put together.
pub(super) struct Merging {
    earlier: Reader,
    id: String,
    schema: SchemaRef,
    folder: RunFolder,
    /// Datasets of changes that are still to be gone through.
    changes: VecDeque<String>,
    current: Option<Reader>,
    said: Said,
    keys: Option<RowKeys>,
    is_numbered: bool,
    rows: i64,
    /// The number of the next batch of changes.
    next: u32,
    is_behind: bool,
}

/// The columns of staged changes: those of the pages, and whether the row is gone.
pub(super) fn changes_schema(pages: &Schema) -> SchemaRef {
    let mut fields: Vec<ArrowField> = pages.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
    fields.push(ArrowField::new(GONE, DataType::Boolean, false));
    Arc::new(Schema::new(fields))
}

/// A page of changes with the rows that are gone, of which only the key is known. Rows are as they are when the page is read, so one
/// that is among them is there, although its key is told of as gone too: it was restored, or made again.
pub(super) fn with_gone(page: &RecordBatch, mut gone: Vec<String>, id: &str) -> Result<RecordBatch, Error> {
    if !gone.is_empty() && page.num_rows() > 0 {
        let there: HashSet<&str> = texts(page, id)?.iter().flatten().collect();
        gone.retain(|id| !there.contains(id.as_str()));
    }
    let schema = changes_schema(&page.schema());
    let there: ArrayRef = Arc::new(BooleanArray::from(vec![false; page.num_rows()]));
    let present = page.columns().iter().cloned().chain([there]).collect();
    let present = RecordBatch::try_new(Arc::clone(&schema), present).map_err(wrong)?;
    if gone.is_empty() {
        return Ok(present);
    }
    let rows = gone.len();
    let ids: ArrayRef = Arc::new(StringArray::from(gone));
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        GONE => Arc::new(BooleanArray::from(vec![true; rows])) as ArrayRef,
        name if name == id => Arc::clone(&ids),
        _ => new_null_array(field.data_type(), rows),
    });
    let absent = RecordBatch::try_new(Arc::clone(&schema), columns.collect()).map_err(wrong)?;
    concat_batches(&schema, [&present, &absent]).map_err(wrong)
}

impl Merging {
    /// Begins. `changes` are datasets in the order in which they were read; `keys` is one of all keys that there are, if it was read.
    pub(super) async fn begin(
        earlier: Reader,
        folder: &RunFolder,
        changes: &[String],
        keys: Option<&str>,
        id: &str,
        schema: SchemaRef,
    ) -> Result<Self, Error> {
        let (mut number, mut said) = (0_u32, Said::new());
        for name in changes {
            let mut reader = folder.read(name).await?;
            while let Some(batch) = reader.next().await? {
                let (ids, gone) = (texts(&batch, id)?, flags(&batch)?);
                for at in (0..batch.num_rows()).filter(|at| !ids.is_null(*at)) {
                    let is_gone = gone.is_some_and(|gone| gone.value(at));
                    if is_gone && sabotage::has(Bug::GoneStays) {
                        continue;
                    }
                    let row = u32::try_from(at).expect("a batch has no more rows than its file");
                    said.insert(key(ids.value(at)), (!is_gone).then_some((number, row)));
                }
                number += 1;
            }
        }
        let keys = match keys {
            Some(name) => Some(RowKeys::read(folder, name, id).await?),
            None => None,
        };
        let is_numbered = schema.index_of(ROW).is_ok();
        let (folder, changes, id) = (folder.clone(), changes.iter().cloned().collect(), id.to_owned());
        let (current, rows, next, is_behind) = (None, 0, 0, false);
        Ok(Self { earlier, id, schema, folder, changes, current, said, keys, is_numbered, rows, next, is_behind })
    }

    /// Keys of which something is said: rows that changed or are new, and rows that are gone.
    pub(super) fn changed_and_gone(&self) -> (u64, u64) {
        let gone = self.said.values().filter(|place| place.is_none()).count() as u64;
        (self.said.len() as u64 - gone, gone)
    }

    /// Whether nothing is other than in the earlier run: nothing is said of any row, and all of its rows are still there.
    pub(super) async fn is_idle(&self, earlier: &RunFolder, name: &str) -> Result<bool, Error> {
        let keys = match &self.keys {
            _ if !self.said.is_empty() => return Ok(false),
            None => return Ok(true),
            Some(keys) => keys,
        };
        let mut files = earlier.sift(name, vec![self.id.clone()]).await?;
        // On a thread of its own, and while the next file is read: other datasets are merged at the same time.
        let mut looking: JoinSet<Result<bool, Error>> = JoinSet::new();
        while let Some(file) = files.next().await? {
            let (keys, id) = (keys.clone(), self.id.clone());
            let before = looking.join_next().await;
            looking.spawn_blocking(move || Ok(keys.have_all(texts(&file.rows, &id)?)));
            if !looked(before)? {
                return Ok(false);
            }
        }
        looked(looking.join_next().await)
    }

    /// The next rows; none behind the last.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        while !self.is_behind {
            match self.earlier.next().await? {
                Some(batch) => {
                    let ids = texts(&batch, &self.id)?;
                    let stays = |id: &str| {
                        let key = key(id);
                        !self.said.contains_key(&key) && self.is_there(key)
                    };
                    let stays: BooleanArray = ids.iter().map(|id| Some(id.is_some_and(&stays))).collect();
                    let kept = filter_record_batch(&batch, &stays).map_err(wrong)?;
                    if kept.num_rows() > 0 {
                        return self.shaped(&kept).map(Some);
                    }
                }
                None => self.is_behind = true,
            }
        }
        while let Some(batch) = self.next_changes().await? {
            let number = self.next;
            self.next += 1;
            let ids = texts(&batch, &self.id)?;
            let counts = |(row, id): (u32, Option<&str>)| {
                let Some(key) = id.map(key) else { return false };
                self.said.get(&key) == Some(&Some((number, row))) && self.is_there(key)
            };
            let counts: BooleanArray = (0..).zip(ids.iter()).map(|one| Some(counts(one))).collect();
            let kept = filter_record_batch(&batch, &counts).map_err(wrong)?;
            if kept.num_rows() > 0 {
                return self.shaped(&kept).map(Some);
            }
        }
        Ok(None)
    }

    /// The next batch of what changed, in the order in which it was numbered.
    async fn next_changes(&mut self) -> Result<Option<RecordBatch>, Error> {
        loop {
            if let Some(reader) = &mut self.current
                && let Some(batch) = reader.next().await?
            {
                return Ok(Some(batch));
            }
            let Some(name) = self.changes.pop_front() else { return Ok(None) };
            self.current = Some(self.folder.read(&name).await?);
        }
    }

    fn is_there(&self, key: u128) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.has(key))
    }

    /// Rows in the columns of the dataset, with numbers of their own.
    fn shaped(&mut self, rows: &RecordBatch) -> Result<RecordBatch, Error> {
        let first = self.rows + 1;
        self.rows += i64::try_from(rows.num_rows()).unwrap_or(i64::MAX);
        let numbers: ArrayRef = Arc::new((first..=self.rows).collect::<Int64Array>());
        let column = |name: &str| {
            let found = rows.column_by_name(name).cloned();
            found.ok_or_else(|| Error::Books(format!("the rows of an earlier run have no column {name}")))
        };
        let columns = self.schema.fields().iter().map(|field| match field.name().as_str() {
            ROW if self.is_numbered => Ok(Arc::clone(&numbers)),
            name => column(name),
        });
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?).map_err(wrong)
    }
}

/// What somebody found who looked; it is well if nobody did.
fn looked(ended: Option<Result<Result<bool, Error>, JoinError>>) -> Result<bool, Error> {
    ended.map_or(Ok(true), |ended| ended.map_err(|e| Error::Books(format!("keys were not looked through: {e}")))?)
}

fn flags(batch: &RecordBatch) -> Result<Option<&BooleanArray>, Error> {
    Ok(batch.column_by_name(GONE).and_then(|column| column.as_boolean_opt()))
}

fn wrong(error: arrow::error::ArrowError) -> Error {
    Error::Books(error.to_string())
}
