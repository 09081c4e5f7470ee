//! What may stand on the command line about clusters.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where plans are made.
#[derive(Debug, Default, Args)]
pub(super) struct Planning {
    /// Send the plan to a cluster: the address of a Ballista scheduler, such as http://127.0.0.1:50050.
    #[arg(long, value_name = "URL")]
    pub(super) cluster: Option<String>,
    /// Plan on this machine whatever the cluster fails to.
    #[arg(long, requires = "cluster")]
    pub(super) or_locally: bool,
}

/// The processes of a cluster.
#[derive(Debug, Subcommand)]
pub(super) enum ClusterVerb {
    /// Start a Ballista scheduler that knows Ferry's functions. It asks nobody who they are: keep it on loopback, or in a network of its own.
    Scheduler {
        /// The address that it listens at; port 0 takes a free one.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50050")]
        listen: SocketAddr,
        /// The name that executors find it by, if not by that address.
        #[arg(long, value_name = "NAME")]
        host: Option<String>,
    },
    /// Start a Ballista executor that knows Ferry's functions. It has to see the home's runs under the path that they have for `ferry plan`.
    Executor(Executor),
}

#[derive(Debug, Args)]
pub(super) struct Executor {
    /// The scheduler that it works for.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50050")]
    pub(super) scheduler: String,
    /// The address that it listens at; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(super) listen: SocketAddr,
    /// The name that the scheduler and other executors find it by, if not by the address that it comes from.
    #[arg(long, value_name = "NAME")]
    pub(super) host: Option<String>,
    /// Parts of plans that it works on at the same time; as many as there are cores, if nothing is said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(super) cores: Option<u16>,
    /// Megabytes that these may hold together.
    #[arg(long, value_name = "MB", default_value_t = 2_048, value_parser = clap::value_parser!(u32).range(64..))]
    pub(super) memory_mb: u32,
    /// The folder for rows that are on their way; without it a folder of the home.
    #[arg(long, value_name = "DIR")]
    pub(super) work: Option<PathBuf>,
}
