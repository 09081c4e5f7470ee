//! What may stand on the command line of the verbs that bring up a sandbox.

use std::path::PathBuf;

use clap::Args;

use super::arguments::factor;

#[derive(Debug, Args)]
pub(super) struct World {
    /// Contacts of the seeded world; accounts are a fifth and users a fiftieth of that.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(super) rows: usize,
    /// The seed of the world: the same seed makes the same rows.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(super) seed: u64,
    /// A folder with systemusers.jsonl, accounts.jsonl and contacts.jsonl, in place of a seeded world. Records that Gainsight is to hold
    /// may lie beside them, by object: gainsight/company.jsonl.
    #[arg(long, value_name = "DIR")]
    pub(super) world: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    pub(super) world: World,
    /// How much faster than documented the windows of the call limits go by.
    #[arg(long, value_name = "FACTOR", default_value_t = 1_000.0, value_parser = factor)]
    pub(super) limits_scale: f64,
}

#[derive(Debug, Args)]
pub(super) struct Sandbox {
    #[command(flatten)]
    pub(super) world: World,
    /// The port of Dynamics and of the sign-in; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) dynamics_port: u16,
    /// The port of Gainsight; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) gainsight_port: u16,
    /// How much faster than documented the windows of the call limits go by.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub(super) limits_scale: f64,
    /// Milliseconds that pass before a request is answered, as on the way to a real service and back.
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=60_000))]
    pub(super) latency_ms: u64,
    /// A file of rules by which requests fail, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub(super) faults: Option<PathBuf>,
    /// Fail by the schedule of faults that a seed draws; it is printed as a file of rules.
    #[arg(long, value_name = "SEED", conflicts_with = "faults")]
    pub(super) faults_seed: Option<u64>,
    /// Speak TLS, with certificates that are made at the start; clients trust the authority in the project's `authority.pem`.
    #[arg(long, requires = "write_project")]
    pub(super) tls: bool,
    /// Also write the users, accounts and contacts into a folder as an export of Azure Synapse Link, with everything that makes one hard to
    /// read.
    #[arg(long, value_name = "DIR")]
    pub(super) write_export: Option<PathBuf>,
    /// Also write a ready project with the secrets of this sandbox into a folder.
    #[arg(long, value_name = "DIR")]
    pub(super) write_project: Option<PathBuf>,
}
