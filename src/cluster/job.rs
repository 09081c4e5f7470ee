//! One job: handed in, followed until it ends, and given up where it does not get on.
//!
//! A job that is dropped before its result is there is cancelled; one whose result was fetched leaves nothing behind.

use std::time::{Duration, Instant};

use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::get_job_status_result::FlightProxy;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, CleanJobDataParams, ExecuteQueryParams, GetJobMetricsParams, GetJobStatusParams, KeyValuePair,
    PartitionLocation, execute_query_result,
};
use ballista_core::version;
use tonic::transport::Channel;

use super::bounds::{LOOK, MESSAGE_BYTES, POLL};
use super::client::Cluster;
use super::error::{Error, beginning, hint};

/// Where the rows of a job are that has ended.
pub(super) struct Done {
    pub(super) partitions: Vec<PartitionLocation>,
    pub(super) proxy: Option<FlightProxy>,
}

/// A job.
pub(super) struct Job {
    pub(super) id: String,
    pub(super) cluster: Cluster,
    channel: Channel,
    scheduler: SchedulerGrpcClient<Channel>,
    has_ended: bool,
}

impl Job {
    /// Hands a plan in.
    pub(super) async fn submit(
        cluster: Cluster,
        channel: Channel,
        plan: Vec<u8>,
        settings: Vec<KeyValuePair>,
    ) -> Result<Self, Error> {
        let bytes = MESSAGE_BYTES as usize;
        let scheduler = SchedulerGrpcClient::new(channel.clone());
        let mut scheduler = scheduler.max_encoding_message_size(bytes).max_decoding_message_size(bytes);
        let query = ExecuteQueryParams {
            session_id: cluster.session(),
            settings,
            operation_id: String::new(),
            query: Some(Query::PhysicalPlan(plan)),
        };
        let mut request = tonic::Request::new(query);
        version::insert_version_header(request.metadata_mut());
        let url = cluster.address.shown();
        let refused = |reason: &str| Error::Refused { url: url.clone(), reason: beginning(reason), hint: hint(reason) };
        let answer = scheduler.execute_query(request).await.map_err(|status| refused(status.message()))?;
        let theirs = version::version_from_metadata(answer.metadata());
        version::check_compatibility(Some(ballista_core::BALLISTA_VERSION), theirs).map_err(|why| refused(&why))?;
        match answer.into_inner().result {
            Some(execute_query_result::Result::Success(taken)) => {
                Ok(Self { id: taken.job_id, cluster, channel, scheduler, has_ended: false })
            }
            Some(execute_query_result::Result::Failure(failure)) => Err(refused(&format!("{:?}", failure.failure))),
            None => Err(refused("its answer is empty")),
        }
    }

    /// Waits until it has ended.
    pub(super) async fn result(&mut self) -> Result<Done, Error> {
        let bounds = self.cluster.bounds;
        let begun = Instant::now();
        let mut watch = Watch { looked: begun, got_on: begun, had_executors: begun, stages: 0 };
        loop {
            if let Some(done) = self.ended().await? {
                return Ok(done);
            }
            if watch.looked.elapsed() >= LOOK.min(bounds.executors / 2).min(bounds.stage / 2) {
                self.look(&mut watch).await?;
            }
            if watch.had_executors.elapsed() >= bounds.executors {
                return Err(Error::NoExecutors { url: self.cluster.address.shown(), after: bounds.executors });
            }
            if watch.got_on.elapsed() >= bounds.stage {
                return Err(self.stuck("no stage of it came to its end", bounds.stage));
            }
            if begun.elapsed() >= bounds.job {
                return Err(self.stuck("it was not done", bounds.job));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Its result, if it is there.
    async fn ended(&mut self) -> Result<Option<Done>, Error> {
        let asked = self.scheduler.get_job_status(GetJobStatusParams { job_id: self.id.clone() }).await;
        let answer = asked.map_err(|status| self.failed(status.message()))?.into_inner();
        match answer.status.and_then(|status| status.status) {
            Some(Status::Failed(failed)) => {
                self.has_ended = true;
                Err(self.failed(&failed.error))
            }
            Some(Status::Successful(done)) => {
                self.has_ended = true;
                Ok(Some(Done { partitions: done.partition_location, proxy: answer.flight_proxy }))
            }
            Some(Status::Queued(_) | Status::Running(_)) | None => Ok(None),
        }
    }

    /// Looks whether somebody is at work, and how many stages are done.
    async fn look(&mut self, watch: &mut Watch) -> Result<(), Error> {
        watch.looked = Instant::now();
        if self.cluster.address.has_executors(&self.channel, &self.cluster.bounds).await? {
            watch.had_executors = watch.looked;
        }
        // A scheduler that does not tell of its stages yet has none that is done.
        let asked = self.scheduler.get_job_metrics(GetJobMetricsParams { job_id: self.id.clone() }).await;
        let stages = asked.map_or(0, |answer| answer.into_inner().stages.len());
        // A stage whose rows went with an executor is made again: fewer are progress too.
        if stages != watch.stages {
            (watch.stages, watch.got_on) = (stages, watch.looked);
        }
        Ok(())
    }

    fn failed(&self, reason: &str) -> Error {
        let (url, job) = (self.cluster.address.shown(), self.id.clone());
        Error::Job { url, job, reason: beginning(reason), hint: hint(reason) }
    }

    fn stuck(&self, what: &'static str, after: Duration) -> Error {
        Error::Stuck { url: self.cluster.address.shown(), job: self.id.clone(), what, after }
    }
}

/// What was seen of a job, and when.
struct Watch {
    looked: Instant,
    got_on: Instant,
    had_executors: Instant,
    stages: usize,
}

impl Drop for Job {
    fn drop(&mut self) {
        // Where the process ends nobody is left to ask: results are removed by themselves after a while.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (mut scheduler, job_id, has_ended) = (self.scheduler.clone(), self.id.clone(), self.has_ended);
        runtime.spawn(async move {
            // What is not tidied up now is later; there is nobody to tell.
            if has_ended {
                let _left = scheduler.clean_job_data(CleanJobDataParams { job_id, remove_stage_ids: Vec::new() }).await;
            } else {
                let _left = scheduler.cancel_job(CancelJobParams { job_id }).await;
            }
        });
    }
}
