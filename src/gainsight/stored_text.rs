//! Stored values as JSON text: what `serde_json` and `chrono` would write, without a value or a text in between.
//!
//! Each says whether it has written its value. The few that are out of the ordinary (years beyond 9999, numbers with more digits than
//! a double holds) are left to whoever asks. In: a value. Out: its bytes, at the end of a buffer.

/// Decimals below this have a shortest text as doubles that is the decimal's own.
const EXACT_DIGITS: u64 = 1_000_000_000_000_000;
/// What serde's numbers are written with an exponent below.
const SMALLEST_PLAIN: f64 = 1e-5;
/// How many places behind the point are divided by at the most.
const PLACES_AT_MOST: u32 = 15;
const DAY_MS: i64 = 86_400_000;
/// The first day of the year 1, and the last one of the year 9999, counted from 1970.
const DAYS: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// A text in quotes.
pub(super) fn text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    if is_plain(bytes) {
        out.extend_from_slice(bytes)
    } else {
        escape(bytes, out)
    }
    out.push(b'"');
}

/// A number at a scale: a whole one without a point where the scale is 0, any other with one at least.
pub(super) fn decimal(value: i128, scale: i8, out: &mut Vec<u8>) -> bool {
    let Ok(places) = u32::try_from(scale) else { return false };
    if places == 0 {
        let Ok(whole) = i64::try_from(value) else { return false };
        integer(whole.is_negative(), whole.unsigned_abs(), out);
        return true;
    }
    let Ok(digits) = u64::try_from(value.unsigned_abs()) else { return false };
    if digits >= EXACT_DIGITS || places > PLACES_AT_MOST {
        return false;
    }
    let power = 10_u64.pow(places);
    let (whole, mut fraction) = (digits / power, digits % power);
    #[allow(clippy::cast_precision_loss)]
    if whole == 0 && fraction != 0 && (fraction as f64) < SMALLEST_PLAIN * power as f64 {
        return false;
    }
    integer(value.is_negative(), whole, out);
    out.push(b'.');
    let mut length = places as usize;
    while length > 1 && fraction.is_multiple_of(10) {
        fraction /= 10;
        length -= 1;
    }
    padded(fraction, length, out);
    true
}

/// A day as `2024-02-29`, counted from 1970.
pub(super) fn day(days: i64, out: &mut Vec<u8>) -> bool {
    if !DAYS.contains(&days) {
        return false;
    }
    out.push(b'"');
    date(days, out);
    out.push(b'"');
    true
}

/// A moment as `2024-02-29T23:59:59.999Z`, in milliseconds since 1970.
pub(super) fn moment(millis: i64, out: &mut Vec<u8>) -> bool {
    let (days, of_day) = (millis.div_euclid(DAY_MS), millis.rem_euclid(DAY_MS).unsigned_abs());
    if !DAYS.contains(&days) {
        return false;
    }
    out.push(b'"');
    date(days, out);
    for (sign, part, length) in [
        (b'T', of_day / 3_600_000, 2),
        (b':', of_day / 60_000 % 60, 2),
        (b':', of_day / 1_000 % 60, 2),
        (b'.', of_day % 1_000, 3),
    ] {
        out.push(sign);
        padded(part, length, out);
    }
    out.extend_from_slice(b"Z\"");
    true
}

/// The date of a day of the years 1 to 9999, by Howard Hinnant's `civil_from_days`.
/// <https://howardhinnant.github.io/date_algorithms.html>
fn date(days: i64, out: &mut Vec<u8>) {
    let shifted = (days + 719_468).unsigned_abs();
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    padded(year_of_era + era * 400 + u64::from(month <= 2), 4, out);
    out.push(b'-');
    padded(month, 2, out);
    out.push(b'-');
    padded(day, 2, out);
}

/// The digits of a number with zeros before it.
fn padded(mut number: u64, length: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    for place in digits[..length].iter_mut().rev() {
        *place = b'0' + low(number);
        number /= 10;
    }
    out.extend_from_slice(&digits[..length]);
}

fn integer(is_negative: bool, mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 21];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + low(number);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if is_negative {
        first -= 1;
        digits[first] = b'-';
    }
    out.extend_from_slice(&digits[first..]);
}

/// The last digit of a number.
fn low(number: u64) -> u8 {
    (number % 10).to_le_bytes()[0]
}

/// Whether a byte cannot stand in a JSON text as it is.
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Whether nothing of a text has to be escaped. The loop without a branch is what a compiler makes one comparison of many bytes of.
fn is_plain(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<16>();
    let is_plain = |chunk: &[u8]| !chunk.iter().fold(false, |found, byte| found | is_special(*byte));
    let whole = chunks.iter().all(|chunk| is_plain(chunk));
    // The end of a longer text is looked at with some of what comes before it, which is one comparison too.
    whole
        && match bytes.last_chunk::<16>() {
            Some(last) => rest.is_empty() || is_plain(last),
            None => is_plain_short(bytes),
        }
}

fn is_plain_short(bytes: &[u8]) -> bool {
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => !first.iter().chain(last).fold(false, |found, byte| found | is_special(*byte)),
        _ => !bytes.iter().any(|byte| is_special(*byte)),
    }
}

/// As `serde_json` escapes: by short names where there is one, else by number, and nothing above the blank but `"` and `\`.
fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        let name = match *byte {
            b'"' | b'\\' => *byte,
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            other if other < 0x20 => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(other >> 4)], HEX[usize::from(other & 15)]]);
                continue;
            }
            plain => {
                out.push(plain);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', name]);
    }
}
