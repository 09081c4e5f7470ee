//! What the generated cases are made of: they would prove little if they all came to the same.

use std::collections::BTreeMap;

use super::job::{Duplicate, Job, Multiple, Nothing};
use super::{CASES, case, value};

/// Each of these stands in a good number of cases.
#[rustfmt::skip]
const WANTED: [&str; 37] = [
    "outcome superseded", "outcome filtered", "outcome inserted", "outcome updated", "outcome unchanged",
    "code NO_MATCH", "code SEVERAL_MATCHES", "code REQUIRED", "code NULL_KEY", "code DUPLICATE_KEY",
    "code AMBIGUOUS_TARGET", "code ALREADY_THERE", "code NOT_THERE", "code REQUIRED_EMPTY", "code TOO_LONG",
    "code BAD_VALUE", "code UNKNOWN_ITEM",
    "1 equalities", "2 equalities", "3 equalities", "4 equalities", "5 equalities", "6 equalities",
    "multiple ERROR", "multiple USE ANY", "multiple USE FIRST", "none REJECT", "none USE NULL", "none USE value", "after load",
    "verb Upsert", "verb Insert", "verb Update",
    "duplicate unsaid", "duplicate ERROR", "duplicate REJECT", "duplicate KEEP LATEST",
];
const AT_LEAST: usize = 20;

#[test]
fn the_cases_cover_what_they_are_for() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: String| *seen.entry(what).or_default() += 1;
    for seed in CASES {
        let case = case(seed);
        for verdict in &case.verdicts {
            count(format!("outcome {}", verdict.outcome));
            verdict.code.iter().for_each(|code| count(format!("code {code}")));
        }
        clauses(&case.job).into_iter().for_each(&mut count);
    }
    let rare: Vec<_> = WANTED.iter().filter(|what| seen.get(**what).copied().unwrap_or(0) < AT_LEAST).collect();
    assert!(rare.is_empty(), "seldom or never: {rare:?} in {seen:#?}");
}

fn clauses(job: &Job) -> Vec<String> {
    let mut found = vec![format!("verb {:?}", job.verb)];
    found.push(format!(
        "duplicate {}",
        match job.duplicate {
            Duplicate::Unsaid => "unsaid",
            Duplicate::Error => "ERROR",
            Duplicate::Reject => "REJECT",
            Duplicate::Latest(_) => "KEEP LATEST",
        }
    ));
    for lookup in &job.lookups {
        found.push(format!("{} equalities", lookup.matches.len()));
        let multiple = match &lookup.multiple {
            Multiple::Error => "ERROR",
            Multiple::Any => "USE ANY",
            Multiple::First(_) => "USE FIRST",
        };
        let none = match &lookup.none {
            Nothing::Reject => "REJECT",
            Nothing::Use(value::V::Null) => "USE NULL",
            Nothing::Use(_) => "USE value",
        };
        found.push(format!("multiple {multiple}"));
        found.push(format!("none {none}"));
        if job.is_late(lookup) {
            found.push("after load".to_owned());
        }
    }
    found
}
