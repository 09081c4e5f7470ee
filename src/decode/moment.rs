//! Days and moments in the one form in which services write nearly all of them. What is written otherwise is for others to read.

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The days since 1970 of `2024-02-29`. None says nothing: it may be written in another way.
#[inline]
#[must_use]
pub fn days(written: &[u8; 10]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = written else { return None };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if day < 1 || day > last {
        return None;
    }
    // Years are taken to begin with March, so that a leap day is the last of its year: 306 days lie before the January of the next one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(before + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// The milliseconds since 1970 of `2024-02-29T23:59:59Z`. None says nothing.
#[inline]
#[must_use]
pub fn moment(written: &[u8]) -> Option<i64> {
    let (day, time) = written.split_first_chunk::<10>()?;
    let &[b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = time else { return None };
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(i64::from(days(day)?) * DAY_MS + i64::from((hour * 60 + minute) * 60 + second) * 1_000)
}

#[inline(always)]
fn two(tens: u8, ones: u8) -> Option<i32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i32::from(tens) * 10 + i32::from(ones))
}
