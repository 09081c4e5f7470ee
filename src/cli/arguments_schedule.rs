//! What may stand behind `ferry schedule`.

use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Schedule {
    /// Only this job or chain.
    pub(super) name: Option<String>,
    /// How many times to come are listed.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = up_to_a_thousand)]
    pub(super) next: usize,
    /// List the times instead that were missed, or that came while the run before was under way.
    #[arg(long, conflicts_with = "next")]
    pub(super) missed: bool,
}

fn up_to_a_thousand(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=1_000).contains(n)).ok_or_else(|| "a number from 1 to 1000".to_owned())
}
