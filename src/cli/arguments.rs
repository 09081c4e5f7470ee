//! What may stand on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::arguments_avatar::AvatarVerb;
use super::arguments_cluster::{ClusterVerb, Planning};
use super::arguments_operations::{Activity, ChainVerb, CursorVerb, ErrorsOf, ErrorsVerb, Jobs, ReportOf, StateVerb};
use super::arguments_sandbox::{Demo, Sandbox};
use super::arguments_schedule::Schedule;
use super::arguments_secret::SecretVerb;
use super::arguments_serve::Serve;
use super::notices::NoticesVerb;
use crate::http::terms::MAX_WAIT;

/// Carries Microsoft Dynamics 365 records to Gainsight NXT, from sync jobs written in a small SQL-like language.
#[derive(Debug, Parser)]
#[command(name = "ferry", version, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What every verb takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Common {
    /// The folder of *.ferry files; one without any stands for the out-of-the-box jobs.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(super) project: PathBuf,
    /// The folder of runs and state; or a place in an object store for the runs, such as s3://bucket/ferry, abfss://, az:// or gs://.
    #[arg(long, global = true, value_name = "DIR|URL", default_value = ".ferry")]
    pub(super) home: PathBuf,
    /// Where a home in an object store keeps what is of this machine: the lock, the state, what only a process at work needs.
    #[arg(long, global = true, value_name = "DIR", default_value = ".ferry")]
    pub(super) local_home: PathBuf,
    /// Keep the state in PostgreSQL, for several machines, in place of the home: postgres://USER@HOST/DATABASE. FERRY_STATE says the same,
    /// and PGPASSWORD the password.
    #[arg(long, global = true, value_name = "URL")]
    pub(super) state: Option<String>,
    /// Print JSON, one object a line.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Read connections.NAME.ferry in place of connections.ferry.
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) env: Option<String>,
    /// Take schemas from the project's snapshot (see `ferry refresh`) and ask no service.
    #[arg(long, global = true)]
    pub(super) offline: bool,
    /// Lead a connection to an address of this machine, such as dynamics=http://127.0.0.1:8080; a NAME alone has `ferry jobs` list those
    /// of this connection.
    #[arg(long, global = true, value_name = "NAME=URL", value_parser = pair)]
    pub(super) connection: Vec<(String, String)>,
    /// Wait for another ferry to leave the home: SECONDS at most, an hour if nothing is said.
    #[arg(long, global = true, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "3600")]
    pub(super) wait: Option<u64>,
    /// How much faster than documented the windows of Gainsight's call limits go by: for a sandbox of the same factor.
    #[arg(long, global = true, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor, hide = true)]
    pub(super) clock_scale: f64,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Start a sandbox, run the out-of-the-box chain twice, and show what became of every row.
    Demo(Demo),
    /// Serve a sandbox of both services until interrupted.
    Sandbox(Sandbox),
    /// Write a project for an organisation and a tenant: connections, the three jobs, the chain, tests.
    Init(Init),
    /// Show every mistake of the project, checked against both services' live schemas.
    Check {
        /// Show only those of these files.
        paths: Vec<PathBuf>,
    },
    /// Bring the project's files into their canonical layout; comments stay.
    Fmt {
        /// Only these files; `-` lays out standard input.
        paths: Vec<PathBuf>,
        /// Change nothing; name the files that would change, and exit with 1 if there are any.
        #[arg(long)]
        check: bool,
    },
    /// Run the project's tests, without any service: schemas come from the project's snapshot.
    Test {
        /// Run only those of these files.
        paths: Vec<PathBuf>,
    },
    /// Ask both services for the schemas that the project names, and write them into its `schemas` folder.
    Refresh,
    /// List the tables and objects of both services, or show the fields of one.
    Describe {
        /// Its label or API name, such as account, "Company Person" or gainsight.company.
        object: Option<String>,
    },
    /// Show the first rows of a job as they are mapped, before anything is compared with the target.
    Preview {
        /// The job's name.
        job: String,
        /// How many rows.
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,
    },
    /// Show where a job's fields come from, what it asks of both services, and its plan; or a page about a code.
    Explain {
        /// The job's name, or the code of a diagnostic such as F204.
        job: String,
    },
    /// Read both sides and show what a run would write, without writing it.
    Plan {
        /// The name of a job, or of a chain, each of whose jobs then sees what the ones before it would write.
        name: String,
        /// Also show this many rows of each with old and new values.
        #[arg(long, value_name = "N", default_value_t = 0)]
        sample: usize,
        /// Also write every row and every field that changes into this folder, as Parquet files.
        #[arg(long, value_name = "DIR|URL")]
        out: Option<PathBuf>,
        /// Read and compare everything, not only what changed since the last run.
        #[arg(long)]
        full: bool,
        /// Hold what is known of the target from earlier runs against the target itself, and say what has drifted.
        #[arg(long)]
        verify: bool,
        #[command(flatten)]
        planning: Planning,
    },
    /// Load exactly the plan that an earlier `plan` showed, or nothing if Gainsight has moved underneath it.
    Apply {
        /// The run's number, as `plan` printed it.
        run: String,
        #[command(flatten)]
        loading: Loading,
    },
    /// Run a job or a chain; a run of it that was interrupted is gone on with.
    Run {
        /// Its name.
        name: String,
        /// Begin anew, even if a run of it was interrupted.
        #[arg(long)]
        anew: bool,
        /// Read and compare everything, not only what changed since the last run.
        #[arg(long)]
        full: bool,
        /// Only the source rows with these primary keys, of one job.
        #[arg(long, value_name = "KEY", value_delimiter = ',')]
        only: Vec<String>,
        /// Show at the end where time and memory went, stage by stage, with what the engine's operators counted.
        #[arg(long)]
        profile: bool,
        #[command(flatten)]
        loading: Loading,
    },
    /// Go on with a run that was interrupted, or with all there are; or end the pause of a schedule.
    Resume {
        /// The run's number, or the name of a job or a chain whose schedule pauses.
        run: Option<String>,
        #[command(flatten)]
        loading: Loading,
    },
    /// Run jobs and chains when their schedules say so, until asked to stop.
    Serve(Serve),
    /// List what is due when, and what is silenced, paused or over.
    Schedule(Schedule),
    /// Allow a run that waits for it to change as much of the target as it planned.
    Approve {
        /// The run's number.
        run: String,
    },
    /// Have the schedule of a job or a chain pause, or a run that is under way stop where it is; `ferry resume` ends that.
    Pause {
        /// The name of a job or a chain, or the run's number.
        name: String,
    },
    /// Run the rows of a run's error file again, and no others, after their cause was mended.
    Replay {
        /// The run's number.
        run: String,
        /// Only the rows with these codes.
        #[arg(long, value_name = "CODE", value_delimiter = ',')]
        code: Vec<String>,
        #[command(flatten)]
        loading: Loading,
    },
    /// Give a run up that was interrupted: nothing of it is gone on with.
    Cancel {
        /// The run's number.
        run: String,
    },
    /// Remove the rows, plans and error files of old runs, but never of one that can be gone on with.
    Clean {
        /// Runs that ended longer ago than this, such as 30d, 12h or 45m.
        #[arg(long, value_name = "AGE", value_parser = age)]
        older_than: u64,
    },
    /// Print a run's error file or write it into a file; or work with error files and rows that are still to succeed.
    #[command(args_conflicts_with_subcommands = true)]
    Errors {
        #[command(flatten)]
        of: ErrorsOf,
        #[command(subcommand)]
        verb: Option<ErrorsVerb>,
    },
    /// Keep secrets in an encrypted file of the home; FERRY_SECRETS_KEY_FILE names the file of the key.
    Secret {
        #[command(subcommand)]
        verb: SecretVerb,
    },
    /// Say which Gainsight company a Dynamics account is, with its fields.
    Company {
        /// The account's id.
        account: String,
    },
    /// List the notices: those that are due, delivered or given up.
    Notices {
        #[command(subcommand)]
        verb: Option<NoticesVerb>,
    },
    /// Say and settle which Gainsight user each Dynamics user is.
    Avatar {
        #[command(subcommand)]
        verb: AvatarVerb,
    },
    /// Show, test, authorize, revoke and delete connections.
    Connection {
        #[command(subcommand)]
        verb: ConnectionVerb,
    },
    /// List the jobs: where each reads and writes, how its last run ended, when it runs by itself. No service is asked.
    Jobs(Jobs),
    /// List the chains, or show one. No service is asked.
    Chain {
        #[command(subcommand)]
        verb: ChainVerb,
    },
    /// Start a scheduler or an executor of a cluster that plans are sent to.
    Cluster {
        #[command(subcommand)]
        verb: ClusterVerb,
    },
    /// Look whether everything is as a deployment needs it, a line for each thing, with what to do. Exits with 1 if something fails.
    Doctor,
    /// Work with what the home remembers.
    State {
        #[command(subcommand)]
        verb: StateVerb,
    },
    /// Work with where jobs begin to read.
    Cursor {
        #[command(subcommand)]
        verb: CursorVerb,
    },
    /// Print what a shell needs to complete commands.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print a page of the manual, for `man -l -`.
    Man {
        /// The verb that it is about; the page of all verbs, if none is named.
        verb: Option<String>,
    },
    /// List the runs, or what was changed, or show one run: its stages, why rows failed, what to do next.
    Activity(Activity),
    /// Vouch for a run that has ended: its rows by outcome, why rows were left, and digests of what was sent.
    Report(ReportOf),
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder of the new project; made if it is not there.
    #[arg(default_value = ".")]
    pub(super) folder: PathBuf,
    /// The Dynamics organisation, such as https://acme.crm.dynamics.com.
    #[arg(long, value_name = "URL")]
    pub(super) organization: String,
    /// The Gainsight tenant, such as https://acme.gainsightcloud.com.
    #[arg(long, value_name = "URL")]
    pub(super) gainsight: String,
    /// What the jobs are named after.
    #[arg(long, value_name = "NAME", default_value = "Dynamics Connection")]
    pub(super) label: String,
    /// The field of Company that holds the account's id; without it the tenant is asked.
    #[arg(long, value_name = "FIELD")]
    pub(super) account_key: Option<String>,
    /// The field of Company Person that holds the contact's id; without it the tenant is asked.
    #[arg(long, value_name = "FIELD")]
    pub(super) contact_key: Option<String>,
}

/// What can be done with connections.
#[derive(Debug, Subcommand)]
pub(super) enum ConnectionVerb {
    /// List the project's connections.
    List,
    /// Show one: where it leads, since when, and which jobs use it.
    Show {
        /// Its identifier.
        name: String,
    },
    /// Look at everything that it needs, a line for each check.
    Test {
        /// Its identifier.
        name: String,
    },
    /// Print what its application has to be allowed in Dynamics: the least that the project's jobs need.
    Role {
        /// Its identifier.
        name: String,
    },
    /// Sign in, and keep it as established with the organisation that answers.
    Authorize {
        /// Its identifier.
        name: String,
    },
    /// Sign in again, with the same organisation as before.
    Reauthorize {
        /// Its identifier.
        name: String,
    },
    /// Let no job use it until it is authorized again; definitions stay.
    Revoke {
        /// Its identifier.
        name: String,
    },
    /// Forget one that no job uses.
    Delete {
        /// Its identifier.
        name: String,
    },
}

/// What every verb takes that loads.
#[derive(Debug, Args)]
pub(super) struct Loading {
    /// Allow it to change or delete more of what the target holds than the LIMITS of the connection say.
    #[arg(long)]
    pub(super) yes: bool,
    /// Stop, to be gone on with, where a window of calls opens later than this; 10m at the most.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = wait)]
    pub(super) max_wait: u64,
    #[command(flatten)]
    pub(super) planning: Planning,
}

/// A connection and where it is to lead; a name alone chooses what is listed, where a verb lists.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((_, "")) => Err("write it as NAME=URL".to_owned()),
        Some((name, url)) => Ok((name.to_owned(), url.to_owned())),
        None => Ok((text.to_owned(), String::new())),
    }
}

/// A length of time in seconds: `30d`, `12h`, `45m`, `10s`.
pub(super) fn age(text: &str) -> Result<u64, String> {
    let wrong = || "write a number with d, h, m or s, such as 30d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).ok_or_else(wrong)
}

/// The same, of the time that a call waits.
fn wait(text: &str) -> Result<u64, String> {
    let seconds = age(text)?;
    if seconds > MAX_WAIT.as_secs() {
        return Err("a call waits 10m at the most; when its window opens later, run the job again then".to_owned());
    }
    Ok(seconds)
}

pub(super) fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (0.001..=1_000_000.0).contains(&factor) => Ok(factor),
        _ => Err("a factor is a number from 0.001 to 1000000".to_owned()),
    }
}
