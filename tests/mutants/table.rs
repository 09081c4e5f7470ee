//! Which scenario catches which bug, and the words by which it is known for the right one.

use super::promises::Verdict;
use super::{changing, guarding, loading, parting, reading};

/// A bug, or several that are on together, and what catches it.
pub struct Caught {
    pub bugs: &'static str,
    pub by: &'static str,
    /// What the scenario says among other things.
    pub says: &'static str,
}

type Scenario = fn(&str) -> Verdict;

pub const SCENARIOS: [(&str, Scenario); 29] = [
    ("killed_while_reading", reading::killed_while_reading),
    ("damaged_page", reading::damaged_page),
    ("expired_link", reading::expired_link),
    ("bad_row", loading::bad_row),
    ("lost_answer", loading::lost_answer),
    ("lost_request", loading::lost_request),
    ("late_call", loading::late_call),
    ("given_up", loading::given_up),
    ("killed_between_batches", loading::killed_between_batches),
    ("killed_before_the_answer_is_kept", loading::killed_before_the_answer_is_kept),
    ("killed_between_phases", loading::killed_between_phases),
    ("people", loading::people),
    ("renamed_user", loading::renamed_user),
    ("taken_over", guarding::taken_over),
    ("unbalanced", guarding::unbalanced),
    ("killed_over_the_error_file", guarding::killed_over_the_error_file),
    ("large_change", guarding::large_change),
    ("replayed", guarding::replayed),
    ("cleaned", guarding::cleaned),
    ("drifting", guarding::drifting),
    ("touched_meanwhile", parting::touched_meanwhile),
    ("gone", parting::gone),
    ("inherited", parting::inherited),
    ("refused_mark", parting::refused_mark),
    ("failed_after_a_change", changing::failed_after_a_change),
    ("written_while_read", changing::written_while_read),
    ("deleted_between", changing::deleted_between),
    ("unseen_record", changing::unseen_record),
    ("looked_for_twice", changing::looked_for_twice),
];

pub fn scenario(name: &str) -> Scenario {
    SCENARIOS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no scenario {name}")).1
}

const fn caught(bugs: &'static str, by: &'static str, says: &'static str) -> Caught {
    Caught { bugs, by, says }
}

/// Bugs that a scenario does not see, as another safeguard stands behind the one that is missing. Each is part of a pair that it sees.
pub const HIDDEN: [(&str, &str); 2] = [("NoDigest", "killed_while_reading"), ("NoAudit", "people")];

pub const CAUGHT: [Caught; 46] = [
    caught("PageBeforeFile", "killed_while_reading", "4 pages were asked for, not 2"),
    caught("PagesTwice", "killed_while_reading", "came behind row"),
    caught("PageSkipped", "killed_while_reading", "of company missing"),
    caught("NoDigest", "damaged_page", "of company missing"),
    caught("ExpiredIsEnd", "expired_link", "of company missing"),
    caught("PlanAgain", "killed_between_batches", "reads of what was read before"),
    caught("NoIntent", "killed_before_the_answer_is_kept", "of company there twice"),
    caught("LostIsWritten", "lost_request", "3 of company missing"),
    caught("LostIsRefused", "lost_answer", "rows error: 4, not 1"),
    caught("SentTwice", "lost_answer", "3 of company there twice"),
    caught("NoSettling", "late_call", "3 of company there twice"),
    caught("OpenForgotten", "killed_before_the_answer_is_kept", "3 of company there twice"),
    caught("AcknowledgedTwice", "killed_between_batches", "3 of company there twice"),
    caught("NoNarrowing", "bad_row", "rows error: 3, not 1"),
    caught("RefusedIsWritten", "bad_row", "the ledger says"),
    caught("RefusalForgotten", "bad_row", "a second run made"),
    caught("IdentityForgotten", "renamed_user", "is another user"),
    caught("NoSecondPhase", "killed_between_phases", "of gsuser wrong"),
    caught("PersonUnordered", "people", "of person wrong"),
    caught("NoQuiet", "given_up", "3 of company there twice"),
    caught("NoFencing", "taken_over", "who had lost the home went on writing"),
    caught("RejectedForgotten", "people", "are in the error file"),
    caught("NothingDue", "bad_row", "0 of 1 failed rows are due"),
    caught("ReplayAll", "replayed", "the replay sent 2 records, not 1"),
    caught("NoGuard", "large_change", "calls without consent"),
    caught("NoAudit", "unbalanced", "books that do not balance: \"success\""),
    caught("ErrorFileInPlace", "killed_over_the_error_file", "there is half an error file"),
    caught("NoDriftCheck", "drifting", "it stops"),
    caught("CleansEverything", "cleaned", "what could be resumed was cleaned away"),
    caught("DeletesUnseen", "touched_meanwhile", "left_alone fails"),
    caught("LinkForgotten", "gone", "once fails"),
    caught("AnothersRecord", "inherited", "left_alone fails"),
    caught("LinkCutTooEarly", "refused_mark", "again fails"),
    caught("CursorEarly", "failed_after_a_change", "left: ((0, 0), 0)"),
    caught("NoOverlap", "written_while_read", "of_a_link fails"),
    caught("GoneStays", "deleted_between", "no_more fails"),
    caught("KnownIsTrue", "unseen_record", "again fails"),
    caught("FoundTwice", "looked_for_twice", "too fails"),
    // Safeguards that hide each other.
    caught("PageBeforeFile,NoDigest", "killed_while_reading", "of company missing"),
    caught("RefusedIsWritten,NoAudit", "bad_row", "rows error: 0, not 1"),
    caught("RejectedForgotten,NoAudit", "people", "the error file has 0 of 1 failed rows"),
    caught("PlanAgain,NoAudit", "killed_between_batches", "rows inserted"),
    caught("NoQuiet,NoSettling", "given_up", "3 of company there twice"),
    caught("NoFencing,OpenForgotten", "taken_over", "9 of company there twice"),
    caught("NoNarrowing,RefusalForgotten", "bad_row", "rows error: 3, not 1"),
    caught("LostIsRefused,RefusalForgotten", "lost_answer", "rows error: 4, not 1"),
];

/// The table as `README.md` has it.
pub fn rendered() -> String {
    let known = known();
    let row = |one: &Caught| {
        // A pair stands below its two bugs, where each is explained.
        let meaning = known.iter().find(|(name, _)| name == one.bugs).map_or("", |(_, is)| is);
        format!("| {} | {meaning} | `{}` | {} |\n", one.bugs.replace(',', " + "), one.by, one.says)
    };
    let rows: String = CAUGHT.iter().map(row).collect();
    format!("| bug | what it is | caught by | which says, among other things |\n|---|---|---|---|\n{rows}")
}

/// The bugs that there are, each with what it is, read off their source.
pub fn known() -> Vec<(String, String)> {
    let source = include_str!("../../src/model/sabotage.rs");
    let bugs = source.split_once("pub enum Bug {").and_then(|(_, rest)| rest.split_once("\n}")).expect("the bugs").0;
    let (mut known, mut meaning) = (Vec::new(), String::new());
    for line in bugs.lines().map(str::trim) {
        match line.strip_prefix("///") {
            Some(words) => meaning.push_str(words),
            None if line.is_empty() => {}
            None => known.push((line.trim_end_matches(',').to_owned(), std::mem::take(&mut meaning).trim().to_owned())),
        }
    }
    known
}
