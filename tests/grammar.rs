//! The language's own page holds what it shows: every example is right, and the matrix is the one that the checker uses.

use ferry::app::projects::Text;
use ferry::app::workspace::Workspace;
use ferry::diagnostic::source::Sources;
use ferry::lang::layout::format;
use ferry::lang::project::read;
use ferry::model::field::FieldKind;
use ferry::model::fit::{Fit, MATRIX, TARGETS};

use crate::stage::Stage;

const PAGE: &str = include_str!("../grammar/README.md");

/// The fenced examples of a page.
pub fn examples(page: &str) -> Vec<&str> {
    page.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn shown(fit: Fit) -> String {
    match fit {
        Fit::Fine => "fine".to_owned(),
        Fit::Cast(to) => to.word().to_owned(),
        Fit::Refused(_) => "-".to_owned(),
    }
}

fn column(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::String => "STRING",
        FieldKind::RichText => "RICHTEXTAREA",
        FieldKind::MultiPicklist => "MULTISELECT",
        other => other.word(),
    }
}

/// The matrix as a table of the page.
fn table() -> String {
    let mut text = format!("| |{}|\n", TARGETS.map(|kind| format!(" {} ", column(kind))).join("|"));
    text.push_str(&format!("|---|{}\n", "---|".repeat(TARGETS.len())));
    for (value, cells) in MATRIX {
        let cells: Vec<String> = cells.iter().map(|fit| shown(*fit)).collect();
        text.push_str(&format!("| {} | {} |\n", value.word(), cells.join(" | ")));
    }
    text
}

#[test]
fn the_page_shows_the_matrix_that_the_checker_uses() {
    let after = PAGE.split("<!-- matrix -->\n").nth(1).expect("the page has a place for the matrix");
    let table = table();
    if std::env::var_os("FERRY_BLESS").is_some() {
        let rest =
            after.trim_start_matches('\n').lines().skip_while(|l| l.starts_with('|')).collect::<Vec<_>>().join("\n");
        let (before, _) = PAGE.split_once("<!-- matrix -->\n").unwrap();
        let page =
            format!("{before}<!-- matrix -->\n{table}{}{rest}\n", if rest.starts_with('\n') { "" } else { "\n" });
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/grammar/README.md"), page).unwrap();
        return;
    }
    assert!(after.starts_with(&table), "the page's matrix should be\n{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_page_is_right() {
    let stage = Stage::seeded(40).await;
    let mut sources = Sources::default();
    for (number, example) in examples(PAGE).into_iter().enumerate() {
        assert_eq!(format(0, example).unwrap(), example, "the page shows the canonical layout");
        let text = example
            .replace("https://gainsight123.crm.dynamics.com", stage.sandbox.dynamics_url())
            .replace("https://acme.gainsightcloud.com", stage.sandbox.gainsight_url());
        sources.add(format!("example {number}"), text);
    }
    // The jobs that examples name are the out-of-the-box ones.
    for name in ["user_sync", "company_sync", "company_person_sync"] {
        let path = format!("{}/jobs/{name}.ferry", env!("CARGO_MANIFEST_DIR"));
        sources.add(format!("{name}.ferry"), std::fs::read_to_string(path).unwrap());
    }
    let parsed = read(&sources);
    let workspace = Workspace::of(Text { sources, parsed }, &stage.setting).await.unwrap();
    let found: Vec<String> = workspace
        .diagnostics
        .sorted()
        .iter()
        .map(|d| ferry::diagnostic::render::for_people(d, &workspace.sources, false))
        .collect();
    assert!(!workspace.diagnostics.has_errors(), "{}", found.join("\n"));
    assert!(workspace.project.tests.len() == 1 && workspace.project.jobs.len() == 4, "the examples are there");
}
