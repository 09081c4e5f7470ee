//! What a caller may choose about a sandbox, and what can go wrong when it starts.
//!
//! Not here: anything a running sandbox does. In: nothing. Out: plain data.

use std::path::PathBuf;

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of contacts in the generated world; opportunities are three tenths, accounts a fifth, projects a
    /// twenty-fifth and users a fiftieth of it. Not less than the special rows need.
    pub rows: usize,
    /// The same seed and rows give the same bytes.
    pub seed: u64,
    /// A folder with `systemusers.jsonl`, `accounts.jsonl` and `contacts.jsonl` to serve in place of a generated world; of Gainsight's
    /// objects there may be records in `gainsight/company.jsonl` and the like.
    pub world: Option<PathBuf>,
    /// Port of Dynamics and of the sign-in; 0 takes a free one.
    pub dynamics_port: u16,
    /// Port of Gainsight; 0 takes a free one.
    pub gainsight_port: u16,
    /// How much faster than real time the rate-limit windows pass.
    pub limits_scale: f64,
    /// Milliseconds that pass before a request is answered, as on the way to a real service and back.
    pub latency_ms: u64,
    /// A file of rules by which requests fail; `sandbox/faults/file.rs` says how it is written.
    pub faults: Option<PathBuf>,
    /// Whether both services speak TLS, with certificates that this sandbox makes.
    pub tls: bool,
    /// What the names of the tenant's fields for Dynamics ids end in: the organisation's name in a spelling of the tenant's.
    pub suffix: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            rows: 1000,
            seed: 1,
            world: None,
            dynamics_port: 0,
            gainsight_port: 0,
            limits_scale: 1.0,
            latency_ms: 0,
            faults: None,
            tls: false,
            suffix: "gainsight123".to_owned(),
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the world folder is missing or cannot be read.
    #[error("{file}: cannot read the world: {source}")]
    World {
        /// The file that was to be read.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file of faults is missing or cannot be read.
    #[error("{file}: cannot read the faults: {source}")]
    Faults {
        /// The file that was to be read.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of the world folder does not fit the table, or one of the file of faults is no rule.
    #[error("{file}:{line}: {reason}")]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it; names the column where there is one.
        reason: String,
    },
    /// The port cannot be opened.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Port {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// No certificate can be made.
    #[error("the sandbox cannot make a certificate: {0}")]
    Certificate(String),
    /// One of the schema files that ship with the sandbox has a mistake.
    #[error("schema of the sandbox, line {line}: {reason}")]
    Schema {
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}
