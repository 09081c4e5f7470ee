//! What may stand on the command line of the verbs by which somebody looks after a deployment.

use std::path::PathBuf;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use clap::{Args, Subcommand};

use super::arguments::age;
use crate::model::outcome::Status;

/// Which jobs are listed. `--connection NAME`, which every verb takes, lists those of a connection.
#[derive(Debug, Args)]
pub(super) struct Jobs {
    /// Only those with this text in their name, their source or their destination.
    pub(super) text: Option<String>,
    /// Only those whose last run ended so: success, partial, failed, running, interrupted, waiting, never.
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = last)]
    pub(super) status: Vec<LastStatus>,
    /// Only those that run by a schedule, their own or a chain's.
    #[arg(long, conflicts_with = "on_demand")]
    pub(super) scheduled: bool,
    /// Only those that run when somebody says so.
    #[arg(long)]
    pub(super) on_demand: bool,
    /// Print CSV that no spreadsheet runs a cell of.
    #[arg(long)]
    pub(super) csv: bool,
}

/// How a job's last run ended, if it ever ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LastStatus(pub(super) Vec<Option<Status>>);

/// What can be done with chains.
#[derive(Debug, Subcommand)]
pub(super) enum ChainVerb {
    /// List the project's chains with their members.
    List,
    /// Show one: its members by step, when it is due, who is told, what a failure means.
    Show {
        /// Its name.
        name: String,
    },
}

/// Which activities are listed.
#[derive(Debug, Args)]
pub(super) struct Activity {
    /// The run's number: shows this one.
    pub(super) run: Option<String>,
    /// Only those of this job; a part of its name will do.
    #[arg(long, value_name = "NAME")]
    pub(super) job: Option<String>,
    /// Only those of this chain; a part of its name will do.
    #[arg(long, value_name = "NAME")]
    pub(super) chain: Option<String>,
    /// Only runs of these statuses: success, partial, failed, running, interrupted, waiting, cancelled, planned, skipped.
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = statuses)]
    pub(super) status: Vec<Statuses>,
    /// From this time on: an age such as 7d or 12h, a day such as 2026-11-26, or a time such as '2026-11-26 06:30', in UTC.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(super) since: Option<When>,
    /// Up to this time; a day counts whole.
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(super) until: Option<When>,
    /// How many at the most.
    #[arg(long, value_name = "N", default_value_t = crate::app::activity::RUNS_AT_MOST)]
    pub(super) limit: usize,
    /// What was changed, by whom, from what to what, in place of the runs.
    #[arg(long, conflicts_with_all = ["run", "status"])]
    pub(super) updates: bool,
    /// Print CSV that no spreadsheet runs a cell of.
    #[arg(long, conflicts_with = "run")]
    pub(super) csv: bool,
}

/// The statuses that a word stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statuses(pub(super) Vec<Status>);

/// What can be done with what a home remembers.
#[derive(Debug, Subcommand)]
pub(super) enum StateVerb {
    /// Copy it into a new file, whoever is at work on the home; the copy is looked at before this ends.
    Backup {
        /// The file, which must not be there yet.
        file: PathBuf,
    },
    /// Put a copy in its place; what was there is kept aside. The next run of each job reads and compares everything.
    Restore {
        /// The copy.
        file: PathBuf,
    },
    /// Say that PostgreSQL's own means have put a copy of it back: nothing is gone on with that the copy did not know, and the next run of
    /// each job reads and compares everything.
    Restored,
}

/// What can be done with where jobs begin to read.
#[derive(Debug, Subcommand)]
pub(super) enum CursorVerb {
    /// Have the next run of a job read everything.
    Rewind {
        /// The job's name.
        job: String,
    },
}

/// A moment, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// So many seconds ago.
    Ago(u64),
    /// Then.
    At(DateTime<Utc>),
}

/// Whose error file is printed, and which rows.
#[derive(Debug, Args)]
pub(super) struct ErrorsOf {
    /// The run's number: prints its error file.
    pub(super) run: Option<String>,
    /// Only the rows with these codes.
    #[arg(long, value_name = "CODE", value_delimiter = ',', requires = "run")]
    pub(super) code: Vec<String>,
    /// Write them into this file, which must not be there yet.
    #[arg(long, value_name = "FILE", requires = "run")]
    pub(super) out: Option<PathBuf>,
}

/// Whose report is made.
#[derive(Debug, Args)]
pub(super) struct ReportOf {
    /// The run's number.
    pub(super) run: String,
    /// Write the report into this file, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Also list the rows that were written, each with the digest of its values, in this file, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub(super) rows: Option<PathBuf>,
}

/// What can be done with error files.
#[derive(Debug, Subcommand)]
pub(super) enum ErrorsVerb {
    /// List the rows that failed and are still to succeed.
    List {
        /// Only those of this job.
        job: Option<String>,
    },
    /// Print one as its rows were: without the `'` that keeps a spreadsheet from running a cell.
    Unescape {
        /// The file.
        file: PathBuf,
    },
}

impl When {
    pub(super) fn from(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Ago(seconds) => {
                let age = i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds).unwrap_or(TimeDelta::MAX);
                now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC)
            }
        }
    }
}

fn statuses(word: &str) -> Result<Statuses, String> {
    let word = word.trim().to_lowercase().replace([' ', '-'], "_");
    let all = Status::ALL.into_iter();
    let found: Vec<Status> = match word.as_str() {
        "waiting" => all.filter(|status| status.is_waiting()).collect(),
        "partial_success" => vec![Status::Partial],
        _ => all.filter(|status| status.word() == word).collect(),
    };
    if found.is_empty() {
        let known: Vec<&str> = Status::ALL.into_iter().map(Status::word).collect();
        return Err(format!("there is no such status; there are waiting, {}", known.join(", ")));
    }
    Ok(Statuses(found))
}

fn last(word: &str) -> Result<LastStatus, String> {
    if word.eq_ignore_ascii_case("never") {
        return Ok(LastStatus(vec![None]));
    }
    Ok(LastStatus(statuses(word)?.0.into_iter().map(Some).collect()))
}

fn since(text: &str) -> Result<When, String> {
    when(text, false)
}

fn until(text: &str) -> Result<When, String> {
    when(text, true)
}

/// A moment; a day is its beginning, or what follows its end.
fn when(text: &str, is_end: bool) -> Result<When, String> {
    if let Ok(seconds) = age(text) {
        return Ok(When::Ago(seconds));
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::At(at.to_utc()));
    }
    for form in ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
            return Ok(When::At(at.and_utc()));
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let day = day.and_then(|day| day.checked_add_days(Days::new(u64::from(is_end))));
    let day = day.map(|day| When::At(day.and_time(NaiveTime::MIN).and_utc()));
    day.ok_or_else(|| "write an age such as 7d, a day such as 2026-11-26, or '2026-11-26 06:30'".to_owned())
}
