//! The table of faults in `tests/README.md`, held against the tests that it names.
//!
//! Whether a test holds what its row says is for the reader; that there is one of that name, and that no row is half, is for this.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Acceptance 5 of step 4.
const ROWS_AT_LEAST: usize = 40;
const HEADER: [&str; 6] = ["id", "boundary", "fault", "what the user sees", "invariant", "test"];
const BOUNDARIES: [&str; 9] =
    ["Dynamics", "Entra", "Gainsight", "files", "disk", "PostgreSQL", "process", "clock", "data"];

fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

/// The rows below the table's header and its line.
fn rows(text: &str) -> Vec<Vec<String>> {
    let is_header = |line: &&str| cells(line).is_some_and(|cells| cells == HEADER);
    let at = text.lines().position(|line| is_header(&line)).expect("tests/README.md has the table of faults");
    text.lines().skip(at + 2).map_while(cells).collect()
}

/// What is wrong with a row.
fn wrong(row: &[String]) -> Vec<String> {
    let id = row.first().cloned().unwrap_or_default();
    if row.len() != HEADER.len() || row.iter().any(String::is_empty) {
        return vec![format!("{id}: it has {} columns, or an empty one", row.len())];
    }
    let mut found = Vec::new();
    if !BOUNDARIES.contains(&row[1].as_str()) {
        found.push(format!("{id}: no boundary {}", row[1]));
    }
    let is_invariant =
        |one: &str| one.strip_prefix("I-").and_then(|n| n.parse().ok()).is_some_and(|n| (1..=14).contains(&n));
    found.extend(row[4].split(", ").filter(|one| !is_invariant(one)).map(|one| format!("{id}: no invariant {one}")));
    found.extend(row[5].split(", ").filter(|test| !exists(test)).map(|test| format!("{id}: no test {test}")));
    found
}

/// Whether the module of `` `module::function` `` has a test of that name.
fn exists(test: &str) -> bool {
    let Some(path) = test.strip_prefix('`').and_then(|test| test.strip_suffix('`')) else { return false };
    let Some((module, function)) = path.rsplit_once("::") else { return false };
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(module.replace("::", "/"));
    let files: [PathBuf; 2] = [place.with_extension("rs"), place.join("mod.rs")];
    files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).any(|source| is_test(&source, function))
}

fn is_test(source: &str, function: &str) -> bool {
    let lines: Vec<&str> = source.lines().collect();
    let names = [format!("fn {function}("), format!("async fn {function}(")];
    let at = lines.iter().position(|line| names.iter().any(|name| line.starts_with(name)));
    // Attributes and comments stand between the function and what makes it a test.
    at.is_some_and(|at| {
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        above.into_iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

#[test]
fn every_fault_of_the_table_has_its_test() {
    let text = include_str!("README.md");
    let rows = rows(text);
    assert!(rows.len() >= ROWS_AT_LEAST, "{} rows", rows.len());
    let ids: BTreeSet<&String> = rows.iter().filter_map(|row| row.first()).collect();
    assert_eq!(ids.len(), rows.len(), "an id stands there twice");
    let wrong: Vec<String> = rows.iter().flat_map(|row| wrong(row)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_row_that_is_half_or_names_no_test_is_seen() {
    let good = ["D-1", "disk", "f", "s", "I-1, I-14", "`fault_table::every_fault_of_the_table_has_its_test`"];
    let with = |at: usize, cell: &str| {
        let mut row = good.map(str::to_owned).to_vec();
        cell.clone_into(&mut row[at]);
        wrong(&row)
    };
    assert!(wrong(&good.map(str::to_owned)).is_empty());
    for (at, cell) in [
        (1, "moon"),
        (3, ""),
        (4, "I-15"),
        (5, "`fault_table::nobody`"),
        (5, "`nowhere::exists`"),
        (5, "`fault_table::exists`"),
        (5, "fault_table::every_fault_of_the_table_has_its_test"),
    ] {
        assert_eq!(with(at, cell).len(), 1, "{cell}");
    }
    assert_eq!(wrong(&good[..5].iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>()).len(), 1);
}
