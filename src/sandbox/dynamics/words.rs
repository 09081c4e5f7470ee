//! The words of a `$filter`.
//!
//! Only letters are looked at here; columns and types are `filter`'s. In: the decoded text. Out: words with their
//! places, or the service's refusal of an unterminated literal.

use super::errors::Refusal;

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) enum Word {
    Open,
    Close,
    Comma,
    Text(String),
    /// A name, a keyword or a bare literal.
    Bare(String),
}

pub(in crate::sandbox) fn words(filter: &str) -> Result<Vec<(usize, Word)>, Refusal> {
    let mut words = Vec::new();
    let mut letters = filter.char_indices().peekable();
    while let Some((place, letter)) = letters.next() {
        let word = match letter {
            '(' => Word::Open,
            ')' => Word::Close,
            ',' => Word::Comma,
            '\'' => {
                let mut text = String::new();
                loop {
                    match letters.next() {
                        Some((_, '\'')) if letters.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
                        Some((_, '\'')) => break,
                        Some((_, other)) => text.push(other),
                        None => return Err(unterminated(filter)),
                    }
                }
                Word::Text(text)
            }
            space if space.is_whitespace() => continue,
            first => {
                let mut text = String::from(first);
                while let Some((_, next)) =
                    letters.next_if(|(_, next)| !next.is_whitespace() && !matches!(next, '(' | ')' | ',' | '\''))
                {
                    text.push(next);
                }
                Word::Bare(text)
            }
        };
        words.push((place, word));
    }
    Ok(words)
}

fn unterminated(filter: &str) -> Refusal {
    let place = filter.chars().count();
    Refusal::syntax(format!("There is an unterminated literal at position {place} in '{filter}'."))
}
