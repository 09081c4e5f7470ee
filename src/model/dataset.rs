//! The datasets of a run folder: where each lies and which columns it has. What crosses the boundaries between stages.
//!
//! Extraction writes them, the engine reads and writes them, loading reads them; this page is the agreement. Every one is
//! a folder of files (`staged`), relative to the run's own folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};

use super::field::{Field, FieldKind};
use super::job::{Job, Route, TableRef};

/// The row's number in its run, from 1, given when its page is read and kept to the error file.
pub const ROW: &str = "_row";

/// The column that says why a row of files cannot be read.
pub const UNREAD: &str = "@unread";

/// The column by which an export tells which of a row's versions is newer, as Dataverse calls it.
pub const VERSION_NUMBER: &str = "versionnumber";

/// Rows of the source table.
pub const SOURCE: &str = "source";
/// Rows with their lookups resolved and their mappings computed, where all of them are compared at once.
pub const MAPPED: &str = "mapped";
/// Every row with what is known of it before it is compared: its id, and why it is not written, if that is decided.
pub const SCREENED: &str = "screened";
/// Rows that have to be compared, as far as that is known as soon as they are mapped.
pub const LEFT: &str = "left";
/// The same as [`MAPPED`], of one bucket: rows that have to be compared, those of a key together.
#[must_use]
pub fn mapped_in(bucket: usize) -> String {
    format!("{BUCKETS}/{bucket:06}/mapped")
}

/// The records that the rows of one bucket are compared with.
#[must_use]
pub fn held_in(bucket: usize) -> String {
    format!("{BUCKETS}/{bucket:06}/held")
}

/// The same as [`COMPARED`], of one bucket.
#[must_use]
pub fn compared_in(bucket: usize) -> String {
    format!("{BUCKETS}/{bucket:06}/compared")
}

/// The folder of all buckets, for as long as rows are compared.
pub const BUCKETS: &str = "bucket";
/// Every row of the source with its outcome, of a job that acts on what the source loses: what the changes are made of.
pub const COMPARED: &str = "compared";
/// Every row with its outcome; of a row that is to be written also its old and its new values. Jobs for people and users have the
/// values of all rows, and so have jobs with `AFTER LOAD` lookups of their own object or `INSERT`.
pub const CHANGES: &str = "changes";
/// The changes in the order in which they are loaded, where the script asks for one.
pub const QUEUE: &str = "queue";
/// Who is who: Ferry's own map of users, as it was when the run began.
pub const AVATARS: &str = "avatar";
/// Which records the rows became, of a job that acts on what the source loses, as it was when the run began.
pub const LINKS: &str = "link";
/// Records that Gainsight refused before, as they were when the run began.
pub const REFUSED: &str = "refused";

/// Rows of a table that a path leads to.
#[must_use]
pub fn related(table: &str) -> String {
    format!("related/{}", folder_name(table))
}

/// The folder of all [`target`] datasets.
pub const TARGETS: &str = "target";

/// Records of a Gainsight object, for lookups and for comparison alike: each object is read once.
#[must_use]
pub fn target(object: &str) -> String {
    format!("{TARGETS}/{}", folder_name(&object.to_lowercase()))
}

/// Rows of a table that lookups search, by its name among [`searched_tables`].
#[must_use]
pub fn searched(table: &str) -> String {
    format!("searched/{}", folder_name(table))
}

/// A name of a service as the name of a folder. Honest names stay as they are; of others nothing is left that a path could be
/// made of.
fn folder_name(name: &str) -> String {
    use std::fmt::Write as _;
    let mut folder = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            folder.push(c);
        } else {
            let _ = write!(folder, "-{:x}", u32::from(c));
        }
    }
    folder
}

/// What a table that lookups search is called in the run folder: of another connection than the source's with that connection.
#[must_use]
pub fn searched_name(job: &Job, table: &TableRef) -> String {
    if table.connection == job.source.connection {
        table.name.clone()
    } else {
        format!("{}.{}", table.connection, table.name)
    }
}

/// The tables that a job's lookups search, by [`searched_name`], each with the columns that are needed of it.
#[must_use]
pub fn searched_tables(job: &Job) -> BTreeMap<String, (TableRef, Vec<Field>)> {
    let mut tables: BTreeMap<String, (TableRef, Vec<Field>)> = BTreeMap::new();
    for lookup in &job.lookups {
        let Some(table) = &lookup.object.table else { continue };
        let (_, fields) = tables.entry(searched_name(job, table)).or_insert_with(|| (table.clone(), Vec::new()));
        for field in lookup.fields() {
            if !fields.iter().any(|f| f.name == field.name) {
                fields.push(field.clone());
            }
        }
    }
    tables
}

/// The columns of a table that a run reads: `None` is the source table, a name is a related one.
#[must_use]
pub fn table_fields<'a>(job: &'a Job, table: Option<&str>) -> Vec<&'a Field> {
    let mut fields: Vec<&Field> = Vec::new();
    for column in &job.columns {
        let of = column.relation.map(|r| job.relations[r].table.name.as_str());
        if of == table && !fields.iter().any(|f| f.name == column.field.name) {
            fields.push(&column.field);
        }
    }
    fields
}

/// The schema of a dataset of Dataverse rows. A column that may point at several tables has a second one beside it,
/// named with `@type`, that says at which it points. A related table has its primary key in front.
#[must_use]
pub fn table_schema(fields: &[&Field], numbered: bool, primary_id: Option<&str>) -> SchemaRef {
    let mut columns = Vec::new();
    if numbered {
        columns.push(ArrowField::new(ROW, DataType::Int64, false));
    }
    if let Some(id) = primary_id
        && !fields.iter().any(|f| f.name == id)
    {
        columns.push(ArrowField::new(id, DataType::Utf8, true));
    }
    for field in fields {
        columns.push(ArrowField::new(&field.name, field.kind.value_type().arrow(), true));
        if field.is_polymorphic() {
            columns.push(ArrowField::new(type_column(&field.name), DataType::Utf8, true));
        }
    }
    Arc::new(Schema::new(columns))
}

/// The column that says at which table a polymorphic lookup points.
#[must_use]
pub fn type_column(field: &str) -> String {
    format!("{field}@type")
}

/// The Gainsight objects that a job reads, with the fields it needs of each, by API name. The GSID always comes first.
#[must_use]
pub fn objects(job: &Job) -> BTreeMap<String, Vec<Field>> {
    let mut objects: BTreeMap<String, Vec<Field>> = BTreeMap::new();
    let mut need = |object: &str, field: &Field| {
        let fields = objects.entry(object.to_owned()).or_insert_with(|| vec![gsid()]);
        if field.kind != FieldKind::Gsid && !fields.iter().any(|f| f.name == field.name) {
            fields.push(field.clone());
        }
    };
    for lookup in job.lookups.iter().filter(|l| l.object.table.is_none()) {
        lookup.fields().for_each(|field| need(&lookup.object.name, field));
    }
    for (index, target) in job.targets.iter().enumerate().filter(|(_, t)| t.route != Route::Avatar) {
        job.mappings_of(index).for_each(|(_, m)| need(&target.object.name, &m.field));
        job.assigned().iter().filter(|(t, _)| *t == index).for_each(|(_, field)| need(&target.object.name, field));
        if target.route == Route::CompanyPerson {
            for reference in ["Person_ID", "Company_ID"] {
                target.object.by_name(reference).into_iter().for_each(|f| need(&target.object.name, f));
            }
        }
    }
    objects
}

/// The schema of a dataset of Gainsight records: each field in its stored form.
#[must_use]
pub fn object_schema(fields: &[Field]) -> SchemaRef {
    let columns = fields.iter().map(|f| ArrowField::new(&f.name, f.kind.stored(f.scale), true));
    Arc::new(Schema::new(columns.collect::<Vec<_>>()))
}

/// The schema of [`AVATARS`]: the Dynamics user, whether he is enabled, which Gainsight user he is, and which somebody said that he is not.
#[must_use]
pub fn avatar_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        ArrowField::new("source_id", DataType::Utf8, false),
        ArrowField::new("active", DataType::Boolean, true),
        ArrowField::new("user_gsid", DataType::Utf8, true),
        ArrowField::new("parted_gsid", DataType::Utf8, true),
    ]))
}

/// The schema of [`LINKS`]: the row, the record's object by API name, the record, the digest of the key that the row gave it, and
/// whether the row has left the filter since and that was dealt with.
#[must_use]
pub fn link_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        ArrowField::new("source_id", DataType::Utf8, false),
        ArrowField::new("object", DataType::Utf8, false),
        ArrowField::new("gsid", DataType::Utf8, true),
        ArrowField::new("key", DataType::Utf8, false),
        ArrowField::new("has_left", DataType::Boolean, false),
    ]))
}

/// The schema of [`REFUSED`].
#[must_use]
pub fn refused_schema() -> SchemaRef {
    let text = |name: &str| ArrowField::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(vec![text("source_id"), text("fingerprint"), text("message"), text("field"), text("value")]))
}

/// Where a job's changes are read from to be loaded.
#[must_use]
pub fn loaded(job: &Job) -> &'static str {
    if job.load_first.is_some() { QUEUE } else { CHANGES }
}

/// The field that identifies every Gainsight record.
#[must_use]
pub fn gsid() -> Field {
    Field::bare("Gsid", "GSID", FieldKind::Gsid)
}

/// Whether a dataset is one of the large ones that only the next stages of its run read, and later runs of the job that begin with it. Small
/// ones (who is who, what was refused) are Parquet as what people read is, and so is [`COMPARED`], of which every run makes the same bytes.
#[must_use]
pub fn is_staged(name: &str) -> bool {
    const STAGED: [&str; 11] =
        [SOURCE, TARGETS, "related", "searched", "delta", "again", "keys", SCREENED, LEFT, MAPPED, BUCKETS];
    let top = name.split('/').next().unwrap_or_default();
    STAGED.contains(&top)
}

/// The name of the first file of a dataset that a stage wrote, without the end that tells its form.
pub const FIRST_FILE: &str = "part-000000";

/// What a GSID begins with in place of one that Gainsight has not given yet: of a record that another plan is going to insert.
pub const TO_COME: &str = "~";

/// The columns of [`CHANGES`] that are not about one field or one target.
pub mod changes {
    /// The source row's primary key.
    pub const ID: &str = "source_id";
    /// The planned outcome: an [`Outcome`](crate::model::outcome::Outcome) as text.
    pub const OUTCOME: &str = "outcome";
    /// The number of the reason, for rows that are not written.
    pub const WHY: &str = "reason";
    /// The value that decided.
    pub const VALUE: &str = "value";
    /// Gainsight's words, for a record that it refused before.
    pub const MESSAGE: &str = "message";
    /// The field that Gainsight named when it refused the record before.
    pub const FIELD: &str = "field";
    /// A digest of all new values: what a refusal is remembered by.
    pub const FINGERPRINT: &str = "fingerprint";
    /// Which of two rows of one person is newer.
    pub const RANK: &str = "rank";
    /// The folded key, for keeping calls of one person in order.
    pub const KEY: &str = "key";
    /// What `LOAD FIRST BY` orders by.
    pub const FIRST: &str = "first";
    /// How many rows of this run are of the same person.
    pub const SIBLINGS: &str = "siblings";

    /// Of a user the GSIDs of all Gainsight users that have its key, in order, with blanks between them.
    pub const CANDIDATES: &str = "candidates";
    /// The Dynamics user that the only candidate is already, where that is another one.
    pub const OWNER: &str = "owner";

    /// How the source lost the row: [`LEAVE`], [`MERGE`] or [`DELETE`]; null for rows that are not
    /// lost. This column and those below stand only in changes of jobs that act on what the source loses.
    pub const LOST: &str = "lost";
    /// Of a merged row the row that is left.
    pub const INTO: &str = "into";
    /// What becomes of the row's links: [`TO`] (those of a row that is unchanged are brought up to date), [`LEFT`] or [`CUT`] (once that
    /// is done what is to be done about the lost row), or null.
    pub const LINK: &str = "link";
    /// The row no longer passes the filter.
    pub const LEAVE: &str = "leave";
    /// The row was merged into another one.
    pub const MERGE: &str = "merge";
    /// The row is gone. As an action: the record is to be deleted.
    pub const DELETE: &str = "delete";
    /// As an action: fields of a lost row's record are to be set.
    pub const SET: &str = "set";
    /// The row is of the records that are named beside it.
    pub const TO: &str = "to";
    /// The links are marked: it is dealt with that the row left.
    pub const LEFT: &str = "left";
    /// The links are cut.
    pub const CUT: &str = "cut";

    /// The digest of the key that the row gives its record of one target.
    #[must_use]
    pub fn keyed(target: &str) -> String {
        format!("key {target}")
    }

    /// What a field of a lost row's record is set to, in stored form.
    #[must_use]
    pub fn set(target: &str, field: &str) -> String {
        format!("set {target}.{field}")
    }

    /// What such a field holds now.
    #[must_use]
    pub fn set_old(target: &str, field: &str) -> String {
        format!("was {target}.{field}")
    }

    /// Whether such a field has to be sent.
    #[must_use]
    pub fn set_changed(target: &str, field: &str) -> String {
        format!("sets {target}.{field}")
    }

    /// What is to be done with a record of one target: `insert`, `update`, `unchanged`, `follow` (the record is inserted
    /// by a newer row of the same person, and this row's call precedes it), of lost rows [`DELETE`] or [`SET`], or null.
    #[must_use]
    pub fn action(target: &str) -> String {
        format!("action {target}")
    }

    /// The GSID of that record, if it is there.
    #[must_use]
    pub fn gsid(target: &str) -> String {
        format!("gsid {target}")
    }

    /// The new value of a field, in stored form. One that begins with `~` is the number of a row whose GSID is to come.
    #[must_use]
    pub fn new(target: &str, field: &str) -> String {
        format!("new {target}.{field}")
    }

    /// The value that the target holds now.
    #[must_use]
    pub fn old(target: &str, field: &str) -> String {
        format!("old {target}.{field}")
    }

    /// Whether the field has to be sent.
    #[must_use]
    pub fn changed(target: &str, field: &str) -> String {
        format!("changed {target}.{field}")
    }
}
