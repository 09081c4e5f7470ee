//! How the daemon goes about its work: paces and bounds, in one place.

use std::time::Duration;

/// Paces and bounds.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often it looks at the time, at the project's files, and at what people said.
    pub tick: Duration,
    /// How long it lets runs go on when it is asked to stop; what is not at its end by then is left, and gone on with later.
    pub stop_within: Duration,
    /// Jobs and chains under way at once, at the most.
    pub side_by_side: usize,
    /// How long it waits before each further try of what a service's absence stopped. As many tries as there are waits.
    pub retry_after: Vec<Duration>,
    /// How often it tries again to check files that no service could be asked about.
    pub check_again_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        Self {
            tick: Duration::from_secs(1),
            stop_within: Duration::from_secs(30),
            side_by_side: 4,
            retry_after: [1, 2, 5, 10, 30].map(|minutes| Duration::from_secs(minutes * MINUTE)).to_vec(),
            check_again_after: Duration::from_secs(MINUTE),
        }
    }
}
