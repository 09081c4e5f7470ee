//! One value of a row, as Dataverse writes it → one value of a column.
//!
//! In: a scan that stands at the value, and its column. Out: the column with one more row, or what should have been there.

use chrono::{DateTime, NaiveDate};

use crate::decode::column::Column;
use crate::decode::scan::Scan;
use crate::decode::{Fault, Kind, moment, number};

/// Digits behind the point that a decimal keeps: as many as its column has, which is of `Decimal128(38, 10)`.
const SCALE: usize = 10;

/// Takes the value in. The fault names the column by its place in the layout.
#[inline]
pub(super) fn take(column: &mut Column, place: usize, scan: &mut Scan<'_>) -> Result<(), Fault> {
    let (at, first) = (scan.at(), scan.byte());
    if first == b'n' {
        scan.word(b"null")?;
        column.null();
        return Ok(());
    }
    let no = |what| Fault { at, kind: Kind::Column(place, what) };
    if let Column::Texts(texts) = column {
        if first != b'"' {
            scan.skip()?;
            return Err(no("a text"));
        }
        return texts.take(scan);
    }
    // A number may come as a text (`IEEE754Compatible`), and a text only as one.
    let written = &*scan.scalar()?;
    match column {
        Column::Texts(_) => {}
        Column::Wholes(c) => c.push(whole(written).ok_or_else(|| no("a whole number"))?),
        Column::Decimals(c) => c.push(decimal(written).ok_or_else(|| no("a decimal number"))?),
        Column::Doubles(c) => c.push(parsed(written).ok_or_else(|| no("a number"))?),
        Column::Booleans(c) => c.push(parsed(written).ok_or_else(|| no("true or false"))?),
        Column::Days(c) => c.push(days(written).ok_or_else(|| no("a date"))?),
        Column::Moments(c) => c.push(moment(written).ok_or_else(|| no("a time"))?),
    }
    Ok(())
}

#[inline]
fn whole(written: &[u8]) -> Option<i64> {
    number::whole(written).or_else(|| parsed(written))
}

/// A decimal with ten digits after the point, as an integer of its last digit. Further digits are cut off.
#[inline]
fn decimal(written: &[u8]) -> Option<i128> {
    match number::short(written) {
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

#[inline]
fn days(written: &[u8]) -> Option<i32> {
    written.first_chunk().and_then(moment::days).or_else(|| other_day(std::str::from_utf8(written).ok()?))
}

fn other_day(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

#[inline]
fn moment(written: &[u8]) -> Option<i64> {
    let other = || DateTime::parse_from_rfc3339(std::str::from_utf8(written).ok()?).ok();
    moment::moment(written).or_else(|| Some(other()?.timestamp_millis()))
}

fn parsed<T: std::str::FromStr>(written: &[u8]) -> Option<T> {
    std::str::from_utf8(written).ok()?.parse().ok()
}
