//! Keys of rows in 16 bytes each, and all keys that a table has.
//!
//! A table of millions of rows is asked for each of them, so they are kept as sorted numbers, which take half of what a hash table of
//! them takes. In: the texts of keys. Out: numbers, and whether one is among them.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::record_batch::RecordBatch;
use ring::digest::{SHA256, digest};

use super::error::Error;
use crate::store::dataset::RunFolder;

/// Stands in [`DIGITS`] for what is no digit.
const NONE: u8 = 0xff;
/// What each byte is as a hexadecimal digit.
const DIGITS: [u8; 256] = digits();

/// All keys that there are. Copies share them.
#[derive(Clone)]
pub(super) struct RowKeys(Arc<Vec<u128>>);

impl RowKeys {
    /// Reads them from a dataset that has them in a column.
    pub(super) async fn read(folder: &RunFolder, name: &str, id: &str) -> Result<Self, Error> {
        let mut keys = Vec::new();
        let mut reader = folder.read(name).await?;
        while let Some(batch) = reader.next().await? {
            keys.extend(texts(&batch, id)?.iter().flatten().map(key));
        }
        // Beside the thread that reads: the target may be read meanwhile.
        let sorted = tokio::task::spawn_blocking(move || {
            keys.shrink_to_fit();
            keys.sort_unstable();
            Arc::new(keys)
        });
        sorted.await.map(Self).map_err(|e| Error::Books(format!("the keys of {name} were not sorted: {e}")))
    }

    /// Whether a key is one of them.
    pub(super) fn has(&self, key: u128) -> bool {
        self.0.binary_search(&key).is_ok()
    }

    /// Whether those of all rows in a column of texts are among them.
    pub(super) fn have_all(&self, ids: &StringArray) -> bool {
        let mut keys: Vec<u128> = ids.iter().flatten().map(key).collect();
        // In their order each is found behind the one before, where memory was looked at just now.
        keys.sort_unstable();
        let mut rest = self.0.as_slice();
        ids.null_count() == 0
            && keys.iter().all(|key| {
                rest = &rest[rest.partition_point(|one| one < key)..];
                rest.first() == Some(key)
            })
    }
}

/// A column of texts.
pub(super) fn texts<'a>(batch: &'a RecordBatch, id: &str) -> Result<&'a StringArray, Error> {
    let column = batch.column_by_name(id).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| Error::Books(format!("rows that are to be merged have no column {id}")))
}

/// A key in 16 bytes: the GUID that it is, or a part of its digest.
pub(super) fn key(id: &str) -> u128 {
    dashed(id.as_bytes()).or_else(|| guid(id)).unwrap_or_else(|| {
        let whole = digest(&SHA256, id.as_bytes());
        whole.as_ref().iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
    })
}

/// The number that a GUID is in the form in which services write it.
fn dashed(id: &[u8]) -> Option<u128> {
    if id.len() != 36 || [8, 13, 18, 23].iter().any(|at| id[*at] != b'-') {
        return None;
    }
    let mut is_wrong = false;
    let mut half = |parts: &[&[u8]]| {
        parts.iter().copied().flatten().fold(0_u64, |number, byte| {
            let digit = DIGITS[usize::from(*byte)];
            is_wrong |= digit == NONE;
            number << 4 | u64::from(digit & 15)
        })
    };
    let high = half(&[&id[..8], &id[9..13], &id[14..18]]);
    let low = half(&[&id[19..23], &id[24..]]);
    (!is_wrong).then_some(u128::from(high) << 64 | u128::from(low))
}

/// The number that 32 hexadecimal digits are, with dashes anywhere between them.
fn guid(id: &str) -> Option<u128> {
    let (mut number, mut digits) = (0_u128, 0);
    for byte in id.bytes().filter(|byte| *byte != b'-') {
        number = number << 4 | u128::from(char::from(byte).to_digit(16)?);
        digits += 1;
    }
    (digits == 32).then_some(number)
}

const fn digits() -> [u8; 256] {
    let (mut table, mut value) = ([NONE; 256], 0);
    while value < 16 {
        let (lower, upper) = (b"0123456789abcdef"[value], b"0123456789ABCDEF"[value]);
        table[lower as usize] = value as u8;
        table[upper as usize] = value as u8;
        value += 1;
    }
    table
}
