//! The target's records by the digests of their keys, with what rows say of each.
//!
//! Some 80 bytes a record, which is why a target may be too large for it. In: the target, and what rows claim. Out: which record has a
//! key, and whether all is known of it.

use std::ops::Range;

use arrow::array::{Array, ArrayBuilder, AsArray, BooleanArray, StringArray, StringBuilder};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{ident, lit};
use futures::StreamExt;

use super::error::Result;
use super::row_digest::value_digest;
use super::screen::record_key;
use super::session::Engine;
use crate::model::dataset;
use crate::model::job::Job;

/// Bytes of a GSID, as they are.
pub(super) const GSID_BYTES: usize = 36;
const GSIDS_A_PART: usize = 1 << 15;
/// No record.
pub(super) const NOBODY: u32 = u32::MAX;
/// A row says that it is the record's, and another one does too.
const CLAIMED: u8 = 1;
const CLAIMED_TWICE: u8 = 2;
/// The row that is the record's says what it holds.
const SAME: u8 = 4;
/// Another record has the same key.
const SHARED: u8 = 8;
/// A row that is not settled is about another record that has the same key.
const WANTED_TOO: u8 = 16;

/// The target's records by their keys.
pub(super) struct Index {
    held: Vec<Held>,
    gsids: Gsids,
    places: Vec<u32>,
    marks: Vec<u8>,
    /// Records that have the key of an earlier one, which stands for both, and that one.
    shared: Vec<(u32, u32)>,
    /// Which records came in which batch of which stream: they come in the same ones whenever the target is read.
    lanes: Vec<Vec<Range<usize>>>,
}

/// What is known of a record, side by side: whoever looks for its key asks for its form next.
#[derive(Clone, Copy)]
struct Held {
    key: u128,
    form: u128,
}

impl Index {
    /// None, if there are more records than may be held.
    pub(super) async fn of(engine: &Engine, job: &Job) -> Result<Option<Self>> {
        let name = &job.targets[0].object.name;
        let schema = dataset::object_schema(&dataset::objects(job)[name]);
        let values = job.mappings.iter().map(|mapping| ident(&mapping.field.name)).collect();
        let digests = vec![record_key(job), value_digest(lit(true), values), ident("Gsid")];
        let records = engine.dataset(&dataset::target(name), &schema).await?.select(digests)?;
        let lanes = engine.lanes(records, |_, _, batch| Ok(batch)).await?;
        let mut index = Self {
            held: Vec::new(),
            gsids: Gsids::default(),
            places: Vec::new(),
            marks: Vec::new(),
            shared: Vec::new(),
            lanes: vec![Vec::new(); lanes.len()],
        };
        let each = lanes.into_iter().enumerate().map(|(lane, batches)| batches.map(move |batch| (lane, batch)));
        let mut batches = futures::stream::select_all(each);
        while let Some((lane, batch)) = batches.next().await {
            let batch = batch?;
            index.lanes[lane].push(index.held.len()..index.held.len() + batch.num_rows());
            if index.held.len() + batch.num_rows() > engine.means().screened_records {
                return Ok(None);
            }
            let (keys, forms) = (batch.column(0).as_fixed_size_binary(), batch.column(1).as_fixed_size_binary());
            // A record without a key is no row's: it stands in no place.
            let key = |at| if keys.is_null(at) { 0 } else { wide(keys.value(at)) };
            index.held.extend((0..keys.len()).map(|at| Held { key: key(at), form: wide(forms.value(at)) }));
            index.gsids.add(batch.column(2).as_string())?;
        }
        index.gsids.close();
        index.fill();
        Ok(Some(index))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Notes that a row is the record's, and what it says that it holds, if that may be stored.
    pub(super) fn claim(&mut self, found: u32, form: Option<u128>) {
        let mark = &mut self.marks[found as usize];
        *mark |= if *mark & CLAIMED != 0 { CLAIMED_TWICE } else { CLAIMED };
        if form == Some(self.held[found as usize].form) {
            *mark |= SAME;
        }
    }

    /// What rows say of records is told: what they hold is not asked for any more, and by their keys they are not looked for.
    pub(super) fn is_told(&mut self) {
        (self.held, self.places) = (Vec::new(), Vec::new());
        for (one, first) in std::mem::take(&mut self.shared) {
            if is_contested(self.marks[first as usize]) {
                self.marks[one as usize] |= WANTED_TOO;
            }
        }
    }

    /// Which records of a batch of the target a row is about that is not settled; none, if the target has other batches than before.
    pub(super) fn wanted_of(&self, lane: usize, batch: usize, records: usize) -> Option<BooleanArray> {
        let of = self.lanes.get(lane)?.get(batch).filter(|of| of.len() == records)?;
        Some(self.marks[of.clone()].iter().map(|mark| Some(is_wanted(*mark))).collect())
    }

    /// How many records a row that is not settled is about, once everything is told.
    pub(super) fn wanted(&self) -> usize {
        self.marks.iter().filter(|mark| is_wanted(**mark)).count()
    }

    fn fill(&mut self) {
        self.marks = vec![0; self.held.len()];
        self.places = vec![NOBODY; (self.held.len() * 2).next_power_of_two()];
        for (at, Held { key, .. }) in (0_u32..).zip(self.held.iter().copied()) {
            let place = self.place(key);
            match self.places[place] {
                NOBODY if key != 0 => self.places[place] = at,
                NOBODY => {}
                first => {
                    self.marks[first as usize] |= SHARED;
                    self.shared.push((at, first));
                }
            }
        }
    }

    /// The records with these keys, of which 0 is none. Places are looked at for all of them first, and records then: memory is waited for
    /// once for some rows together, and not twice for each.
    pub(super) fn find_all(&self, keys: &[u128]) -> Vec<u32> {
        let mut found: Vec<u32> = keys.iter().map(|key| self.places[self.first_place(*key)]).collect();
        for (found, key) in found.iter_mut().zip(keys) {
            if *found != NOBODY && self.held[*found as usize].key != *key {
                *found = self.places[self.place(*key)];
            }
        }
        found
    }

    /// Where the record with this key stands, or the free place where it would.
    fn place(&self, key: u128) -> usize {
        let mut place = self.first_place(key);
        loop {
            let at = self.places[place];
            if at == NOBODY || self.held[at as usize].key == key {
                return place;
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    fn first_place(&self, key: u128) -> usize {
        usize::try_from(key & 0xffff_ffff).unwrap_or_default() & (self.places.len() - 1)
    }

    /// Whether everything is known of a record: one row is about it and says what it holds, and no other record has its key.
    pub(super) fn is_settled(&self, found: u32) -> bool {
        self.marks.get(found as usize).is_some_and(|mark| is_same(*mark))
    }

    /// The GSID of a record.
    pub(super) fn gsid(&self, at: usize) -> &str {
        self.gsids.parts[at / GSIDS_A_PART].value(at % GSIDS_A_PART)
    }
}

/// Texts in memory of their own, the same number in each part: those of a batch lie in what was read of its file, which would stay with
/// them.
#[derive(Default)]
struct Gsids {
    parts: Vec<StringArray>,
    /// The part that is not full yet.
    open: StringBuilder,
}

impl Gsids {
    fn add(&mut self, texts: &StringArray) -> Result<()> {
        let mut from = 0;
        while from < texts.len() {
            if self.open.len() == 0 {
                self.open = StringBuilder::with_capacity(GSIDS_A_PART, GSIDS_A_PART * GSID_BYTES);
            }
            let some = (texts.len() - from).min(GSIDS_A_PART - self.open.len());
            self.open.append_array(&texts.slice(from, some)).map_err(DataFusionError::from)?;
            from += some;
            if self.open.len() == GSIDS_A_PART {
                self.parts.push(self.open.finish());
            }
        }
        Ok(())
    }

    /// The last part is as full as it gets.
    fn close(&mut self) {
        self.parts.push(std::mem::take(&mut self.open).finish());
    }
}

fn is_same(mark: u8) -> bool {
    mark == CLAIMED | SAME
}

fn is_wanted(mark: u8) -> bool {
    is_contested(mark) || mark & WANTED_TOO != 0
}

fn is_contested(mark: u8) -> bool {
    mark & CLAIMED != 0 && !is_same(mark)
}

/// The digest in 16 bytes.
pub(super) fn wide(bytes: &[u8]) -> u128 {
    bytes.try_into().map_or(0, u128::from_le_bytes)
}
