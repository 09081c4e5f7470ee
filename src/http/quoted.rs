//! What a service says, on its way into one of our texts: short, on one line, and without anything that a terminal obeys.
//!
//! In: words of a stranger. Out: words that can be printed, kept and put into a file. Values of rows are not looked for
//! here, as only the caller knows which were sent.

/// The longest quotation, in characters.
pub const CHARACTERS_AT_MOST: usize = 500;

/// Words that can stand in a message.
#[must_use]
pub fn quoted(said: &str) -> String {
    cut(&plain(said), CHARACTERS_AT_MOST)
}

/// The beginning of a text, with a mark where something was left out.
#[must_use]
pub fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The same words without escape sequences and control characters; ends of lines and tabs become blanks.
#[must_use]
pub fn plain(said: &str) -> String {
    let mut text = String::with_capacity(said.len());
    let mut rest = said;
    while let Some(first) = rest.chars().next() {
        let sequence = if first == '\u{1b}' || first == '\u{9b}' { sequence_length(rest) } else { 0 };
        rest = &rest[sequence.max(first.len_utf8())..];
        match first {
            '\r' | '\n' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => text.push(' '),
            // These turn the direction of what follows, or show nothing.
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {}
            _ if first.is_control() => {}
            _ => text.push(first),
        }
    }
    text
}

/// Bytes of the escape sequence at the beginning of a text.
/// <https://ecma-international.org/publications-and-standards/standards/ecma-48/>
fn sequence_length(text: &str) -> usize {
    let is_final = |c: char| ('\u{40}'..='\u{7e}').contains(&c);
    let end = |from: usize, is_end: &dyn Fn(char) -> bool| {
        text[from..].find(is_end).map(|at| from + at + text[from + at..].chars().next().map_or(0, char::len_utf8))
    };
    let mut chars = text.chars();
    let (first, second) = (chars.next(), chars.next());
    match (first, second) {
        (Some('\u{9b}'), _) => end(2, &is_final).unwrap_or(2),
        (_, Some('[')) => end(2, &is_final).unwrap_or(2),
        // A text for the terminal, such as its title, until the bell or the string terminator.
        (_, Some(']' | 'P' | 'X' | '^' | '_')) => {
            let bell = end(2, &|c| matches!(c, '\u{7}' | '\u{9c}'));
            let terminator = text.find("\u{1b}\\").map(|at| at + 2);
            [bell, terminator].into_iter().flatten().min().unwrap_or(2)
        }
        (_, Some(' '..='/')) => end(1, &|c| !(' '..='/').contains(&c)).unwrap_or(2),
        (_, Some('0'..='~')) => 2,
        _ => 1,
    }
}
