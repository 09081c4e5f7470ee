//! Deliberate bugs and stops: what the tests must catch, and where they kill. Not there in a build for users.
//!
//! With the feature `sabotage`, which only tests switch on, `FERRY_BUG` names a bug that the code then has, or several with commas
//! between, and `FERRY_STOP_AT=label` or `label:3` names a place at whose first or third passing the process stands still until
//! somebody kills it, or until there is a file where `FERRY_GO_ON` says; `?` tells every place that is passed. Without the feature
//! both functions are nothing. In: names. Out: whether a bug is on.

/// A mistake that somebody could make in the protocol of a run. Each has a test that fails when it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "sabotage"), allow(dead_code))]
pub enum Bug {
    /// The page is recorded before its file is there.
    PageBeforeFile,
    /// A run that goes on begins each table anew and keeps the pages it has.
    PagesTwice,
    /// A run that goes on takes the checkpoint of one page too far.
    PageSkipped,
    /// A file of a page that is damaged is taken for whole.
    NoDigest,
    /// A link that has expired is taken for the end of the table.
    ExpiredIsEnd,
    /// A run that goes on reads the target again and compares anew with what it has written itself.
    PlanAgain,
    /// A call is recorded after it was made, not before.
    NoIntent,
    /// A lost answer is taken for a good one.
    LostIsWritten,
    /// A lost answer is taken for a refusal of all its records.
    LostIsRefused,
    /// After a lost answer an insert is sent again at once.
    SentTwice,
    /// After a lost answer the target is asked at once, before the call can have been carried out.
    NoSettling,
    /// A run that goes on does not ask what became of calls without an answer.
    OpenForgotten,
    /// A run that goes on sends again what was acknowledged.
    AcknowledgedTwice,
    /// A refused batch is refused as a whole.
    NoNarrowing,
    /// Records that were refused count as written.
    RefusedIsWritten,
    /// What was refused is not remembered.
    RefusalForgotten,
    /// Which user a new record is, is not remembered.
    IdentityForgotten,
    /// The second phase of a run that goes on is left out.
    NoSecondPhase,
    /// Calls of one person go in any order.
    PersonUnordered,
    /// A new run begins while a call of an abandoned one may still be carried out.
    NoQuiet,
    /// A process that has lost the home goes on writing.
    NoFencing,
    /// Rows that a policy rejects are not in the error file.
    RejectedForgotten,
    /// Rows that failed are not kept as due.
    NothingDue,
    /// A replay sends every row.
    ReplayAll,
    /// The run may change as much as it likes.
    NoGuard,
    /// Nobody adds up what became of the rows.
    NoAudit,
    /// The error file grows under its own name.
    ErrorFileInPlace,
    /// What is relied upon is not asked again before the load.
    NoDriftCheck,
    /// Staging of runs that can be resumed is cleaned away.
    CleansEverything,
    /// Records are deleted by what the plan knew of them.
    DeletesUnseen,
    /// Which record a row became, is not remembered.
    LinkForgotten,
    /// A lost row's record is touched, whoever else's it is.
    AnothersRecord,
    /// The link of a lost row goes, even if nothing could be done.
    LinkCutTooEarly,
    /// Where the next run begins to read moves as soon as everything is read.
    CursorEarly,
    /// What changed while everything was read is not asked for again.
    NoOverlap,
    /// Rows that are gone stay in what is kept of the table.
    GoneStays,
    /// What is known of the target is not held against it before something is inserted.
    KnownIsTrue,
    /// A record that is found by two keys is there twice.
    FoundTwice,
}

/// Whether a bug is on: never, in a build for users.
#[must_use]
#[inline]
pub fn has(bug: Bug) -> bool {
    #[cfg(feature = "sabotage")]
    return std::env::var("FERRY_BUG").is_ok_and(|names| names.split(',').any(|name| name == format!("{bug:?}")));
    #[cfg(not(feature = "sabotage"))]
    {
        let _ = bug;
        false
    }
}

/// A place where a test may kill the process.
#[inline]
pub fn place(label: &str) {
    #[cfg(feature = "sabotage")]
    stop_at(label);
    #[cfg(not(feature = "sabotage"))]
    let _ = label;
}

#[cfg(feature = "sabotage")]
fn stop_at(label: &str) {
    use std::io::Write;
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let Ok(wanted) = std::env::var("FERRY_STOP_AT") else { return };
    let (name, number) = wanted.split_once(':').map_or((wanted.as_str(), 1), |(n, k)| (n, k.parse().unwrap_or(1)));
    if name == "?" {
        let _ = writeln!(std::io::stderr(), "passed {label}");
    } else if name == label && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == number {
        let _ = writeln!(std::io::stderr(), "stopped at {label}");
        let go_on = std::env::var_os("FERRY_GO_ON").map(std::path::PathBuf::from);
        while !go_on.as_ref().is_some_and(|file| file.exists()) {
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    }
}
