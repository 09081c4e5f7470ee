//! What `ferry serve` takes.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use super::arguments::age;

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// When asked to stop, let runs go on this long; what is not at its end then is gone on with by the next `serve`.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = age)]
    pub(super) stop_within: u64,
    /// Jobs and chains under way at once, at the most.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(super) side_by_side: u8,
    /// Where `/healthz`, `/readyz` and `/metrics` are answered; `none` answers nowhere, port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9464", value_parser = listen)]
    pub(super) listen: Listen,
    /// How what happens is written to stderr: lines for people, or one JSON object a line.
    #[arg(long, value_enum, default_value_t = Log::Text)]
    pub(super) log: Log,
}

/// Where whoever watches is answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listen {
    /// Nowhere.
    Nowhere,
    /// At an address.
    At(SocketAddr),
}

/// How what happens is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    /// For people.
    Text,
    /// For programs.
    Json,
}

fn listen(text: &str) -> Result<Listen, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Listen::Nowhere);
    }
    let wrong = || "an address and a port, such as 127.0.0.1:9464, or none".to_owned();
    text.parse().map(Listen::At).map_err(|_| wrong())
}
