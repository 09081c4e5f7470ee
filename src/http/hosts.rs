//! Which hosts a connection may lead to: those of the two services' clouds, and those that the administrator named.
//!
//! Secrets go to that host, so a mistyped or planted URL must not be enough. In: a checked connection. Out: yes, or what
//! to do. Addresses are not looked at here: see `address.rs`.

use url::Url;

use super::error::Error;
use crate::model::connection::{Connection, Service, is_loopback};

/// The environment variable in which an administrator names further hosts, separated by commas.
pub const VARIABLE: &str = "FERRY_ALLOWED_HOSTS";

/// Where organisations live: the public cloud and the national ones.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/discovery-service>
const DYNAMICS: [&str; 4] = [".dynamics.com", ".microsoftdynamics.us", ".appsplatform.us", ".dynamics.cn"];

/// Where tenants live, if they have no domain of their own.
/// <https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs/Company_and_Relationship_API/Company_API_Documentation>
const GAINSIGHT: [&str; 1] = [".gainsightcloud.com"];

/// The hosts that [`VARIABLE`] names, as a URL has them. A whole URL names its host.
#[must_use]
pub fn named(list: &str) -> Vec<String> {
    let host = |text: &str| {
        let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
        url.ok()?.host_str().map(str::to_owned)
    };
    list.split(',').filter_map(|text| host(text.trim())).collect()
}

/// Lets a connection lead where it leads.
///
/// # Errors
/// If its host is neither one of the service's nor a named one.
pub fn admit(connection: &Connection, named: &[String]) -> Result<(), Error> {
    let url = Url::parse(&connection.url).map_err(|_| Error::BadUrl(connection.url.clone()))?;
    let host = url.host_str().unwrap_or_default();
    let clouds: &[&str] = if connection.service == Service::Dynamics { &DYNAMICS } else { &GAINSIGHT };
    let is_of_the_cloud = clouds.iter().any(|cloud| host.strip_suffix(cloud).is_some_and(|tenant| !tenant.is_empty()));
    if is_loopback(&url) || is_of_the_cloud || named.iter().any(|name| name == host) {
        return Ok(());
    }
    Err(Error::UnknownHost { host: host.to_owned(), known: clouds.join(", ") })
}
