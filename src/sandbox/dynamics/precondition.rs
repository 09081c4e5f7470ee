//! `If-Match` and `If-None-Match`: under which conditions a request may go on.
//!
//! Strong tags and lists of tags answer 501. In: the headers. Out: what must hold of the row, and the refusal when it
//! does not.

use axum::http::HeaderMap;

use super::errors::Refusal;
use super::row::Row;

/// What a request asks of the row it names.
#[derive(Debug, Default, PartialEq)]
pub(in crate::sandbox) struct Precondition {
    pub(in crate::sandbox) must_exist: bool,
    pub(in crate::sandbox) must_not_exist: bool,
    /// The version that must be stored.
    pub(in crate::sandbox) version: Option<i64>,
    /// The version the client already has.
    pub(in crate::sandbox) known: Option<i64>,
}

impl Precondition {
    pub(in crate::sandbox) fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut condition = Precondition::default();
        match text(headers, "if-match")? {
            None => {}
            Some("*") => condition.must_exist = true,
            Some(tag) => {
                condition.must_exist = true;
                condition.version = Some(version(tag).ok_or_else(|| unknown("if-match", tag))?);
            }
        }
        match text(headers, "if-none-match")? {
            None | Some("null") => {}
            Some("*") => condition.must_not_exist = true,
            Some(tag) => condition.known = Some(version(tag).ok_or_else(|| unknown("if-none-match", tag))?),
        }
        Ok(condition)
    }

    /// Refuses a write that the stored row does not allow.
    pub(in crate::sandbox) fn check(&self, table: &str, id: &str, stored: Option<&Row>) -> Result<(), Refusal> {
        if let Some(tag) = self.known {
            return Err(unknown("if-none-match", &tag.to_string()));
        }
        match stored {
            None if self.must_exist => Err(Refusal::absent(table, id)),
            Some(_) if self.must_not_exist => Err(Refusal::duplicate()),
            Some(row) if self.version.is_some_and(|version| version != row.version) => {
                let text = "The version of the existing record doesn't match the RowVersion property provided.";
                Err(Refusal::new(412, "0x80060882", text))
            }
            _ => Ok(()),
        }
    }
}

/// The tag of a version.
pub(in crate::sandbox) fn tag(version: i64) -> String {
    format!("W/\"{version}\"")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    value.to_str().map(|text| Some(text.trim())).map_err(|_| unknown(name, "?"))
}

fn version(tag: &str) -> Option<i64> {
    tag.strip_prefix("W/\"")?.strip_suffix('"')?.parse().ok()
}

fn unknown(name: &str, value: &str) -> Refusal {
    Refusal::missing(&format!("header {name}: {value} for this request"))
}
