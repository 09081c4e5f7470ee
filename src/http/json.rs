//! JSON of a stranger: its bounds are looked at before anything is made of it, and what is wrong is said without its values.
//!
//! A value that nobody wants is skipped by `serde_json` without counting its depth, so depth is counted here, in one pass
//! over the bytes. In: the bytes of an answer. Out: what they say, or a text for a message.

use serde::de::DeserializeOwned;

/// How deep objects and lists may lie in each other.
pub const DEPTH_AT_MOST: usize = 64;
/// The longest text, in characters: as many as Dataverse keeps in one column.
/// <https://learn.microsoft.com/dotnet/api/microsoft.xrm.sdk.metadata.memoattributemetadata.maxsupportedlength>
pub const TEXT_CHARACTERS_AT_MOST: usize = 1 << 20;

/// Reads an answer.
///
/// # Errors
/// If it is beyond the bounds, no JSON, or not of this shape.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    bounded(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| without_value(&error))
}

/// Holds an answer against the bounds. What is no JSON at all may pass: whoever reads it finds out.
///
/// # Errors
/// If it is nested too deeply, or a text is too long.
pub fn bounded(bytes: &[u8]) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let length = text_length(&bytes[at..]);
                let text = &bytes[at..at + length];
                if length > TEXT_CHARACTERS_AT_MOST && characters(text) > TEXT_CHARACTERS_AT_MOST {
                    return Err(format!("it has a text of more than {TEXT_CHARACTERS_AT_MOST} characters"));
                }
                at += length + 1;
            }
            _ => {}
        }
        if depth > DEPTH_AT_MOST {
            return Err(format!("it is nested more than {DEPTH_AT_MOST} deep"));
        }
    }
    Ok(())
}

/// What `serde_json` says, without the value that it stumbled over: a message may be kept and passed on, a row may not.
#[must_use]
pub fn without_value(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let is_about_a_value = ["invalid type: ", "invalid value: "].iter().any(|kind| said.starts_with(kind));
    match said.rfind(", expected ") {
        Some(at) if is_about_a_value => format!("something else{}", &said[at..]),
        _ => said,
    }
}

/// Bytes until the quote that ends a text, or until the end.
fn text_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(step) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| matches!(b, b'"' | b'\\'))) {
        at += step;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

/// Characters of a text as it is written in JSON: an escape is one, and so are the bytes of one in UTF-8.
fn characters(text: &[u8]) -> usize {
    let (mut count, mut at) = (0, 0);
    while let Some(byte) = text.get(at) {
        let is_escape = *byte == b'\\';
        count += usize::from(is_escape || byte & 0xc0 != 0x80);
        at += match text.get(at + 1) {
            Some(b'u') if is_escape => 6,
            _ if is_escape => 2,
            _ => 1,
        };
    }
    count
}
