//! JSON of a page, or texts with separators → Arrow columns, in one pass over the bytes: what is wanted becomes values, the rest is checked
//! and passed over.
//!
//! It knows no service: which names are wanted and in which forms a value may come is for `dynamics` and `gainsight` to say. In: the
//! bytes of an answer. Out: columns, or a [`Fault`] with its place. What nobody wants is read as strictly as a reader of everything
//! would read it (<https://www.rfc-editor.org/rfc/rfc8259>): grammar, UTF-8, escapes, numbers that can be held, depth, length of texts.

pub mod column;
pub mod csv;
mod marks;
pub mod moment;
pub mod number;
pub mod row;
pub mod scan;
pub mod text;
pub mod written;

/// How much is too much.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How deep objects and lists may lie in each other.
    pub depth: usize,
    /// The longest text, in characters as they are written: an escape is one.
    pub text_characters: usize,
    /// Names in one row.
    pub names: usize,
}

/// Why a page is refused, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Bytes before it.
    pub at: usize,
    /// What it is.
    pub kind: Kind,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is no JSON: in words that follow `it has`.
    Malformed(&'static str),
    /// It is nested too deeply.
    Depth,
    /// A text is too long.
    Length,
    /// A row has too many names.
    Names,
    /// It is JSON, but something else than this.
    Not(&'static str),
    /// The value of a column, by its place in the layout, is something else than this.
    Column(usize, &'static str),
}

/// The line and the column of a place, each from 1, as editors count.
#[must_use]
pub fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[..at.min(bytes.len())];
    let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    (1 + before.iter().filter(|byte| **byte == b'\n').count(), 1 + before.len() - line)
}
