//! The rows of a job that has ended: from the executors that hold them, or through the scheduler where it offers that.

use std::sync::Arc;
use std::time::Duration;

use ballista_core::client::BallistaClient;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::serde::protobuf::PartitionLocation;
use ballista_core::serde::protobuf::get_job_status_result::FlightProxy;
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use url::Url;

use super::address::tls;
use super::bounds::MESSAGE_BYTES;
use super::error::{Error, beginning};
use super::job::{Done, Job};
use crate::engine::elsewhere::{Failed, Partition};
use crate::model::connection::is_loopback;

/// Tries to open one partition, and the pause between them.
const TRIES: u8 = 2;
const PAUSE_MS: u64 = 500;

/// Opens all partitions, so that nothing that happens to their files later does any harm.
pub(super) async fn fetch(job: Job, done: Done) -> Result<Vec<Partition>, Error> {
    let (job, proxy) = (Arc::new(job), done.proxy);
    let opened = done.partitions.into_iter().map(|place| open(Arc::clone(&job), place, proxy.as_ref()));
    futures::future::try_join_all(opened).await
}

async fn open(job: Arc<Job>, place: PartitionLocation, proxy: Option<&FlightProxy>) -> Result<Partition, Error> {
    let layout = place.layout();
    let lost = |host: &str, reason: &str| Error::Rows {
        host: host.to_owned(),
        job: job.id.clone(),
        reason: beginning(reason),
    };
    let (Some(executor), Some(partition)) = (place.executor_meta, place.partition_id) else {
        return Err(lost("an executor without a name", "the scheduler does not say where they are"));
    };
    let executor_port = u16::try_from(executor.port).unwrap_or_default();
    let (host, port) = through(&job, proxy).unwrap_or_else(|| (executor.host.clone(), executor_port));
    let shown = format!("{host}:{port}");
    let (address, bound) = (&job.cluster.address, job.cluster.bounds.rows);
    let here = Url::parse(&format!("http://{shown}")).is_ok_and(|url| is_loopback(&url));
    if !address.is_tls() && !here {
        return Err(lost(
            &shown,
            "they would cross the network without TLS; start the scheduler with `ferry cluster scheduler`, which hands them on itself",
        ));
    }
    let opened = async {
        let size = MESSAGE_BYTES as usize;
        let endpoint = address.is_tls().then(with_tls);
        let client =
            BallistaClient::try_new(&host, port, size, address.is_tls(), endpoint, TRIES, PAUSE_MS, 0, 0).await;
        let mut client = client.map_err(|e| lost(&shown, &e.to_string()))?;
        let (executor, from, id) = (executor.id.as_str(), executor.host.as_str(), partition.into());
        let rows = client.fetch_partition_proxied(executor, &id, place.file_id, layout, from, executor_port, true);
        rows.await.map_err(|e| lost(&shown, &e.to_string()))
    };
    let opened = tokio::time::timeout(bound, opened).await;
    let rows = opened.map_err(|_| lost(&shown, &format!("nobody answered within {} s", bound.as_secs())))??;
    Ok(within(rows, bound, job, shown))
}

/// Where the scheduler says that rows are to be fetched, if not from the executors themselves.
fn through(job: &Job, proxy: Option<&FlightProxy>) -> Option<(String, u16)> {
    match proxy? {
        FlightProxy::Local(true) => Some(job.cluster.address.host_and_port()),
        FlightProxy::Local(false) => None,
        FlightProxy::External(place) => {
            let (host, port) = place.rsplit_once(':')?;
            Some((host.to_owned(), port.parse().ok()?))
        }
    }
}

fn with_tls() -> Arc<BallistaConfigGrpcEndpoint> {
    Arc::new(BallistaConfigGrpcEndpoint::new(Arc::new(|endpoint| Ok(endpoint.tls_config(tls())?))))
}

/// Rows of which each batch has to come within a bound. The job is kept as long as somebody reads.
fn within(rows: SendableRecordBatchStream, bound: Duration, job: Arc<Job>, host: String) -> Partition {
    futures::stream::unfold(Some((rows, job, host)), move |state| async move {
        let (mut rows, job, host) = state?;
        let lost = |reason: &str| {
            let error = Error::Rows { host: host.clone(), job: job.id.clone(), reason: beginning(reason) };
            DataFusionError::External(Box::new(Failed::from(error)))
        };
        match tokio::time::timeout(bound, rows.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(batch))) => Some((Ok(batch), Some((rows, job, host)))),
            Ok(Some(Err(error))) => Some((Err(lost(&error.to_string())), None)),
            Err(_) => Some((Err(lost(&format!("no more came within {} s", bound.as_secs()))), None)),
        }
    })
    .boxed()
}
