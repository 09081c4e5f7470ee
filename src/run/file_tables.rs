//! Tables of files as datasets of a run: whole, or from an earlier run's rows and the folders of an export that have come since.
//!
//! To read files again costs no call, so a reading that was interrupted begins again. In: queries and marks. Out: datasets, and marks in
//! the ledger.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, new_null_array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field as ArrowField, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::error::Error;
use super::newest::{Dealing, Newest, parts};
use super::refreshing::{Came, Refreshing};
use super::staging::Begun;
use super::ways::{TableCursor, TableWay};
use crate::dynamics::odata::Query;
use crate::dynamics::pages::schema_of;
use crate::files::client::Files;
use crate::files::reading::{Mark, Reading};
use crate::files::shape::{GONE, Shape, VERSION};
use crate::model::dataset::{ROW, UNREAD, VERSION_NUMBER};
use crate::model::field::{Field, FieldKind};
use crate::store::dataset::{RunFolder, Writer};

/// Rows of a page that is written.
const ROWS_OF_A_PAGE: usize = 65_536;
/// Bytes of a page, about: rows may be long.
const BYTES_OF_A_PAGE: usize = 64 << 20;

/// The shape of what a query wants of files. Of an export the version is always among it, so that a later run can go on from there.
pub(super) fn shape_of(query: &Query, is_export: bool) -> Shape {
    Shape::new(&versioned(query, is_export), &query.table.primary_id, is_export)
}

fn versioned(query: &Query, is_export: bool) -> Vec<Field> {
    let mut fields = query.fields.clone();
    if is_export && fields.iter().all(|field| field.name != VERSION_NUMBER) {
        fields.push(Field::bare(VERSION_NUMBER, VERSION_NUMBER, FieldKind::Integer));
    }
    fields
}

impl Refreshing<'_> {
    /// A table of files as it is now: its rows, and which of them came as changes.
    pub(super) async fn file_table(&self, files: &Files, query: Query) -> Result<(u64, Option<Came>), Error> {
        let is_export = files.is_export();
        let query = Query { fields: versioned(&query, is_export), ..query };
        let name = query.dataset.as_str();
        if let Begun::Done(rows) = self.staging.begun(name, schema_of(&query)).await? {
            return Ok((rows, self.came()?.filter(|_| query.is_numbered())));
        }
        self.begin_again(name).await?;
        let mark = match self.ways.borrow().tables.get(name) {
            Some(TableWay::Marked { mark }) => Some(mark.clone()),
            _ => None,
        };
        let earlier = match &mark {
            Some(_) => self.earlier(name).await?,
            None => None,
        };
        let since = mark.as_ref().filter(|mark| earlier.is_some() && matches!(mark, Mark::Folder(_)));
        let needs_names = query.is_numbered() && self.job.keeps_links();
        let mut shape = shape_of(&query, is_export);
        shape.needs_names = needs_names;
        let reading = files.read(&query.table.name, shape.clone(), since).await?;
        reading.notices.iter().for_each(|notice| self.staging.progress.notice(notice.clone()));
        let next = Where { mark: reading.mark.clone(), oldest: self.oldest(files, name, &query, &reading, since)? };
        // Files that are what they were, or an export without a new folder of the table: nothing has come.
        let is_same = next.mark == mark || (since.is_some() && reading.bytes == 0);
        if let (Some(base), true) = (earlier, is_same)
            && let Some(rows) = self.adopted(name, base).await?
        {
            self.adopted(&gone(name), base).await?;
            self.note_mark(&query, next, rows)?;
            return Ok((rows, Some(Came::default())));
        }
        let earlier = earlier.filter(|_| since.is_some());
        let (rows, came) = if is_export {
            let (rows, came) = self.versions(&query, &shape, reading, earlier).await?;
            (rows, earlier.map(|_| came))
        } else {
            (self.plain(&query, reading).await?, None)
        };
        self.note_mark(&query, next, rows)?;
        Ok((rows, came))
    }

    /// The rows of an export as a dataset; gives the moment up to which they are whole.
    pub(super) async fn exported(&self, files: &Files, query: &Query, id: &str) -> Result<i64, Error> {
        let name = query.dataset.as_str();
        self.begin_again(name).await?;
        let mut fields = versioned(query, true);
        fields.push(Field::bare(UNREAD, UNREAD, FieldKind::Text));
        let shape = Shape::new(&fields, id, true);
        let reading = files.read(&query.table.name, shape.clone(), None).await?;
        reading.notices.iter().for_each(|notice| self.staging.progress.notice(notice.clone()));
        let complete_to_ms = reading.complete_to_ms.ok_or_else(|| files.says_no_moment(&query.table.name))?;
        self.versions(query, &shape, reading, None).await?;
        Ok(complete_to_ms)
    }

    /// Whether a dataset of this run is there as it was written.
    pub(super) async fn is_whole(&self, name: &str) -> Result<bool, Error> {
        let reading = self.staging.ledger.reading(self.staging.run, name)?.filter(|reading| reading.is_done);
        match reading {
            Some(reading) => Ok(self.staging.folder.is_whole(name, &reading.parts).await?),
            None => Ok(false),
        }
    }

    /// The run that this one begins with, if all of a table is there as it was written.
    async fn earlier(&self, name: &str) -> Result<Option<&RunFolder>, Error> {
        let (Some(base), Some(run)) = (&self.base, self.ways.borrow().base.clone()) else { return Ok(None) };
        for dataset in [name.to_owned(), gone(name)] {
            let Some(reading) = self.staging.ledger.reading(&run, &dataset)? else { return Ok(None) };
            if !reading.is_done || !base.is_whole(&dataset, &reading.parts).await? {
                return Ok(None);
            }
        }
        Ok(Some(base))
    }

    async fn begin_again(&self, name: &str) -> Result<(), Error> {
        for dataset in [name.to_owned(), gone(name)] {
            self.staging.ledger.read_again(self.staging.run, &dataset)?;
            self.staging.folder.clear(&dataset).await?;
        }
        Ok(())
    }

    /// Rows as they come.
    async fn plain(&self, query: &Query, mut reading: Reading) -> Result<u64, Error> {
        let mut pages = Pages::begin(self, &query.dataset, schema_of(query), query.is_numbered());
        while let Some(batch) = reading.next().await? {
            pages.add(batch).await?;
        }
        let rows = pages.finish().await?;
        Pages::begin(self, &gone(&query.dataset), gone_schema(&query.table.primary_id), false).finish().await?;
        Ok(rows)
    }

    /// The newest version of each row, of an earlier run and of what has come since.
    async fn versions(
        &self,
        query: &Query,
        shape: &Shape,
        mut reading: Reading,
        earlier: Option<&RunFolder>,
    ) -> Result<(u64, Came), Error> {
        let (name, id) = (query.dataset.as_str(), query.table.primary_id.as_str());
        let count = parts(reading.bytes + self.bytes_of(name, earlier)?);
        let dealt = format!("dealt/{name}");
        let mut dealing = Dealing::begin(self.staging.folder, &dealt, &shape.schema, id, count).await?;
        if let Some(base) = earlier {
            for dataset in [name.to_owned(), gone(name)] {
                let mut rows = base.read(&dataset).await?;
                while let Some(batch) = rows.next().await? {
                    dealing.add(before(&batch, shape, dataset != name)?).await?;
                }
            }
        }
        let mut came = Came::default();
        let mut read = 0;
        while let Some(batch) = reading.next().await? {
            read += batch.num_rows() as u64;
            let deleted = flags(&batch)?.true_count() as u64;
            came.gone += deleted;
            came.changed += batch.num_rows() as u64 - deleted;
            if query.is_numbered() {
                self.staging.progress.advanced("extract", read, None);
            }
            dealing.add(batch).await?;
        }
        let mut parts = dealing.end().await?;
        let mut pages = Pages::begin(self, name, schema_of(query), query.is_numbered());
        let mut graves = Pages::begin(self, &gone(name), gone_schema(id), false);
        while let Some(Newest { rows, gone }) = parts.next().await? {
            for batch in rows {
                pages.add(batch).await?;
            }
            for batch in gone {
                graves.add(batch).await?;
            }
        }
        parts.clear().await?;
        graves.finish().await?;
        Ok((pages.finish().await?, came))
    }

    /// The oldest folder that the rows come from.
    fn oldest(
        &self,
        files: &Files,
        name: &str,
        query: &Query,
        reading: &Reading,
        since: Option<&Mark>,
    ) -> Result<Option<String>, Error> {
        let known = self.ways.borrow().oldest.get(name).cloned();
        match known {
            Some(known) if since.is_none() => {
                // Behind the one that was known, or none at all.
                let is_lost = reading.oldest.as_ref().is_none_or(|oldest| *oldest > known);
                if is_lost && query.is_numbered() && self.job.keeps_links() {
                    return Err(files.has_lost_folders(&known, reading.oldest.as_deref()).into());
                }
                if is_lost {
                    let table = &query.table.name;
                    let what = if query.is_numbered() {
                        "its rows in them are not read"
                    } else {
                        "lookups miss its rows in them"
                    };
                    self.staging.progress.notice(format!(
                        "an earlier run read folders of {table} from {known} on, and the export has lost some of them: {what}; put them back and \
                         run with --full, if that is not meant"
                    ));
                }
                Ok(reading.oldest.clone())
            }
            Some(known) => Ok(Some(known)),
            None => Ok(reading.oldest.clone()),
        }
    }

    /// Bytes of the rows of an earlier run, as far as they matter for how many are held.
    fn bytes_of(&self, name: &str, earlier: Option<&RunFolder>) -> Result<u64, Error> {
        let (Some(_), Some(run)) = (earlier, self.ways.borrow().base.clone()) else { return Ok(0) };
        let reading = self.staging.ledger.reading(&run, name)?;
        Ok(reading.map_or(0, |reading| reading.rows * BYTES_OF_A_ROW))
    }

    fn note_mark(&self, query: &Query, Where { mark, oldest }: Where, rows: u64) -> Result<(), Error> {
        let cursor = TableCursor { mark, oldest, rows, ..TableCursor::default() };
        self.note_as(&query.dataset, &serde_json::json!(cursor))
    }
}

/// Where a reading ended, and where what it has begins.
struct Where {
    mark: Option<Mark>,
    oldest: Option<String>,
}

/// Bytes that a row of a file has, about.
const BYTES_OF_A_ROW: u64 = 250;

/// The dataset of the rows that were deleted, of which only keys and versions are known.
pub(super) fn gone(dataset: &str) -> String {
    format!("gone/{dataset}")
}

fn gone_schema(id: &str) -> SchemaRef {
    let columns = vec![ArrowField::new(id, DataType::Utf8, true), ArrowField::new(VERSION, DataType::Int64, false)];
    Arc::new(Schema::new(columns))
}

/// Rows of an earlier run in the columns of files.
fn before(rows: &RecordBatch, shape: &Shape, are_gone: bool) -> Result<RecordBatch, Error> {
    let count = rows.num_rows();
    let version = if are_gone { VERSION } else { VERSION_NUMBER };
    let columns = shape.schema.fields().iter().map(|field| {
        let found = |name: &str| rows.column_by_name(name).cloned();
        let column = match field.name().as_str() {
            VERSION => found(version).map(|versions| known(&versions)),
            GONE => Some(Arc::new(BooleanArray::from(vec![are_gone; count])) as ArrayRef),
            name if are_gone => Some(found(name).unwrap_or_else(|| new_null_array(field.data_type(), count))),
            name => found(name),
        };
        column.ok_or_else(|| Error::Books(format!("the rows of an earlier run have no column {}", field.name())))
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(shape.schema.clone(), columns).map_err(|e| Error::Books(e.to_string()))
}

/// Versions of rows of an earlier run. One that could not be read then gives way to whatever has come since.
fn known(versions: &ArrayRef) -> ArrayRef {
    let versions = versions.as_primitive::<Int64Type>();
    let all: Int64Array = versions.iter().map(|version| Some(version.unwrap_or(i64::MIN))).collect();
    Arc::new(all)
}

fn flags(batch: &RecordBatch) -> Result<BooleanArray, Error> {
    let flags = batch.column_by_name(GONE).and_then(|column| column.as_boolean_opt().cloned());
    flags.ok_or_else(|| Error::Books("rows of an export do not say whether they are deleted".to_owned()))
}

/// Rows in the columns of a dataset; numbered behind so many, where it has numbers.
pub(super) fn shaped(rows: &RecordBatch, schema: &SchemaRef, behind: Option<u64>) -> Result<RecordBatch, Error> {
    let columns = schema.fields().iter().map(|field| match (field.name().as_str(), behind) {
        (ROW, Some(behind)) => {
            let first = i64::try_from(behind).unwrap_or(i64::MAX) + 1;
            Ok(Arc::new(Int64Array::from_iter_values((first..).take(rows.num_rows()))) as ArrayRef)
        }
        (name, _) => {
            let found = rows.column_by_name(name).cloned();
            found.ok_or_else(|| Error::Books(format!("rows of files have no column {name}")))
        }
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(|e| Error::Books(e.to_string()))
}

/// Pages of a dataset being written, each kept in the ledger.
struct Pages<'a> {
    refreshing: &'a Refreshing<'a>,
    name: String,
    schema: SchemaRef,
    is_numbered: bool,
    writer: Writer,
    held: Vec<RecordBatch>,
    held_rows: usize,
    held_bytes: usize,
    rows: u64,
}

impl<'a> Pages<'a> {
    fn begin(refreshing: &'a Refreshing<'a>, name: &str, schema: SchemaRef, is_numbered: bool) -> Self {
        let writer = refreshing.staging.folder.write(name, schema.clone());
        Self {
            refreshing,
            name: name.to_owned(),
            schema,
            is_numbered,
            writer,
            held: Vec::new(),
            held_rows: 0,
            held_bytes: 0,
            rows: 0,
        }
    }

    async fn add(&mut self, rows: RecordBatch) -> Result<(), Error> {
        let shaped = shaped(&rows, &self.schema, self.is_numbered.then_some(self.rows))?;
        self.rows += shaped.num_rows() as u64;
        self.held_rows += shaped.num_rows();
        self.held_bytes += shaped.get_array_memory_size();
        self.held.push(shaped);
        if self.held_rows >= ROWS_OF_A_PAGE || self.held_bytes >= BYTES_OF_A_PAGE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let page = concat_batches(&self.schema, &self.held).map_err(|e| Error::Books(e.to_string()))?;
        (self.held, self.held_rows, self.held_bytes) = (Vec::new(), 0, 0);
        let staging = &self.refreshing.staging;
        staging.keep_page(&mut self.writer, &self.name, page, "").await?;
        if self.is_numbered {
            staging.source_rows.send_replace(Some(self.rows));
            staging.progress.advanced("extract", self.rows, None);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<u64, Error> {
        if self.held_rows > 0 {
            self.flush().await?;
        }
        self.writer.finish().await?;
        let staging = &self.refreshing.staging;
        staging.ledger.read_whole(staging.run, &self.name)?;
        Ok(self.rows)
    }
}
