//! A connection: which organisation or tenant, how to sign in, within which limits.
//!
//! In: `CREATE CONNECTION`. Out: what the clients are made from. Secrets are names here, never values.

use url::{Host, Url};

use super::files::FilesLayout;
use super::place::Place;

/// One checked connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// What scripts write: `dynamics`.
    pub name: String,
    /// What jobs are named after: `Dynamics Connection`.
    pub label: String,
    /// Which service it leads to.
    pub service: Service,
    /// Its origin, without a slash at the end: `https://acme.crm.dynamics.com`. Of files the folder: `s3://bucket/exports`, or a path below
    /// the project's folder.
    pub url: String,
    /// How to sign in.
    pub auth: Auth,
    /// The numbers it must stay within.
    pub limits: Limits,
    /// Of files: what lies there, and in which form.
    pub files: Option<FilesLayout>,
    /// Where a widget on the account form finds its company.
    pub company_resolution: Option<CompanyResolution>,
    /// The sets of person fields that identify a person, tried in turn.
    pub person_resolution: Vec<String>,
    /// Where the statement stands.
    pub place: Place,
}

/// `COMPANY RESOLVED BY (accountid = gainsight.Company."Dynamics Account ID")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyResolution {
    /// The identifier of the Gainsight connection.
    pub connection: String,
    /// The company field that holds the account's id: its label or API name.
    pub field: String,
}

impl CompanyResolution {
    /// The field that the product looks in where nothing else is said.
    pub const FIELD: &'static str = "Dynamics Account ID";
}

/// The services that Ferry knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Microsoft Dynamics 365: a source.
    Dynamics,
    /// Gainsight NXT: the target.
    Gainsight,
    /// Files in a folder or an object store: a source, and what lookups search.
    Files,
}

impl Service {
    /// Its name, as messages have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dynamics => "Dynamics",
            Self::Gainsight => "Gainsight",
            Self::Files => "files",
        }
    }

    /// Whether rows are read from it, as tables.
    #[must_use]
    pub fn has_tables(self) -> bool {
        self != Self::Gainsight
    }
}

/// How a connection signs in. The strings are names of secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Entra: an application with a secret.
    ClientCredentials { tenant_id: Option<String>, client_id: String, client_secret: String },
    /// Entra: an application with a certificate, which is a secret that need not be sent.
    Certificate { tenant_id: Option<String>, client_id: String, certificate: String },
    /// Entra: a person, who enters a code on any device.
    DeviceCode { tenant_id: Option<String>, client_id: String },
    /// Entra: a person, in the browser of this machine.
    AuthorizationCode { tenant_id: Option<String>, client_id: String, client_secret: Option<String> },
    /// The Gainsight access key.
    AccessKey { key: String },
    /// Gainsight: an application with a secret.
    M2m { client_id: String, client_secret: String },
    /// Files: as the environment of the process says, by the object store's own chain.
    Environment,
}

impl Auth {
    /// The names of all secrets that it needs.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        let (tenant, others): (Option<&String>, Vec<&String>) = match self {
            Self::ClientCredentials { tenant_id, client_id, client_secret } => {
                (tenant_id.as_ref(), vec![client_id, client_secret])
            }
            Self::Certificate { tenant_id, client_id, certificate } => {
                (tenant_id.as_ref(), vec![client_id, certificate])
            }
            Self::DeviceCode { tenant_id, client_id } => (tenant_id.as_ref(), vec![client_id]),
            Self::AuthorizationCode { tenant_id, client_id, client_secret } => {
                (tenant_id.as_ref(), std::iter::once(client_id).chain(client_secret).collect())
            }
            Self::Environment => (None, Vec::new()),
            Self::AccessKey { key } => (None, vec![key]),
            Self::M2m { client_id, client_secret } => (None, vec![client_id, client_secret]),
        };
        tenant.into_iter().chain(others).map(String::as_str).collect()
    }

    /// Whether a person signs in, once, with `ferry connection authorize`.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        matches!(self, Self::DeviceCode { .. } | Self::AuthorizationCode { .. })
    }
}

/// A mail server through which notices go out. The strings of its sign-in are names of secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// What scripts write.
    pub name: String,
    /// `smtps://mail.acme.com:465`.
    pub url: String,
    /// Who the notices are from.
    pub sender: String,
    /// The secret that holds the user's name.
    pub user: Option<String>,
    /// The secret that holds the password.
    pub password: Option<String>,
}

/// Whether an address is this machine itself: the one place where plain http is accepted.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Limits of a connection, each with its unit. The defaults are the documented ones.
///
/// Dataverse: <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>. Gainsight:
/// <https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs/Company_and_Relationship_API/Company_API_Documentation>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows asked for in one page of the source.
    pub page_size: u32,
    /// Requests under way at once.
    pub max_in_flight: u32,
    /// Records in one write call.
    pub batch_size: u32,
    /// Calls in one clock minute, synchronous API.
    pub calls_per_minute: u32,
    /// Calls in one UTC day, synchronous API.
    pub calls_per_day: u32,
    /// Calls in one clock hour, user management.
    pub users_per_hour: u32,
    /// Calls in one UTC day, user management.
    pub users_per_day: u32,
    /// Files of bulk imports in one clock hour.
    pub bulk_per_hour: u32,
    /// Files of bulk imports in one UTC day.
    pub bulk_per_day: u32,
    /// What part of each window of calls is left to other integrations of the tenant, in per cent.
    pub reserve_percent: u32,
    /// Seconds that one call may take.
    pub call_timeout_seconds: u32,
    /// Seconds after a call's time-out in which what it wrote may still take effect, or still not be seen by who reads.
    pub settle_seconds: u32,
    /// The share of an object's records that a run may update unasked, in per cent.
    pub updates_percent: u32,
    /// The share of an object's records that a run may delete unasked, in per cent.
    pub deletes_percent: u32,
}

impl Limits {
    /// Rows in one read of Gainsight.
    pub const READ_ROWS: usize = 5_000;

    /// What holds where a script says nothing.
    pub const DEFAULT: Self = Self {
        page_size: 5_000,
        max_in_flight: 4,
        batch_size: 50,
        calls_per_minute: 100,
        calls_per_day: 50_000,
        users_per_hour: 100,
        users_per_day: 1_000,
        bulk_per_hour: 10,
        bulk_per_day: 100,
        reserve_percent: 10,
        call_timeout_seconds: 150,
        settle_seconds: 120,
        updates_percent: 30,
        deletes_percent: 5,
    };

    /// The names that `LIMITS (…)` takes, with the smallest and the largest value of each.
    pub const NAMES: [(&'static str, u32, u32); 14] = [
        ("page_size", 1, 5_000),
        ("max_in_flight", 1, 52),
        ("batch_size", 1, 50),
        ("calls_per_minute", 1, 100_000),
        ("calls_per_day", 1, 100_000_000),
        ("users_per_hour", 1, 100_000),
        ("users_per_day", 1, 1_000_000),
        ("bulk_per_hour", 1, 1_000),
        ("bulk_per_day", 1, 100_000),
        ("reserve_percent", 0, 90),
        ("call_timeout", 1, 3_600),
        ("settle", 0, 3_600),
        ("updates_percent", 1, 100),
        ("deletes_percent", 1, 100),
    ];

    /// What Ferry spends of a window of that many calls: one at the least.
    #[must_use]
    pub fn spendable(&self, calls: u32) -> u32 {
        let spent = u64::from(calls) * u64::from(100_u32.saturating_sub(self.reserve_percent)) / 100;
        u32::try_from(spent).unwrap_or(calls).max(1)
    }

    /// Sets one limit by its name in scripts; false if there is none of that name.
    pub fn set(&mut self, name: &str, value: u32) -> bool {
        let place = match name {
            "page_size" => &mut self.page_size,
            "max_in_flight" => &mut self.max_in_flight,
            "batch_size" => &mut self.batch_size,
            "calls_per_minute" => &mut self.calls_per_minute,
            "calls_per_day" => &mut self.calls_per_day,
            "users_per_hour" => &mut self.users_per_hour,
            "users_per_day" => &mut self.users_per_day,
            "bulk_per_hour" => &mut self.bulk_per_hour,
            "bulk_per_day" => &mut self.bulk_per_day,
            "reserve_percent" => &mut self.reserve_percent,
            "call_timeout" => &mut self.call_timeout_seconds,
            "settle" => &mut self.settle_seconds,
            "updates_percent" => &mut self.updates_percent,
            "deletes_percent" => &mut self.deletes_percent,
            _ => return false,
        };
        *place = value;
        true
    }
}
