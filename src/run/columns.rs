//! Where the columns of a batch of changes stand: found by name once for each batch, so that no row has to look for them.
//!
//! A column that is not there, because the job has none or because it was not read, is null in every row. In: a batch of the
//! changes, or some of its columns. Out: its columns by what they are about, and the names of the few that most rows need no more of.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;

use crate::gainsight::encode::Column;
use crate::model::dataset::{ROW, changes};
use crate::model::field::Field;
use crate::model::job::Job;

/// The columns of a batch of changes.
pub(super) struct Columns<'a> {
    pub(super) row: Option<Int64Array>,
    pub(super) id: Option<StringArray>,
    pub(super) outcome: Option<StringArray>,
    pub(super) why: Option<Int32Array>,
    pub(super) siblings: Option<Int64Array>,
    pub(super) fingerprint: Option<StringArray>,
    pub(super) key: Option<StringArray>,
    pub(super) rank: Option<StringArray>,
    pub(super) lost: Option<StringArray>,
    pub(super) into: Option<StringArray>,
    pub(super) link: Option<StringArray>,
    /// By target.
    pub(super) targets: Vec<OfTarget>,
    /// By mapping.
    pub(super) mappings: Vec<OfMapping>,
    pub(super) assigned: Vec<OfAssigned<'a>>,
}

/// The columns about the records of one target.
pub(super) struct OfTarget {
    pub(super) action: Option<StringArray>,
    pub(super) gsid: Option<StringArray>,
    pub(super) keyed: Option<StringArray>,
}

/// The columns of one mapped field.
pub(super) struct OfMapping {
    pub(super) new: Option<ArrayRef>,
    /// The same, ready to be sent.
    pub(super) sent: Column,
    pub(super) old: Option<ArrayRef>,
    pub(super) changed: Option<BooleanArray>,
    /// Whether the new value may be the number of a row whose record is to come.
    pub(super) is_pending: bool,
}

/// The columns of a field that is set in records of lost rows.
pub(super) struct OfAssigned<'a> {
    pub(super) target: usize,
    pub(super) field: &'a Field,
    pub(super) new: Option<ArrayRef>,
    pub(super) old: Option<ArrayRef>,
    pub(super) is_sent: Option<BooleanArray>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(job: &'a Job, batch: &RecordBatch) -> Self {
        let named = Named::of(batch);
        let label = |target: usize| job.targets[target].object.label.as_str();
        let targets = job.targets.iter().map(|target| OfTarget {
            action: named.texts(&changes::action(&target.object.label)),
            gsid: named.texts(&changes::gsid(&target.object.label)),
            keyed: named.texts(&changes::keyed(&target.object.label)),
        });
        let mappings = job.mappings.iter().enumerate().map(|(number, mapping)| {
            let (target, field) = (label(mapping.target), mapping.field.label.as_str());
            let new = named.any(&changes::new(target, field));
            OfMapping {
                sent: new.as_ref().map_or(Column::Nothing, Column::of),
                new,
                old: named.any(&changes::old(target, field)),
                changed: named.flags(&changes::changed(target, field)),
                is_pending: job.pending_lookup(number).is_some(),
            }
        });
        let assigned = job.assigned().into_iter().map(|(target, field)| OfAssigned {
            target,
            field,
            new: named.any(&changes::set(label(target), &field.label)),
            old: named.any(&changes::set_old(label(target), &field.label)),
            is_sent: named.flags(&changes::set_changed(label(target), &field.label)),
        });
        Self {
            row: named.column(ROW).map(|column| column.as_primitive().clone()),
            id: named.texts(changes::ID),
            outcome: named.texts(changes::OUTCOME),
            why: named.column(changes::WHY).map(|column| column.as_primitive().clone()),
            siblings: named.column(changes::SIBLINGS).map(|column| column.as_primitive().clone()),
            fingerprint: named.texts(changes::FINGERPRINT),
            key: named.texts(changes::KEY),
            rank: named.texts(changes::RANK),
            lost: named.texts(changes::LOST),
            into: named.texts(changes::INTO),
            link: named.texts(changes::LINK),
            targets: targets.collect(),
            mappings: mappings.collect(),
            assigned: assigned.collect(),
        }
    }
}

/// What says of a row what becomes of it and of its records: all that is needed of one that is not sent.
pub(super) fn outcomes(job: &Job) -> Vec<String> {
    let actions = job.targets.iter().map(|target| changes::action(&target.object.label));
    [changes::OUTCOME, changes::SIBLINGS].into_iter().map(str::to_owned).chain(actions).collect()
}

/// The outcomes of rows.
pub(super) fn outcome(rows: &RecordBatch) -> Option<StringArray> {
    Named::of(rows).texts(changes::OUTCOME)
}

/// What says whether a row is in the error file.
pub(super) fn failures() -> Vec<String> {
    [ROW, changes::WHY, changes::LOST].into_iter().map(str::to_owned).collect()
}

/// The numbers of rows, and those of their reasons.
pub(super) fn failure(rows: &RecordBatch) -> (Option<Int64Array>, Option<Int32Array>) {
    let named = Named::of(rows);
    let row = named.column(ROW).map(|column| column.as_primitive().clone());
    (row, named.column(changes::WHY).map(|column| column.as_primitive().clone()))
}

/// Says of a row whether it is gone from the source: such rows stand behind all others.
pub(super) fn gone(rows: &RecordBatch) -> impl Fn(usize) -> bool {
    let lost = Named::of(rows).texts(changes::LOST).filter(|lost| lost.null_count() < lost.len());
    move |at| text(lost.as_ref(), at) == Some(changes::DELETE)
}

/// What the error file says of a row: everything but the values of its fields.
pub(super) fn lines() -> Vec<String> {
    let told = [changes::ID, changes::VALUE, changes::MESSAGE, changes::FIELD, changes::CANDIDATES, changes::OWNER];
    failures().into_iter().chain([told.as_slice(), &[changes::INTO]].concat().into_iter().map(str::to_owned)).collect()
}

/// What says what becomes of a row's links.
pub(super) fn links() -> Vec<String> {
    [changes::OUTCOME, changes::LINK].into_iter().map(str::to_owned).collect()
}

/// What a row's links are made of.
pub(super) fn linked(job: &Job) -> Vec<String> {
    let targets = job.targets.iter().flat_map(|target| {
        let label = &target.object.label;
        [changes::action(label), changes::gsid(label), changes::keyed(label)]
    });
    links().into_iter().chain([changes::ID.to_owned()]).chain(targets).collect()
}

/// The text of a row, if there is one.
pub(super) fn text(column: Option<&StringArray>, at: usize) -> Option<&str> {
    column.filter(|column| !column.is_null(at)).map(|column| column.value(at))
}

/// Whether a flag is set.
pub(super) fn is_set(column: Option<&BooleanArray>, at: usize) -> bool {
    column.is_some_and(|column| !column.is_null(at) && column.value(at))
}

/// The columns of a batch by name.
struct Named<'b>(HashMap<&'b str, &'b ArrayRef>);

impl<'b> Named<'b> {
    fn of(batch: &'b RecordBatch) -> Self {
        let names = batch.schema_ref().fields().iter().map(|field| field.name().as_str());
        Self(names.zip(batch.columns()).collect())
    }

    fn column(&self, name: &str) -> Option<&'b ArrayRef> {
        self.0.get(name).copied()
    }

    fn any(&self, name: &str) -> Option<ArrayRef> {
        self.column(name).cloned()
    }

    fn texts(&self, name: &str) -> Option<StringArray> {
        self.column(name).map(|column| column.as_string::<i32>().clone())
    }

    fn flags(&self, name: &str) -> Option<BooleanArray> {
        self.column(name).map(|column| column.as_boolean().clone())
    }
}
