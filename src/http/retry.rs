//! When a request is sent again, and how long to wait before.
//!
//! Only a request that may be carried out twice without harm is repeated after a broken connection or a 5xx. A 429 says
//! that nothing was done, so whoever understands the limits of the service repeats that.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use chrono::DateTime;

/// Tries of one request, the first included.
pub const TRIES: u32 = 5;
/// Tries when nobody answers at all: a wrong URL should not keep its author waiting.
pub const TRIES_UNREACHABLE: u32 = 3;
/// Tries of a read whose answer of success cannot be read: a body that breaks off, a page of sign-in.
pub const TRIES_UNREADABLE: u32 = 3;
/// The wait before the second try.
const FIRST_WAIT: Duration = Duration::from_millis(400);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Whether a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing, or changes the same thing to the same value.
    Harmless,
    /// A second time could do the thing twice.
    Never,
}

/// The wait after try number `tried` (from 1), spread by chance: what failed together shall not come back together.
#[must_use]
pub fn wait(tried: u32) -> Duration {
    spread(tried, chance())
}

/// The wait after try number `tried`, longer by this share, of 255, of what chance may add: a quarter.
#[must_use]
pub fn spread(tried: u32, share: u8) -> Duration {
    let doubled = 1_u32.checked_shl(tried.saturating_sub(1)).unwrap_or(u32::MAX);
    let least = FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT);
    (least + least / 4 * u32::from(share) / u32::from(u8::MAX)).min(LONGEST_WAIT)
}

/// A part of a pause, a tenth at the most, drawn by chance: what waited together is spread.
#[must_use]
pub fn jitter(pause: Duration) -> Duration {
    pause / 10 * u32::from(chance()) / u32::from(u8::MAX)
}

/// A share drawn by chance. The standard library seeds each of its hashers differently, and more is not needed here.
fn chance() -> u8 {
    RandomState::new().hash_one(()).to_le_bytes()[0]
}

/// What `Retry-After` says: seconds, or a date. Of a date the time until then counts by the service's own clock, its `Date`
/// header; without one it says nothing. <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
#[must_use]
pub fn after(value: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = |text: &str| DateTime::parse_from_rfc2822(text.trim()).ok();
    let until = at(value)?.signed_duration_since(at(date?)?);
    Some(until.to_std().unwrap_or_default())
}

/// Whether a status says "not now" rather than "not so".
#[must_use]
pub fn is_passing(status: u16) -> bool {
    matches!(status, 502..=504)
}
