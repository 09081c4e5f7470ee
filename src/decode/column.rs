//! Arrow columns under construction, value by value.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, BooleanBufferBuilder, PrimitiveArray, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMillisecondType};
use arrow::error::ArrowError;

use super::Fault;
use super::scan::Scan;

/// Rows that room is made for at the most before they are there: a page has so many.
const ROWS_RESERVED_AT_MOST: usize = 5_000;
/// Bytes of a text that room is made for at the most in each of these rows: few texts are longer.
const TEXT_BYTES_RESERVED_AT_MOST: usize = 64;

/// A column of one type.
#[derive(Debug)]
pub enum Column {
    /// Texts.
    Texts(Texts),
    /// Whole numbers.
    Wholes(Values<i64>),
    /// Decimals, each as a whole number of its last digit.
    Decimals(Values<i128>),
    /// Doubles.
    Doubles(Values<f64>),
    /// True or false.
    Booleans(Values<bool>),
    /// Days since 1970.
    Days(Values<i32>),
    /// Milliseconds since 1970.
    Moments(Values<i64>),
}

/// Values of one size, and which rows have none.
#[derive(Debug, Default)]
pub struct Values<T> {
    values: Vec<T>,
    nulls: Vec<usize>,
}

/// Texts one behind the other, where each ends, and which rows have none.
#[derive(Debug)]
pub struct Texts {
    bytes: Vec<u8>,
    ends: Vec<i32>,
    nulls: Vec<usize>,
}

impl Column {
    /// An empty one of an Arrow type; of one that is none of these, of texts.
    #[must_use]
    pub fn new(kind: &DataType) -> Self {
        match kind {
            DataType::Int64 => Self::Wholes(Values::default()),
            DataType::Decimal128(..) => Self::Decimals(Values::default()),
            DataType::Float64 => Self::Doubles(Values::default()),
            DataType::Boolean => Self::Booleans(Values::default()),
            DataType::Date32 => Self::Days(Values::default()),
            DataType::Timestamp(..) => Self::Moments(Values::default()),
            _ => Self::Texts(Texts { bytes: Vec::new(), ends: vec![0], nulls: Vec::new() }),
        }
    }

    /// Rows that have a value, or none.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.ends.len() - 1,
            Self::Wholes(c) | Self::Moments(c) => c.values.len(),
            Self::Decimals(c) => c.values.len(),
            Self::Doubles(c) => c.values.len(),
            Self::Booleans(c) => c.values.len(),
            Self::Days(c) => c.values.len(),
        }
    }

    /// Whether there is no row yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for so many rows like the first one, or for as many as a page has.
    pub fn reserve(&mut self, rows: usize) {
        let rows = rows.min(ROWS_RESERVED_AT_MOST);
        match self {
            Self::Texts(texts) => {
                texts.ends.reserve(rows);
                texts.bytes.reserve(rows * texts.bytes.len().min(TEXT_BYTES_RESERVED_AT_MOST));
            }
            Self::Wholes(c) | Self::Moments(c) => c.values.reserve(rows),
            Self::Decimals(c) => c.values.reserve(rows),
            Self::Doubles(c) => c.values.reserve(rows),
            Self::Booleans(c) => c.values.reserve(rows),
            Self::Days(c) => c.values.reserve(rows),
        }
    }

    /// A row without a value.
    #[inline]
    pub fn null(&mut self) {
        match self {
            Self::Texts(texts) => texts.null(),
            Self::Wholes(c) | Self::Moments(c) => c.null(),
            Self::Decimals(c) => c.null(),
            Self::Doubles(c) => c.null(),
            Self::Booleans(c) => c.null(),
            Self::Days(c) => c.null(),
        }
    }

    /// The column, as an array of this type.
    ///
    /// # Errors
    /// If it is a column of another type.
    pub fn finish(self, kind: &DataType) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Texts(texts) => Arc::new(texts.finish()?),
            Self::Wholes(c) => Arc::new(c.finish::<Int64Type>(kind)?),
            Self::Decimals(c) => Arc::new(c.finish::<Decimal128Type>(kind)?),
            Self::Doubles(c) => Arc::new(c.finish::<Float64Type>(kind)?),
            Self::Booleans(c) => {
                let nulls = nulls(&c.nulls, c.values.len());
                Arc::new(BooleanArray::new(c.values.into(), nulls))
            }
            Self::Days(c) => Arc::new(c.finish::<Date32Type>(kind)?),
            Self::Moments(c) => Arc::new(c.finish::<TimestampMillisecondType>(kind)?),
        })
    }
}

impl<T: Default> Values<T> {
    /// A row with a value.
    #[inline(always)]
    pub fn push(&mut self, value: T) {
        self.values.push(value);
    }

    #[inline(always)]
    fn null(&mut self) {
        self.nulls.push(self.values.len());
        self.values.push(T::default());
    }

    fn finish<A: ArrowPrimitiveType<Native = T>>(self, kind: &DataType) -> Result<PrimitiveArray<A>, ArrowError>
    where
        T: arrow::datatypes::ArrowNativeType,
    {
        let nulls = nulls(&self.nulls, self.values.len());
        let array = PrimitiveArray::<A>::try_new(self.values.into(), nulls)?;
        Ok(array.with_data_type(kind.clone()))
    }
}

impl Texts {
    /// A row with the text at whose quote a scan stands.
    ///
    /// # Errors
    /// As [`Scan::text`].
    #[inline]
    pub fn take(&mut self, scan: &mut Scan<'_>) -> Result<(), Fault> {
        scan.text_into(&mut self.bytes)?;
        self.end(scan)
    }

    /// A row with these bytes, which are UTF-8; false if all texts together are longer than a column can be.
    pub fn add(&mut self, text: &[u8]) -> bool {
        self.bytes.extend_from_slice(text);
        let Ok(end) = i32::try_from(self.bytes.len()) else { return false };
        self.ends.push(end);
        true
    }

    /// A row with this text.
    ///
    /// # Errors
    /// If all texts together are longer than a column can be.
    pub fn push(&mut self, text: &str, scan: &Scan<'_>) -> Result<(), Fault> {
        self.bytes.extend_from_slice(text.as_bytes());
        self.end(scan)
    }

    #[inline(always)]
    fn end(&mut self, scan: &Scan<'_>) -> Result<(), Fault> {
        let end = i32::try_from(self.bytes.len());
        self.ends.push(end.map_err(|_| scan.malformed("more text than a column can hold"))?);
        Ok(())
    }

    /// Brings every text to small letters, as far as they are ASCII.
    pub fn make_ascii_lowercase(&mut self) {
        self.bytes.make_ascii_lowercase();
    }

    /// As [`Texts::take`]; an empty text is none.
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn take_some(&mut self, scan: &mut Scan<'_>) -> Result<(), Fault> {
        let before = self.bytes.len();
        self.take(scan)?;
        if self.bytes.len() == before {
            self.nulls.push(self.ends.len() - 2);
        }
        Ok(())
    }

    /// A row without a text.
    #[inline(always)]
    pub fn null(&mut self) {
        self.nulls.push(self.ends.len() - 1);
        self.ends.push(self.ends.last().copied().unwrap_or_default());
    }

    fn finish(self) -> Result<StringArray, ArrowError> {
        let nulls = nulls(&self.nulls, self.ends.len() - 1);
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        StringArray::try_new(ends, Buffer::from_vec(self.bytes), nulls)
    }
}

fn nulls(rows: &[usize], len: usize) -> Option<NullBuffer> {
    if rows.is_empty() {
        return None;
    }
    let mut is_there = BooleanBufferBuilder::new(len);
    is_there.append_n(len, true);
    rows.iter().for_each(|row| is_there.set_bit(*row, false));
    Some(NullBuffer::new(is_there.finish()))
}
