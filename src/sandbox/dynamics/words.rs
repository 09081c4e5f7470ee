//! The words of a `$filter`.
//!
//! Only letters are looked at here; columns and types are `filter`'s. In: the decoded text. Out: words with their
//! places, or the service's refusal of an unterminated literal.

use std::iter::Peekable;
use std::str::CharIndices;

use super::errors::Refusal;

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) enum Word {
    Open,
    Close,
    Comma,
    Text(String),
    /// Values in brackets.
    List(Vec<String>),
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
            '\'' => Word::Text(quoted(&mut letters).ok_or_else(|| unterminated(filter))?),
            '[' => Word::List(list(&mut letters).ok_or_else(|| unterminated(filter))?),
            space if space.is_whitespace() => continue,
            first => {
                let mut text = String::from(first);
                while let Some((_, next)) =
                    letters.next_if(|(_, next)| !next.is_whitespace() && !matches!(next, '(' | ')' | ',' | '\'' | '['))
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

/// The values up to the closing bracket, in quotes of either kind or bare.
fn list(letters: &mut Peekable<CharIndices<'_>>) -> Option<Vec<String>> {
    let mut list = Vec::new();
    loop {
        while letters.next_if(|(_, letter)| letter.is_whitespace()).is_some() {}
        match letters.next()?.1 {
            ']' => return list.is_empty().then_some(list),
            '"' => list.push(json(letters)?),
            '\'' => list.push(quoted(letters)?),
            first => {
                let mut text = String::from(first);
                while let Some((_, next)) = letters.next_if(|(_, next)| !matches!(next, ',' | ']')) {
                    text.push(next);
                }
                list.push(text.trim_end().to_owned());
            }
        }
        while letters.next_if(|(_, letter)| letter.is_whitespace()).is_some() {}
        match letters.next()?.1 {
            ',' => {}
            ']' => return Some(list),
            _ => return None,
        }
    }
}

/// The rest of a text in single quotes, which stand twice inside it.
fn quoted(letters: &mut Peekable<CharIndices<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()?.1 {
            '\'' if letters.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
            '\'' => return Some(text),
            other => text.push(other),
        }
    }
}

/// The rest of a text as JSON writes it.
fn json(letters: &mut Peekable<CharIndices<'_>>) -> Option<String> {
    let mut text = String::from('"');
    loop {
        let letter = letters.next()?.1;
        text.push(letter);
        match letter {
            '\\' => text.push(letters.next()?.1),
            '"' => return serde_json::from_str(&text).ok(),
            _ => {}
        }
    }
}

fn unterminated(filter: &str) -> Refusal {
    let place = filter.chars().count();
    Refusal::syntax(format!("There is an unterminated literal at position {place} in '{filter}'."))
}
