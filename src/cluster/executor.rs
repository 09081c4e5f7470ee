//! Ballista's own executor in this process, with the engine's functions registered. What it keeps between two stages of a job lies in its
//! work folder, and goes when the job is over.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::RuntimeProducer;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use url::Url;

use super::bounds::{HEARTBEAT_SECONDS, LEFT_OVERS_KEPT_SECONDS, LEFT_OVERS_LOOKED_FOR_SECONDS, MESSAGE_BYTES};
use super::error::Error;
pub use super::stores::Opener;
use super::stores::Stores;
use crate::engine::elsewhere::registered;

/// How an executor runs.
pub struct Executor {
    /// The address that it listens at; port 0 takes a free one. Its second port is one that is free.
    pub listen: SocketAddr,
    /// The name that others find it by; the address that it comes from, if there is none.
    pub host: Option<String>,
    /// The scheduler.
    pub scheduler: Url,
    /// Parts of plans that it works on at the same time.
    pub cores: usize,
    /// Bytes that all of these may hold together, beside what is on its way.
    pub memory_bytes: u64,
    /// Where the rows lie that stages hand on to each other.
    pub work: PathBuf,
    /// Opens the object stores that plans name.
    pub opener: Opener,
}

/// How long it waits for its scheduler to be there.
const SCHEDULER_WITHIN_SECONDS: u16 = 30;

impl Executor {
    /// Works until it is asked to stop.
    ///
    /// # Errors
    /// If it cannot listen, or loses its scheduler for good.
    pub async fn serve(self) -> Result<(), Error> {
        let ports = free(self.listen)?;
        let host = self.scheduler.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let config = ExecutorProcessConfig {
            bind_host: self.listen.ip().to_string(),
            external_host: self.host,
            port: ports.0,
            grpc_port: ports.1,
            scheduler_host: host,
            scheduler_port: self.scheduler.port_or_known_default().unwrap_or(super::address::SCHEDULER_PORT),
            scheduler_connect_timeout_seconds: SCHEDULER_WITHIN_SECONDS,
            vcores: self.cores,
            work_dir: Some(self.work.display().to_string()),
            job_data_ttl_seconds: LEFT_OVERS_KEPT_SECONDS,
            job_data_clean_up_interval_seconds: LEFT_OVERS_LOOKED_FOR_SECONDS,
            grpc_max_decoding_message_size: MESSAGE_BYTES,
            grpc_max_encoding_message_size: MESSAGE_BYTES,
            executor_heartbeat_interval_seconds: HEARTBEAT_SECONDS,
            memory_pool_size: Some(self.memory_bytes),
            override_function_registry: Some(Arc::new(functions())),
            override_runtime_producer: Some(runtime(self.work, Arc::new(Stores::new(self.opener)))),
            ..ExecutorProcessConfig::default()
        };
        start_executor_process(Arc::new(config)).await.map_err(|error| cannot(error.to_string()))
    }
}

/// The functions that plans may have.
fn functions() -> BallistaFunctionRegistry {
    let mut all = BallistaFunctionRegistry::default();
    all.scalar_functions.extend(registered().into_iter().map(|function| (function.name().to_owned(), function)));
    all
}

/// What plans are carried out in: what does not fit into memory goes into the work folder.
fn runtime(work: PathBuf, stores: Arc<Stores>) -> RuntimeProducer {
    Arc::new(move |_| {
        let spill = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![work.clone()]));
        let stores = Arc::clone(&stores);
        // Files of a run are read once or twice: nothing of them is remembered.
        RuntimeEnvBuilder::new()
            .with_disk_manager_builder(spill)
            .with_object_store_registry(stores)
            .with_file_statistics_cache_limit(0)
            .with_object_list_cache_limit(0)
            .build_arc()
    })
}

/// Two ports, the first one as it was asked for. Ballista opens them by their numbers.
fn free(at: SocketAddr) -> Result<(u16, u16), Error> {
    let open = |ip: IpAddr, port: u16| TcpListener::bind((ip, port)).map_err(|e| cannot(format!("{ip}:{port}: {e}")));
    let (first, second) = (open(at.ip(), at.port())?, open(at.ip(), 0)?);
    let port = |of: &TcpListener| of.local_addr().map(|at| at.port()).map_err(|e| cannot(e.to_string()));
    Ok((port(&first)?, port(&second)?))
}

fn cannot(reason: String) -> Error {
    Error::Process { what: "executor", reason }
}
