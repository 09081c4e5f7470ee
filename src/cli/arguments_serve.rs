//! What `ferry serve` takes.

use clap::Args;

use super::arguments::age;

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// When asked to stop, let runs go on this long; what is not at its end then is gone on with by the next `serve`.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = age)]
    pub(super) stop_within: u64,
    /// Jobs and chains under way at once, at the most.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(super) side_by_side: u8,
}
