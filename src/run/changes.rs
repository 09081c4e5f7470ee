//! The changes dataset, row by row, with names instead of column positions.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use serde_json::Value;

use crate::gainsight::write::{Record, value};
use crate::model::dataset::{ROW, changes};
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Job, Route};
use crate::model::outcome::Outcome;

/// One batch of changes.
pub(super) struct Changes<'a> {
    job: &'a Job,
    batch: RecordBatch,
}

impl<'a> Changes<'a> {
    pub(super) fn new(job: &'a Job, batch: RecordBatch) -> Self {
        Self { job, batch }
    }

    pub(super) fn job(&self) -> &'a Job {
        self.job
    }

    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    pub(super) fn row(&self, at: usize) -> i64 {
        self.column(ROW).map_or(0, |c| c.as_primitive::<Int64Type>().value(at))
    }

    pub(super) fn id(&self, at: usize) -> String {
        self.text(changes::ID, at).unwrap_or_default().to_owned()
    }

    pub(super) fn outcome(&self, at: usize) -> Option<Outcome> {
        Outcome::parse(self.text(changes::OUTCOME, at)?)
    }

    pub(super) fn why(&self, at: usize) -> Option<i32> {
        let column = self.column(changes::WHY)?;
        (!column.is_null(at)).then(|| column.as_primitive::<Int32Type>().value(at))
    }

    pub(super) fn siblings(&self, at: usize) -> i64 {
        let column = self.column(changes::SIBLINGS).filter(|c| !c.is_null(at));
        column.map_or(1, |c| c.as_primitive::<Int64Type>().value(at))
    }

    /// How the source lost the row, if it did: see [`changes::LOST`].
    pub(super) fn lost(&self, at: usize) -> Option<&str> {
        self.text(changes::LOST, at)
    }

    /// What is said of a row that the source lost: how, and where it went.
    pub(super) fn loss(&self, at: usize) -> Option<String> {
        Some(match (self.lost(at)?, self.text(changes::INTO, at)) {
            (changes::LEAVE, _) => "the row no longer passes WHERE".to_owned(),
            (changes::MERGE, Some(into)) => format!("the row was merged into {into}"),
            (changes::MERGE, None) => "the row was merged into another one".to_owned(),
            _ => "the row is gone".to_owned(),
        })
    }

    /// What becomes of the row's links: see [`changes::LINK`].
    pub(super) fn link(&self, at: usize) -> Option<&str> {
        self.text(changes::LINK, at)
    }

    /// What is set in a lost row's record of one target: fields by API name.
    pub(super) fn assigned(&self, target: usize, at: usize) -> Record {
        let all = self.assignments(at).into_iter().filter(|(of, ..)| *of == target);
        all.map(|(_, field, _, new)| (field.name.clone(), new)).collect()
    }

    /// What a field that a clause sets holds, and what it is set to, whether it differs or not.
    pub(super) fn assigned_pair(&self, target: usize, field: &Field, at: usize) -> (Value, Value) {
        let label = &self.job.targets[target].object.label;
        let cell = |name: String| self.column(&name).map_or(Value::Null, |c| value(c, at));
        (cell(changes::set_old(label, &field.label)), cell(changes::set(label, &field.label)))
    }

    /// The fields that are set in a lost row's records: target, field, old value, new value.
    pub(super) fn assignments(&self, at: usize) -> Vec<(usize, &'a Field, Value, Value)> {
        let fields = self.job.assigned().into_iter().filter_map(|(target, field)| {
            let label = &self.job.targets[target].object.label;
            let is_sent = self.column(&changes::set_changed(label, &field.label)).filter(|c| !c.is_null(at));
            is_sent.is_some_and(|c| c.as_boolean().value(at)).then(|| {
                let (old, new) = self.assigned_pair(target, field, at);
                (target, field, old, new)
            })
        });
        fields.collect()
    }

    /// What the identity map is to say of a lost user.
    pub(super) fn assigned_flag(&self, at: usize) -> Option<bool> {
        let avatar = self.job.target_by_route(Route::Avatar)?;
        self.assigned(avatar, at).values().find_map(Value::as_bool)
    }

    /// A column of text by name.
    pub(super) fn text(&self, name: &str, at: usize) -> Option<&str> {
        let column = self.batch.column_by_name(name)?;
        (!column.is_null(at)).then(|| column.as_string::<i32>().value(at))
    }

    pub(super) fn action(&self, target: usize, at: usize) -> Option<&str> {
        self.text(&changes::action(&self.job.targets[target].object.label), at)
    }

    pub(super) fn gsid(&self, target: usize, at: usize) -> Option<String> {
        self.text(&changes::gsid(&self.job.targets[target].object.label), at).map(str::to_owned)
    }

    /// Whether a mapped field has to be sent.
    pub(super) fn is_changed(&self, mapping: usize, at: usize) -> bool {
        let (target, field) = self.names(mapping);
        let column = self.column(&changes::changed(target, field)).filter(|c| !c.is_null(at));
        column.is_some_and(|c| c.as_boolean().value(at))
    }

    /// The new value as Gainsight takes it.
    pub(super) fn new_value(&self, mapping: usize, at: usize) -> Value {
        let (target, field) = self.names(mapping);
        self.column(&changes::new(target, field)).map_or(Value::Null, |c| value(c, at))
    }

    /// The new value of a field that points at a record.
    pub(super) fn new_gsid(&self, mapping: usize, at: usize) -> Option<&str> {
        let (target, field) = self.names(mapping);
        let looks_up = self.job.mappings[mapping].field.kind == FieldKind::Lookup;
        looks_up.then(|| self.text(&changes::new(target, field), at))?
    }

    /// The old value as Gainsight gives it.
    pub(super) fn old_value(&self, mapping: usize, at: usize) -> Value {
        let (target, field) = self.names(mapping);
        self.column(&changes::old(target, field)).map_or(Value::Null, |c| value(c, at))
    }

    /// The row whose GSID the new value is to become.
    pub(super) fn pending(&self, mapping: usize, at: usize) -> Option<i64> {
        self.job.pending_lookup(mapping)?;
        let (target, field) = self.names(mapping);
        self.text(&changes::new(target, field), at)?.strip_prefix('~')?.parse().ok()
    }

    /// What has to be sent of one target's record: changed fields by API name, without those that are still to come.
    pub(super) fn record(&self, target: usize, at: usize) -> Record {
        let changed = self.job.mappings_of(target).filter(|(m, _)| self.is_changed(*m, at));
        let ready = changed.filter(|(m, _)| self.pending(*m, at).is_none());
        ready.map(|(m, mapping)| (mapping.field.name.clone(), self.new_value(m, at))).collect()
    }

    /// Whether the Dynamics user is enabled, as the avatar's mapping says.
    pub(super) fn active(&self, at: usize) -> Option<bool> {
        let avatar = self.job.target_by_route(Route::Avatar)?;
        let values = self.job.mappings_of(avatar).map(|(m, _)| self.new_value(m, at));
        values.into_iter().find_map(|v| v.as_bool())
    }

    fn names(&self, mapping: usize) -> (&'a str, &'a str) {
        let mapping = &self.job.mappings[mapping];
        (&self.job.targets[mapping.target].object.label, &mapping.field.label)
    }

    fn column(&self, name: &str) -> Option<&ArrayRef> {
        self.batch.column_by_name(name)
    }
}
