//! Rows that a script writes down, as the datasets that a plan reads; and cells of a plan, as constants again.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMillisecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type, SchemaRef, TimestampMillisecondType};
use arrow::record_batch::RecordBatch;
use datafusion::common::cast::as_decimal128_array;

use super::error::Result;
use crate::model::dataset::{self, ROW};
use crate::model::field::Field;
use crate::model::job::{Job, Route};
use crate::model::literal::Literal;
use crate::model::test::{Given, GivenRow};

/// The datasets of a run over these rows, by their folders. What is not given is empty.
pub(super) fn datasets(job: &Job, given: &[Given]) -> Result<BTreeMap<String, RecordBatch>> {
    let of = |connection: &str, object: &str| -> Vec<&Given> {
        let is = |g: &&Given| g.connection.eq_ignore_ascii_case(connection) && g.object.eq_ignore_ascii_case(object);
        given.iter().filter(is).collect()
    };
    let source = &job.source;
    let mut made = BTreeMap::new();
    let mut table = |folder: String, (from, name): (&str, &str), fields: &[&Field], numbered: bool, id: &str| {
        let schema = dataset::table_schema(fields, numbered, (!numbered).then_some(id));
        made.insert(folder, rows(&schema, &of(from, name), id, fields)?);
        Ok::<(), super::error::Error>(())
    };
    let fields = dataset::table_fields(job, None);
    let own = source.connection.as_str();
    table(dataset::SOURCE.to_owned(), (own, &source.table.name), &fields, true, &source.table.primary_id)?;
    for relation in &job.relations {
        let (name, id) = (&relation.table.name, &relation.table.primary_id);
        table(dataset::related(name), (own, name), &dataset::table_fields(job, Some(name)), false, id)?;
    }
    for (name, (found, fields)) in dataset::searched_tables(job) {
        let of = (found.connection.as_str(), found.name.as_str());
        table(dataset::searched(&name), of, &fields.iter().collect::<Vec<_>>(), false, &found.primary_id)?;
    }
    let target = &job.main_target().connection;
    for (name, fields) in dataset::objects(job) {
        let batch = rows(&dataset::object_schema(&fields), &of(target, &name), "Gsid", &[])?;
        made.insert(dataset::target(&name), batch);
    }
    if job.target_by_route(Route::Avatar).is_some() {
        made.insert(dataset::AVATARS.to_owned(), RecordBatch::new_empty(dataset::avatar_schema()));
    }
    made.insert(dataset::REFUSED.to_owned(), RecordBatch::new_empty(dataset::refused_schema()));
    Ok(made)
}

/// Rows in the columns of a dataset. A record that is given without its id gets one from its number.
fn rows(schema: &SchemaRef, given: &[&Given], id: &str, fields: &[&Field]) -> Result<RecordBatch> {
    let count: usize = given.iter().map(|g| g.rows.len()).sum();
    let columns = schema.fields().iter().map(|column| {
        let values: Vec<Literal> = match column.name().as_str() {
            ROW => (1_i64..).take(count).map(Literal::Integer).collect(),
            name => (0..count).map(|at| cell(name, at, given, id, fields)).collect(),
        };
        array(&values, column.data_type())
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns).map_err(datafusion::error::DataFusionError::from)?)
}

fn cell(name: &str, at: usize, given: &[&Given], id: &str, fields: &[&Field]) -> Literal {
    let Some(row) = GivenRow::at(at, given.iter().copied()) else { return Literal::Null };
    if let Some(value) = row.value(name) {
        return value.clone();
    }
    // A lookup column that says nothing of its table points at the first one that it can.
    let pointing = fields.iter().find(|f| dataset::type_column(&f.name) == name);
    match pointing.filter(|f| row.value(&f.name).is_some_and(|value| *value != Literal::Null)) {
        Some(field) => field.targets.first().map_or(Literal::Null, |t| Literal::Text(t.clone())),
        None if name == id => row.unnamed(id),
        None => Literal::Null,
    }
}

fn array(values: &[Literal], of: &DataType) -> Result<ArrayRef> {
    let text = |v: &Literal| if let Literal::Text(text) = v { Some(text.clone()) } else { None };
    let whole = |v: &Literal| if let Literal::Integer(number) = v { Some(*number) } else { None };
    let digits = |v: &Literal| match v {
        Literal::Integer(number) => Some(number.to_string()),
        Literal::Decimal(written) => Some(written.clone()),
        _ => None,
    };
    Ok(match of {
        DataType::Utf8 => Arc::new(values.iter().map(text).collect::<StringArray>()),
        DataType::Int64 => Arc::new(values.iter().map(whole).collect::<Int64Array>()),
        DataType::Boolean => {
            let truth = |v: &Literal| if let Literal::Boolean(truth) = v { Some(*truth) } else { None };
            Arc::new(values.iter().map(truth).collect::<BooleanArray>())
        }
        DataType::Float64 => {
            Arc::new(values.iter().map(|v| digits(v).and_then(|d| d.parse().ok())).collect::<Float64Array>())
        }
        DataType::Date32 => {
            let day = |v: &Literal| if let Literal::Date(day) = v { Some(*day) } else { None };
            Arc::new(values.iter().map(day).collect::<Date32Array>())
        }
        DataType::Timestamp(..) => {
            let at = |v: &Literal| if let Literal::DateTime(at) = v { Some(*at) } else { None };
            Arc::new(values.iter().map(at).collect::<TimestampMillisecondArray>().with_timezone("UTC"))
        }
        DataType::Decimal128(precision, scale) => {
            let scaled = |v: &Literal| digits(v).and_then(|d| scaled(&d, *scale));
            let made = values.iter().map(scaled).collect::<Decimal128Array>();
            Arc::new(
                made.with_precision_and_scale(*precision, *scale).map_err(datafusion::error::DataFusionError::from)?,
            )
        }
        other => new_null_array(other, values.len()),
    })
}

/// A written decimal as a whole number of its last digit; digits beyond it are cut.
fn scaled(written: &str, scale: i8) -> Option<i128> {
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let kept = usize::try_from(scale).ok()?;
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(kept).collect();
    format!("{whole}{digits}").parse().ok()
}

/// A cell as a constant. Decimals have no zeros at their end.
pub(super) fn constant_at(column: &ArrayRef, at: usize) -> Literal {
    if column.is_null(at) {
        return Literal::Null;
    }
    match column.data_type() {
        DataType::Utf8 => Literal::Text(column.as_string::<i32>().value(at).to_owned()),
        DataType::Utf8View => Literal::Text(column.as_string_view().value(at).to_owned()),
        DataType::Int64 => Literal::Integer(column.as_primitive::<Int64Type>().value(at)),
        DataType::Int32 => Literal::Integer(column.as_primitive::<Int32Type>().value(at).into()),
        DataType::Boolean => Literal::Boolean(column.as_boolean().value(at)),
        DataType::Float64 => Literal::Decimal(column.as_primitive::<Float64Type>().value(at).to_string()),
        DataType::Date32 => Literal::Date(column.as_primitive::<Date32Type>().value(at)),
        DataType::Timestamp(..) => Literal::DateTime(column.as_primitive::<TimestampMillisecondType>().value(at)),
        DataType::Decimal128(..) => {
            let written = as_decimal128_array(column).map(|c| c.value_as_string(at)).unwrap_or_default();
            Literal::Decimal(plain(&written))
        }
        _ => Literal::Null,
    }
}

/// A decimal without zeros at its end: `12.50` is `12.5`, `12.00` is `12`.
pub fn plain(written: &str) -> String {
    if !written.contains('.') {
        return written.to_owned();
    }
    let short = written.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" || short.is_empty() { "0".to_owned() } else { short.to_owned() }
}
