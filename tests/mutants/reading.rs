//! Scenarios of reading: a run that is killed between pages, pages that are damaged, links that expire.

use super::promises::{Verdict, all, verdict};
use super::trial::Trial;
use crate::stage::COMPANIES;

/// The third page lies on the disk and is not in the ledger.
const THIRD_PAGE: &str = "page.file source:3";

/// A run that is killed in the middle of reading goes on behind the last page that it kept.
pub fn killed_while_reading(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    trial.killed_at(THIRD_PAGE, COMPANIES)?;
    let before = trial.pages();
    let ended = trial.run(COMPANIES);
    let mut broken = Vec::new();
    if ended.report["resumed"] != 1 {
        broken.push("it was not gone on with".to_owned());
    }
    // The third page is asked for again, and the fourth.
    let asked = trial.pages() - before;
    if asked != 2 {
        broken.push(format!("{asked} pages were asked for, not 2"));
    }
    broken.extend(all(&trial, COMPANIES, &ended));
    verdict(broken)
}

/// A page that was damaged on the disk is read again.
pub fn damaged_page(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    trial.killed_at(THIRD_PAGE, COMPANIES)?;
    let runs = std::fs::read_dir(trial.home().join("runs")).unwrap();
    let run = runs.map(|entry| entry.unwrap().path()).next().expect("a run");
    let part = |number: usize| run.join(format!("source/part-{number:06}.arrow"));
    std::fs::copy(part(0), part(1)).unwrap();
    let ended = trial.run(COMPANIES);
    verdict(all(&trial, COMPANIES, &ended))
}

/// A table whose link expires is read again from its beginning.
pub fn expired_link(bugs: &str) -> Verdict {
    let rule = r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [2], "expire_link": true}"#;
    let trial = Trial::new(bugs, rule);
    let ended = trial.run(COMPANIES);
    verdict(all(&trial, COMPANIES, &ended))
}
