//! Drives the parser, the checker, the formatter and the messages with whatever text comes.
//!
//! It holds that nothing panics, overflows or hangs, and that the layout of a text is laid out for good. The language is
//! taken in by its source files, so that the fuzzer builds without the engine.

#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../../src/diagnostic/mod.rs"]
pub mod diagnostic;
#[path = "../../../src/lang/mod.rs"]
pub mod lang;
#[path = "../../../src/model/mod.rs"]
pub mod model;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use diagnostic::render::{for_people, for_programs};
use diagnostic::source::Sources;
use lang::layout::format;
use lang::project::{check, read};
use libfuzzer_sys::fuzz_target;
use model::catalog::{Catalog, Object};
use model::function::Parameter::{Between, DatePart, Format, Pattern, Same, Value};
use model::function::{Function, Functions, Parameter, Signature};
use model::value::ValueType::{Boolean, Date, Decimal, Integer, Text};

const CONNECTIONS: &str = include_str!("../../../jobs/connections.ferry");
const SCHEMAS: [(&str, &str); 2] = [
    ("dynamics", include_str!("../../../jobs/schemas/dynamics.json")),
    ("gainsight", include_str!("../../../jobs/schemas/gainsight.json")),
];

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let mut catalog = Catalog::default();
    for (connection, text) in SCHEMAS {
        let snapshot: serde_json::Value = serde_json::from_str(text).unwrap();
        let objects: BTreeMap<String, Object> = serde_json::from_value(snapshot["objects"].clone()).unwrap();
        catalog.connections.insert(connection.to_owned(), objects);
    }
    catalog
});

/// A function of each kind: what the checker does with them does not depend on their number.
static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let one = |parameters: &[Parameter], repeats, returns| {
        Function::Offered(vec![Signature { parameters: parameters.to_vec(), repeats, returns }])
    };
    let known = [
        ("TRIM", one(&[Value(Text)], false, Some(Text))),
        ("LEFT", one(&[Value(Text), Between(-1_000, 1_000)], false, Some(Text))),
        ("ROUND", one(&[Value(Decimal), Between(0, 10)], false, Some(Decimal))),
        ("LENGTH", one(&[Value(Text)], false, Some(Integer))),
        ("REGEXP_LIKE", one(&[Value(Text), Pattern], false, Some(Boolean))),
        ("DATE_PART", one(&[DatePart, Value(Date)], false, Some(Integer))),
        ("TO_CHAR", one(&[Value(Date), Format], false, Some(Text))),
        ("COALESCE", one(&[Same], true, None)),
        ("SUM", Function::Refused("a mapping works on one row".to_owned())),
    ];
    Functions(known.into_iter().map(|(name, function)| (name.to_owned(), function)).collect())
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut sources = Sources::default();
    sources.add("connections.ferry".to_owned(), CONNECTIONS.to_owned());
    sources.add("fuzz.ferry".to_owned(), text.to_owned());
    let parsed = read(&sources);
    let _ = parsed.references();
    let (project, diagnostics) = check(&parsed, &CATALOG, &FUNCTIONS, &sources);
    for diagnostic in diagnostics.sorted() {
        let _ = for_people(diagnostic, &sources, false);
        let _ = for_programs(diagnostic, &sources);
    }
    for job in project.jobs.values() {
        let _ = job.at(1_800_000_000_000);
    }
    if let Ok(once) = format(0, text) {
        let twice = format(0, &once).expect("what was laid out can be read");
        assert!(once == twice, "laid out for good");
    }
});
