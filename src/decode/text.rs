//! Texts of JSON: found, checked, and with their escapes resolved.

use std::borrow::Cow;

use super::marks::{STEP, chunk, marks};
use super::scan::Scan;
use super::{Fault, Kind};

/// Bytes of the longest way to write one character that counts as one: `\u00fc`.
const ESCAPE_BYTES: usize = 6;

/// A text as it is written, between its quotes; it has been checked.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    written: &'a [u8],
    has_escapes: bool,
}

impl<'a> Text<'a> {
    /// What it says, as UTF-8.
    #[must_use]
    pub fn said(self) -> Cow<'a, [u8]> {
        if !self.has_escapes {
            return Cow::Borrowed(self.written);
        }
        let mut said = Vec::with_capacity(self.written.len());
        unescape(self.written, &mut said);
        Cow::Owned(said)
    }

    /// The same as a string.
    #[must_use]
    pub fn into_string(self) -> String {
        String::from_utf8_lossy(&self.said()).into_owned()
    }
}

impl<'a> Scan<'a> {
    /// The text at whose quote the scan stands.
    ///
    /// # Errors
    /// If it does not end, is no Unicode, or is too long.
    #[inline]
    pub fn text(&mut self) -> Result<Text<'a>, Fault> {
        let start = self.at + 1;
        let mut at = start;
        let (mut high, mut has_escapes) = (0, false);
        loop {
            let found = marks(chunk(self.bytes, at));
            if found.stops == 0 {
                high |= found.high;
                at += STEP;
                // It need not end to be too long: no character takes more bytes.
                if at - start > self.bounds.text_characters.saturating_mul(ESCAPE_BYTES) {
                    return Err(Fault { at: start, kind: Kind::Length });
                }
                continue;
            }
            let plain = found.stops.trailing_zeros();
            high |= found.high & ((1 << plain) - 1);
            at += plain as usize;
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    at = self.escape(at)?;
                }
                Some(_) => return Err(malformed(at, "a control character in a text")),
                None => return Err(malformed(self.bytes.len(), "a text that does not end")),
            }
        }
        self.ended(start, at, high)?;
        Ok(Text { written: &self.bytes[start..at], has_escapes })
    }

    /// Puts what the text says, at whose quote the scan stands, behind other bytes.
    ///
    /// # Errors
    /// As [`Scan::text`]. What was put there until then is no matter.
    #[inline]
    pub fn text_into(&mut self, said: &mut Vec<u8>) -> Result<(), Fault> {
        let (start, before) = (self.at + 1, said.len());
        let mut at = start;
        let mut high = 0;
        // Bytes are copied while they are looked at, and those too many taken back: no text is gone through twice.
        loop {
            let bytes = chunk(self.bytes, at);
            said.extend_from_slice(&bytes);
            let found = marks(bytes);
            if found.stops == 0 {
                high |= found.high;
                at += STEP;
                continue;
            }
            let plain = found.stops.trailing_zeros();
            high |= found.high & ((1 << plain) - 1);
            at += plain as usize;
            if self.bytes.get(at) == Some(&b'"') {
                said.truncate(before + at - start);
                return self.ended(start, at, high);
            }
            said.truncate(before);
            return self.escaped_into(said);
        }
    }

    #[cold]
    fn escaped_into(&mut self, said: &mut Vec<u8>) -> Result<(), Fault> {
        unescape(self.text()?.written, said);
        Ok(())
    }

    /// Leaves a text behind, once the rest of what is asked of it holds.
    #[inline(always)]
    fn ended(&mut self, start: usize, end: usize, high: u32) -> Result<(), Fault> {
        self.at = end + 1;
        if high != 0 && !self.is_utf8 {
            self.check_utf8(start)?;
        }
        if end - start > self.bounds.text_characters { self.measure(start, end) } else { Ok(()) }
    }

    /// Where the first byte is that is no ASCII, all that follows is checked, so that no later text has to be.
    #[cold]
    fn check_utf8(&mut self, from: usize) -> Result<(), Fault> {
        simdutf8::basic::from_utf8(&self.bytes[from..]).map_err(|_| malformed(from, "a text that is no Unicode"))?;
        self.is_utf8 = true;
        Ok(())
    }

    #[cold]
    fn measure(&self, start: usize, end: usize) -> Result<(), Fault> {
        let (mut characters, mut at) = (0, start);
        while at < end {
            let byte = self.bytes[at];
            characters += usize::from(byte & 0xc0 != 0x80);
            at += match self.bytes[at + 1] {
                b'u' if byte == b'\\' => 6,
                _ if byte == b'\\' => 2,
                _ => 1,
            };
        }
        let is_short = characters <= self.bounds.text_characters;
        if is_short { Ok(()) } else { Err(Fault { at: start, kind: Kind::Length }) }
    }

    /// Where the escape at a place ends.
    fn escape(&self, at: usize) -> Result<usize, Fault> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match unit(self.bytes, at + 2) {
                Some(0xd800..=0xdbff) => match (self.bytes.get(at + 6..at + 8), unit(self.bytes, at + 8)) {
                    (Some(b"\\u"), Some(0xdc00..=0xdfff)) => Ok(at + 12),
                    _ => Err(malformed(at, "half of a character")),
                },
                Some(0xdc00..=0xdfff) => Err(malformed(at, "half of a character")),
                Some(_) => Ok(at + 6),
                None => Err(malformed(at, "an escape that is none")),
            },
            _ => Err(malformed(at, "an escape that is none")),
        }
    }
}

fn malformed(at: usize, what: &'static str) -> Fault {
    Fault { at, kind: Kind::Malformed(what) }
}

/// Four hexadecimal digits.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

/// Resolves the escapes of a checked text.
fn unescape(written: &[u8], said: &mut Vec<u8>) {
    let mut rest = written;
    while let Some(plain) = rest.iter().position(|byte| *byte == b'\\') {
        said.extend_from_slice(&rest[..plain]);
        let (character, length) = match rest[plain + 1] {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => escaped(rest, plain),
            other => (char::from(other), 2),
        };
        said.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[plain + length..];
    }
    said.extend_from_slice(rest);
}

/// The character that is written as one unit of UTF-16 or two, and in how many bytes.
fn escaped(written: &[u8], at: usize) -> (char, usize) {
    let first = unit(written, at + 2).unwrap_or_default();
    if let Some(character) = char::from_u32(first) {
        return (character, 6);
    }
    let second = unit(written, at + 8).unwrap_or_default();
    let both = 0x1_0000 + ((first & 0x3ff) << 10 | second & 0x3ff);
    (char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
}
