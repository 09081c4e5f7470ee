//! Who gives tokens for an organisation, as it says itself when asked without one.
//!
//! In: the organisation, and its tenant where that is given. Out: the addresses of Entra's endpoints, on Microsoft's own
//! hosts only. <https://learn.microsoft.com/power-apps/developer/data-platform/authenticate-oauth>

use url::Url;

use super::assumptions::{API, AUTHORITY_HOSTS};
use super::error::Error;
use crate::http::client::{Client, Method, Request};
use crate::http::retry::Repeat;
use crate::http::terms::Terms;
use crate::model::clock::Clock;
use crate::model::connection::is_loopback;
use crate::model::secret::Secret;

/// An Entra tenant.
pub(super) struct Authority {
    pub(super) http: Client,
    pub(super) clock: Clock,
    tenant: String,
}

impl Authority {
    /// Asks the organisation who signs its users in.
    pub(super) async fn of(organization: &Client, tenant: Option<&Secret>, terms: &Terms) -> Result<Self, Error> {
        let named = challenge(organization).await?;
        let tenant = match tenant {
            Some(given) => given.expose().to_owned(),
            // Microsoft's own client puts `organizations` in the place of `common`.
            None => match named.path_segments().and_then(|mut path| path.next()).unwrap_or_default() {
                "" | "common" => "organizations".to_owned(),
                tenant => tenant.to_owned(),
            },
        };
        let http = Client::new(&named.origin().ascii_serialization(), terms)?;
        Ok(Self { http, clock: terms.clock, tenant })
    }

    /// Where tokens are asked for.
    pub(super) fn token_url(&self) -> Result<Url, Error> {
        self.endpoint("token")
    }

    /// One of the endpoints of the tenant.
    pub(super) fn endpoint(&self, name: &str) -> Result<Url, Error> {
        let tenant: String = url::form_urlencoded::byte_serialize(self.tenant.as_bytes()).collect();
        Ok(self.http.url(&format!("/{tenant}/oauth2/v2.0/{name}"))?)
    }
}

/// The address in the 401 that an organisation answers whoever has no token.
async fn challenge(organization: &Client) -> Result<Url, Error> {
    let url = organization.url(API)?;
    let is_here = is_loopback(&url);
    let request = Request {
        method: Method::Get,
        url,
        headers: vec![("accept", "application/json".to_owned(), false)],
        body: None,
        repeat: Repeat::Harmless,
    };
    let answer = organization.send(&request).await?;
    let unreadable =
        |detail: &str| Error::Unreadable { what: "sign-in challenge".to_owned(), detail: detail.to_owned() };
    match answer.status {
        401 => {}
        400 | 404 => return Err(unreadable("the URL is not a Dynamics organisation; check the connection's URL")),
        status => return Err(unreadable(&format!("HTTP {status} in place of the place to sign in; try again later"))),
    }
    let header = answer.header("www-authenticate").unwrap_or_default();
    let named = header
        .trim_start_matches("Bearer")
        .split(',')
        .filter_map(|part| part.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("authorization_uri"))
        .ok_or_else(|| unreadable("it names no authority"))?;
    let authority = Url::parse(named.1.trim().trim_matches('"')).map_err(|_| unreadable("its authority is no URL"))?;
    let host = authority.host_str().unwrap_or_default();
    let is_known =
        (authority.scheme() == "https" && AUTHORITY_HOSTS.contains(&host)) || (is_here && is_loopback(&authority));
    if is_known { Ok(authority) } else { Err(Error::Authority(host.to_owned())) }
}
