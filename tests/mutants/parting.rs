//! Scenarios of rows that the source lost: tests of `lost`, each in a process of its own that has the bug.

use std::process::Command;

use super::promises::Verdict;

/// A record that is another one now is not deleted by what the plan knew of it.
pub fn touched_meanwhile(bugs: &str) -> Verdict {
    passes("lost::interrupted::a_record_that_becomes_something_else_meanwhile_is_left_alone", bugs)
}

/// A row that is gone is known by its link.
pub fn gone(bugs: &str) -> Verdict {
    passes("lost::objects::a_row_that_is_gone_takes_its_record_with_it_once", bugs)
}

/// A record that went over to another row is that row's.
pub fn inherited(bugs: &str) -> Verdict {
    passes("lost::objects::a_record_that_is_another_rows_is_left_alone", bugs)
}

/// What a mark was refused is tried again.
pub fn refused_mark(bugs: &str) -> Verdict {
    passes("lost::objects::a_mark_that_is_refused_is_told_and_not_sent_again", bugs)
}

pub(super) fn passes(test: &str, bugs: &str) -> Verdict {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args([test, "--exact"]).env("FERRY_BUG", bugs).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match (said.contains("running 1 test"), output.status.success()) {
        (true, true) => Ok(()),
        (true, false) => {
            let words = ["left:", "right:"].map(|side| {
                let line = said.lines().find(|line| line.trim_start().starts_with(side));
                line.unwrap_or_default().trim().to_owned()
            });
            Err(format!("{test} fails: {}", words.join(", ")))
        }
        (false, _) => Err(format!("there is no test {test}")),
    }
}
