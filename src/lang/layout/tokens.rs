//! A file as its tokens, comments among them: what the printer puts down again, in this order and no other.

/// One token of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// The first byte.
    pub(super) start: usize,
    /// The byte after the last.
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, a number, a sign, a text, a quoted name.
    Plain,
    /// `;`
    End,
    /// `-- …`
    LineComment,
    /// `/* … */`
    BlockComment,
}

impl Token {
    pub(super) fn text(self, file: &str) -> &str {
        // The end of a line belongs to no comment.
        file[self.start..self.end].trim_end_matches('\r')
    }

    pub(super) fn is_comment(self) -> bool {
        matches!(self.kind, Kind::LineComment | Kind::BlockComment)
    }
}

/// All tokens of a text that `split` has let through: every quote and comment in it ends.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (kind, end) = match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                (Kind::LineComment, text[at..].find('\n').map_or(bytes.len(), |n| at + n))
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                (Kind::BlockComment, text[at + 2..].find("*/").map_or(bytes.len(), |n| at + n + 4))
            }
            b';' => (Kind::End, at + 1),
            quote @ (b'\'' | b'"') => (Kind::Plain, quoted(bytes, at, quote)),
            b'0'..=b'9' => (Kind::Plain, number(bytes, at)),
            b if is_word(b) => (Kind::Plain, run(bytes, at)),
            _ if ["<=", ">=", "<>", "!=", "==", "||"].iter().any(|sign| text[at..].starts_with(sign)) => {
                (Kind::Plain, at + 2)
            }
            _ => {
                let length = text[at..].chars().next().map_or(1, char::len_utf8);
                // A byte-order mark is a blank of the grammar.
                if text[at..].starts_with('\u{feff}') {
                    at += length;
                    continue;
                }
                (Kind::Plain, at + length)
            }
        };
        found.push(Token { start: at, end, kind });
        at = end;
    }
    found
}

fn quoted(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut next = at + 1;
    while next < bytes.len() {
        if bytes[next] != quote {
            next += 1;
        } else if bytes.get(next + 1) == Some(&quote) {
            next += 2;
        } else {
            return next + 1;
        }
    }
    bytes.len()
}

/// `42`, `4.2`, `5m`.
fn number(bytes: &[u8], at: usize) -> usize {
    let whole = run(bytes, at);
    let is_fraction = bytes.get(whole) == Some(&b'.') && bytes.get(whole + 1).is_some_and(u8::is_ascii_digit);
    if is_fraction { run(bytes, whole + 1) } else { whole }
}

fn run(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| !is_word(*b)).map_or(bytes.len(), |n| at + n)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
