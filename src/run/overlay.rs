//! The target as it will be: what the earlier jobs of a chain are going to write, laid over what a later one has read.
//!
//! In: the plans of the earlier jobs, and the run folder of a later one. Out: the same folder, whose target datasets hold changed records
//! with their new values and new records too, and deleted ones no more. A record still to come has no GSID; `~RUN:ROW` stands for it, the row of the run that
//! inserts it. Its fields that no mapping fills are null: what Gainsight puts there by itself, nobody knows before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, UInt64Array, new_null_array};
use arrow::compute::{cast, concat_batches, filter_record_batch, interleave, take};
use arrow::datatypes::SchemaRef;

use super::changes::Changes;
use super::error::Error;
use crate::model::dataset::{self, TO_COME, changes};
use crate::model::job::{Job, Route};
use crate::model::outcome::Outcome;
use crate::store::aside::ASIDE;
use crate::store::dataset::RunFolder;
use crate::store::state::Tenancy;

/// The plan of an earlier job.
pub struct Earlier {
    /// Its run.
    pub run: String,
    /// The job, as it was planned.
    pub job: Job,
    /// Whose state it belongs to.
    pub of: Tenancy,
    /// Where the plan lies.
    pub folder: RunFolder,
    /// What it costs, by the API whose budget it is called from.
    pub cost: (String, u64),
}

/// What stands for the GSID of a record that a row of a run inserts.
pub(super) fn to_come(run: &str, row: i64) -> String {
    format!("{TO_COME}{run}:{row}")
}

/// The run and the row of a record that is to come by the plan of another run.
#[must_use]
pub fn coming(gsid: &str) -> Option<(&str, i64)> {
    let (run, row) = gsid.strip_prefix(TO_COME)?.split_once(':')?;
    Some((run, row.parse().ok()?))
}

/// Lays what earlier jobs are going to write over the target datasets in a later job's folder.
pub(super) async fn lay(job: &Job, of: &Tenancy, folder: &RunFolder, earlier: &[Earlier]) -> Result<(), Error> {
    let earlier: Vec<&Earlier> = earlier.iter().filter(|one| one.of.tenant == of.tenant).collect();
    let mut layers = Vec::new();
    for (object, fields) in dataset::objects(job) {
        let schema = dataset::object_schema(&fields);
        let mut of_object = Vec::new();
        for one in &earlier {
            let targets = one.job.targets.iter().enumerate();
            for (target, _) in targets.filter(|(_, t)| t.route != Route::Avatar && t.object.name == object) {
                of_object.push(Layer::of(one, target, &schema).await?);
            }
        }
        if of_object.iter().any(|layer| !layer.is_empty()) {
            layers.push((dataset::target(&object), schema, of_object));
        }
    }
    if !layers.is_empty() {
        folder.put_back().await?;
        folder.set_aside(&[dataset::TARGETS]).await?;
        for (object, _) in dataset::objects(job) {
            let name = dataset::target(&object);
            match layers.iter().find(|(of, _, _)| *of == name) {
                Some((_, schema, layers)) => rewrite(folder, &name, schema, layers).await?,
                None => folder.take_from_aside(&name).await?,
            }
        }
        folder.forget_aside().await?;
    }
    super::identities::lay(job, of, folder, &earlier).await
}

/// How many rows of a plan are about records that are to come by other plans, or point at them.
pub(super) async fn waiting(job: &Job, folder: &RunFolder) -> Result<u64, Error> {
    let mut waiting = 0;
    let mut reader = folder.read(dataset::CHANGES).await?;
    while let Some(batch) = reader.next().await? {
        let rows = Changes::new(job, batch);
        let is_coming = |gsid: Option<&str>| gsid.and_then(coming).is_some();
        for at in 0..rows.len() {
            let is_written =
                matches!(rows.outcome(at), Some(Outcome::Inserted | Outcome::Updated | Outcome::Unchanged));
            let mut values = (0..job.mappings.len()).map(|m| rows.new_gsid(m, at));
            let mut records = (0..job.targets.len()).map(|target| rows.gsid(target, at));
            let waits = values.any(is_coming) || records.any(|gsid| is_coming(gsid.as_deref()));
            waiting += u64::from(is_written && waits);
        }
    }
    Ok(waiting)
}

async fn rewrite(folder: &RunFolder, name: &str, schema: &SchemaRef, layers: &[Layer]) -> Result<(), Error> {
    let mut reader = folder.read(&format!("{ASIDE}/{name}")).await?;
    let mut writer = folder.write(name, Arc::clone(schema));
    while let Some(batch) = reader.next().await? {
        writer.add(changed(batch, layers)?).await?;
    }
    for (number, layer) in layers.iter().enumerate() {
        writer.add(changed(layer.inserted.clone(), &layers[number + 1..])?).await?;
    }
    writer.finish().await?;
    Ok(())
}

fn changed(mut batch: RecordBatch, layers: &[Layer]) -> Result<RecordBatch, Error> {
    for layer in layers {
        batch = layer.over(&batch)?;
    }
    Ok(batch)
}

/// What one job is going to write to one object.
struct Layer {
    /// New records.
    inserted: RecordBatch,
    /// Changed records with their new values, by GSID.
    updated: RecordBatch,
    places: HashMap<String, usize>,
    /// Records that are deleted.
    deleted: HashSet<String>,
    /// For each column, whether the record's value of it changes.
    changed: Vec<BooleanArray>,
}

impl Layer {
    async fn of(one: &Earlier, target: usize, schema: &SchemaRef) -> Result<Self, Error> {
        let people = new_people(one).await?;
        let (mut inserted, mut updated) = (Vec::new(), Vec::new());
        let mut flags: Vec<Vec<bool>> = vec![Vec::new(); schema.fields().len()];
        let mut places = HashMap::new();
        let mut deleted = HashSet::new();
        let mut reader = one.folder.read(dataset::CHANGES).await?;
        while let Some(batch) = reader.next().await? {
            let rows = Changes::new(&one.job, batch.clone());
            let written =
                |at: &usize| matches!(rows.outcome(*at), Some(Outcome::Inserted | Outcome::Updated | Outcome::Deleted));
            let of = |action: &'static str| {
                let rows = (0..rows.len()).filter(written).filter(|at| rows.action(target, *at) == Some(action));
                rows.collect::<Vec<usize>>()
            };
            let (inserts, updates, marks) = (of("insert"), of("update"), of(changes::SET));
            deleted.extend(of(changes::DELETE).into_iter().filter_map(|at| rows.gsid(target, at)));
            inserted.push(records(one, target, schema, &rows, &batch, &inserts, &people)?);
            updated.push(records(one, target, schema, &rows, &batch, &updates, &people)?);
            updated.push(marked(one, target, schema, &rows, &batch, &marks)?);
            for at in updates {
                places.insert(rows.gsid(target, at).unwrap_or_default(), places.len());
                for (flags, field) in flags.iter_mut().zip(schema.fields()) {
                    let mapped = one.job.mappings_of(target).find(|(_, m)| m.field.name == *field.name());
                    flags.push(mapped.is_some_and(|(m, _)| rows.is_changed(m, at)));
                }
            }
            for at in marks {
                places.insert(rows.gsid(target, at).unwrap_or_default(), places.len());
                let set = rows.assigned(target, at);
                flags.iter_mut().zip(schema.fields()).for_each(|(flags, f)| flags.push(set.contains_key(f.name())));
            }
        }
        let all = |batches: &[RecordBatch]| concat_batches(schema, batches).map_err(|e| wrong(&e));
        let changed = flags.into_iter().map(BooleanArray::from).collect();
        Ok(Self { inserted: all(&inserted)?, updated: all(&updated)?, places, deleted, changed })
    }

    fn is_empty(&self) -> bool {
        self.inserted.num_rows() + self.updated.num_rows() + self.deleted.len() == 0
    }

    fn without_deleted(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let Some(gsids) = batch.column_by_name("Gsid").filter(|_| !self.deleted.is_empty()) else {
            return Ok(batch.clone());
        };
        let is_there = |gsid: Option<&str>| Some(gsid.is_none_or(|gsid| !self.deleted.contains(gsid)));
        let there: BooleanArray = gsids.as_string::<i32>().iter().map(is_there).collect();
        filter_record_batch(batch, &there).map_err(|e| wrong(&e))
    }

    /// Records with the values that this layer gives them.
    fn over(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let batch = &self.without_deleted(batch)?;
        let Some(gsids) = batch.column_by_name("Gsid").filter(|_| !self.places.is_empty()) else {
            return Ok(batch.clone());
        };
        let gsids = gsids.as_string::<i32>();
        let places: Vec<Option<usize>> = gsids.iter().map(|g| self.places.get(g?).copied()).collect();
        let mut columns = Vec::new();
        for (number, held) in batch.columns().iter().enumerate() {
            let place = |at: usize| places[at].filter(|place| self.changed[number].value(*place));
            let indices: Vec<(usize, usize)> =
                (0..batch.num_rows()).map(|at| place(at).map_or((0, at), |place| (1, place))).collect();
            let new = self.updated.column(number);
            columns.push(interleave(&[held.as_ref(), new.as_ref()], &indices).map_err(|e| wrong(&e))?);
        }
        RecordBatch::try_new(batch.schema(), columns).map_err(|e| wrong(&e))
    }
}

/// Lost rows of a plan as records of the target, with the values that are set in them.
fn marked(
    one: &Earlier,
    target: usize,
    schema: &SchemaRef,
    rows: &Changes<'_>,
    batch: &RecordBatch,
    at: &[usize],
) -> Result<RecordBatch, Error> {
    let picked = UInt64Array::from_iter_values(at.iter().map(|at| *at as u64));
    let label = &one.job.targets[target].object.label;
    let assigned = one.job.assigned();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for field in schema.fields() {
        let set = assigned.iter().find(|(of, f)| *of == target && f.name == *field.name());
        let values = set.and_then(|(_, f)| batch.column_by_name(&changes::set(label, &f.label)));
        columns.push(match values {
            _ if field.name() == "Gsid" => {
                Arc::new(at.iter().map(|at| rows.gsid(target, *at)).collect::<StringArray>())
            }
            Some(values) => {
                let values = take(values, &picked, None).map_err(|e| wrong(&e))?;
                cast(&values, field.data_type()).map_err(|e| wrong(&e))?
            }
            None => new_null_array(field.data_type(), at.len()),
        });
    }
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|e| wrong(&e))
}

/// Some rows of a plan as records of the target, with the values that they give.
fn records(
    one: &Earlier,
    target: usize,
    schema: &SchemaRef,
    rows: &Changes<'_>,
    batch: &RecordBatch,
    at: &[usize],
    people: &HashMap<String, i64>,
) -> Result<RecordBatch, Error> {
    let picked = UInt64Array::from_iter_values(at.iter().map(|at| *at as u64));
    let label = &one.job.targets[target].object.label;
    let mut columns: Vec<ArrayRef> = Vec::new();
    for field in schema.fields() {
        let mapped = one.job.mappings_of(target).find(|(_, m)| m.field.name == *field.name());
        columns.push(match (field.name().as_str(), mapped) {
            ("Gsid", _) => {
                let gsid = |at: &usize| rows.gsid(target, *at).unwrap_or_else(|| to_come(&one.run, rows.row(*at)));
                Arc::new(at.iter().map(gsid).map(Some).collect::<StringArray>())
            }
            (_, Some((m, _))) if one.job.pending_lookup(m).is_some() => {
                let value = |at: &usize| match rows.pending(m, *at) {
                    Some(row) => Some(to_come(&one.run, row)),
                    None => rows.new_value(m, *at).as_str().map(str::to_owned),
                };
                Arc::new(at.iter().map(value).collect::<StringArray>())
            }
            (_, Some((_, mapping))) => {
                let name = changes::new(label, &mapping.field.label);
                let missing = || Error::Books(format!("the changes have no column `{name}`"));
                let values = batch.column_by_name(&name).ok_or_else(missing)?;
                let values = take(values, &picked, None).map_err(|e| wrong(&e))?;
                cast(&values, field.data_type()).map_err(|e| wrong(&e))?
            }
            ("Person_ID", None) if one.job.targets[target].route == Route::CompanyPerson => {
                Arc::new(at.iter().map(|at| person(one, rows, *at, people)).collect::<StringArray>())
            }
            _ => new_null_array(field.data_type(), at.len()),
        });
    }
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|e| wrong(&e))
}

/// The person of a row, there or still to come.
fn person(one: &Earlier, rows: &Changes<'_>, at: usize, people: &HashMap<String, i64>) -> Option<String> {
    let target = one.job.target_by_route(Route::Person)?;
    rows.gsid(target, at).or_else(|| Some(to_come(&one.run, *people.get(rows.key(at)?)?)))
}

/// The rows that insert people, by the person's key: other rows of the same person only follow.
async fn new_people(one: &Earlier) -> Result<HashMap<String, i64>, Error> {
    let mut people = HashMap::new();
    let Some(target) = one.job.target_by_route(Route::Person) else { return Ok(people) };
    let mut reader = one.folder.read(dataset::CHANGES).await?;
    while let Some(batch) = reader.next().await? {
        let rows = Changes::new(&one.job, batch);
        for at in (0..rows.len()).filter(|at| rows.action(target, *at) == Some("insert")) {
            people.insert(rows.key(at).unwrap_or_default().to_owned(), rows.row(at));
        }
    }
    Ok(people)
}

fn wrong(error: &arrow::error::ArrowError) -> Error {
    Error::Books(error.to_string())
}
