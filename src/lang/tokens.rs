//! A rough cut of a text into words, quoted things and signs, for what the grammar cannot tell about a slip.
//!
//! In: the text before a mistake. Out: its pieces, and which bracket or clause is open where it ends.

/// One piece of a text, and where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub(super) text: &'t str,
    pub(super) start: usize,
}

/// The words that begin a clause of a job, in the order in which they stand.
pub(super) const CLAUSES: [&str; 8] = ["INTO", "KEY", "SELECT", "FROM", "LOOKUP", "WHERE", "REQUIRE", "ON"];

/// The pieces of a text, without blanks and comments.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = blank(rest);
        if length > 0 {
            at += length;
            continue;
        }
        let length = piece(rest);
        found.push(Token { text: &rest[..length], start: at });
        at += length;
    }
    found
}

/// How many bytes the first piece of a text has: a word, a number, something quoted, or one sign.
pub(super) fn piece(rest: &str) -> usize {
    let Some(first) = rest.chars().next() else { return 0 };
    if matches!(first, '\'' | '"') {
        return rest[1..].find(first).map_or(rest.len(), |end| end + 2);
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_part = |c: char| is_word(c) || (first.is_ascii_digit() && c == '.');
    if is_word(first) { rest.find(|c| !is_part(c)).unwrap_or(rest.len()) } else { first.len_utf8() }
}

/// The bracket that is open behind some pieces, with the number of its piece.
pub(super) fn open_bracket(tokens: &[Token<'_>]) -> Option<usize> {
    let mut open = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        match token.text {
            "(" => open.push(number),
            ")" => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

/// The clause of a job in which a text ends.
pub(super) fn clause(tokens: &[Token<'_>]) -> Option<&'static str> {
    let (mut depth, mut found, mut before) = (0_usize, None, "");
    for token in tokens {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            word if depth == 0 && before != "." => {
                // The equalities of a lookup belong to it.
                let is_on = word.eq_ignore_ascii_case("ON") && found == Some("LOOKUP");
                let hit = CLAUSES.into_iter().find(|c| c.eq_ignore_ascii_case(word) && !is_on);
                found = hit.or(found);
            }
            _ => {}
        }
        before = token.text;
    }
    found
}

/// How many bytes of blanks, or of one comment, a text begins with.
fn blank(rest: &str) -> usize {
    let is_blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    if rest.starts_with("--") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    rest.find(|c| !is_blank(c)).unwrap_or(rest.len())
}
