//! `ferry fmt`: the canonical layout, that it stays as it is, and that nothing but blanks changes.

use std::path::{Path, PathBuf};

use ferry::diagnostic::source::Sources;
use ferry::lang::layout::format;
use ferry::lang::project::read;

use crate::random_scripts::script;

const MARK: &str = "--- expected\n";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.is_file());
    files.sort();
    files
}

#[test]
fn the_design_s_examples_are_laid_out_already() {
    for path in files(&root().join("tests/cases/examples")) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(format(0, &text).unwrap(), text, "{}", path.display());
    }
}

/// How scripts are to look: one case a file in `tests/cases/layout`, the script above, its layout below. `FERRY_BLESS=1`
/// writes what comes out into the files, to be read before it is committed.
#[test]
fn every_case_gets_its_layout() {
    let mut wrong = Vec::new();
    for path in files(&root().join("tests/cases/layout")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let (script, expected) = text.split_once(MARK).expect("a case has an expectation");
        let found = format(0, script).unwrap_or_else(|said| panic!("{}: {said:?}", path.display()));
        if std::env::var_os("FERRY_BLESS").is_some() {
            std::fs::write(&path, format!("{script}{MARK}{found}")).unwrap();
        } else if found != expected {
            wrong.push(format!("{}\nexpected:\n{expected}\nfound:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The comments of a text, in order. Texts and quoted names are left out first.
fn comments(text: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find(['\'', '"', '-', '/']) {
        let tail = &rest[at..];
        let length = if let Some(comment) = tail.strip_prefix("--") {
            let end = comment.find('\n').map_or(tail.len(), |n| n + 2);
            found.push(tail[..end].trim_end().to_owned());
            end
        } else if tail.starts_with("/*") {
            let end = tail.find("*/").map_or(tail.len(), |n| n + 2);
            found.push(tail[..end].to_owned());
            end
        } else if tail.starts_with(['\'', '"']) {
            // A doubled quote is the end of one text and the beginning of another here, which comes to the same.
            tail[1..].find(&tail[..1]).map_or(tail.len(), |n| n + 2)
        } else {
            1
        };
        rest = &tail[length..];
    }
    found
}

/// The statements of a text as they were understood, their places left out.
fn meaning(text: &str) -> String {
    let mut sources = Sources::default();
    sources.add("a".to_owned(), text.to_owned());
    let parsed = read(&sources);
    let said = format!("{:?}", parsed.statements);
    let mut meaning = String::new();
    let mut rest = said.as_str();
    while let Some(at) = rest.find("Span {") {
        meaning.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('}').unwrap() + 1..];
    }
    meaning + rest
}

/// Lays a script out, and says what is wrong with what came of it.
fn verdict(script: &str) -> Result<(), String> {
    let Ok(first) = format(0, script) else {
        return Err(format!("this was not understood:\n{script}\n{:?}", format(0, script)));
    };
    let again = format(0, &first).map_err(|e| format!("this is not understood any more:\n{first}\n{e:?}"))?;
    if first != again {
        let (once, twice) = first.lines().zip(again.lines()).find(|(a, b)| a != b).unwrap_or_default();
        return Err(format!("not laid out for good:\nonce:  {once}\ntwice: {twice}\n{first}"));
    }
    if comments(script) != comments(&first) {
        return Err(format!("other comments:\n{script}\n---\n{first}"));
    }
    // Names of functions and types mean the same in any case.
    if meaning(script).to_lowercase() != meaning(&first).to_lowercase() {
        return Err(format!("another meaning:\n{script}\n---\n{first}"));
    }
    Ok(())
}

#[test]
fn every_script_of_the_repository_keeps_its_meaning() {
    let mut count = 0;
    for folder in ["jobs", "tests/cases/examples", "tests/cases/mapping", "tests/cases/layout", "tests/cases/lang"] {
        for path in files(&root().join(folder)).iter().filter(|p| p.to_string_lossy().contains(".ferry")) {
            let text = std::fs::read_to_string(path).unwrap();
            let script = text.split(MARK).next().unwrap();
            // A wrong script that cannot be read is left alone.
            if format(0, script).is_ok() {
                verdict(script).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
                count += 1;
            }
        }
    }
    assert!(count > 60, "the scripts are there: {count}");
}

#[test]
fn scripts_of_the_project_are_in_their_canonical_layout() {
    for folder in ["jobs", "tests/cases/mapping"] {
        for path in files(&root().join(folder)).iter().filter(|p| p.extension().is_some_and(|e| e == "ferry")) {
            let text = std::fs::read_to_string(path).unwrap();
            assert_eq!(format(0, &text).unwrap(), text, "{}: run `ferry fmt`", path.display());
        }
    }
}

#[test]
fn ten_thousand_random_scripts_keep_their_meaning() {
    let half = |from: u64| {
        std::thread::spawn(move || {
            (from..10_000).step_by(2).filter_map(|seed| verdict(&script(seed)).err().map(|e| (seed, e))).next()
        })
    };
    let found = [half(0), half(1)].map(|thread| thread.join().unwrap()).into_iter().flatten().next();
    assert!(found.is_none(), "{found:?}");
}

#[test]
fn a_script_with_a_mistake_is_left_alone() {
    for wrong in ["CREATE JOB", "CREATE JOB \"J\" AS SELECT;", "CREATE CHAIN c AS RUN 'x", "/* open"] {
        assert!(format(0, wrong).is_err(), "{wrong}");
    }
    assert_eq!(format(0, "").unwrap(), "");
    assert_eq!(format(0, "\u{feff}  -- just said  \r\n").unwrap(), "-- just said\n");
}
