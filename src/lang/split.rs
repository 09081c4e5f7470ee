//! Cuts a file into statements at `;`, in one pass that knows quotes and comments.
//!
//! It runs before the grammar, so that one broken statement does not hide the next, and so that the limits on size and
//! depth hold before any recursion begins.

use crate::diagnostic::code;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;

/// The longest file, in bytes.
const FILE_BYTES_AT_MOST: usize = 1 << 20;
/// The deepest nesting of brackets and `CASE`s together.
const DEPTH_AT_MOST: usize = 64;

/// How many brackets and `CASE`s are open, and the piece of text before.
#[derive(Default)]
struct Nesting<'t> {
    brackets: usize,
    cases: usize,
    before: &'t str,
}

/// The stretches of the statements in a text, without their `;`; blank ones are left out.
pub(super) fn split(file: usize, text: &str, out: &mut Diagnostics) -> Vec<Span> {
    if text.len() > FILE_BYTES_AT_MOST {
        let span = Span { file, start: 0, end: text.chars().next().map_or(0, char::len_utf8) };
        out.push(
            Diagnostic::error(code::TOO_MUCH, span, format!("the file has {} bytes; the most is 1 MiB", text.len()))
                .help("put the jobs into several files: all *.ferry files of a project belong together"),
        );
        return Vec::new();
    }
    let bytes = text.as_bytes();
    // A byte-order mark is a blank, not the beginning of a statement.
    let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let (mut at, mut start, mut blank) = (first, first, true);
    let mut nesting = Nesting::default();
    let mut spans = Vec::new();
    while at < bytes.len() {
        let next = match bytes[at] {
            b'\'' | b'"' => skip_quoted(bytes, at),
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => match text[at + 2..].find("*/") {
                Some(n) => {
                    at += n + 4;
                    continue;
                }
                None => None,
            },
            b';' => {
                if !blank {
                    spans.push(Span { file, start, end: at });
                }
                (start, nesting, blank) = (at + 1, Nesting::default(), true);
                at += 1;
                continue;
            }
            _ => Some(at + word_length(&bytes[at..]).max(1)),
        };
        let Some(next) = next else {
            out.push(unended(file, text, at));
            return spans;
        };
        if let Some(what) = nesting.goes_too_deep(text.get(at..next).unwrap_or_default()) {
            let span = Span { file, start: at, end: next };
            out.push(
                Diagnostic::error(code::TOO_MUCH, span, format!("{what} more than {DEPTH_AT_MOST} deep"))
                    .help("split the expression: put a part of it into a column of Dynamics, or into a job of its own"),
            );
            return spans;
        }
        blank &= bytes[at].is_ascii_whitespace();
        at = next;
    }
    if !blank {
        let last = text.trim_end().len();
        let span = Span { file, start: last.saturating_sub(1), end: last };
        let span = if text.is_char_boundary(span.start) { span } else { Span { start: last, ..span } };
        out.push(Diagnostic::error(code::SYNTAX, span, "the statement does not end").help("write `;` at its end"));
        spans.push(Span { file, start, end: text.len() });
    }
    spans
}

impl<'t> Nesting<'t> {
    /// Takes in the next piece; what is nested too deeply with it, if something is.
    fn goes_too_deep(&mut self, piece: &'t str) -> Option<&'static str> {
        if piece.trim().is_empty() {
            return None;
        }
        // After a dot and after AS the words are names, and IGNORE CASE opens nothing.
        let is = |word: &str| piece.eq_ignore_ascii_case(word);
        let before = |word: &str| self.before.eq_ignore_ascii_case(word);
        let is_name = before(".") || before("AS") || before("IGNORE");
        match piece {
            "(" => self.brackets += 1,
            ")" => self.brackets = self.brackets.saturating_sub(1),
            _ if is("CASE") && !is_name => self.cases += 1,
            _ if is("END") && !is_name => self.cases = self.cases.saturating_sub(1),
            _ => {}
        }
        self.before = piece;
        let what = match self.cases {
            0 => "brackets are nested",
            _ if self.brackets == 0 => "CASE is nested",
            _ => "CASE and brackets are nested",
        };
        (self.brackets + self.cases > DEPTH_AT_MOST).then_some(what)
    }
}

/// The length of the word that some text begins with; nothing if it begins with another sign.
fn word_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(bytes.len())
}

fn skip_quoted(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = bytes[at];
    let mut next = at + 1;
    loop {
        next += bytes.get(next..)?.iter().position(|b| *b == quote)? + 1;
        if bytes.get(next) == Some(&quote) {
            next += 1;
        } else {
            return Some(next);
        }
    }
}

fn unended(file: usize, text: &str, at: usize) -> Diagnostic {
    let (what, end) = match text.as_bytes()[at] {
        b'\'' => ("this text does not end", "'"),
        b'"' => ("this quoted name does not end", "\""),
        _ => ("this comment does not end", "*/"),
    };
    let line_end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let wrong = Diagnostic::error(code::UNENDED, Span { file, start: at, end: line_end }, what);
    if end == "'" && text[..at].contains("\\'") {
        return wrong.help("a quote inside a text is doubled, and a backslash is a letter like others: 'O''Brien'");
    }
    wrong.help(format!("close it with {end}"))
}
