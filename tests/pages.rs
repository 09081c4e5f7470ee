//! Every code of a diagnostic has a page, and every page a code.

use ferry::diagnostic::pages::{all, page};

const CODES: &str = include_str!("../src/diagnostic/code.rs");

fn codes() -> Vec<&'static str> {
    CODES.split("Code(\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(|c| c.starts_with('F')).collect()
}

#[test]
fn every_code_has_its_page() {
    let codes = codes();
    assert!(codes.len() > 30, "{codes:?}");
    for code in &codes {
        let page = page(code).unwrap_or_else(|| panic!("{code} has no page"));
        assert!(!page.title.is_empty() && page.text.len() > 80, "{code} says too little");
        assert!(page.text.lines().all(|line| line.chars().count() <= 140), "{code} is too wide");
    }
    let mut unique = codes.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), codes.len(), "a code has one meaning");
    assert!(all().iter().all(|page| codes.contains(&page.code)), "a page without a code");
}

#[test]
fn a_code_is_found_in_either_case_and_nothing_else_is() {
    assert_eq!(page("f204").map(|p| p.code), Some("F204"));
    assert!(page("F999").is_none() && page("Company Sync").is_none());
}

#[test]
fn every_code_stands_in_a_case() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/lang");
    let cases: String =
        std::fs::read_dir(root).unwrap().map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap()).collect();
    let missing: Vec<&str> = codes().into_iter().filter(|code| !cases.contains(&format!("[{code}]"))).collect();
    assert!(missing.is_empty(), "no wrong script gets {missing:?}");
}
