//! Ballista's own scheduler in this process, with the engine's functions registered. It keeps nothing: jobs that it had are gone with it.
//!
//! Whoever reaches its port may have plans carried out and fetch rows, as Ballista asks nobody who they are: it belongs on loopback or into a
//! network of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use ballista_core::utils::default_session_builder;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use object_store::memory::InMemory;
use tokio::net::TcpListener;

use super::bounds::{
    EXECUTOR_MISSED_SECONDS, EXECUTORS_LOOKED_FOR_SECONDS, JOBS_REMEMBERED_SECONDS, MESSAGE_BYTES, RESULTS_KEPT_SECONDS,
};
use super::error::Error;
use super::stores::Stores;
use crate::engine::elsewhere::registered;

/// A scheduler that listens and does not serve yet.
pub struct Scheduler {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
    host: String,
}

impl Scheduler {
    /// Takes an address; port 0 takes a free one. `host` is the name that executors find it by, its IP address if none is given.
    ///
    /// # Errors
    /// If the address is not to be had, or says nothing that executors could use.
    pub async fn listen(at: SocketAddr, host: Option<&str>) -> Result<Self, Error> {
        let listener = TcpListener::bind(at).await.map_err(|e| cannot(format!("{at}: {e}")))?;
        let address = listener.local_addr().map_err(|e| cannot(e.to_string()))?;
        let host = match host {
            Some(host) => host.to_owned(),
            None if address.ip().is_unspecified() => {
                return Err(cannot(format!(
                    "{at} is every address of this machine; say with --host how executors find it"
                )));
            }
            None => address.ip().to_string(),
        };
        Ok(Self { listener, address, host })
    }

    /// Serves until it is dropped.
    ///
    /// # Errors
    /// If it cannot go on.
    pub async fn serve(self) -> Result<(), Error> {
        let wrong = |error: ballista_core::error::BallistaError| cannot(error.to_string());
        let config = SchedulerConfig {
            external_host: self.host,
            bind_host: self.address.ip().to_string(),
            bind_port: self.address.port(),
            executor_timeout_seconds: EXECUTOR_MISSED_SECONDS,
            expire_dead_executor_interval_seconds: EXECUTORS_LOOKED_FOR_SECONDS,
            no_executors_grace_period_seconds: EXECUTOR_MISSED_SECONDS,
            finished_job_data_clean_up_interval_seconds: RESULTS_KEPT_SECONDS,
            finished_job_state_clean_up_interval_seconds: JOBS_REMEMBERED_SECONDS,
            grpc_server_max_decoding_message_size: MESSAGE_BYTES,
            grpc_server_max_encoding_message_size: MESSAGE_BYTES,
            grpc_client_max_message_size: MESSAGE_BYTES,
            // Whoever plans needs to reach nobody but the scheduler.
            enable_embedded_flight_proxy: true,
            override_session_builder: Some(Arc::new(session)),
            ..SchedulerConfig::default()
        };
        let cluster = BallistaCluster::new_from_config(&config).await.map_err(wrong)?;
        let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config)).await;
        start_grpc_service_with_listener(self.listener, scheduler.map_err(wrong)?).await.map_err(wrong)
    }
}

/// A session of a client's, that knows our functions. A plan can be read only where its files could be; the scheduler itself reads none,
/// so that it needs no keys: whatever a plan names is an empty store to it.
fn session(config: SessionConfig) -> datafusion::common::Result<SessionState> {
    let nothing = Stores::new(Arc::new(|_| Ok(Arc::new(InMemory::new()))));
    let runtime = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(nothing)).build_arc()?;
    let state = default_session_builder(config)?;
    let mut state = SessionStateBuilder::new_from_existing(state).with_runtime_env(runtime).build();
    for function in registered() {
        state.register_udf(function)?;
    }
    Ok(state)
}

fn cannot(reason: String) -> Error {
    Error::Process { what: "scheduler", reason }
}
