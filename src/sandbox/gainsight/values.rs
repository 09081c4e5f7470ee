//! One value against one field: what is stored for it, or why it is refused.
//!
//! It looks at no other record. In: a field and a JSON value. Out: a cell, null, or the kind of mistake.

use serde_json::Value;

use super::super::assumptions::INACTIVE_ITEMS_REFUSED;
use super::dates::{day, moment};
use super::gsid::is_gsid;
use super::record::Cell;
use super::schema::{Field, Kind};

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Mistake {
    /// The object has no such field, or the client may not write it.
    Unknown,
    TooLong,
    Missing,
    Text,
    Boolean,
    Number,
    Currency,
    Comma,
    Percentage,
    Date,
    DateTime,
    Email,
    Url,
    Gsid,
    Item,
    /// A well-formed value that a rule of the tenant refuses.
    Rule,
}

/// The cell to store, nothing for null.
pub(in crate::sandbox) fn read(field: &Field, value: &Value) -> Result<Option<Cell>, Mistake> {
    if value.is_null() {
        return Ok(None);
    }
    match field.kind {
        Kind::Number => number(field, value, Mistake::Number).map(Some),
        Kind::Currency => number(field, value, Mistake::Currency).map(Some),
        Kind::Percentage => percentage(field, value).map(Some),
        Kind::Boolean => value.as_bool().map(|flag| Some(Cell::Flag(flag))).ok_or(Mistake::Boolean),
        Kind::Date => day(value).map(|time| Some(Cell::Time(time))).ok_or(Mistake::Date),
        Kind::DateTime => moment(value).map(|time| Some(Cell::Time(time))).ok_or(Mistake::DateTime),
        Kind::Picklist => match value.as_str() {
            Some("") => Ok(None),
            Some(text) => item(field, text).map(|gsid| Some(Cell::Text(gsid.into()))),
            None => Err(Mistake::Item),
        },
        Kind::MultiPicklist => items(field, value),
        _ => text(field, value),
    }
}

fn text(field: &Field, value: &Value) -> Result<Option<Cell>, Mistake> {
    let text = value.as_str().ok_or(match field.kind {
        Kind::Email => Mistake::Email,
        Kind::Url => Mistake::Url,
        Kind::Gsid | Kind::Lookup => Mistake::Gsid,
        _ => Mistake::Text,
    })?;
    if text.is_empty() {
        return Ok(None);
    }
    if field.length.is_some_and(|limit| text.chars().count() > limit) {
        return Err(Mistake::TooLong);
    }
    match field.kind {
        Kind::Email if !is_email(text) => Err(Mistake::Email),
        Kind::Url if !is_url(text) => Err(Mistake::Url),
        Kind::Gsid | Kind::Lookup if !is_gsid(text) => Err(Mistake::Gsid),
        _ => Ok(Some(Cell::Text(text.into()))),
    }
}

fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    let dotted = domain.split('.').count() > 1 && domain.split('.').all(|part| !part.is_empty());
    !name.is_empty() && dotted && !text.contains(char::is_whitespace) && !domain.contains('@')
}

fn is_url(text: &str) -> bool {
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    bare.contains('.') && !bare.contains(char::is_whitespace) && !bare.contains("://")
}

fn number(field: &Field, value: &Value, mistake: Mistake) -> Result<Cell, Mistake> {
    let number = match value {
        Value::Number(number) => number.as_f64().ok_or(mistake)?,
        Value::String(text) => thousands(text)?.parse().map_err(|_| mistake)?,
        _ => return Err(mistake),
    };
    Ok(Cell::Number(rounded(field, number)))
}

/// Takes out commas that separate thousands and refuses others.
fn thousands(text: &str) -> Result<String, Mistake> {
    let whole = text.split('.').next().unwrap_or(text).trim_start_matches('-');
    let groups: Vec<&str> = whole.split(',').collect();
    let well_formed = groups.len() == 1
        || ((1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3))
            && !text.split('.').skip(1).any(|rest| rest.contains(','));
    if well_formed { Ok(text.replace(',', "")) } else { Err(Mistake::Comma) }
}

fn rounded(field: &Field, number: f64) -> f64 {
    format!("{number:.*}", field.decimals).parse().unwrap_or(number)
}

fn percentage(field: &Field, value: &Value) -> Result<Cell, Mistake> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim_end_matches('%').parse().ok(),
        _ => None,
    };
    number.map(|number| Cell::Number(rounded(field, number))).ok_or(Mistake::Percentage)
}

/// The GSID of an item, written as its label or as its GSID.
fn item(field: &Field, text: &str) -> Result<String, Mistake> {
    let found = field.items.iter().find(|item| item.label == text || item.gsid == text);
    let found = found.filter(|item| item.active || !INACTIVE_ITEMS_REFUSED).ok_or(Mistake::Item)?;
    Ok(found.gsid.clone())
}

fn items(field: &Field, value: &Value) -> Result<Option<Cell>, Mistake> {
    let labels: Vec<&str> = match value {
        Value::String(text) => text.split(';').filter(|label| !label.is_empty()).collect(),
        Value::Array(list) => list.iter().map(|label| label.as_str().ok_or(Mistake::Item)).collect::<Result<_, _>>()?,
        _ => return Err(Mistake::Item),
    };
    let gsids: Vec<String> = labels.iter().map(|label| item(field, label)).collect::<Result<_, _>>()?;
    Ok((!gsids.is_empty()).then(|| Cell::Text(gsids.join(";").into())))
}
