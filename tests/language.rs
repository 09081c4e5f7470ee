//! Scripts and the messages they get: one case a file in `tests/cases/lang`, the script above, the message below.
//!
//! Each is checked against the sandbox's schemas, beside the out-of-the-box connections. `FERRY_BLESS=1` writes what
//! comes out into the files, to be read before it is committed.

use std::path::PathBuf;

use ferry::app::projects::{OUT_OF_THE_BOX, Text};
use ferry::app::workspace::Workspace;
use ferry::diagnostic::render::{for_people, for_programs};
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::sandbox::Sandbox;

use crate::stage::Stage;

const MARK: &str = "--- expected\n";

async fn messages(stage: &Stage, name: &str, script: &str) -> String {
    let text = with_connections(&stage.sandbox, name, script);
    match Workspace::of(text, &stage.setting).await {
        Ok(workspace) => rendered(&workspace.diagnostics, &workspace.sources),
        Err(ferry::app::error::Error::Text(text)) => rendered(&text.0, &text.1),
        Err(other) => format!("{other}\n"),
    }
}

fn with_connections(sandbox: &Sandbox, name: &str, script: &str) -> Text {
    let mut sources = Sources::default();
    let connections = OUT_OF_THE_BOX[0].1;
    sources.add(
        "connections.ferry".to_owned(),
        connections
            .replace("https://gainsight123.crm.dynamics.com", sandbox.dynamics_url())
            .replace("https://acme.gainsightcloud.com", sandbox.gainsight_url()),
    );
    sources.add(name.to_owned(), script.to_owned());
    let parsed = read(&sources);
    Text { sources, parsed }
}

fn rendered(diagnostics: &ferry::diagnostic::report::Diagnostics, sources: &Sources) -> String {
    let all: Vec<String> = diagnostics.sorted().into_iter().map(|d| for_people(d, sources, false) + "\n").collect();
    if all.is_empty() { "right\n".to_owned() } else { all.join("\n") }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_gets_its_message() {
    let stage = Stage::seeded(40).await;
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/lang"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 50, "the cases are there");
    let bless = std::env::var_os("FERRY_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let (script, expected) = text.split_once(MARK).expect("a case has an expectation");
        let found = messages(&stage, "case.ferry", script).await;
        if bless {
            std::fs::write(&path, format!("{script}{MARK}{found}")).unwrap();
        } else if found != expected {
            wrong.push(format!("{}\nexpected:\n{expected}\nfound:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_out_of_the_box_project_is_right() {
    let stage = Stage::seeded(40).await;
    let workspace = stage.workspace(&[]).await;
    assert_eq!(rendered(&workspace.diagnostics, &workspace.sources), "right\n");
    assert_eq!((workspace.project.jobs.len(), workspace.project.chains.len()), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diagnostic_for_programs_names_its_place() {
    let stage = Stage::seeded(40).await;
    let text = with_connections(&stage.sandbox, "x.ferry", "CREATE CHAIN \"C\"\nAS RUN \"nobody\";\n");
    let workspace = Workspace::of(text, &stage.setting).await.unwrap();
    let found = for_programs(workspace.diagnostics.sorted()[0], &workspace.sources);
    assert_eq!(
        (found["code"].as_str(), found["line"].as_u64(), found["column"].as_u64()),
        (Some("F207"), Some(2), Some(8))
    );
    assert_eq!((found["file"].as_str(), found["severity"].as_str()), (Some("x.ferry"), Some("error")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_beyond_the_limits_is_refused_and_not_read() {
    let stage = Stage::seeded(40).await;
    let large = format!("-- {}\n", "x".repeat(2 << 20));
    assert!(messages(&stage, "large.ferry", &large).await.contains("the most is 1 MiB"));
    let large = format!("\u{feff}-- {}\n", "x".repeat(2 << 20));
    assert!(messages(&stage, "large.ferry", &large).await.contains("the most is 1 MiB"), "with a byte-order mark");
    let deep = format!("CREATE JOB \"J\" AS {}", "(".repeat(100_000));
    assert!(messages(&stage, "deep.ferry", &deep).await.contains("more than 64 deep"));
}
