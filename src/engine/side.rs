//! One side of a join in memory: its rows, and where the row with a key is.
//!
//! A side has at most one row for a key, so a row of the other finds one or none, and rows stay what they are: one out for one in. In:
//! batches of the side. Out: for rows with keys, the values that the side has for them.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, DynComparator, UInt32Array, make_comparator};
use arrow::compute::{SortOptions, concat_batches, take};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::{DataFusionError, Result};

/// No row, in the table of places.
const NOBODY: u32 = u32::MAX;
/// Bytes that a row's place takes beside its values: its hash, and two places in the table.
const PLACE_BYTES: usize = 16;

/// Bytes that a batch takes as a part of a side. Batches may share what they are cut from, so each counts for its own rows.
pub(super) fn bytes_of(batch: &RecordBatch) -> usize {
    let values = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or_default());
    values.sum::<usize>() + batch.num_rows() * PLACE_BYTES
}

/// A side that is held.
pub(super) struct Side {
    rows: RecordBatch,
    keys: Vec<usize>,
    hashes: Vec<u64>,
    /// Rows by the lower bits of their hash, each at the first free place behind; a power of two of them.
    places: Vec<u32>,
}

impl Side {
    /// A side from its batches. `keys` are the columns of its key.
    pub(super) fn new(schema: &SchemaRef, batches: &[RecordBatch], keys: &[usize]) -> Result<Self> {
        let rows = concat_batches(schema, batches)?;
        if rows.num_rows() >= NOBODY as usize {
            return Err(DataFusionError::ResourcesExhausted("a side of a join has too many rows".to_owned()));
        }
        let mut side = Self { hashes: hashes(&rows, keys)?, rows, keys: keys.to_vec(), places: Vec::new() };
        side.places = vec![NOBODY; (side.hashes.len() * 2).next_power_of_two()];
        side.fill()?;
        Ok(side)
    }

    /// Gives each row its place. Of two rows with one key the first stands.
    fn fill(&mut self) -> Result<()> {
        let same = comparators(&self.rows, &self.rows, &self.keys, &self.keys)?;
        let rows = self.rows.clone();
        let keys = self.keys.clone();
        let keyed = keyed(&rows, &keys);
        for row in (0..self.hashes.len()).filter(|row| keyed(*row)) {
            let is_same = |other: usize| same.iter().all(|c| c(row, other) == Ordering::Equal);
            let (place, found) = self.place(self.hashes[row], is_same);
            if found == NOBODY {
                self.places[place] = u32::try_from(row).unwrap_or(NOBODY);
            }
        }
        Ok(())
    }

    /// For each row of a batch the row of the side that has its key; none for a key that is not there, or null.
    pub(super) fn find(&self, batch: &RecordBatch, keys: &[usize]) -> Result<UInt32Array> {
        let wanted = hashes(batch, keys)?;
        // Most keys are one text, which is compared without asking what kind of column it is.
        let text = |rows: &'_ RecordBatch, keys: &[usize]| match keys {
            [key] => rows.column(*key).as_string_opt::<i32>().cloned(),
            _ => None,
        };
        if let Some((wanted_texts, texts)) = text(batch, keys).zip(text(&self.rows, &self.keys)) {
            let is_same = |row: usize, other: usize| wanted_texts.value(row) == texts.value(other);
            return Ok(self.found(&wanted, keyed(batch, keys), is_same));
        }
        let same = comparators(batch, &self.rows, keys, &self.keys)?;
        let is_same = |row: usize, other: usize| same.iter().all(|c| c(row, other) == Ordering::Equal);
        Ok(self.found(&wanted, keyed(batch, keys), is_same))
    }

    fn found(
        &self,
        wanted: &[u64],
        is_keyed: impl Fn(usize) -> bool,
        is_same: impl Fn(usize, usize) -> bool,
    ) -> UInt32Array {
        // Places are looked at for all rows first: memory is waited for once for some of them together.
        let first: Vec<u32> = wanted.iter().map(|hash| self.places[self.first_place(*hash)]).collect();
        let found = wanted.iter().zip(first).enumerate().map(|(row, (hash, first))| {
            if first == NOBODY || !is_keyed(row) {
                return None;
            }
            if self.hashes[first as usize] == *hash && is_same(row, first as usize) {
                return Some(first);
            }
            let (_, found) = self.place(*hash, |other| is_same(row, other));
            (found != NOBODY).then_some(found)
        });
        found.collect()
    }

    /// The values of one of the side's columns for rows that were found.
    pub(super) fn values(&self, column: usize, found: &UInt32Array) -> Result<ArrayRef> {
        Ok(take(self.rows.column(column), found, None)?)
    }

    /// Where the row with this hash stands that `is` says yes to, or the free place where it would.
    fn place(&self, hash: u64, is: impl Fn(usize) -> bool) -> (usize, u32) {
        let mut place = self.first_place(hash);
        loop {
            let row = self.places[place];
            if row == NOBODY || (self.hashes[row as usize] == hash && is(row as usize)) {
                return (place, row);
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    fn first_place(&self, hash: u64) -> usize {
        usize::try_from(hash & 0xffff_ffff).unwrap_or_default() & (self.places.len() - 1)
    }
}

/// A hash of each row's key. Every side and every row of one plan is hashed alike.
pub(super) fn hashes(batch: &RecordBatch, keys: &[usize]) -> Result<Vec<u64>> {
    let mut hashes = vec![0; batch.num_rows()];
    create_hashes(keys.iter().map(|key| batch.column(*key)), &RandomState::default(), &mut hashes)?;
    Ok(hashes)
}

fn comparators(left: &RecordBatch, right: &RecordBatch, of: &[usize], to: &[usize]) -> Result<Vec<DynComparator>> {
    let pairs = of.iter().zip(to);
    let all = pairs.map(|(l, r)| make_comparator(left.column(*l), right.column(*r), SortOptions::default()));
    Ok(all.collect::<std::result::Result<_, _>>()?)
}

/// Whether a row has a whole key: a null is like nothing.
fn keyed<'a>(batch: &'a RecordBatch, keys: &'a [usize]) -> impl Fn(usize) -> bool + 'a {
    let nullable: Vec<&ArrayRef> = keys.iter().map(|key| batch.column(*key)).filter(|c| c.null_count() > 0).collect();
    move |row| nullable.iter().all(|column| column.is_valid(row))
}
