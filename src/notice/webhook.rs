//! A message to a program: JSON that is signed with a key which both sides have.
//!
//! `X-Ferry-Signature: t=1764140400,v1=5257a869…` holds the second at which it was sent and HMAC-SHA256 over that second, a dot and the body,
//! in hexadecimal digits. Whoever gets it computes the same with the same key, compares in constant time, and refuses what is older than five
//! minutes. `X-Ferry-Delivery` is the same for every try of one notice.

use bytes::Bytes;
use ring::hmac;
use url::Url;

use super::error::Error;
use super::{Parcel, TIMEOUT};
use crate::http::client::{Client, Method, Request};
use crate::http::quoted::quoted;
use crate::http::retry::Repeat;
use crate::http::terms::Terms;
use crate::model::secret::Secret;

/// The header with the signature.
pub const SIGNATURE: &str = "x-ferry-signature";
/// The header with what is the same for every try.
pub const DELIVERY: &str = "x-ferry-delivery";

/// Sends messages that are signed with one key.
pub struct Hook {
    /// The key.
    pub key: Secret,
    /// How the client talks.
    pub terms: Terms,
}

impl Hook {
    /// Sends a notice to a program; gives its answer's status.
    ///
    /// # Errors
    /// Why it did not arrive. A 410 says that nobody will ever listen there again.
    pub async fn send(&self, to: &str, parcel: &Parcel<'_>) -> Result<String, Error> {
        let url = Url::parse(to).map_err(|_| Error::Unable("this is not a URL".to_owned()))?;
        let terms = Terms { timeout: self.terms.timeout.min(TIMEOUT), ..self.terms.clone() };
        let client = Client::new(&url.origin().ascii_serialization(), &terms)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let body = serde_json::to_string(parcel.content).map_err(|error| Error::Unable(error.to_string()))?;
        let second = self.terms.clock.now().timestamp();
        let request = Request {
            method: Method::Post,
            url,
            headers: vec![
                (SIGNATURE, signature(self.key.expose(), second, &body), false),
                (DELIVERY, parcel.delivery.clone(), false),
                ("user-agent", concat!("ferry/", env!("CARGO_PKG_VERSION")).to_owned(), false),
            ],
            body: Some((Bytes::from(body), "application/json".into())),
            repeat: Repeat::Never,
        };
        let answer = match tokio::time::timeout(TIMEOUT, client.send(&request)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(Error::TimedOut(host)),
        };
        let said = || quoted(&format!("HTTP {} {}", answer.status, answer.beginning()));
        match answer.status {
            200..=299 => Ok(format!("HTTP {}", answer.status)),
            410 => Err(Error::Refused { host, said: said() }),
            _ => Err(Error::NotTaken { host, said: said() }),
        }
    }
}

/// The value of [`SIGNATURE`].
#[must_use]
pub fn signature(key: &str, second: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, format!("{second}.{body}").as_bytes());
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={second},v1={digits}")
}
