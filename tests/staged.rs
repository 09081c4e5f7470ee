//! Files of rows in both forms: what is written is read, whole, in some columns, or some rows of it, and what is torn is refused.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, StringArray};
use arrow::datatypes::{Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use ferry::model::dataset::is_staged;
use ferry::staged::{Content, Form, encode, read};
use ferry::store::dataset::RunFolder;

/// The run folder at a path with all that stages read of it in the form that a cluster reads.
pub async fn shared(path: &Path) -> RunFolder {
    let (mut open, mut names) = (vec![path.to_owned()], Vec::new());
    while let Some(folder) = open.pop() {
        let name = folder.strip_prefix(path).unwrap().to_str().unwrap().to_owned();
        let entries: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let is_arrow = |file: &Path| file.extension().is_some_and(|suffix| suffix == "arrow");
        if is_staged(&name) && entries.iter().any(|file| is_arrow(file)) {
            names.push(name);
        }
        open.extend(entries.into_iter().filter(|entry| entry.is_dir()));
    }
    let folder = RunFolder::open(path).unwrap();
    for name in names {
        let (mut reader, mut batches) = (folder.read(&name).await.unwrap(), Vec::new());
        while let Some(batch) = reader.next().await.unwrap() {
            batches.push(batch);
        }
        let Some(first) = batches.first() else { continue };
        let mut writer = folder.clone().shared().write(&name, first.schema());
        folder.clear(&name).await.unwrap();
        for batch in batches {
            writer.page(batch).await.unwrap();
        }
    }
    folder.shared()
}

/// Has the rows of all datasets that stages read in two files, the first half in Parquet: as if another version had begun the run.
pub fn halved(path: &Path) -> usize {
    let (mut open, mut halved) = (vec![path.to_owned()], 0);
    while let Some(folder) = open.pop() {
        let entries: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        open.extend(entries.iter().filter(|entry| entry.is_dir()).cloned());
        let [file] = entries.as_slice() else { continue };
        if file.extension().is_none_or(|suffix| suffix != "arrow") {
            continue;
        }
        let batches = read(&Content::File(file.clone()), Form::Arrow, None, None).unwrap();
        let schema = Arc::clone(&batches.schema);
        let batches: Vec<RecordBatch> = batches.map(Result::unwrap).collect();
        let rows = arrow::compute::concat_batches(&schema, &batches).unwrap();
        let half = rows.num_rows() / 2;
        let halves = [(Form::Parquet, rows.slice(0, half)), (Form::Arrow, rows.slice(half, rows.num_rows() - half))];
        std::fs::remove_file(file).unwrap();
        for (number, (form, rows)) in halves.into_iter().enumerate() {
            let bytes = encode(&[rows], &schema, form, 1_024).unwrap();
            std::fs::write(folder.join(format!("part-00000{number}.{}", form.suffix())), bytes).unwrap();
        }
        halved += 1;
    }
    halved
}

/// So many rows behind so many others: a number, and of two of three a text, a truth and an amount.
fn rows(numbers: Range<i64>) -> RecordBatch {
    let of = |n: i64| (n % 3 != 0).then_some(n);
    let texts: StringArray = numbers.clone().map(|n| of(n).map(|n| format!("Zoë {n}"))).collect();
    let flags: BooleanArray = numbers.clone().map(|n| of(n).map(|n| n % 2 == 0)).collect();
    let amounts: Decimal128Array = numbers.clone().map(|n| of(n).map(i128::from)).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("number", Arc::new(Int64Array::from_iter_values(numbers))),
        ("text", Arc::new(texts)),
        ("flag", Arc::new(flags)),
        ("amount", Arc::new(amounts.with_precision_and_scale(20, 2).unwrap())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, name != "number"))).unwrap()
}

fn schema() -> SchemaRef {
    rows(0..0).schema()
}

/// A file of these rows, which came in batches of so many.
fn file(form: Form, all: Range<i64>, batch: usize, at_once: usize) -> Content {
    let batches: Vec<RecordBatch> =
        all.clone().step_by(batch).map(|at| rows(at..all.end.min(at + i64::try_from(batch).unwrap()))).collect();
    Content::Held(encode(&batches, &schema(), form, at_once).unwrap().into())
}

fn numbers(batches: &[RecordBatch]) -> Vec<i64> {
    let of =
        |batch: &RecordBatch| batch.column_by_name("number").unwrap().as_primitive::<Int64Type>().values().to_vec();
    batches.iter().flat_map(of).collect()
}

const FORMS: [Form; 2] = [Form::Arrow, Form::Parquet];

#[test]
fn rows_come_back_as_they_were_in_batches_that_are_not_too_large() {
    for form in FORMS {
        for (batch, at_once) in [(1, 5_000), (7, 1_024), (700, 1_000), (5_000, 5_000), (5_000, 1_024)] {
            let content = file(form, 0..5_000, batch, at_once);
            let read: Vec<RecordBatch> = read(&content, form, None, None).unwrap().map(Result::unwrap).collect();
            let all = arrow::compute::concat_batches(&schema(), &read).unwrap();
            assert_eq!(all, rows(0..5_000), "{form:?} {batch} {at_once}");
            let largest = read.iter().map(RecordBatch::num_rows).max().unwrap();
            assert!(form == Form::Parquet || largest <= at_once, "{batch} {at_once}: {largest}");
            assert!(read.len() <= 6, "{form:?} {batch} {at_once}: no crumbs, but {}", read.len());
        }
    }
}

#[test]
fn a_file_without_rows_knows_its_columns() {
    for form in FORMS {
        let found = read(&file(form, 0..0, 1, 10), form, None, None).unwrap();
        assert_eq!(found.schema.fields(), schema().fields());
        assert_eq!(found.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 0);
    }
}

#[test]
fn columns_that_are_not_there_are_left_out() {
    for form in FORMS {
        let content = file(form, 0..3_000, 1_100, 1_100);
        let wanted = ["flag", "nobody", "number", "flag"].map(str::to_owned);
        let found = read(&content, form, Some(&wanted), None).unwrap();
        let names = |schema: &Schema| schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
        assert_eq!(names(&found.schema), ["number", "flag"]);
        let batches: Vec<RecordBatch> = found.map(Result::unwrap).collect();
        assert_eq!(numbers(&batches), (0..3_000).collect::<Vec<_>>());
        assert!(batches.iter().all(|batch| names(batch.schema_ref()) == ["number", "flag"]));
        // Of none at all it is still known how many rows there are.
        let none = read(&content, form, Some(&[]), None).unwrap();
        assert_eq!(none.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3_000);
    }
}

#[test]
fn rows_are_picked_across_the_batches_of_a_file() {
    for form in FORMS {
        let content = file(form, 0..5_000, 1_100, 1_100);
        let some: [&[(usize, usize)]; 4] = [&[(0, 1)], &[(1_099, 1_101)], &[(3, 3_400), (3_401, 3_402)], &[(0, 5_000)]];
        for picked in some {
            let picked: Vec<Range<usize>> = picked.iter().map(|(first, end)| *first..*end).collect();
            let found = read(&content, form, None, Some(picked.clone())).unwrap();
            let batches: Vec<RecordBatch> = found.map(Result::unwrap).collect();
            let wanted: Vec<i64> = picked.iter().flat_map(|range| range.start as i64..range.end as i64).collect();
            assert_eq!(numbers(&batches), wanted, "{form:?} {picked:?}");
            assert!(batches.iter().all(|batch| batch.num_columns() == 4));
        }
        let refused = read(&content, form, None, Some(vec![0..1, 4_999..5_001]));
        let refused = refused.and_then(|batches| batches.collect::<Result<Vec<_>, _>>());
        assert!(refused.unwrap_err().to_string().contains("does not have them"), "{form:?}");
    }
}

#[test]
fn what_is_torn_is_refused() {
    for form in FORMS {
        let Content::Held(whole) = file(form, 0..2_000, 2_000, 2_000) else { unreachable!() };
        for length in [0, 5, whole.len() / 2, whole.len() - 1] {
            let torn = Content::Held(whole.slice(..length));
            let found = read(&torn, form, None, None).and_then(|batches| batches.collect::<Result<Vec<_>, _>>());
            assert!(found.is_err(), "{form:?}: {length} of {} bytes", whole.len());
        }
        let other = if form == Form::Arrow { Form::Parquet } else { Form::Arrow };
        assert!(read(&Content::Held(whole), other, None, None).is_err(), "{form:?} is not {other:?}");
        let nowhere = Content::File("/nowhere/part-000000.arrow".into());
        assert!(read(&nowhere, form, None, None).is_err());
    }
}

#[test]
fn whatever_a_disk_does_to_rows_nothing_panics() {
    let whole = encode(&[rows(0..40)], &schema(), Form::Arrow, 20).unwrap();
    let (footer, _) = whole[whole.len() - 10..].split_first_chunk::<4>().unwrap();
    let before_footer = whole.len() - 10 - i32::from_le_bytes(*footer) as usize;
    let mut refused = 0;
    for at in 0..before_footer {
        for bit in [0x01, 0x40, 0x80] {
            let mut harmed = whole.clone();
            harmed[at] ^= bit;
            let found = read(&Content::Held(harmed.into()), Form::Arrow, None, None).unwrap();
            refused += usize::from(found.collect::<Result<Vec<_>, _>>().is_err());
        }
    }
    assert!(refused > 500, "headers, places of texts and texts are looked through: {refused}");
}

#[test]
fn rows_of_another_schema_are_not_written() {
    for form in FORMS {
        let other = rows(0..3).project(&[0, 1, 3, 2]).unwrap();
        assert!(encode(&[other], &schema(), form, 10).is_err(), "{form:?}");
    }
}

#[tokio::test]
async fn two_files_of_one_number_are_none_of_a_dataset() {
    let root = tempfile::tempdir().unwrap();
    let folder = RunFolder::open(root.path()).unwrap();
    folder.write("source", schema()).page(rows(0..3)).await.unwrap();
    folder.clone().shared().write("source", schema()).page(rows(0..3)).await.unwrap();
    let said = folder.read("source").await.err().expect("one of them is of somebody else").to_string();
    assert!(said.contains("part-000000.arrow") && said.contains("part-000000.parquet"), "{said}");
}

#[test]
fn a_name_tells_the_form() {
    assert_eq!(Form::of("part-000000.arrow"), Some((Form::Arrow, "part-000000")));
    assert_eq!(Form::of("a.b.parquet"), Some((Form::Parquet, "a.b")));
    for none in ["arrow", "partarrow", "part.arrow.new", "part.csv", ""] {
        assert_eq!(Form::of(none), None, "{none}");
    }
}
