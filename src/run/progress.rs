//! What a run tells while it runs. Whoever listens decides how to show it; nobody has to.

use std::sync::Arc;

use super::spending::Spent;

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
        /// The run's number; of a preview, which is no run, the job's name.
        run: String,
        /// `extract`, `wait` (for the steps of its chain before it), `plan`, `load`.
        stage: &'static str,
        /// Rows done.
        rows: u64,
        /// Rows in all, where that is known.
        of: Option<u64>,
    },
    /// Something the user should know, though the run goes on. Where several may be under way it begins with the job's name.
    Notice(String),
    /// A stage has ended.
    Spent {
        /// The run's number.
        run: String,
        /// What it took.
        spent: Box<Spent>,
    },
    /// The run has ended.
    Ended {
        /// Its number.
        run: String,
    },
    /// Nothing more is told, whatever was under way.
    Over,
}

/// Who listens.
pub type Progress = Arc<dyn Fn(Event) + Send + Sync>;

/// Nobody.
#[must_use]
pub fn silent() -> Progress {
    Arc::new(|_| {})
}

/// One run that tells something.
pub(super) struct Voice<'a> {
    /// The run's number, once it has one.
    run: String,
    job: &'a str,
    /// Whether other runs may be under way beside it.
    is_one_of_several: bool,
    to: &'a Progress,
}

impl<'a> Voice<'a> {
    /// Of a job that has no run yet.
    pub(super) fn new(job: &'a str, is_one_of_several: bool, to: &'a Progress) -> Self {
        Self { run: String::new(), job, is_one_of_several, to }
    }

    /// The same, once it has a run.
    pub(super) fn of(self, run: &str) -> Self {
        Self { run: run.to_owned(), ..self }
    }

    pub(super) fn began(&self, goes_on: bool) {
        (self.to)(Event::Began { run: self.run.clone(), job: self.job.to_owned(), goes_on });
    }

    pub(super) fn advanced(&self, stage: &'static str, rows: u64, of: Option<u64>) {
        (self.to)(Event::Advanced { run: self.run.clone(), stage, rows, of });
    }

    pub(super) fn notice(&self, text: impl Into<String>) {
        let text = text.into();
        (self.to)(Event::Notice(if self.is_one_of_several { format!("{}: {text}", self.job) } else { text }));
    }

    /// The same for whoever tells something later, beside what the run does.
    pub(super) fn teller(&self) -> Arc<dyn Fn(String) + Send + Sync> {
        let to = Arc::clone(self.to);
        let before = if self.is_one_of_several { format!("{}: ", self.job) } else { String::new() };
        Arc::new(move |text| to(Event::Notice(format!("{before}{text}"))))
    }

    pub(super) fn spent(&self, spent: Spent) {
        (self.to)(Event::Spent { run: self.run.clone(), spent: Box::new(spent) });
    }

    pub(super) fn ended(&self) {
        (self.to)(Event::Ended { run: self.run.clone() });
    }
}
