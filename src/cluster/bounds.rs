//! How long each thing may take, and how large it may be. The one place of these numbers.

use std::time::Duration;

/// What a client puts up with.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until a request is answered.
    pub answer: Duration,
    /// How long nobody may be there to do the work, before and during a job.
    pub executors: Duration,
    /// How long no stage of a job may come to its end, though there are executors.
    pub stage: Duration,
    /// A job.
    pub job: Duration,
    /// Until the next rows of a result come.
    pub rows: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            // An executor that died is missed after less.
            executors: Duration::from_secs(EXECUTOR_MISSED_SECONDS + 15),
            stage: Duration::from_secs(10 * 60),
            job: Duration::from_secs(2 * 60 * 60),
            rows: Duration::from_secs(60),
        }
    }
}

/// Between two questions about a job.
pub(super) const POLL: Duration = Duration::from_millis(100);
/// Between two looks at whether executors are there and stages come to their end.
pub(super) const LOOK: Duration = Duration::from_secs(3);

/// How often an executor tells its scheduler that it is there.
pub(super) const HEARTBEAT_SECONDS: u64 = 3;
/// After so long without that an executor is missed, and its work goes to the others.
pub(super) const EXECUTOR_MISSED_SECONDS: u64 = 15;
/// How often a scheduler looks for executors that are missed.
pub(super) const EXECUTORS_LOOKED_FOR_SECONDS: u64 = 3;
/// How long results wait for whoever fetches them.
pub(super) const RESULTS_KEPT_SECONDS: u64 = 60 * 60;
/// How long a scheduler remembers what became of a job.
pub(super) const JOBS_REMEMBERED_SECONDS: u64 = 2 * 60 * 60;
/// After so long an executor removes what is left of jobs that nobody ended.
pub(super) const LEFT_OVERS_KEPT_SECONDS: u64 = 6 * 60 * 60;
/// How often it looks for that.
pub(super) const LEFT_OVERS_LOOKED_FOR_SECONDS: u64 = 10 * 60;

/// Bytes of one message: a plan names each file that it reads, and a batch of rows is one message too.
pub(super) const MESSAGE_BYTES: u32 = 256 << 20;
