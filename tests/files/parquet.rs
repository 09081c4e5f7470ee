//! Parquet as others write it: packed, with types of their own.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Int32Array, StringArray,
    TimestampMicrosecondArray, UInt16Array,
};
use arrow::datatypes::Int8Type;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::Desk;

fn written(packed: Compression) -> Vec<u8> {
    let dictionary: DictionaryArray<Int8Type> = [Some("Acme"), Some("Beta"), None].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("code", Arc::new(StringArray::from(vec![Some("c1"), Some("c2"), Some("c3")]))),
        ("name", Arc::new(dictionary)),
        ("employees", Arc::new(UInt16Array::from(vec![Some(7), None, Some(9)]))),
        ("small", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("rate", Arc::new(Float32Array::from(vec![1.5, 2.5, 3.5]))),
        ("amount", Arc::new(Decimal128Array::from(vec![12_345, 1, 2]).with_precision_and_scale(12, 2).unwrap())),
        ("day", Arc::new(Date32Array::from(vec![0, 1, 20_000]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![1_000_000, 2_000_000, 3_000_000]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_compression(packed).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

const SCRIPT: &str = "CREATE CONNECTION lake TO FILES URL '{folder}' FORMAT PARQUET TABLE companies KEY (code);\n\
    CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"External Account ID_gainsight123\") SELECT \
    c.code AS \"External Account ID_gainsight123\", c.name AS \"Name\", c.employees AS \"Employees\" \
    FROM lake.companies AS c WHERE c.rate > 1 AND c.amount > 0 AND c.day >= DATE '1970-01-01' AND c.at IS NOT NULL AND c.small < 9;";

#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_packed_is_read_with_their_types() {
    for packed in
        [Compression::SNAPPY, Compression::ZSTD(Default::default()), Compression::LZ4_RAW, Compression::UNCOMPRESSED]
    {
        let mut desk = Desk::empty().await;
        desk.put("companies/part-0.parquet", &written(packed));
        desk.put("companies/_SUCCESS", b"x");
        desk.script("job.ferry", SCRIPT);
        desk.run("J").await;
        assert_eq!(desk.failed, None, "{packed:?}");
        let mut names: Vec<String> =
            desk.stage.sandbox.records("company").iter().map(|r| format!("{} {}", r["Name"], r["Employees"])).collect();
        names.sort();
        // The third has no name, which Gainsight requires.
        assert_eq!(names, ["\"Acme\" 7", "\"Beta\" null"], "{packed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_none_and_a_table_of_delta_are_refused() {
    let mut desk = Desk::empty().await;
    desk.script("job.ferry", SCRIPT);
    desk.put("companies/part-0.parquet", b"PAR1 is all that it has");
    desk.run("J").await;
    let said = desk.failed.clone().unwrap();
    assert!(said.contains("companies/part-0.parquet is not what it should be (its footer)"), "{said}");
    desk.put("companies/part-0.parquet", &written(Compression::SNAPPY));
    desk.put("companies/_delta_log/00000000000000000000.json", b"{}");
    desk.run("J").await;
    let said = desk.failed.clone().unwrap();
    assert!(said.contains("it is a Delta table"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_with_a_part_is_no_whole_number() {
    let employees: ArrayRef = Arc::new(Float32Array::from(vec![Some(7.0), Some(8.5), None, Some(-0.0)]));
    let amounts = Decimal128Array::from(vec![100, 200, 301, 400]).with_precision_and_scale(12, 2).unwrap();
    let codes: ArrayRef = Arc::new(StringArray::from(vec!["c1", "c2", "c3", "c4"]));
    let columns: Vec<(&str, ArrayRef)> =
        vec![("code", codes.clone()), ("name", codes), ("employees", employees), ("amount", Arc::new(amounts))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let mut desk = Desk::empty().await;
    desk.put("companies/part-0.parquet", &bytes);
    let declared = "TABLE companies (code TEXT, name TEXT, employees INTEGER, amount INTEGER) KEY (code)";
    desk.script(
        "job.ferry",
        &SCRIPT
            .replace("TABLE companies KEY (code)", declared)
            .split_once(" WHERE")
            .map(|(before, _)| format!("{before} WHERE COALESCE(c.amount, 1) > 0;"))
            .unwrap(),
    );
    desk.run("J").await;
    assert_eq!(desk.failed, None);
    let mut told: Vec<String> = crate::stage::errors(desk.report.as_ref().unwrap())
        .iter()
        .map(|line| format!("{} {} {}", line["source_key"], line["code"], line["value"]))
        .collect();
    told.sort();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("c2 BAD_VALUE \"employees\" is not"), "{told:?}");
    assert!(told[1].starts_with("c3 BAD_VALUE \"amount\" is not"), "{told:?}");
}
