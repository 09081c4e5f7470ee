//! Texts with separators → fields, record by record, over a window of bytes that is filled up from behind.
//!
//! It knows neither columns nor files. In: bytes, as UTF-8. Out: the fields of one record at a time, without their quotes. A quote opens
//! a text only where a field begins, as RFC 4180 has it (<https://www.rfc-editor.org/rfc/rfc4180>); what stands behind the closing one,
//! and a text that is never closed, are faults: to read on from there would be a guess.

use memchr::{memchr, memchr2, memchr3};

/// One record: its fields as places in [`Records::texts`].
#[derive(Debug, Default)]
pub struct Record {
    ends: Vec<usize>,
    texts: Vec<u8>,
}

/// Where reading a record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A record, and the bytes that it took.
    Record(usize),
    /// The window ends within a record.
    More,
    /// No record follows: nothing is left but ends of lines, so many bytes of them.
    End(usize),
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Something stands behind the closing quote of a text.
    #[error("something stands behind a text in quotes; a quote inside a text is written twice")]
    BehindQuote,
    /// The file ends within a text in quotes.
    #[error("it ends inside a text in quotes: a quote is missing, or the file is not whole")]
    Unclosed,
}

impl Record {
    /// Fields of the record.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A field by its place; none behind the last one.
    #[inline]
    #[must_use]
    pub fn field(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)?;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        self.texts.get(start..end)
    }

    /// Reads the next record of a window; `is_last` says that nothing follows it.
    ///
    /// # Errors
    /// If the record is not one.
    pub fn read(&mut self, window: &[u8], delimiter: u8, is_last: bool) -> Result<Step, Flaw> {
        self.ends.clear();
        self.texts.clear();
        let blank = window.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let mut at = blank;
        if at == window.len() {
            return Ok(if is_last { Step::End(at) } else { Step::More });
        }
        loop {
            let (next, is_end) = match self.field_from(window, at, delimiter, is_last)? {
                Some(found) => found,
                None => return Ok(Step::More),
            };
            self.ends.push(self.texts.len());
            at = next;
            if is_end {
                return Ok(Step::Record(at));
            }
        }
    }

    /// Takes one field; gives where the next one begins, and whether the record ends before it. None if the window ends first.
    #[inline]
    fn field_from(
        &mut self,
        window: &[u8],
        at: usize,
        delimiter: u8,
        is_last: bool,
    ) -> Result<Option<(usize, bool)>, Flaw> {
        if window.get(at) == Some(&b'"') {
            return self.quoted(window, at + 1, delimiter, is_last);
        }
        let rest = window.get(at..).unwrap_or_default();
        match memchr3(delimiter, b'\n', b'\r', rest) {
            Some(length) => {
                self.texts.extend_from_slice(&rest[..length]);
                Ok(behind(window, at + length, delimiter, is_last))
            }
            None if is_last => {
                self.texts.extend_from_slice(rest);
                Ok(Some((window.len(), true)))
            }
            None => Ok(None),
        }
    }

    fn quoted(
        &mut self,
        window: &[u8],
        mut at: usize,
        delimiter: u8,
        is_last: bool,
    ) -> Result<Option<(usize, bool)>, Flaw> {
        loop {
            let rest = window.get(at..).unwrap_or_default();
            let Some(length) = memchr(b'"', rest) else {
                return if is_last { Err(Flaw::Unclosed) } else { Ok(None) };
            };
            self.texts.extend_from_slice(&rest[..length]);
            at += length + 1;
            match window.get(at) {
                Some(b'"') => {
                    self.texts.push(b'"');
                    at += 1;
                }
                None if is_last => return Ok(Some((at, true))),
                // It may be the first of two.
                None => return Ok(None),
                Some(byte) if *byte == delimiter || matches!(byte, b'\n' | b'\r') => {
                    return Ok(behind(window, at, delimiter, is_last));
                }
                Some(_) => return Err(Flaw::BehindQuote),
            }
        }
    }
}

/// What follows a separator or an end of line. An end of a line may be two bytes, the second of which is yet to come.
fn behind(window: &[u8], at: usize, delimiter: u8, is_last: bool) -> Option<(usize, bool)> {
    match window[at] {
        byte if byte == delimiter => Some((at + 1, false)),
        b'\r' => match window.get(at + 1) {
            Some(b'\n') => Some((at + 2, true)),
            Some(_) => Some((at + 1, true)),
            None => is_last.then_some((at + 1, true)),
        },
        _ => Some((at + 1, true)),
    }
}

/// Ends of lines in some bytes, as editors count them.
#[must_use]
pub fn lines(bytes: &[u8]) -> u64 {
    let (mut count, mut rest) = (0, bytes);
    while let Some(at) = memchr2(b'\n', b'\r', rest) {
        count += 1;
        let is_pair = rest[at] == b'\r' && rest.get(at + 1) == Some(&b'\n');
        rest = &rest[at + 1 + usize::from(is_pair)..];
    }
    count
}
