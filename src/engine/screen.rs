//! Which rows surely change nothing: their record is known by its key, holds what they say, and no other row is about it.
//!
//! What is left is compared in full (`matching`, `verdict`): in a run of every day a few rows of a hundred. Of the target it holds 16
//! bytes of each record's key, 16 of its values, and its GSID; of the source 4 bytes a row. Rows of one key are all left or all
//! settled, so that nothing is decided here that depends on another row. In: mapped rows and the target, by their digests. Out:
//! conditions for plans.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, FixedSizeBinaryArray, Int32Array, StringBuilder,
    UInt32Array,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Int32Type, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Expr, Volatility, create_udf, ident, lit};

use super::error::Result;
use super::lower::folded;
use super::record_index::{GSID_BYTES, Index, NOBODY, wide};
use super::row_digest::{key_digest, value_digest};
use super::session::Engine;
use super::verdict::screened_columns;
use crate::model::dataset::ROW;
use crate::model::job::{Job, Route};
use crate::model::policy::Verb;

/// The digest of a mapped row's key; null, if the row is decided.
pub(super) const KEY: &str = "_key";
/// The digest of what its record would hold; null, if the row is decided or the target's metadata forbids it.
pub(super) const FORM: &str = "_form";

/// What is kept of every row, beside what some jobs need.
pub(super) const SCREENED: [&str; 4] = [ROW, "_id", "_why", "_value"];

/// No record, as the row is decided: nothing is left to be compared.
const DECIDED: u32 = u32::MAX - 1;

/// What was found out.
pub struct Screen {
    index: Index,
    /// By the number of the row, less one: the record that has its key.
    found: Vec<u32>,
    /// By the same, whether it was handed out as left as soon as it was mapped.
    early: BooleanBuffer,
    /// Rows that are not settled.
    pub left: usize,
    /// Those of them that were not handed out, as another row of their record came behind them.
    pub late: usize,
    /// Records that a row that is not settled is about.
    pub wanted: usize,
}

/// Whether rows of a job can be told to change nothing without a full comparison: one record each, found by its key alone.
pub(super) fn can_be_screened(job: &Job) -> bool {
    let is_pending = (0..job.lookups.len()).any(|lookup| job.is_pending(lookup));
    let is_plain = job.targets.len() == 1 && job.targets[0].route == Route::Object;
    is_plain && !is_pending && matches!(job.verb, Verb::Upsert | Verb::Update)
}

/// Whether a row that the source's side decided is not compared: it is nobody's record then. Where rows that the source loses are acted
/// upon, one that is in error still stands for its record.
pub(super) fn compares_live_rows_only(job: &Job) -> bool {
    can_be_screened(job) && !job.keeps_links()
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

/// Rows that are being screened, as they come.
pub struct Sifting<'a> {
    job: &'a Job,
    index: Index,
    found: Vec<u32>,
    /// Rows that were handed out as left.
    early: BooleanBufferBuilder,
    /// Whether rows come with all their values.
    are_whole: bool,
}

/// What is to be kept of rows that were screened.
pub struct Sifted {
    /// Of each row what says how it ends, if it is settled.
    pub all: RecordBatch,
    /// Rows that are left whatever comes behind them, with all their values. Of those that are not among them one may come that is about
    /// the same record, and has both left.
    pub left: Option<RecordBatch>,
}

impl<'a> Sifting<'a> {
    /// Looks at all records. None if nothing can be told of any row: they depend on each other by more than their keys, or the target has
    /// more records than are held, or none.
    ///
    /// # Errors
    /// If the target cannot be read.
    pub async fn begin(engine: &Engine, job: &'a Job) -> Result<Option<Self>> {
        if !can_be_screened(job) {
            return Ok(None);
        }
        let index = Index::of(engine, job).await?.filter(|index| !index.is_empty());
        let (found, early) = (Vec::new(), BooleanBufferBuilder::new(0));
        Ok(index.map(|index| Self { job, index, found, early, are_whole: !engine.is_sending() }))
    }

    /// Takes rows in that follow the last ones.
    ///
    /// # Errors
    /// If they do not follow them.
    pub fn take(&mut self, rows: &RecordBatch) -> Result<Sifted> {
        let column = |name: &str| {
            let missing = || DataFusionError::Internal(format!("mapped rows have no `{name}`"));
            rows.column_by_name(name).ok_or_else(missing)
        };
        let over = (column("_why")?.as_primitive::<Int32Type>(), compares_live_rows_only(self.job));
        let digests = (column(KEY)?.as_fixed_size_binary(), column(FORM)?.as_fixed_size_binary());
        let left = self.claim(column(ROW)?.as_primitive::<Int64Type>().values(), digests, over)?;
        let kept = Self::kept(self.job, rows.schema_ref());
        let columns: Result<Vec<ArrayRef>> =
            kept.fields().iter().map(|f| column(f.name()).cloned().map_err(Into::into)).collect();
        let all = RecordBatch::try_new(kept, columns?).map_err(DataFusionError::from)?;
        let left = UInt32Array::from(left);
        let left = (!left.is_empty()).then(|| take_record_batch(&without_form(rows)?, &left)).transpose();
        Ok(Sifted { all, left: left.map_err(DataFusionError::from)? })
    }

    /// The columns of what is kept of all rows: the same, wherever and with what else they were mapped.
    #[must_use]
    pub fn kept(job: &Job, schema: &SchemaRef) -> SchemaRef {
        let names = SCREENED.into_iter().map(str::to_owned).chain(screened_columns(job));
        let fields = names.filter_map(|name| schema.field_with_name(&name).ok().cloned());
        Schema::new(fields.collect::<Vec<_>>()).into()
    }

    /// The columns of rows that are left.
    #[must_use]
    pub fn left(schema: &SchemaRef) -> SchemaRef {
        Schema::new(schema.fields().iter().filter(|field| field.name() != FORM).cloned().collect::<Vec<_>>()).into()
    }

    /// Gives the places of rows that are left.
    fn claim(
        &mut self,
        numbers: &[i64],
        (keys, forms): (&FixedSizeBinaryArray, &FixedSizeBinaryArray),
        (why, is_over): (&Int32Array, bool),
    ) -> Result<Vec<u32>> {
        let mut left = Vec::new();
        let key = |at| if keys.is_valid(at) { wide(keys.value(at)) } else { 0 };
        let records = self.index.find_all(&(0..keys.len()).map(key).collect::<Vec<_>>());
        for (place, (at, number)) in (0_u32..).zip(numbers.iter().enumerate()) {
            if usize::try_from(*number).ok() != Some(self.found.len() + 1) {
                return Err(DataFusionError::Execution(format!("row {number} is not the next one: pages in the run's folder are not what was read; `--anew` reads them again")).into());
            }
            let found = if is_over && why.is_valid(at) { DECIDED } else { records[at] };
            self.found.push(found);
            if found != NOBODY && found != DECIDED {
                self.index.claim(found, forms.is_valid(at).then(|| wide(forms.value(at))));
            }
            let is_left = self.are_whole && found != DECIDED && !self.index.is_settled(found);
            self.early.append(is_left);
            if is_left {
                left.push(place);
            }
        }
        Ok(left)
    }

    /// What was found out of all rows.
    #[must_use]
    pub fn end(self) -> Arc<Screen> {
        let Self { mut index, found, mut early, .. } = self;
        index.is_told();
        let is_settled = |found: &&u32| **found == DECIDED || index.is_settled(**found);
        let left = found.len() - found.iter().filter(is_settled).count();
        let early = early.finish();
        let late = left - early.count_set_bits();
        Arc::new(Screen { wanted: index.wanted(), index, found, early, left, late })
    }
}

fn without_form(rows: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
    let mut rows = rows.clone();
    rows.remove_column(rows.schema_ref().index_of(FORM)?);
    Ok(rows)
}

impl Screen {
    /// The GSID of a settled row's record; null for any other row.
    pub(super) fn gsid(self: &Arc<Self>) -> Expr {
        let screen = Arc::clone(self);
        let of_row = move |numbers: &[i64]| -> ArrayRef {
            let mut gsids = StringBuilder::with_capacity(numbers.len(), numbers.len() * GSID_BYTES);
            numbers.iter().for_each(|number| gsids.append_option(screen.settled_gsid(*number)));
            Arc::new(gsids.finish())
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

    /// Whether a row is left, and was not handed out as such.
    pub(super) fn is_late(self: &Arc<Self>) -> Expr {
        let screen = Arc::clone(self);
        let of_row = move |numbers: &[i64]| -> ArrayRef {
            let is_late = |n: i64| !screen.is_settled_row(n) && !screen.was_early(n);
            let all: BooleanArray = numbers.iter().map(|n| Some(is_late(*n))).collect();
            Arc::new(all)
        };
        of_rows("is_late", DataType::Boolean, of_row)
    }

    /// Which records of a batch of the target a row that is left is about: of the batch with this number of the stream with this number.
    ///
    /// # Errors
    /// If the target is not what it was when it was looked at.
    pub(super) fn wanted_of(
        &self,
        lane: usize,
        batch: usize,
        records: usize,
    ) -> datafusion::error::Result<BooleanArray> {
        let words = "the target in the run's folder is not what it was a moment ago; `--anew` reads it again";
        let wanted = self.index.wanted_of(lane, batch, records);
        wanted.ok_or_else(|| DataFusionError::Execution(words.to_owned()))
    }

    fn found_of(&self, number: i64) -> u32 {
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        at.and_then(|at| self.found.get(at)).copied().unwrap_or(NOBODY)
    }

    fn was_early(&self, number: i64) -> bool {
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        at.is_some_and(|at| at < self.early.len() && self.early.value(at))
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

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Screen({} of {} rows left)", self.left, self.found.len())
    }
}
