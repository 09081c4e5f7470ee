//! Bodies written straight from columns are, byte for byte, what `serde_json` makes of maps with the same values.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, StringArray, TimestampMillisecondArray, new_null_array,
};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use ferry::gainsight::encode::{Column, Keys, bodies};
use ferry::gainsight::sent::Fields;
use ferry::gainsight::write::{Record, value};
use ferry::model::field::{Field, FieldKind};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::json;

const ROWS: usize = 101;

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0.next_u64() % sides
    }

    fn text(&mut self) -> Option<String> {
        const ODD: [char; 12] =
            ['"', '\\', '/', '\n', '\u{8}', '\u{c}', '\u{0}', '\u{1f}', '\u{7f}', 'ü', '\u{2028}', '\u{1f600}'];
        let odd = [0, 0, 3, 30][usize::try_from(self.below(4)).unwrap()];
        let length = self.below(70);
        let mut sign = || {
            if self.below(100) < odd {
                ODD[usize::try_from(self.below(12)).unwrap()]
            } else {
                char::from(32 + u8::try_from(self.below(90)).unwrap())
            }
        };
        let text: String = (0..length).map(|_| sign()).collect();
        (self.below(9) > 0).then_some(text)
    }

    fn number(&mut self) -> Option<i128> {
        let digits = u32::try_from(self.below(38)).unwrap();
        let whole = (i128::from(self.0.next_u64()) << 60 | i128::from(self.0.next_u64())) % 10_i128.pow(digits);
        let round = if self.below(4) == 0 { whole / 1_000 * 1_000 } else { whole };
        let signed = if self.below(2) == 0 { -round } else { round };
        (self.below(9) > 0).then_some(signed)
    }

    /// Mostly of our time, some of any.
    fn moment(&mut self, near: i64) -> Option<i64> {
        let any = self.0.next_u64().cast_signed();
        let near = [near, near * 4, i64::MAX][usize::try_from(self.below(3)).unwrap()];
        (self.below(9) > 0).then_some(any % near)
    }

    fn column(&mut self, number: usize) -> (FieldKind, ArrayRef) {
        let rows = 0..ROWS;
        match number % 8 {
            0 => (
                FieldKind::Boolean,
                Arc::new(rows.map(|_| [None, Some(true), Some(false)][number % 3]).collect::<BooleanArray>()),
            ),
            1 => {
                let days = rows.map(|_| self.moment(800_000).map(|day| (day % i64::from(i32::MAX)) as i32));
                (FieldKind::Date, Arc::new(days.collect::<Date32Array>()))
            }
            2 => {
                let moments = rows.map(|_| self.moment(80_000_000_000_000)).collect::<TimestampMillisecondArray>();
                (FieldKind::DateTime, Arc::new(moments.with_timezone("UTC")))
            }
            3 => (FieldKind::String, new_null_array(&DataType::Utf8, ROWS)),
            4 | 5 => {
                let scale = [0, 1, 2, 4, 10, 15, 16, 30, -2][usize::try_from(self.below(9)).unwrap()];
                let numbers = rows.map(|_| self.number()).collect::<Decimal128Array>();
                (FieldKind::Number, Arc::new(numbers.with_precision_and_scale(38, scale).unwrap()))
            }
            _ => (FieldKind::String, Arc::new(rows.map(|_| self.text()).collect::<StringArray>())),
        }
    }

    fn batch(&mut self) -> (Vec<Field>, RecordBatch) {
        let columns: Vec<(FieldKind, ArrayRef)> = (0..16).map(|number| self.column(number)).collect();
        let name = |number: usize| format!("Field \"{number}\"__gc");
        let fields = columns.iter().enumerate().map(|(n, (kind, _))| Field::bare(&name(n), &name(n), *kind)).collect();
        let arrays = columns.into_iter().enumerate().map(|(n, (_, array))| (name(n), array, true));
        (fields, RecordBatch::try_from_iter_with_nullable(arrays).unwrap())
    }
}

fn record(fields: &[Field], batch: &RecordBatch, row: usize, is_sent: impl Fn(usize) -> bool) -> Record {
    let all = fields.iter().zip(batch.columns()).enumerate().filter(|(number, _)| is_sent(*number));
    all.map(|(_, (field, array))| (field.name.clone(), value(array, row))).collect()
}

#[test]
fn bodies_are_what_maps_would_be() {
    for seed in 0..60 {
        let (fields, batch) = Dice(ChaCha8Rng::seed_from_u64(seed)).batch();
        let records: Vec<Record> = (0..ROWS).map(|row| record(&fields, &batch, row, |_| true)).collect();
        let bodies = bodies(&batch, &fields, 50);
        assert_eq!(bodies.len(), 3);
        for (maps, body) in records.chunks(50).zip(bodies) {
            assert_eq!(String::from_utf8_lossy(&body), json!({ "records": maps }).to_string(), "seed {seed}");
        }
    }
}

#[test]
fn some_fields_of_a_row_can_be_read_again_to_the_last_digit() {
    for seed in 0..60 {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let (fields, batch) = dice.batch();
        let keys = Keys::of(fields.iter().map(|field| field.name.as_str()));
        let columns: Vec<Column> = batch.columns().iter().map(Column::of).collect();
        for row in 0..ROWS {
            let chosen = dice.0.next_u64();
            let is_sent = |number: usize| chosen >> number & 1 == 1;
            let map = record(&fields, &batch, row, is_sent);
            let sent = keys.fields(columns.iter().enumerate().filter(|(number, _)| is_sent(*number)), row);
            assert_eq!(sent, Fields::of(&map), "seed {seed}, row {row}");
            assert_eq!(sent.record(), map, "seed {seed}, row {row}");
            assert_eq!(sent.is_empty(), map.is_empty());
        }
    }
}

#[test]
fn nothing_is_an_empty_record() {
    let keys = Keys::of(["Name"].into_iter());
    let nothing = keys.fields(std::iter::empty(), 0);
    assert!(nothing.is_empty());
    assert_eq!(nothing, Fields::of(&Record::new()));
    assert_eq!(nothing.record(), Record::new());
    assert_eq!(
        keys.fields([(0, &Column::Nothing)].into_iter(), 7).record(),
        *json!({ "Name": null }).as_object().unwrap()
    );
}
