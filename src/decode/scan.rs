//! A cursor over the bytes of a page. Whatever it passes has been checked.

use std::borrow::Cow;

use super::text::Text;
use super::{Bounds, Fault, Kind};

/// The bytes, and how far they are read.
#[derive(Debug)]
pub struct Scan<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    depth: usize,
    pub(super) bounds: Bounds,
    /// Whether all that follows is known to be UTF-8.
    pub(super) is_utf8: bool,
}

impl<'a> Scan<'a> {
    /// A scan that stands before the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8], bounds: Bounds) -> Self {
        Self { bytes, at: 0, depth: 0, bounds, is_utf8: false }
    }

    /// Bytes that are read.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Bytes that are still to be read.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The bytes from a place up to here.
    #[must_use]
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    /// The byte at which it stands; zero at the end, as no JSON has that outside of texts or in them.
    #[inline(always)]
    #[must_use]
    pub fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Passes blanks; gives the byte behind them.
    #[inline(always)]
    pub fn blank(&mut self) -> u8 {
        let byte = self.byte();
        if byte > b' ' { byte } else { self.blanks() }
    }

    fn blanks(&mut self) -> u8 {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.byte()
    }

    /// Passes a byte if it is this one, and blanks before it.
    #[inline(always)]
    pub fn has(&mut self, byte: u8) -> bool {
        let is_there = self.blank() == byte;
        self.at += usize::from(is_there);
        is_there
    }

    /// Passes a byte that must be there, and blanks before it.
    ///
    /// # Errors
    /// If it is not.
    #[inline(always)]
    pub fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.has(byte) { Ok(()) } else { Err(self.malformed("something that does not belong there")) }
    }

    /// Passes bytes if they are these.
    #[inline(always)]
    pub(super) fn is_next(&mut self, written: &[u8]) -> bool {
        let is_next = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(written));
        if is_next {
            self.at += written.len();
        }
        is_next
    }

    /// Passes the bracket or brace that opens a value, and goes a level deeper.
    ///
    /// # Errors
    /// If it is not there, or that is too deep.
    #[inline]
    pub fn enter(&mut self, opening: u8, what: &'static str) -> Result<(), Fault> {
        if self.blank() != opening {
            // What is no JSON is told so; a value of another kind is passed first.
            let at = self.at;
            self.skip()?;
            return Err(Fault { at, kind: Kind::Not(what) });
        }
        self.depth += 1;
        if self.depth > self.bounds.depth {
            return Err(Fault { at: self.at, kind: Kind::Depth });
        }
        self.at += 1;
        Ok(())
    }

    /// Passes what stands behind a member: the comma before the next one, or what closes.
    ///
    /// # Errors
    /// If it is neither.
    #[inline(always)]
    pub fn goes_on(&mut self, closing: u8) -> Result<bool, Fault> {
        let byte = self.blank();
        if byte == b',' {
            self.at += 1;
            return Ok(true);
        }
        self.closed(byte, closing)
    }

    /// The same behind what opened: whether there is a first member.
    #[inline(always)]
    pub fn begins(&mut self, closing: u8) -> bool {
        let is_empty = self.has(closing);
        self.depth -= usize::from(is_empty);
        !is_empty
    }

    #[inline(always)]
    fn closed(&mut self, byte: u8, closing: u8) -> Result<bool, Fault> {
        if byte != closing {
            return Err(self.malformed("something that does not belong there"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(false)
    }

    /// Passes a value.
    ///
    /// # Errors
    /// If it is no JSON, or beyond the bounds.
    #[inline]
    pub fn skip(&mut self) -> Result<(), Fault> {
        match self.blank() {
            b'"' => self.text().map(drop),
            b'n' => self.word(b"null"),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'{' => self.skip_object(),
            b'[' => self.skip_list(),
            _ => self.number().map(drop),
        }
    }

    fn skip_object(&mut self) -> Result<(), Fault> {
        self.enter(b'{', "an object")?;
        let mut goes_on = self.begins(b'}');
        while goes_on {
            self.name()?;
            self.skip()?;
            goes_on = self.goes_on(b'}')?;
        }
        Ok(())
    }

    fn skip_list(&mut self) -> Result<(), Fault> {
        self.enter(b'[', "a list")?;
        let mut goes_on = self.begins(b']');
        while goes_on {
            self.skip()?;
            goes_on = self.goes_on(b']')?;
        }
        Ok(())
    }

    /// The name of a member, and its colon.
    ///
    /// # Errors
    /// If they are not there.
    pub fn name(&mut self) -> Result<Text<'a>, Fault> {
        if self.blank() != b'"' {
            return Err(self.malformed("a member without a name"));
        }
        let name = self.text()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// A value that is one text, or one word or number; of a text what it says. What else it may be, is given as it is written.
    ///
    /// # Errors
    /// As for [`Scan::skip`].
    #[inline(always)]
    pub fn scalar(&mut self) -> Result<Cow<'a, [u8]>, Fault> {
        if self.byte() == b'"' {
            return Ok(self.text()?.said());
        }
        let start = self.at;
        self.skip()?;
        Ok(Cow::Borrowed(self.since(start)))
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// As for [`Scan::skip`], or if it is something else than `what`.
    pub fn string(&mut self, what: &'static str) -> Result<Text<'a>, Fault> {
        if self.blank() == b'"' {
            return self.text();
        }
        let at = self.at;
        self.skip()?;
        Err(Fault { at, kind: Kind::Not(what) })
    }

    /// Passes a word that must be there.
    ///
    /// # Errors
    /// If it is not.
    #[inline(always)]
    pub fn word(&mut self, word: &'static [u8]) -> Result<(), Fault> {
        if self.is_next(word) { Ok(()) } else { Err(self.malformed("something that is no value")) }
    }

    /// Passes the end of the page.
    ///
    /// # Errors
    /// If something follows.
    pub fn end(&mut self) -> Result<(), Fault> {
        self.blank();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.malformed("more behind its end")) }
    }

    /// A fault of this place, in words that follow `it has`.
    #[cold]
    #[must_use]
    pub fn malformed(&self, what: &'static str) -> Fault {
        Fault { at: self.at, kind: Kind::Malformed(what) }
    }
}
