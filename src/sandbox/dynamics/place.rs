//! The address of a request: what its links start with, and the path behind the version.
//!
//! Links are built from what the client called us by, so that they work behind a proxy too. In: a request. Out: an
//! absolute base and the decoded rest, or the refusal of an address outside the API.

use super::super::http::Ask;
use super::errors::Refusal;
use super::service::Dynamics;

const API: &str = "/api/data/";

/// The address of a request, split.
pub(in crate::sandbox) struct Place {
    /// Absolute, up to and with the slash after the version.
    pub(in crate::sandbox) base: String,
    /// What follows, decoded.
    pub(in crate::sandbox) rest: String,
}

impl Place {
    pub(in crate::sandbox) fn read(dynamics: &Dynamics, ask: &Ask) -> Result<Self, Refusal> {
        let below = ask.path.strip_prefix(API).ok_or_else(|| Refusal::segment(&ask.path))?;
        let (version, rest) = below.split_once('/').unwrap_or((below, ""));
        if !version.starts_with("v9.") {
            return Err(Refusal::segment(version));
        }
        Ok(Place { base: format!("{}{API}{version}/", origin(dynamics, ask)), rest: decoded(rest) })
    }

    pub(in crate::sandbox) fn segments(&self) -> Vec<&str> {
        self.rest.trim_end_matches('/').split('/').collect()
    }
}

/// The scheme and host the client used; a proxy names the scheme that it took the request by.
fn origin(dynamics: &Dynamics, ask: &Ask) -> String {
    let Some(host) = ask.header("host") else { return dynamics.url().to_owned() };
    let forwarded = ask.header("x-forwarded-proto").map(|value| value.split(',').next().unwrap_or("").trim());
    let own = dynamics.url().split_once("://").map_or("http", |(scheme, _)| scheme);
    let scheme = match forwarded {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        Some(_) => "http",
        None => own,
    };
    format!("{scheme}://{host}")
}

/// Percent-encoding off; a plus is a plus in a path.
pub(in crate::sandbox) fn decoded(text: &str) -> String {
    let pair = format!("p={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

/// What stands behind the version in a full, rooted or relative address.
pub(in crate::sandbox) fn below_version(address: &str) -> &str {
    let rooted = match address.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => address,
    };
    match rooted.strip_prefix(API) {
        Some(rest) => rest.split_once('/').map_or("", |(_, below)| below),
        None => rooted.trim_start_matches('/'),
    }
}
