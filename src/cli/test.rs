//! `ferry test`.

use std::path::PathBuf;

use serde_json::json;

use super::output::{say, tell};
use super::start::Ended;
use super::table::left;
use crate::app::tests::{self, Tested, Unmet};
use crate::app::workspace::Setting;

pub(super) async fn test(setting: &Setting, paths: &[PathBuf], as_json: bool) -> Ended {
    let tested = tests::run(setting, paths).await?;
    let failed = tested.iter().filter(|t| !t.passed).count();
    for one in &tested {
        if as_json {
            say!("{}", json!(one));
        } else {
            show(one);
        }
    }
    if !as_json {
        if tested.is_empty() {
            tell!("no tests: write CREATE TEST \"…\" FOR \"job\" AS GIVEN … EXPECT …;");
        }
        say!("{} passed, {failed} failed", tested.len() - failed);
    }
    Ok(u8::from(failed > 0))
}

fn show(tested: &Tested) {
    let verdict = if tested.passed { "ok     " } else { "FAILED " };
    say!("{verdict} {}", tested.test);
    for failure in &tested.failures {
        say!("\n  {}\n", failure.place);
        for line in side_by_side(failure).lines() {
            say!("  {line}");
        }
        for (row, became) in &failure.others {
            say!("    row {row}: {became}");
        }
        say!();
    }
}

/// Expected and actual rows in two columns; what is only on one side is marked.
fn side_by_side(failure: &Unmet) -> String {
    let row = |cells: &[String]| cells.join(", ");
    let mut rows: Vec<Vec<String>> = Vec::new();
    for met in &failure.met {
        rows.push(vec![" ".to_owned(), row(met), row(met), String::new()]);
    }
    let pairs = failure.missing.len().max(failure.unexpected.len());
    for at in 0..pairs {
        let expected = failure.missing.get(at).map_or_else(|| "-".to_owned(), |cells| row(cells));
        let came = failure.unexpected.get(at);
        let actual = came.map_or_else(|| "-".to_owned(), |(cells, _)| row(cells));
        rows.push(vec!["≠".to_owned(), expected, actual, came.map_or_else(String::new, |(_, why)| why.clone())]);
    }
    let columns = failure.columns.join(", ");
    let header = [" ", &format!("expected {} ({columns})", failure.what), "actual", ""];
    left(&header, &rows)
}
