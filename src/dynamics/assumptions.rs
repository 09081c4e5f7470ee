//! What the public documents leave open about Dataverse, decided in one place.

/// The version of the Web API that is asked.
pub const API: &str = "/api/data/v9.2/";

/// The path that every link of the Web API stays below.
pub const API_ROOT: &str = "/api/data/";

/// A token is renewed when so much of its life is over, in per cent. Documents say "before it expires".
pub const TOKEN_LIFE_PERCENT: u64 = 80;

/// Tokens that one request may be refused with: one that ended, and with many requests under way those that ended since.
pub const RENEWALS_AT_MOST: u32 = 3;

/// Hosts that may give tokens beside the machine itself: the public cloud and the sovereign ones.
/// <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>
pub const AUTHORITY_HOSTS: [&str; 4] =
    ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.windows.net"];

/// Waits that one request may spend on 429 together, in seconds.
pub const THROTTLED_SECONDS_AT_MOST: u64 = 600;

/// The shortest wait after a 429, in milliseconds of the services' clock, whatever `Retry-After` says.
pub const THROTTLED_LEAST_MS: i64 = 1_000;

/// The wait after a 429 without a readable `Retry-After`, in seconds.
pub const THROTTLED_SECONDS_DEFAULT: u64 = 5;

/// Codes of a 500 that passes: a deadlock, a query that took too long.
pub const PASSING_CODES: [&str; 2] = ["0x80044150", "0x80044151"];

/// Requests under way at once until the service recommends a number.
pub const PARALLELISM_DEFAULT: usize = 4;

/// After a 429: so many seconds of calm, and so many successes, before one request more is under way at once. Seen to
/// work in public code; Microsoft names no numbers.
pub const CALM_SECONDS: u64 = 30;
/// See [`CALM_SECONDS`].
pub const SUCCESSES_PER_STEP: u32 = 5;

/// A table of fewer rows is read in one chain of pages: ranges would not be quicker.
pub const RANGES_FROM_ROWS: u64 = 50_000;

/// The column that ranges are cut by: it never changes. That it has an index is assumed.
pub const CREATED: &str = "createdon";

/// Parts that what is left of a range is cut into at the most.
pub const PARTS_AT_MOST: i64 = 64;

/// Codes by which a link is refused because of its cursor: an invalid one, one of another order. How long a cursor lives is
/// documented nowhere. <https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes>
pub const LINK_EXPIRED_CODES: [&str; 2] = ["0x8004112a", "0x80041129"];

/// Statuses that are taken for the same if the service itself answers a link with them, whatever the code: the query was
/// right when it gave the link.
pub const LINK_EXPIRED_STATUSES: [u16; 3] = [400, 404, 410];

/// The code by which a link to changes is refused that is too old, or older than the table's columns. Its HTTP status is documented
/// nowhere, so those of [`LINK_EXPIRED_STATUSES`] are taken for the same.
pub const HISTORY_EXPIRED_CODE: &str = "0x80044352";

/// The code for a privilege that is missing; tracking changes takes Read at the level of the organization.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems>
pub const NO_PRIVILEGE_CODE: &str = "0x80040220";

/// Codes by which a table says that it does not track changes.
pub const NOT_TRACKED_CODES: [&str; 2] = ["0x80072491", "0x80072492"];

/// How far back a column of moments is asked for what changed, in seconds, where the job says no LAG: a long transaction shows with an
/// earlier moment than the one at which it ends.
pub const LAG_SECONDS: u64 = 300;

/// The code for going beyond 50,000 rows without a cookie, which a second reading would come to just as well.
pub const NO_COOKIE_CODE: &str = "0x8004430a";
