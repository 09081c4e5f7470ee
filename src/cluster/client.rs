//! Who sends plans to a cluster and fetches what they give.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use ballista_core::serde::protobuf::KeyValuePair;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::FutureExt;
use futures::future::BoxFuture;
use tonic::transport::Channel;

use super::address::Address;
use super::bounds::{Bounds, LOOK};
use super::error::Error;
use super::job::Job;
use super::rows;
use crate::engine::elsewhere::{Elsewhere, Failed, Partition};

/// What a scheduler is told of a job beside its plan.
const JOB_NAME: &str = "ballista.job.name";
/// Everything that Ferry sends goes by this name in Ballista's own views.
const NAME: &str = "ferry plan";

/// A cluster, by its scheduler.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub(super) address: Address,
    pub(super) bounds: Bounds,
    /// What the scheduler knows this process by.
    session: String,
}

impl Cluster {
    /// The cluster of a scheduler. Nothing is asked yet.
    #[must_use]
    pub fn new(address: Address, bounds: Bounds) -> Self {
        let chance = RandomState::new().hash_one(std::process::id());
        Self { address, bounds, session: format!("ferry-{chance:016x}") }
    }

    async fn carried_out(
        self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<Vec<Partition>, Error> {
        let written = written(plan)?;
        let channel = self.ready().await?;
        let mut job = Job::submit(self, channel, written, settings(&context)).await?;
        let done = job.result().await?;
        rows::fetch(job, done).await
    }

    /// A connection to a scheduler that has executors: for a while they may still be on their way.
    async fn ready(&self) -> Result<Channel, Error> {
        let channel = self.address.connect(&self.bounds).await?;
        let since = Instant::now();
        while !self.address.has_executors(&channel, &self.bounds).await? {
            if since.elapsed() >= self.bounds.executors {
                return Err(Error::NoExecutors { url: self.address.shown(), after: self.bounds.executors });
            }
            tokio::time::sleep(LOOK.min(self.bounds.executors)).await;
        }
        Ok(channel)
    }

    pub(super) fn session(&self) -> String {
        self.session.clone()
    }
}

impl Elsewhere for Cluster {
    fn begin(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> BoxFuture<'static, Result<Vec<Partition>, Failed>> {
        let cluster = self.clone();
        async move { Ok(cluster.carried_out(plan, context).await?) }.boxed()
    }
}

/// A plan as it is sent. Functions go by their names.
fn written(plan: Arc<dyn ExecutionPlan>) -> Result<Vec<u8>, Error> {
    let wrong = |error: datafusion::error::DataFusionError| Error::Plan(error.to_string());
    let codec = BallistaPhysicalExtensionCodec::default();
    let mut bytes = Vec::new();
    PhysicalPlanNode::try_from_physical_plan(plan, &codec).map_err(wrong)?.try_encode(&mut bytes).map_err(wrong)?;
    Ok(bytes)
}

/// The settings that a plan was made with, which it is carried out with too.
fn settings(context: &TaskContext) -> Vec<KeyValuePair> {
    let entries = context.session_config().options().entries();
    let all = entries.into_iter().map(|entry| KeyValuePair { key: entry.key, value: entry.value });
    all.chain([KeyValuePair { key: JOB_NAME.to_owned(), value: Some(NAME.to_owned()) }]).collect()
}
