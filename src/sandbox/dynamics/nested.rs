//! The text of an `$expand`, cut into its items and their options.
//!
//! What the names mean is the caller's. In: the decoded text. Out: items in order; parentheses and quotes are kept
//! together.

use super::errors::Refusal;

/// One item: a name, and the options in its parentheses.
#[derive(Debug, PartialEq)]
pub(in crate::sandbox) struct Item<'a> {
    pub(in crate::sandbox) name: &'a str,
    pub(in crate::sandbox) options: Vec<(&'a str, &'a str)>,
}

pub(in crate::sandbox) fn items(text: &str) -> Result<Vec<Item<'_>>, Refusal> {
    split(text, ',')?.into_iter().map(|part| item(part.trim())).collect()
}

fn item(part: &str) -> Result<Item<'_>, Refusal> {
    let wrong = || Refusal::syntax(format!("Syntax error in the $expand item '{part}'."));
    let Some((name, inner)) = part.split_once('(') else {
        return if part.is_empty() { Err(wrong()) } else { Ok(Item { name: part, options: Vec::new() }) };
    };
    let inner = inner.strip_suffix(')').ok_or_else(wrong)?;
    let mut options = Vec::new();
    for option in split(inner, ';')?.into_iter().filter(|option| !option.trim().is_empty()) {
        let (key, value) = option.split_once('=').ok_or_else(wrong)?;
        options.push((key.trim(), value.trim()));
    }
    Ok(Item { name: name.trim(), options })
}

/// Cuts at a letter that stands outside parentheses and quotes.
pub(in crate::sandbox) fn split(text: &str, at: char) -> Result<Vec<&str>, Refusal> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0usize, false);
    let unbalanced = || Refusal::syntax(format!("The parentheses or quotes of '{text}' are not balanced."));
    for (place, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or_else(unbalanced)?,
            letter if letter == at && depth == 0 => {
                parts.push(&text[start..place]);
                start = place + letter.len_utf8();
            }
            _ => {}
        }
    }
    if quoted || depth > 0 {
        return Err(unbalanced());
    }
    parts.push(&text[start..]);
    Ok(parts)
}
