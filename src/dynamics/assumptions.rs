//! What the public documents leave open about Dataverse, decided in one place.

/// The version of the Web API that is asked.
pub const API: &str = "/api/data/v9.2/";

/// The path that every link of the Web API stays below.
pub const API_ROOT: &str = "/api/data/";

/// A token is renewed when so much of its life is over, in per cent. Documents say "before it expires".
pub const TOKEN_LIFE_PERCENT: u64 = 80;

/// Hosts that may give tokens beside the machine itself: the public cloud and the sovereign ones.
/// <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>
pub const AUTHORITY_HOSTS: [&str; 4] =
    ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.windows.net"];

/// Waits that one request may spend on 429 together, in seconds.
pub const THROTTLED_SECONDS_AT_MOST: u64 = 600;

/// The wait after a 429 without a readable `Retry-After`, in seconds.
pub const THROTTLED_SECONDS_DEFAULT: u64 = 5;

/// Codes of a 500 that passes: a deadlock, a query that took too long.
pub const PASSING_CODES: [&str; 2] = ["0x80044150", "0x80044151"];
