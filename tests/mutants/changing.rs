//! Scenarios of runs that read what changed: tests of `incremental`, each in a process of its own that has the bug.

use super::parting::passes;
use super::promises::Verdict;

/// A change that a failed run read comes again.
pub fn failed_after_a_change(bugs: &str) -> Verdict {
    passes("incremental::full::a_run_that_fails_moves_nothing", bugs)
}

/// Somebody writes while everything is read.
pub fn written_while_read(bugs: &str) -> Verdict {
    passes("incremental::tables::what_changes_while_everything_is_read_is_lost_by_neither_reading_of_a_link", bugs)
}

/// A row is deleted between two runs.
pub fn deleted_between(bugs: &str) -> Verdict {
    passes("incremental::tables::a_row_that_is_gone_is_read_no_more", bugs)
}

/// A record came past the times of change.
pub fn unseen_record(bugs: &str) -> Verdict {
    passes("incremental::target::what_no_change_tells_of_is_found_before_it_would_be_inserted_again", bugs)
}

/// A record is looked for by its key and by a lookup.
pub fn looked_for_twice(bugs: &str) -> Verdict {
    passes("incremental::target::a_lookup_finds_what_it_looks_for_in_a_large_object_too", bugs)
}
