//! Scripts and the messages they get: one case a file in `tests/cases/lang`, the script above, the message below.
//!
//! Each is checked against the sandbox's schemas, beside the out-of-the-box connections. `FERRY_BLESS=1` writes what
//! comes out into the files, to be read before it is committed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ferry::app::projects::{OUT_OF_THE_BOX, Text};
use ferry::app::workspace::Workspace;
use ferry::diagnostic::render::{for_people, for_programs};
use ferry::diagnostic::source::Sources;
use ferry::engine::functions;
use ferry::lang::project::{check, read};
use ferry::model::catalog::Object;
use ferry::model::field::FieldKind;
use ferry::sandbox::Sandbox;

use crate::stage::Stage;

const MARK: &str = "--- expected\n";
/// Cases with a good message, and those whose message may still become better.
const FOLDERS: [&str; 2] = ["lang", "lang_poor"];

async fn messages(stage: &Stage, name: &str, script: &str) -> String {
    let text = with_connections(&stage.sandbox, name, script);
    match Workspace::of(text, &stage.setting).await {
        Ok(workspace) => match script.strip_prefix("-- catalog: ").and_then(|rest| rest.lines().next()) {
            Some(change) => with_catalog(workspace, change),
            None => rendered(&workspace.diagnostics, &workspace.sources),
        },
        Err(ferry::app::error::Error::Text(text)) => rendered(&text.0, &text.1),
        Err(other) => format!("{other}\n"),
    }
}

/// The messages where the services had something that the sandbox has not: a first line such as
/// `-- catalog: dynamics.account.fax is called Main Phone`, or `-- catalog: gainsight has cta`.
fn with_catalog(workspace: Workspace, change: &str) -> String {
    let mut catalog = workspace.catalog;
    if let Some(field) = change.strip_suffix(" is unusable") {
        let parts: Vec<&str> = field.split('.').collect();
        let object = catalog.connections.get_mut(parts[0]).unwrap().get_mut(parts[1]).unwrap();
        object.fields.iter_mut().find(|f| f.name == parts[2]).unwrap().kind = FieldKind::Other;
    } else if let Some((field, label)) = change.split_once(" is called ") {
        let parts: Vec<&str> = field.split('.').collect();
        let object = catalog.connections.get_mut(parts[0]).unwrap().get_mut(parts[1]).unwrap();
        object.fields.iter_mut().find(|f| f.name == parts[2]).unwrap().label = label.to_owned();
    } else {
        let (connection, object) = change.split_once(" has ").unwrap();
        let text = || object.to_owned();
        let made = Object {
            name: text(),
            label: text(),
            set_name: text(),
            primary_id: "Gsid".to_owned(),
            tracks: false,
            is_of_files: false,
            fields: Vec::new(),
        };
        catalog.connections.entry(connection.to_owned()).or_default().insert(object.to_owned(), made);
    }
    let parsed = read(&workspace.sources);
    rendered(&check(&parsed, &catalog, &functions::catalog(), &workspace.sources).1, &workspace.sources)
}

fn with_connections(sandbox: &Sandbox, name: &str, script: &str) -> Text {
    let here = |text: &str| {
        text.replace("https://gainsight123.crm.dynamics.com", sandbox.dynamics_url())
            .replace("https://acme.gainsightcloud.com", sandbox.gainsight_url())
    };
    let mut sources = Sources::default();
    sources.add("connections.ferry".to_owned(), here(OUT_OF_THE_BOX[0].1));
    sources.add(name.to_owned(), here(script));
    let parsed = read(&sources);
    Text { sources, parsed }
}

/// The case files.
pub fn cases() -> Vec<PathBuf> {
    let tests = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"));
    let folders = FOLDERS.iter().filter_map(|folder| std::fs::read_dir(tests.join(folder)).ok());
    let mut files: Vec<PathBuf> = folders.flatten().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn rendered(diagnostics: &ferry::diagnostic::report::Diagnostics, sources: &Sources) -> String {
    let all: Vec<String> = diagnostics.sorted().into_iter().map(|d| for_people(d, sources, false) + "\n").collect();
    if all.is_empty() { "right\n".to_owned() } else { all.join("\n") }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_gets_its_message() {
    let stage = Stage::seeded(40).await;
    let files = cases();
    assert!(files.len() >= 150, "the cases are there");
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
    // Dynamics keeps longer user names than Gainsight takes: that is said, and it is the only thing to say.
    let found: Vec<&str> = workspace.diagnostics.sorted().iter().map(|d| d.code.0).collect();
    assert_eq!(found, ["F312"]);
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
    let huge = "x".repeat(50_000_000);
    assert!(messages(&stage, "huge.ferry", &huge).await.contains("the most is 1 MiB"));
}

/// What is nested without end, and how deep: each is told at once, and nothing recurses into it.
#[test]
fn nesting_without_end_is_told_at_once() {
    let job = |value: &str| format!("CREATE JOB \"J\" AS UPSERT INTO gainsight.Company SELECT {value} AS \"Name\"");
    let long = |opens: &str, times: usize, closes: &str| job(&(opens.repeat(times) + "1" + &closes.repeat(times)));
    let began = Instant::now();
    for (name, script, said) in [
        ("brackets", job(&"(".repeat(100_000)), "brackets are nested more than 64 deep"),
        ("cases", long("CASE WHEN 1 THEN ", 10_000, " END"), "CASE is nested more than 64 deep"),
        ("both", long("CASE WHEN (1) THEN (", 10_000, ") END"), "CASE and brackets are nested more than 64 deep"),
        ("calls", long("LOWER(", 10_000, ")"), "brackets are nested more than 64 deep"),
        ("comments between", long("CASE/* x */WHEN 1 THEN ", 10_000, " END"), "CASE is nested more than 64 deep"),
        (
            "a type called end",
            long("CASE WHEN CAST(1 AS end) THEN ", 10_000, " END"),
            "CASE and brackets are nested more than 64 deep",
        ),
    ] {
        let mut sources = Sources::default();
        sources.add("deep.ferry".to_owned(), script + ";");
        let parsed = read(&sources);
        let found = parsed.diagnostics.sorted();
        assert!(found.iter().any(|d| d.code.0 == "F003" && d.message == said), "{name}: {found:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "at once");
}

/// What is not nested is not taken for it.
#[test]
fn names_and_many_small_cases_are_not_nesting() {
    let arms: Vec<String> = (0..200).map(|n| format!("CASE WHEN a.\"case\" = 'CASE' THEN {n} END")).collect();
    let fields: Vec<String> = arms.iter().map(|arm| format!("{arm} AS \"Name\"")).collect();
    let keys = "k IGNORE CASE, ".repeat(100);
    let script = format!(
        "CREATE JOB \"J\" AS UPSERT INTO g.c KEY ({keys} k) SELECT {}, a.case AS Case -- CASE CASE\nFROM d.a AS a;",
        fields.join(", ")
    );
    let mut sources = Sources::default();
    sources.add("flat.ferry".to_owned(), script);
    let parsed = read(&sources);
    assert_eq!(parsed.statements.len(), 1, "{:?}", parsed.diagnostics.sorted());
}

#[test]
fn bytes_that_are_no_text_are_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.ferry"), b"CREATE JOB \xff\xfe;").unwrap();
    let found = match ferry::app::projects::open(folder.path(), None) {
        Ok(text) => rendered(&text.parsed.diagnostics, &text.sources),
        Err(ferry::app::error::Error::Text(text)) => rendered(&text.0, &text.1),
        Err(other) => other.to_string(),
    };
    assert!(found.contains("F003") && found.contains("not UTF-8"), "{found}");
}

/// No message shows how the parser calls its parts, or who computes.
#[test]
fn messages_show_no_machinery() {
    let rules =
        ["call_or_path", "and_chain", "kw_", "clause_word", "target_field", "word_char", "EOI", "DataFusion", "Arrow"];
    for path in cases() {
        let text = std::fs::read_to_string(&path).unwrap();
        let (_, messages) = text.split_once(MARK).unwrap();
        for line in messages.lines().filter(|line| !line.contains(" | ")) {
            let shown = rules.iter().find(|rule| line.contains(**rule));
            assert!(shown.is_none(), "{}: {line}", path.display());
            assert!(line.matches(", ").count() < 12, "{} lists too much: {line}", path.display());
        }
    }
}
