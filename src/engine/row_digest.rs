//! A digest of some values of each row, in 128 bits: rows with the same digest have the same values.
//!
//! A function of our own in plans: it is what tells without a join whether a record is what a row says, and a built-in that does so costs
//! more than the rest of the comparison. In: a condition, and columns. Out: 16 bytes a row, or null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryBuilder};
use arrow::buffer::NullBuffer;
use arrow::compute::{not, nullif, prep_null_mask_filter};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMillisecondType};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use xxhash_rust::xxh3::xxh3_128;

/// Bytes of a digest.
pub(super) const BYTES: i32 = 16;

/// The digest of a key, of rows for which the condition is true; null where a part of the key is null: such a row is like no other.
pub(super) fn key_digest(condition: Expr, parts: Vec<Expr>) -> Expr {
    call(true, condition, parts)
}

/// The digest of values, nulls among them, of rows for which the condition is true.
pub(super) fn value_digest(condition: Expr, values: Vec<Expr>) -> Expr {
    call(false, condition, values)
}

fn call(is_key: bool, condition: Expr, values: Vec<Expr>) -> Expr {
    digest(is_key).call(std::iter::once(condition).chain(values).collect())
}

fn digest(is_key: bool) -> ScalarUDF {
    ScalarUDF::from(RowDigest { is_key, signature: Signature::variadic_any(Volatility::Immutable) })
}

/// Values where a condition is true, and null elsewhere. Nothing of them is copied, as CASE would.
pub(super) fn only_where(condition: Expr, values: Expr) -> Expr {
    where_it_is().call(vec![condition, values])
}

fn where_it_is() -> ScalarUDF {
    ScalarUDF::from(OnlyWhere { signature: Signature::any(2, Volatility::Immutable) })
}

/// All of these, for whoever carries out plans that came by their names.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    [digest(true), digest(false), where_it_is()].map(Arc::new).to_vec()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OnlyWhere {
    signature: Signature,
}

impl ScalarUDFImpl for OnlyWhere {
    fn name(&self) -> &str {
        "only_where"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, kinds: &[DataType]) -> Result<DataType> {
        kinds.get(1).cloned().ok_or_else(|| DataFusionError::Internal(self.name().to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let condition = arrays[0].as_boolean();
        let is_not =
            not(&if condition.null_count() > 0 { prep_null_mask_filter(condition) } else { condition.clone() })?;
        Ok(ColumnarValue::Array(nullif(&arrays[1], &is_not)?))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RowDigest {
    is_key: bool,
    signature: Signature,
}

impl ScalarUDFImpl for RowDigest {
    fn name(&self) -> &str {
        if self.is_key { "key_digest" } else { "value_digest" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::FixedSizeBinary(BYTES))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = args.args.into_iter().map(|value| value.into_array(rows)).collect::<Result<Vec<_>>>()?;
        let (condition, values) =
            arrays.split_first().ok_or_else(|| DataFusionError::Internal(self.name().to_owned()))?;
        let condition = condition.as_boolean();
        let columns = values.iter().map(|column| Ok((Values::of(column)?, column.nulls())));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let mut digests = FixedSizeBinaryBuilder::with_capacity(rows, BYTES);
        let mut bytes = Vec::new();
        for row in 0..rows {
            let is_null = |nulls: &Option<&NullBuffer>| nulls.is_some_and(|nulls| nulls.is_null(row));
            let is_whole = || !columns.iter().any(|(_, nulls)| is_null(nulls));
            if condition.is_null(row) || !condition.value(row) || (self.is_key && !is_whole()) {
                digests.append_null();
                continue;
            }
            bytes.clear();
            for (column, nulls) in &columns {
                if is_null(nulls) { bytes.push(0) } else { column.append(row, &mut bytes) }
            }
            digests.append_value(xxh3_128(&bytes).to_le_bytes())?;
        }
        Ok(ColumnarValue::Array(Arc::new(digests.finish())))
    }
}

/// The values of a column, of a kind that fields have.
enum Values<'a> {
    Text(&'a arrow::array::StringArray),
    Flag(&'a arrow::array::BooleanArray),
    Long(&'a [i64]),
    Day(&'a [i32]),
    Wide(&'a [i128]),
    Double(&'a [f64]),
}

impl<'a> Values<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Boolean => Self::Flag(array.as_boolean()),
            DataType::Int64 => Self::Long(array.as_primitive::<Int64Type>().values()),
            DataType::Timestamp(..) => Self::Long(array.as_primitive::<TimestampMillisecondType>().values()),
            DataType::Date32 => Self::Day(array.as_primitive::<Date32Type>().values()),
            DataType::Decimal128(..) => Self::Wide(array.as_primitive::<Decimal128Type>().values()),
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>().values()),
            other => return Err(DataFusionError::Internal(format!("a digest of {other} is not made"))),
        })
    }

    /// Appends a value that is there, so that no other values of the columns make the same bytes.
    fn append(&self, row: usize, bytes: &mut Vec<u8>) {
        bytes.push(1);
        match self {
            Self::Text(values) => {
                let text = values.value(row).as_bytes();
                bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                bytes.extend_from_slice(text);
            }
            Self::Flag(values) => bytes.push(u8::from(values.value(row))),
            Self::Long(values) => bytes.extend_from_slice(&values[row].to_le_bytes()),
            Self::Day(values) => bytes.extend_from_slice(&values[row].to_le_bytes()),
            Self::Wide(values) => bytes.extend_from_slice(&values[row].to_le_bytes()),
            Self::Double(values) => bytes.extend_from_slice(&values[row].to_bits().to_le_bytes()),
        }
    }
}
