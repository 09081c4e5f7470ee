//! What a run tells while it runs. Whoever listens decides how to show it; nobody has to.

use std::sync::Arc;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A run has begun, or is gone on with.
    Began {
        /// Its number.
        run: String,
        /// Its job.
        job: String,
        /// Whether it goes on where an earlier process stopped.
        goes_on: bool,
    },
    /// A stage has come this far.
    Advanced {
        /// `extract`, `plan`, `load`.
        stage: &'static str,
        /// Rows done.
        rows: u64,
        /// Rows in all, where that is known.
        of: Option<u64>,
    },
    /// Something the user should know, though the run goes on.
    Notice(String),
    /// The run has ended.
    Ended,
}

/// Who listens.
pub type Progress = Arc<dyn Fn(Event) + Send + Sync>;

/// Nobody.
#[must_use]
pub fn silent() -> Progress {
    Arc::new(|_| {})
}
