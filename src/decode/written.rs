//! Values as they are written in any text, whoever wrote it → numbers, days and moments.
//!
//! In: the bytes of one value. Out: what a column holds, or nothing if it is none. The short forms that nearly all values have are read
//! by `number` and `moment`; this reads the others too.

use chrono::{DateTime, NaiveDate};

/// Digits behind the point that a decimal keeps: as many as its column has, which is of `Decimal128(38, 10)`.
const SCALE: usize = 10;

/// A whole number, with its sign.
#[inline]
#[must_use]
pub fn whole(written: &[u8]) -> Option<i64> {
    super::number::whole(written).or_else(|| parsed(written))
}

/// A decimal with ten digits after the point, as an integer of its last digit. Further digits are cut off.
#[inline]
#[must_use]
pub fn decimal(written: &[u8]) -> Option<i128> {
    match super::number::short(written) {
        Some((digits, behind)) if behind <= SCALE => Some(i128::from(digits) * POWERS[SCALE - behind]),
        _ => long_decimal(std::str::from_utf8(written).ok()?),
    }
}

const POWERS: [i128; SCALE + 1] = {
    let mut powers = [1; SCALE + 1];
    let mut at = 1;
    while at <= SCALE {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

fn long_decimal(text: &str) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // A sign that stands behind the point would else be taken for one before it.
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = exponent.checked_add(10)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 { digits.checked_mul(power) } else { Some(digits / power) }
}

/// Days since 1970 of a date, whatever follows it.
#[inline]
#[must_use]
pub fn days(written: &[u8]) -> Option<i32> {
    written.first_chunk().and_then(super::moment::days).or_else(|| other_day(std::str::from_utf8(written).ok()?))
}

fn other_day(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// Milliseconds since 1970 of a moment with its offset.
#[inline]
#[must_use]
pub fn moment(written: &[u8]) -> Option<i64> {
    let other = || DateTime::parse_from_rfc3339(std::str::from_utf8(written).ok()?).ok();
    super::moment::moment(written).or_else(|| Some(other()?.timestamp_millis()))
}

/// What Rust itself reads.
pub fn parsed<T: std::str::FromStr>(written: &[u8]) -> Option<T> {
    std::str::from_utf8(written).ok()?.parse().ok()
}
