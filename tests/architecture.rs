//! The walls of the house: who may use whom, and where each foreign crate lives. Read off the source text.

use std::path::{Path, PathBuf};

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Each module with the modules that it may use.
const ARROWS: [(&str, &[&str]); 18] = [
    ("model", &[]),
    ("diagnostic", &["model"]),
    ("schedule", &["model"]),
    ("lang", &["model", "diagnostic", "schedule"]),
    ("http", &["model"]),
    ("decode", &["model"]),
    ("notice", &["model", "http"]),
    ("staged", &[]),
    ("engine", &["model", "staged"]),
    ("cluster", &["model", "engine"]),
    ("dynamics", &["model", "http", "decode"]),
    ("gainsight", &["model", "http", "decode"]),
    ("files", &["model", "http", "decode"]),
    ("store", &["model", "staged"]),
    ("run", &["model", "decode", "engine", "dynamics", "files", "gainsight", "store"]),
    (
        "app",
        &[
            "model",
            "diagnostic",
            "schedule",
            "lang",
            "http",
            "decode",
            "notice",
            "engine",
            "cluster",
            "dynamics",
            "files",
            "gainsight",
            "store",
            "run",
            "sandbox",
        ],
    ),
    ("daemon", &["model", "diagnostic", "schedule", "lang", "http", "gainsight", "store", "run", "app"]),
    ("sandbox", &[]),
];

/// Each foreign crate with its only home.
const HOMES: [(&str, &[&str]); 21] = [
    ("lettre", &["notice"]),
    ("croner", &["schedule"]),
    ("pest", &["lang"]),
    ("datafusion", &["cluster", "engine"]),
    ("ballista", &["cluster"]),
    ("tonic", &["cluster"]),
    ("encoding_rs", &["files", "lang"]),
    ("reqwest", &["http"]),
    ("clap", &["cli"]),
    ("axum", &["daemon", "dynamics", "sandbox"]),
    ("opentelemetry", &["daemon", "http"]),
    ("prometheus", &["daemon"]),
    ("rusqlite", &["store"]),
    ("tokio_postgres", &["store"]),
    ("webpki_roots", &["store"]),
    ("rustix", &["store", "cli"]),
    ("keyring_core", &["store"]),
    ("annotate_snippets", &["diagnostic"]),
    ("roxmltree", &["sandbox"]),
    ("simdutf8", &["decode"]),
    ("wide", &["decode"]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every source file with its module and its lines of code, comments left out.
fn sources() -> Vec<(String, PathBuf, Vec<String>)> {
    let root = Path::new(SRC);
    let module = |p: &Path| p.strip_prefix(root).unwrap().components().next().unwrap().as_os_str().to_owned();
    files(root)
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|l| !l.trim_start().starts_with("//")).map(str::to_owned).collect();
            (module(&path).to_string_lossy().into_owned(), path, code)
        })
        .collect()
}

#[test]
fn a_module_uses_only_what_stands_before_it() {
    let mut wrong = Vec::new();
    for (module, path, code) in sources() {
        let Some((_, may)) = ARROWS.iter().find(|(name, _)| *name == module) else { continue };
        for line in &code {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let is_module = ARROWS.iter().any(|(name, _)| *name == used) || used == "cli";
                if is_module && used != module && !may.contains(&used.as_str()) {
                    wrong.push(format!("{}: {module} uses {used}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_foreign_crate_has_one_home() {
    let mut wrong = Vec::new();
    for (module, path, code) in sources() {
        for (name, homes) in HOMES {
            let uses = code.iter().any(|l| l.contains(&format!("{name}::")) || l.contains(&format!("use {name}")));
            if uses && !homes.contains(&module.as_str()) {
                wrong.push(format!("{}: {name} lives in {}", path.display(), homes.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_terminal_prints_and_reads_the_environment() {
    for (module, path, code) in sources() {
        // Sabotage is there in tests only: whoever tests a process can tell it nothing but by its environment.
        let may = module == "cli" || module == "main.rs" || path.ends_with("model/sabotage.rs");
        for word in ["println!", "print!(", "std::env::", "process::exit"] {
            assert!(may || !code.iter().any(|l| l.contains(word)), "{} has {word}", path.display());
        }
    }
}

#[test]
fn only_the_store_writes_to_disk() {
    for (module, path, code) in sources() {
        for word in ["fs::write", "File::create", "create_dir", "remove_file", "remove_dir", "OpenOptions"] {
            assert!(module == "store" || !code.iter().any(|l| l.contains(word)), "{} has {word}", path.display());
        }
    }
}

/// The library is no test binary: tests that stand in it would never be run. What is private is tried by its file (`#[path]`).
#[test]
fn no_test_stands_where_none_is_run() {
    for (_, path, code) in sources() {
        assert!(!code.iter().any(|line| line.contains("cfg(test)")), "{} has tests", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_small() {
    for path in files(Path::new(SRC)) {
        let text = std::fs::read_to_string(&path).unwrap();
        let opens = text.starts_with("//!") || text.starts_with("#![doc");
        assert!(opens, "{} does not open with //!", path.display());
        assert!(text.lines().count() <= 400, "{} has more than 400 lines", path.display());
    }
}

#[test]
fn certificates_are_never_waved_through() {
    for (_, path, code) in sources() {
        assert!(!code.iter().any(|l| l.contains("danger_accept")), "{}", path.display());
    }
}
