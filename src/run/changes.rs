//! The changes dataset, row by row, with names instead of column positions.
//!
//! In: a batch, of which columns may have been left out. Out: what its rows say; what was left out is null.

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use serde_json::Value;

use super::columns::{Columns, is_set, text};
use crate::gainsight::encode::Keys;
use crate::gainsight::sent::Fields;
use crate::gainsight::write::{Record, value};
use crate::model::dataset::changes;
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Job, Route};
use crate::model::outcome::Outcome;

/// One batch of changes.
pub(super) struct Changes<'a> {
    job: &'a Job,
    batch: RecordBatch,
    columns: Columns<'a>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(job: &'a Job, batch: RecordBatch) -> Self {
        let columns = Columns::of(job, &batch);
        Self { job, batch, columns }
    }

    pub(super) fn job(&self) -> &'a Job {
        self.job
    }

    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    pub(super) fn row(&self, at: usize) -> i64 {
        self.columns.row.as_ref().map_or(0, |column| column.value(at))
    }

    pub(super) fn id(&self, at: usize) -> String {
        text(self.columns.id.as_ref(), at).unwrap_or_default().to_owned()
    }

    pub(super) fn outcome(&self, at: usize) -> Option<Outcome> {
        Outcome::parse(text(self.columns.outcome.as_ref(), at)?)
    }

    pub(super) fn why(&self, at: usize) -> Option<i32> {
        let column = self.columns.why.as_ref()?;
        (!column.is_null(at)).then(|| column.value(at))
    }

    pub(super) fn siblings(&self, at: usize) -> i64 {
        let column = self.columns.siblings.as_ref().filter(|c| !c.is_null(at));
        column.map_or(1, |c| c.value(at))
    }

    pub(super) fn fingerprint(&self, at: usize) -> String {
        text(self.columns.fingerprint.as_ref(), at).unwrap_or_default().to_owned()
    }

    /// The folded key: see [`changes::KEY`].
    pub(super) fn key(&self, at: usize) -> Option<&str> {
        text(self.columns.key.as_ref(), at)
    }

    /// See [`changes::RANK`].
    pub(super) fn rank(&self, at: usize) -> String {
        text(self.columns.rank.as_ref(), at).unwrap_or_default().to_owned()
    }

    /// How the source lost the row, if it did: see [`changes::LOST`].
    pub(super) fn lost(&self, at: usize) -> Option<&str> {
        text(self.columns.lost.as_ref(), at)
    }

    /// What is said of a row that the source lost: how, and where it went.
    pub(super) fn loss(&self, at: usize) -> Option<String> {
        Some(match (self.lost(at)?, text(self.columns.into.as_ref(), at)) {
            (changes::LEAVE, _) => "the row no longer passes WHERE".to_owned(),
            (changes::MERGE, Some(into)) => format!("the row was merged into {into}"),
            (changes::MERGE, None) => "the row was merged into another one".to_owned(),
            _ => "the row is gone".to_owned(),
        })
    }

    /// What becomes of the row's links: see [`changes::LINK`].
    pub(super) fn link(&self, at: usize) -> Option<&str> {
        text(self.columns.link.as_ref(), at)
    }

    /// The digest of the key that the row gives its record of a target.
    pub(super) fn keyed(&self, target: usize, at: usize) -> Option<&str> {
        text(self.columns.targets[target].keyed.as_ref(), at)
    }

    /// What is set in a lost row's record of one target: fields by API name.
    pub(super) fn assigned(&self, target: usize, at: usize) -> Record {
        let all = self.assignments(at).into_iter().filter(|(of, ..)| *of == target);
        all.map(|(_, field, _, new)| (field.name.clone(), new)).collect()
    }

    /// What a field that a clause sets holds, and what it is set to, whether it differs or not.
    pub(super) fn assigned_pair(&self, target: usize, field: &Field, at: usize) -> (Value, Value) {
        let one = self.columns.assigned.iter().find(|one| one.target == target && one.field.name == field.name);
        let cell = |column: Option<&_>| column.map_or(Value::Null, |column| value(column, at));
        one.map_or((Value::Null, Value::Null), |one| (cell(one.old.as_ref()), cell(one.new.as_ref())))
    }

    /// The fields that are set in a lost row's records: target, field, old value, new value.
    pub(super) fn assignments(&self, at: usize) -> Vec<(usize, &'a Field, Value, Value)> {
        let sent = self.columns.assigned.iter().filter(|one| is_set(one.is_sent.as_ref(), at));
        let fields = sent.map(|one| {
            let cell = |column: Option<&_>| column.map_or(Value::Null, |column| value(column, at));
            (one.target, one.field, cell(one.old.as_ref()), cell(one.new.as_ref()))
        });
        fields.collect()
    }

    /// What the identity map is to say of a lost user.
    pub(super) fn assigned_flag(&self, at: usize) -> Option<bool> {
        let avatar = self.job.target_by_route(Route::Avatar)?;
        self.assigned(avatar, at).values().find_map(Value::as_bool)
    }

    /// A column of text by name, which is looked for: only for what few rows are asked.
    pub(super) fn text(&self, name: &str, at: usize) -> Option<&str> {
        let column = self.batch.column_by_name(name)?;
        (!column.is_null(at)).then(|| column.as_string::<i32>().value(at))
    }

    pub(super) fn action(&self, target: usize, at: usize) -> Option<&str> {
        text(self.columns.targets[target].action.as_ref(), at)
    }

    pub(super) fn gsid(&self, target: usize, at: usize) -> Option<String> {
        text(self.columns.targets[target].gsid.as_ref(), at).map(str::to_owned)
    }

    /// Whether a mapped field has to be sent.
    pub(super) fn is_changed(&self, mapping: usize, at: usize) -> bool {
        is_set(self.columns.mappings[mapping].changed.as_ref(), at)
    }

    /// The new value as Gainsight takes it.
    pub(super) fn new_value(&self, mapping: usize, at: usize) -> Value {
        self.columns.mappings[mapping].new.as_ref().map_or(Value::Null, |column| value(column, at))
    }

    /// The new value of a field that points at a record.
    pub(super) fn new_gsid(&self, mapping: usize, at: usize) -> Option<&str> {
        let looks_up = self.job.mappings[mapping].field.kind == FieldKind::Lookup;
        looks_up.then(|| self.new_text(mapping, at))?
    }

    /// The old value as Gainsight gives it.
    pub(super) fn old_value(&self, mapping: usize, at: usize) -> Value {
        self.columns.mappings[mapping].old.as_ref().map_or(Value::Null, |column| value(column, at))
    }

    /// The row whose GSID the new value is to become.
    pub(super) fn pending(&self, mapping: usize, at: usize) -> Option<i64> {
        let is_pending = self.columns.mappings[mapping].is_pending;
        is_pending.then(|| self.new_text(mapping, at))??.strip_prefix('~')?.parse().ok()
    }

    /// What has to be sent of one target's record: changed fields by API name, without those that are still to come.
    pub(super) fn record(&self, target: usize, at: usize) -> Record {
        let ready = self.ready(target, at);
        ready.map(|m| (self.job.mappings[m].field.name.clone(), self.new_value(m, at))).collect()
    }

    /// The same as it is sent. The keys are those of all mappings.
    pub(super) fn fields(&self, target: usize, at: usize, keys: &Keys) -> Fields {
        keys.fields(self.ready(target, at).map(|m| (m, &self.columns.mappings[m].sent)), at)
    }

    /// Whether something has to be sent of it.
    pub(super) fn has_record(&self, target: usize, at: usize) -> bool {
        self.ready(target, at).next().is_some()
    }

    /// The mappings whose values are sent of one target's record.
    fn ready(&self, target: usize, at: usize) -> impl Iterator<Item = usize> {
        let changed = self.job.mappings_of(target).map(|(m, _)| m).filter(move |m| self.is_changed(*m, at));
        changed.filter(move |m| self.pending(*m, at).is_none())
    }

    /// Whether the Dynamics user is enabled, as the avatar's mapping says.
    pub(super) fn active(&self, at: usize) -> Option<bool> {
        let avatar = self.job.target_by_route(Route::Avatar)?;
        let values = self.job.mappings_of(avatar).map(|(m, _)| self.new_value(m, at));
        values.into_iter().find_map(|v| v.as_bool())
    }

    fn new_text(&self, mapping: usize, at: usize) -> Option<&str> {
        let column = self.columns.mappings[mapping].new.as_ref()?;
        (!column.is_null(at)).then(|| column.as_string::<i32>().value(at))
    }
}
