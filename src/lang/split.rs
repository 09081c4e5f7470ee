//! Cuts a file into statements at `;`, in one pass that knows quotes and comments.
//!
//! It runs before the grammar, so that one broken statement does not hide the next, and so that the limits on size and
//! depth hold before any recursion begins.

use crate::diagnostic::code;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;

/// The longest file, in bytes.
const FILE_BYTES_AT_MOST: usize = 1 << 20;
/// The deepest nesting of brackets.
const DEPTH_AT_MOST: usize = 64;

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
    let (mut at, mut start, mut depth, mut blank) = (0, 0, 0_usize, true);
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
                (start, depth, blank) = (at + 1, 0, true);
                at += 1;
                continue;
            }
            _ => Some(at + 1),
        };
        let Some(next) = next else {
            out.push(unended(file, text, at));
            return spans;
        };
        depth = match bytes[at] {
            b'(' => depth + 1,
            b')' => depth.saturating_sub(1),
            _ => depth,
        };
        if depth > DEPTH_AT_MOST {
            let span = Span { file, start: at, end: at + 1 };
            out.push(Diagnostic::error(code::TOO_MUCH, span, "brackets are nested more than 64 deep"));
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
    Diagnostic::error(code::UNENDED, Span { file, start: at, end: line_end }, what).help(format!("close it with {end}"))
}
