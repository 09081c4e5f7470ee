//! Of a row's versions the newest: rows of an export come again whenever they change, and once more when they are deleted.
//!
//! The greatest version counts, of equal ones the last that came. Rows are dealt out by their keys first, so that the versions of a part
//! fit into memory however many rows there are. In: batches with versions, those of an earlier run before what has come since. Out:
//! rows as they are now, and which were deleted at which version: a row that was left behind may come again later, and stays deleted.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, BooleanArray, UInt32Array};
use arrow::compute::{filter_record_batch, take_record_batch};
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::error::Error;
use super::row_keys::key;
use crate::files::shape::{GONE, VERSION};
use crate::store::dataset::{RunFolder, Writer};

/// Bytes of files, about, whose rows may be held at a time.
const BYTES_HELD: u64 = 48 << 20;
/// Parts at the most: each has a file under way while rows are dealt out.
const PARTS_AT_MOST: u64 = 512;
/// Rows of all parts together that may wait for their files to be full.
const ROWS_WAITING: usize = 262_144;

/// Parts that so many bytes of files are dealt out to.
pub(super) fn parts(bytes: u64) -> usize {
    usize::try_from((bytes / BYTES_HELD + 1).min(PARTS_AT_MOST)).unwrap_or(1)
}

/// Rows being dealt out by their keys.
pub(super) struct Dealing<'a> {
    folder: &'a RunFolder,
    name: String,
    schema: SchemaRef,
    id: String,
    to: To,
}

enum To {
    /// All of them are held.
    Memory(Vec<RecordBatch>),
    Files(Vec<Writer>),
}

impl<'a> Dealing<'a> {
    /// Begins. What is dealt out lies below `name` until it is cleared away.
    pub(super) async fn begin(
        folder: &'a RunFolder,
        name: &str,
        schema: &SchemaRef,
        id: &str,
        parts: usize,
    ) -> Result<Self, Error> {
        folder.clear(name).await?;
        let to = if parts <= 1 {
            To::Memory(Vec::new())
        } else {
            let rows = ROWS_WAITING / parts;
            let writer = |part| folder.write_fleeting(&part_of(name, part), schema.clone()).with_files_of(rows);
            To::Files((0..parts).map(writer).collect())
        };
        Ok(Self { folder, name: name.to_owned(), schema: schema.clone(), id: id.to_owned(), to })
    }

    /// Takes rows in, in the order in which they count.
    pub(super) async fn add(&mut self, rows: RecordBatch) -> Result<(), Error> {
        let writers = match &mut self.to {
            To::Memory(held) => {
                held.push(rows);
                return Ok(());
            }
            To::Files(writers) => writers,
        };
        let ids = ids(&rows, &self.id)?;
        let mut picked: Vec<Vec<u32>> = vec![Vec::new(); writers.len()];
        for (at, number) in (0..ids.len()).zip(0_u32..) {
            // Keys are made at random, or one after the other: both halves have a say.
            let key = key(ids.value(at));
            let mixed = ((key >> 64) ^ key) as u64;
            let mixed = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            let part = usize::try_from(mixed % writers.len() as u64).unwrap_or_default();
            picked[part].push(number);
        }
        for (writer, picked) in writers.iter_mut().zip(picked).filter(|(_, picked)| !picked.is_empty()) {
            let part = take_record_batch(&rows, &UInt32Array::from(picked)).map_err(|e| Error::Books(e.to_string()))?;
            writer.add(part).await?;
        }
        Ok(())
    }

    /// Everything is dealt out; the parts are looked at one by one.
    pub(super) async fn end(self) -> Result<Dealt<'a>, Error> {
        let parts = match self.to {
            To::Memory(held) => Parts::Memory(Some(held)),
            To::Files(writers) => {
                let count = writers.len();
                for writer in writers {
                    writer.finish().await?;
                }
                Parts::Files(0, count)
            }
        };
        Ok(Dealt { folder: self.folder, name: self.name, schema: self.schema, id: self.id, parts })
    }
}

/// Rows that are dealt out.
pub(super) struct Dealt<'a> {
    folder: &'a RunFolder,
    name: String,
    schema: SchemaRef,
    id: String,
    parts: Parts,
}

enum Parts {
    Memory(Option<Vec<RecordBatch>>),
    Files(usize, usize),
}

/// The newest versions of the rows of one part.
pub(super) struct Newest {
    /// Rows that are there, in the columns of the files.
    pub(super) rows: Vec<RecordBatch>,
    /// Rows that are not, with their keys and versions.
    pub(super) gone: Vec<RecordBatch>,
}

impl Dealt<'_> {
    /// The next part; none behind the last.
    pub(super) async fn next(&mut self) -> Result<Option<Newest>, Error> {
        let batches = match &mut self.parts {
            Parts::Memory(held) => match held.take() {
                Some(held) => held,
                None => return Ok(None),
            },
            Parts::Files(next, count) => {
                if next == count {
                    return Ok(None);
                }
                let part = part_of(&self.name, *next);
                *next += 1;
                let (mut reader, mut batches) = (self.folder.read(&part).await?, Vec::new());
                while let Some(batch) = reader.next().await? {
                    batches.push(batch);
                }
                self.folder.clear(&part).await?;
                batches
            }
        };
        newest(&batches, &self.id, &self.schema).map(Some)
    }

    /// Clears away what was dealt out.
    pub(super) async fn clear(self) -> Result<(), Error> {
        Ok(self.folder.clear(&self.name).await?)
    }
}

fn part_of(name: &str, part: usize) -> String {
    format!("{name}/{part:03}")
}

fn newest(batches: &[RecordBatch], id: &str, schema: &SchemaRef) -> Result<Newest, Error> {
    let mut found: HashMap<u128, (i64, u32, u32)> = HashMap::new();
    for (number, batch) in (0_u32..).zip(batches) {
        let (ids, versions) = (ids(batch, id)?, column(batch, VERSION)?.as_primitive::<Int64Type>());
        for (row, at) in (0_u32..).zip(0..batch.num_rows()) {
            let one = (versions.value(at), number, row);
            let best = found.entry(key(ids.value(at))).or_insert(one);
            if one.0 >= best.0 {
                *best = one;
            }
        }
    }
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    for (number, batch) in (0_u32..).zip(batches) {
        let (ids, is_gone) = (ids(batch, id)?, column(batch, GONE)?.as_boolean());
        let counts =
            |row: u32, at: usize| found.get(&key(ids.value(at))).is_some_and(|best| (best.1, best.2) == (number, row));
        let of = |wanted: bool| -> BooleanArray {
            (0_u32..)
                .zip(0..batch.num_rows())
                .map(|(row, at)| Some(is_gone.value(at) == wanted && counts(row, at)))
                .collect()
        };
        let pick = |wanted| filter_record_batch(batch, &of(wanted)).map_err(|e| Error::Books(e.to_string()));
        rows.extend(Some(pick(false)?).filter(|rows| rows.num_rows() > 0));
        let columns = [schema.index_of(id), schema.index_of(VERSION)].into_iter().collect::<Result<Vec<_>, _>>();
        let columns = columns.map_err(|e| Error::Books(e.to_string()))?;
        let absent = pick(true)?.project(&columns).map_err(|e| Error::Books(e.to_string()))?;
        gone.extend(Some(absent).filter(|rows| rows.num_rows() > 0));
    }
    Ok(Newest { rows, gone })
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b arrow::array::ArrayRef, Error> {
    batch.column_by_name(name).ok_or_else(|| Error::Books(format!("rows of files have no column {name}")))
}

fn ids<'b>(batch: &'b RecordBatch, id: &str) -> Result<&'b arrow::array::StringArray, Error> {
    let ids = column(batch, id)?.as_string_opt::<i32>();
    ids.ok_or_else(|| Error::Books(format!("the key {id} of files is no text")))
}
