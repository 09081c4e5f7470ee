//! Which rows surely change nothing: their record is known by its key, holds what they say, and no other row is about it.
//!
//! What is left is compared in full (`matching`, `verdict`): in a run of every day a few rows of a hundred. Of the target it holds 16
//! bytes of each record's key, 16 of its values, and its GSID; of the source 4 bytes a row. Rows of one key are all left or all
//! settled, so that nothing is decided here that depends on another row. In: mapped rows and the target, by their digests. Out:
//! conditions for plans.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Expr, Volatility, create_udf, ident, lit};
use futures::StreamExt;

use super::error::Result;
use super::lower::folded;
use super::row_digest::{BYTES, key_digest, value_digest};
use super::session::Engine;
use crate::model::dataset::{self, ROW};
use crate::model::job::{Job, Route};
use crate::model::policy::Verb;

/// The digest of a mapped row's key; null, if the row is decided.
pub(super) const KEY: &str = "_key";
/// The digest of what its record would hold; null, if the row is decided or the target's metadata forbids it.
pub(super) const FORM: &str = "_form";

/// No record.
const NOBODY: u32 = u32::MAX;
/// No record, as the row is decided: nothing is left to be compared.
const DECIDED: u32 = u32::MAX - 1;
/// A row says that it is the record's, and another one does too.
const CLAIMED: u8 = 1;
const CLAIMED_TWICE: u8 = 2;
/// The row that is the record's says what it holds.
const SAME: u8 = 4;
/// Another record has the same key.
const SHARED: u8 = 8;

/// What was found out.
pub(super) struct Screen {
    index: Index,
    /// By the number of the row, less one: the record that has its key.
    found: Vec<u32>,
    /// Rows that are settled.
    pub(super) settled: usize,
    /// Records that a row that is not settled is about.
    pub(super) wanted: usize,
}

/// The target's records by their keys.
struct Index {
    keys: Vec<u128>,
    forms: Vec<u128>,
    gsids: Vec<StringArray>,
    /// How many records stand before each part of `gsids`.
    before: Vec<usize>,
    places: Vec<u32>,
    marks: Vec<u8>,
}

/// Whether rows of a job can be told to change nothing without a full comparison: one record each, found by its key alone.
fn can_be_screened(job: &Job) -> bool {
    let is_pending = (0..job.lookups.len()).any(|lookup| job.is_pending(lookup));
    let is_plain = job.targets.len() == 1 && job.targets[0].route == Route::Object;
    is_plain && !is_pending && matches!(job.verb, Verb::Upsert | Verb::Update)
}

/// Whether a row that the source's side decided is not compared: it is nobody's record then. Where rows that the source loses are acted
/// upon, one that is in error still stands for its record.
pub(super) fn compares_live_rows_only(job: &Job) -> bool {
    can_be_screened(job) && !job.keeps_links()
}

/// Whether a row is decided, and so not compared.
fn is_over(job: &Job) -> Expr {
    if compares_live_rows_only(job) { ident("_why").is_not_null() } else { lit(false) }
}

/// The mapped row's digests, where they can be of use: a condition that its values may be stored, and its columns in the job's order.
pub(super) fn row_digests(job: &Job, may_be_stored: Expr, mapped: impl Fn(usize) -> Expr) -> Vec<(String, Expr)> {
    if !can_be_screened(job) {
        return Vec::new();
    }
    let is_live = || ident("_why").is_null();
    let keys = job.key.iter().map(|key| folded(mapped(key.mapping), key.fold)).collect();
    let values = (0..job.mappings.len()).map(&mapped).collect();
    vec![
        // One that is decided keeps its record where that matters.
        (KEY.to_owned(), key_digest(if job.keeps_links() { lit(true) } else { is_live() }, keys)),
        (FORM.to_owned(), value_digest(is_live().and(may_be_stored), values)),
    ]
}

/// The digest of a record's key.
pub(super) fn record_key(job: &Job) -> Expr {
    let keys = job.key.iter().map(|key| folded(ident(&job.mappings[key.mapping].field.name), key.fold));
    key_digest(lit(true), keys.collect())
}

/// Whether the key with this digest is of one bucket among several. Rows without one are nobody's, and stand in the first.
pub(super) fn is_in_bucket(digest: Expr, number: usize, of: usize) -> Expr {
    let function = move |args: &[ColumnarValue]| {
        let keys = ColumnarValue::values_to_arrays(args)?;
        let keys = keys[0].as_fixed_size_binary();
        let bucket = |at: usize| if keys.is_null(at) { 0 } else { (wide(keys.value(at)) >> 64) % of as u128 };
        let all: BooleanArray = (0..keys.len()).map(|at| Some(bucket(at) == number as u128)).collect();
        Ok(ColumnarValue::Array(Arc::new(all) as ArrayRef))
    };
    let kind = vec![DataType::FixedSizeBinary(BYTES)];
    let name = format!("is_in_bucket_{number}");
    create_udf(&name, kind, DataType::Boolean, Volatility::Immutable, Arc::new(function)).call(vec![digest])
}

/// What can be told of a job's rows.
pub(super) enum Screened {
    /// Nothing, of no rows.
    Never,
    /// Nothing, as the target has more records than are held.
    TooLarge,
    /// This.
    Done(Arc<Screen>),
}

impl Screened {
    /// Looks at all mapped rows and all records.
    pub(super) async fn of(engine: &Engine, job: &Job) -> Result<Self> {
        if !can_be_screened(job) {
            return Ok(Self::Never);
        }
        Ok(match Index::of(engine, job).await? {
            Some(index) => Self::Done(Arc::new(Screen::over(index, engine, job).await?)),
            None => Self::TooLarge,
        })
    }
}

impl Screen {
    async fn over(index: Index, engine: &Engine, job: &Job) -> Result<Self> {
        let mut screen = Self { index, found: Vec::new(), settled: 0, wanted: 0 };
        let rows =
            engine.stored(dataset::MAPPED).await?.select(vec![ident(ROW), ident(KEY), ident(FORM), is_over(job)])?;
        let mut batches = engine.by_number(rows).await?.batches;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let numbers = batch.column(0).as_primitive::<Int64Type>().values();
            let (keys, forms) = (batch.column(1).as_fixed_size_binary(), batch.column(2).as_fixed_size_binary());
            screen.claim(numbers, keys, forms, batch.column(3).as_boolean())?;
        }
        let is_settled = |found: &&u32| **found == DECIDED || screen.index.is_settled(**found);
        screen.settled = screen.found.iter().filter(is_settled).count();
        let is_wanted = |mark: &&u8| **mark & CLAIMED != 0 && !is_same(**mark);
        screen.wanted = screen.index.marks.iter().filter(is_wanted).count();
        Ok(screen)
    }

    fn claim(
        &mut self,
        numbers: &[i64],
        keys: &FixedSizeBinaryArray,
        forms: &FixedSizeBinaryArray,
        over: &BooleanArray,
    ) -> Result<()> {
        for (at, number) in numbers.iter().enumerate() {
            if usize::try_from(*number).ok() != Some(self.found.len() + 1) {
                return Err(DataFusionError::Execution(format!("row {number} is not the next one: pages in the run's folder are not what was read; `--anew` reads them again")).into());
            }
            let found = match keys.is_valid(at) {
                true => self.index.find(wide(keys.value(at))),
                false if over.value(at) => DECIDED,
                false => NOBODY,
            };
            self.found.push(found);
            if found == NOBODY || found == DECIDED {
                continue;
            }
            let mark = &mut self.index.marks[found as usize];
            *mark |= if *mark & CLAIMED != 0 { CLAIMED_TWICE } else { CLAIMED };
            if forms.is_valid(at) && wide(forms.value(at)) == self.index.forms[found as usize] {
                *mark |= SAME;
            }
        }
        Ok(())
    }

    /// Rows that are not settled.
    pub(super) fn left(&self) -> usize {
        self.found.len() - self.settled
    }

    /// The GSID of a settled row's record; null for any other row.
    pub(super) fn gsid(self: &Arc<Self>) -> Expr {
        let screen = Arc::clone(self);
        let of_row = move |numbers: &[i64]| -> ArrayRef {
            let gsids: StringArray = numbers.iter().map(|number| screen.settled_gsid(*number)).collect();
            Arc::new(gsids)
        };
        of_rows("settled_gsid", DataType::Utf8, of_row)
    }

    /// Whether a row is settled.
    pub(super) fn is_settled(self: &Arc<Self>) -> Expr {
        let screen = Arc::clone(self);
        let of_row = move |numbers: &[i64]| -> ArrayRef {
            let all: BooleanArray = numbers.iter().map(|n| Some(screen.is_settled_row(*n))).collect();
            Arc::new(all)
        };
        of_rows("is_settled", DataType::Boolean, of_row)
    }

    /// Whether a record of the target is one that a row that is left is about.
    pub(super) fn is_wanted(self: &Arc<Self>, job: &Job) -> Expr {
        let screen = Arc::clone(self);
        let function = move |args: &[ColumnarValue]| {
            let keys = ColumnarValue::values_to_arrays(args)?;
            let keys = keys[0].as_fixed_size_binary();
            let all = (0..keys.len()).map(|at| Some(keys.is_valid(at) && screen.index.is_wanted(wide(keys.value(at)))));
            let all: BooleanArray = all.collect();
            Ok(ColumnarValue::Array(Arc::new(all) as ArrayRef))
        };
        let kind = vec![DataType::FixedSizeBinary(BYTES)];
        let function = create_udf("is_wanted", kind, DataType::Boolean, Volatility::Immutable, Arc::new(function));
        function.call(vec![record_key(job)])
    }

    fn found_of(&self, number: i64) -> u32 {
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        at.and_then(|at| self.found.get(at)).copied().unwrap_or(NOBODY)
    }

    fn is_settled_row(&self, number: i64) -> bool {
        let found = self.found_of(number);
        found == DECIDED || self.index.is_settled(found)
    }

    fn settled_gsid(&self, number: i64) -> Option<&str> {
        let found = self.found_of(number);
        self.index.is_settled(found).then(|| self.index.gsid(found as usize))
    }
}

/// A function of row numbers as an expression.
fn of_rows(name: &str, kind: DataType, of_row: impl Fn(&[i64]) -> ArrayRef + Send + Sync + 'static) -> Expr {
    let function = move |args: &[ColumnarValue]| {
        let rows = ColumnarValue::values_to_arrays(args)?;
        Ok(ColumnarValue::Array(of_row(rows[0].as_primitive::<Int64Type>().values())))
    };
    create_udf(name, vec![DataType::Int64], kind, Volatility::Immutable, Arc::new(function)).call(vec![ident(ROW)])
}

impl Index {
    async fn of(engine: &Engine, job: &Job) -> Result<Option<Self>> {
        let name = &job.targets[0].object.name;
        let schema = dataset::object_schema(&dataset::objects(job)[name]);
        let values = job.mappings.iter().map(|mapping| ident(&mapping.field.name)).collect();
        let digests = vec![record_key(job), value_digest(lit(true), values), ident("Gsid")];
        let records = engine.dataset(&dataset::target(name), &schema).await?.select(digests)?;
        let mut batches = engine.in_any_order(records).await?;
        let mut index = Self {
            keys: Vec::new(),
            forms: Vec::new(),
            gsids: Vec::new(),
            before: Vec::new(),
            places: Vec::new(),
            marks: Vec::new(),
        };
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            if index.keys.len() + batch.num_rows() > engine.means().screened_records {
                return Ok(None);
            }
            let (keys, forms) = (batch.column(0).as_fixed_size_binary(), batch.column(1).as_fixed_size_binary());
            index.before.push(index.keys.len());
            // A record without a key is no row's: it stands in no place.
            index.keys.extend((0..keys.len()).map(|at| if keys.is_null(at) { 0 } else { wide(keys.value(at)) }));
            index.forms.extend((0..forms.len()).map(|at| wide(forms.value(at))));
            index.gsids.push(batch.column(2).as_string::<i32>().clone());
        }
        index.fill();
        Ok(Some(index))
    }

    fn fill(&mut self) {
        self.marks = vec![0; self.keys.len()];
        self.places = vec![NOBODY; (self.keys.len() * 2).next_power_of_two()];
        for (at, key) in (0_u32..).zip(&self.keys) {
            let place = self.place(*key);
            match self.places[place] {
                NOBODY if *key != 0 => self.places[place] = at,
                NOBODY => {}
                first => self.marks[first as usize] |= SHARED,
            }
        }
    }

    fn find(&self, key: u128) -> u32 {
        self.places[self.place(key)]
    }

    /// Where the record with this key stands, or the free place where it would.
    fn place(&self, key: u128) -> usize {
        let mask = self.places.len() - 1;
        let mut place = usize::try_from(key & 0xffff_ffff).unwrap_or_default() & mask;
        loop {
            let at = self.places[place];
            if at == NOBODY || self.keys[at as usize] == key {
                return place;
            }
            place = (place + 1) & mask;
        }
    }

    fn is_settled(&self, found: u32) -> bool {
        self.marks.get(found as usize).is_some_and(|mark| is_same(*mark))
    }

    fn is_wanted(&self, key: u128) -> bool {
        let mark = self.marks.get(self.find(key) as usize).copied().unwrap_or_default();
        mark & CLAIMED != 0 && !is_same(mark)
    }

    fn gsid(&self, at: usize) -> &str {
        let part = self.before.partition_point(|before| *before <= at) - 1;
        self.gsids[part].value(at - self.before[part])
    }
}

/// Whether everything is known of a record: one row is about it and says what it holds, and no other record has its key.
fn is_same(mark: u8) -> bool {
    mark == CLAIMED | SAME
}

fn wide(bytes: &[u8]) -> u128 {
    bytes.try_into().map_or(0, u128::from_le_bytes)
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Screen({} of {} rows settled)", self.settled, self.found.len())
    }
}
