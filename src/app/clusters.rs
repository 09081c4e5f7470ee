//! Clusters that plans are sent to, and their processes. Only a build with the feature `cluster` has them; any other says so.

use std::net::SocketAddr;
#[cfg(feature = "cluster")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::Error;
use crate::engine::elsewhere::Place;
use crate::model::secret::Secret;

/// How an executor is wanted.
pub struct Wanted {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The name that others find it by.
    pub host: Option<String>,
    /// The address of its scheduler.
    pub scheduler: String,
    /// Parts of plans at the same time; as many as there are cores, if nothing is said.
    pub cores: Option<usize>,
    /// Bytes that these may hold together.
    pub memory_bytes: u64,
    /// The folder for rows on their way; only its owner may look into it.
    pub work: PathBuf,
    /// What object stores are signed in to with.
    pub storage: Arc<[(String, Secret)]>,
}

/// What is said without the feature.
#[cfg(not(feature = "cluster"))]
const MISSING: &str = "this build of ferry has no support for clusters, as that doubles the time to compile it; build one that has with \
                       `cargo build --release --features cluster`";

/// The cluster of a scheduler. Nothing is asked yet.
///
/// # Errors
/// If the address is none, or this build has no support for clusters.
#[cfg(feature = "cluster")]
pub fn place(url: &str, or_here: bool) -> Result<Place, Error> {
    use crate::cluster::address::Address;
    use crate::cluster::bounds::Bounds;
    use crate::cluster::client::Cluster;

    let address = Address::parse(url).map_err(|error| Error::Usage(error.to_string()))?;
    Ok(Place { to: Arc::new(Cluster::new(address, Bounds::default())), or_here })
}

/// The cluster of a scheduler. Nothing is asked yet.
///
/// # Errors
/// If the address is none, or this build has no support for clusters.
#[cfg(not(feature = "cluster"))]
pub fn place(_: &str, _: bool) -> Result<Place, Error> {
    Err(Error::Usage(MISSING.to_owned()))
}

/// Serves a scheduler. `began` gets its URL once it listens.
///
/// # Errors
/// If it cannot listen or go on, or this build has no support for clusters.
#[cfg(feature = "cluster")]
pub async fn scheduler(listen: SocketAddr, host: Option<&str>, began: impl FnOnce(&str)) -> Result<(), Error> {
    use crate::cluster::scheduler::Scheduler;

    let scheduler = Scheduler::listen(listen, host).await.map_err(failed)?;
    began(&format!("http://{}", scheduler.address));
    scheduler.serve().await.map_err(failed)
}

/// Serves a scheduler. `began` gets its URL once it listens.
///
/// # Errors
/// If it cannot listen or go on, or this build has no support for clusters.
#[cfg(not(feature = "cluster"))]
#[allow(clippy::unused_async)]
pub async fn scheduler(_: SocketAddr, _: Option<&str>, _: impl FnOnce(&str)) -> Result<(), Error> {
    Err(Error::Usage(MISSING.to_owned()))
}

/// Serves an executor until it is asked to stop.
///
/// # Errors
/// If it cannot listen, or loses its scheduler for good, or this build has no support for clusters.
#[cfg(feature = "cluster")]
pub async fn executor(wanted: Wanted) -> Result<(), Error> {
    use crate::cluster::executor::Executor;
    use crate::files::location;
    use crate::store::home::work_folder;

    let wrong = || Error::Usage(format!("--scheduler {}: write it as http://HOST:PORT", wanted.scheduler));
    let scheduler = url::Url::parse(&wanted.scheduler).map_err(|_| wrong())?;
    if scheduler.scheme() != "http" || scheduler.host().is_none() {
        return Err(wrong());
    }
    let cores = wanted.cores.or_else(|| std::thread::available_parallelism().ok().map(usize::from));
    let executor = Executor {
        listen: wanted.listen,
        host: wanted.host,
        scheduler,
        cores: cores.unwrap_or(1),
        memory_bytes: wanted.memory_bytes,
        work: work_folder(&wanted.work)?,
        opener: Arc::new(move |url| {
            let opened = location::open(url.as_str(), Path::new("/"), &wanted.storage);
            opened.map(|(store, _)| store).map_err(|error| error.to_string())
        }),
    };
    executor.serve().await.map_err(failed)
}

/// Serves an executor until it is asked to stop.
///
/// # Errors
/// If it cannot listen, or loses its scheduler for good, or this build has no support for clusters.
#[cfg(not(feature = "cluster"))]
#[allow(clippy::unused_async)]
pub async fn executor(_: Wanted) -> Result<(), Error> {
    Err(Error::Usage(MISSING.to_owned()))
}

#[cfg(feature = "cluster")]
fn failed(error: crate::cluster::error::Error) -> Error {
    Error::Cluster(Box::new(error))
}
