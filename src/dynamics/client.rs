//! The client of one organisation: signs in, sends, waits where Dynamics says so, and reads its errors.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

pub use super::assertion::Certificate;
use super::assumptions::{
    API, API_ROOT, PASSING_CODES, RANGES_FROM_ROWS, RENEWALS_AT_MOST, THROTTLED_LEAST_MS, THROTTLED_SECONDS_AT_MOST,
    THROTTLED_SECONDS_DEFAULT,
};
use super::auth::Tokens;
pub use super::auth::{Credentials, Proof, RefreshToken};
use super::error::Error;
use super::flow::Flow;
use crate::http::client::{Answer, Client, Method, Request};
use crate::http::quoted::quoted;
use crate::http::retry::{Repeat, TRIES, wait};
use crate::http::terms::Terms;
use crate::model::clock::Clock;
use crate::model::connection::Connection;
use crate::model::meter::Meter;

/// A Dynamics organisation. Handles of it share its token and what may be under way at once.
#[derive(Clone)]
pub struct Dynamics {
    http: Client,
    tokens: Arc<Tokens>,
    pub(super) clock: Clock,
    flow: Arc<Flow>,
    /// Rows asked for in one page.
    pub page_size: u32,
    /// Requests under way at once at the most.
    pub most_at_once: u32,
    /// Tables of so many rows and more are read in ranges.
    pub ranges_from_rows: u64,
}

/// Who the application user is, and in which organisation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WhoAmI {
    /// The organisation's id: what Ferry's state is keyed by.
    pub organization_id: String,
    /// The user's own id.
    #[serde(default)]
    pub user_id: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

/// The service's own words about a refusal.
#[derive(Deserialize, Default)]
pub(super) struct ErrorDetail {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

impl Dynamics {
    /// A client for a connection.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub fn new(connection: &Connection, credentials: Credentials, terms: &Terms) -> Result<Self, Error> {
        let http = Client::new(&connection.url, terms)?;
        let tokens = Arc::new(Tokens::new(credentials, terms.clone()));
        let limits = &connection.limits;
        Ok(Self {
            http,
            tokens,
            clock: terms.clock,
            flow: Arc::new(Flow::new(limits.max_in_flight)),
            page_size: limits.page_size,
            most_at_once: limits.max_in_flight,
            ranges_from_rows: RANGES_FROM_ROWS,
        })
    }

    /// Requests that may be under way at once now.
    #[must_use]
    pub fn at_once(&self) -> usize {
        self.flow.limit()
    }

    /// Requests sent to the organisation so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.http.meter().sent()
    }

    /// The same organisation, with what is spent from here on counted apart as well.
    #[must_use]
    pub fn metered(&self) -> Self {
        Self { http: self.http.metered(), ..self.clone() }
    }

    /// What was spent so far.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        self.http.meter()
    }

    /// Rows of a page.
    #[must_use]
    pub fn page_size(&self) -> u32 {
        self.page_size
    }

    /// By how many seconds the organisation's clock was ahead of ours when it last answered; below zero, behind.
    #[must_use]
    pub fn seconds_ahead(&self) -> i64 {
        self.http.seconds_ahead()
    }

    /// Who we are there: the cheapest proof that the connection works.
    ///
    /// # Errors
    /// If signing in fails or the user is not a member of the organisation.
    pub async fn who_am_i(&self) -> Result<WhoAmI, Error> {
        self.json(self.api("WhoAmI")?, None, "WhoAmI").await
    }

    /// A URL of the Web API.
    pub(super) fn api(&self, tail: &str) -> Result<Url, Error> {
        Ok(self.http.url(&format!("{API}{tail}"))?)
    }

    /// A link of an answer: on the organisation's own origin, and of its Web API.
    pub(super) fn link(&self, link: &str, from: &Url) -> Result<Url, Error> {
        Ok(self.http.own_link(link, from, API_ROOT)?)
    }

    /// A successful answer.
    pub(super) async fn get(&self, url: Url, prefer: Option<String>, what: &str) -> Result<Answer, Error> {
        let answer = self.answer(url, prefer).await?;
        if answer.is_success() { Ok(answer) } else { Err(refusal(&answer, what)) }
    }

    /// An answer, whatever it says in the end. Throttling is waited out, an expired token renewed.
    pub(super) async fn answer(&self, url: Url, prefer: Option<String>) -> Result<Answer, Error> {
        let mut waited = Duration::ZERO;
        let mut refused: Option<String> = None;
        let (mut stumbled, mut renewed) = (0, 0);
        loop {
            let bearer = self.tokens.bearer(&self.http, refused.as_deref()).await?;
            let mut headers = vec![
                ("accept", "application/json".to_owned(), false),
                ("odata-maxversion", "4.0".to_owned(), false),
                ("odata-version", "4.0".to_owned(), false),
                ("if-none-match", "null".to_owned(), false),
                ("authorization", bearer.clone(), true),
            ];
            headers.extend(prefer.clone().map(|value| ("prefer", value, false)));
            let request =
                Request { method: Method::Get, url: url.clone(), headers, body: None, repeat: Repeat::Harmless };
            let answer = {
                let (_permit, waited) = self.flow.permit().await;
                self.http.meter().wait(waited);
                self.http.send(&request).await?
            };
            if let Some(hint) = answer.header("x-ms-dop-hint").and_then(|hint| hint.trim().parse().ok()) {
                self.flow.hinted(hint);
            }
            match answer.status {
                200..=299 => {
                    self.flow.succeeded();
                    return Ok(answer);
                }
                // Others may have used a new token up while this request waited to be sent with it.
                401 if renewed < RENEWALS_AT_MOST => {
                    renewed += 1;
                    refused = Some(bearer);
                }
                429 => {
                    self.http.meter().throttle();
                    let pause = answer.retry_after().unwrap_or(Duration::from_secs(THROTTLED_SECONDS_DEFAULT));
                    // No pause at all would only be refused again.
                    let pause = pause.max(self.clock.real(THROTTLED_LEAST_MS));
                    waited = waited.saturating_add(pause.max(Duration::from_millis(100)));
                    if waited.as_secs() > THROTTLED_SECONDS_AT_MOST {
                        return Ok(answer);
                    }
                    self.flow.throttled(pause);
                }
                // The database behind the service stumbled: a deadlock, a query that took too long.
                500 if stumbled + 1 < TRIES && has_stumbled(&answer) => {
                    stumbled += 1;
                    self.wait_to_retry(wait(stumbled)).await;
                }
                _ => return Ok(answer),
            }
        }
    }
}

impl Dynamics {
    /// Counts and waits the time until a request is sent again.
    pub(super) async fn wait_to_retry(&self, long: Duration) {
        self.http.meter().wait(long);
        self.clock.sleep(long).await;
        self.http.meter().retry();
    }
}

fn has_stumbled(answer: &Answer) -> bool {
    detail(answer).is_some_and(|detail| PASSING_CODES.contains(&detail.code.as_str()))
}

/// A refusal as the error that it is.
pub(super) fn refusal(answer: &Answer, what: &str) -> Error {
    // The beginning of what came, if it is none of the service's own.
    let detail = detail(answer).unwrap_or_else(|| ErrorDetail { code: String::new(), message: answer.beginning() });
    Error::Refused {
        what: what.to_owned(),
        help: advice(&detail.code),
        code: if detail.code.is_empty() { "none".to_owned() } else { quoted(&detail.code) },
        message: quoted(&detail.message),
        status: answer.status,
        request: quoted(answer.header("x-ms-service-request-id").unwrap_or("unknown")),
    }
}

/// Code and words of a refusal, if it is the service's own.
pub(super) fn detail(answer: &Answer) -> Option<ErrorDetail> {
    serde_json::from_slice::<ErrorBody>(&answer.body).ok().map(|body| body.error)
}

/// What to ask the administrator of the organisation, for the refusals that he can mend.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes>
fn advice(code: &str) -> &'static str {
    match code.to_ascii_lowercase().as_str() {
        "0x80072560" => "; the application has no user in this organisation: ask for an application user",
        "0x80040225" | "0x8004a112" => "; the application user is disabled: ask for it to be enabled",
        "0x8004a104" => "; the organisation is disabled: ask its administrator",
        "0x80040220" | "0x80048405" => "; ask for a security role that may read this table",
        _ => "",
    }
}
