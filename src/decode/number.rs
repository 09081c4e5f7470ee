//! Numbers of JSON: checked as they are written, and read from their own digits where they are short.

use super::Fault;
use super::scan::Scan;

/// Digits that surely fit into 64 bits.
const DIGITS: usize = 18;
/// A number of no more bytes and without an exponent is one that a double can hold.
const SURELY_HELD_BYTES: usize = 300;

impl<'a> Scan<'a> {
    /// The number at which the scan stands, as it is written.
    ///
    /// # Errors
    /// If there is none, or no double can hold it.
    #[inline]
    pub fn number(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.at;
        self.at += usize::from(self.byte() == b'-');
        match self.byte() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return Err(self.malformed("something that is no value")),
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.some_digits()?;
        }
        let has_exponent = matches!(self.byte(), b'e' | b'E');
        if has_exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), b'+' | b'-'));
            self.some_digits()?;
        }
        let written = self.since(start);
        if has_exponent || written.len() > SURELY_HELD_BYTES {
            self.holds(written)?;
        }
        Ok(written)
    }

    #[inline(always)]
    fn digits(&mut self) {
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
    }

    #[inline(always)]
    fn some_digits(&mut self) -> Result<(), Fault> {
        if !self.byte().is_ascii_digit() {
            return Err(self.malformed("a number without digits"));
        }
        self.digits();
        Ok(())
    }

    #[cold]
    fn holds(&self, written: &[u8]) -> Result<(), Fault> {
        let is_held = serde_json::from_slice::<serde_json::Value>(written).is_ok();
        if is_held { Ok(()) } else { Err(self.malformed("a number that is too large")) }
    }
}

/// Up to 18 digits, with a sign before them and a point in them: all of them as a whole number, and how many stand behind the point.
/// None says nothing: it may be a number that is written in another way.
#[inline]
#[must_use]
pub fn short(written: &[u8]) -> Option<(i64, usize)> {
    let (is_negative, rest) = match written.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, written),
    };
    if rest.len() > DIGITS || !rest.first()?.is_ascii_digit() {
        return None;
    }
    let (mut digits, mut point) = (0_i64, None);
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + i64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let behind = point.map_or(0, |point| rest.len() - 1 - point);
    Some((if is_negative { -digits } else { digits }, behind))
}

/// A whole number of up to 18 digits. None says nothing.
#[inline]
#[must_use]
pub fn whole(written: &[u8]) -> Option<i64> {
    match short(written) {
        Some((number, 0)) if written.last() != Some(&b'.') => Some(number),
        _ => None,
    }
}
