//! JSON read in the plainest way: the whole of it first as `serde_json` has it, then level by level with numbers as they are written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// How deep objects and lists may lie in each other.
const DEEPEST: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// With all its names, in their order.
    Object(Vec<(String, Json)>),
}

/// What bytes say; none if they are no JSON, or too deep.
pub fn read(bytes: &[u8]) -> Option<Json> {
    serde_json::from_slice::<Value>(bytes).ok()?;
    let raw: &RawValue = serde_json::from_slice(bytes).ok()?;
    tree(raw.get(), 0)
}

fn tree(raw: &str, above: usize) -> Option<Json> {
    if raw.starts_with(['{', '[']) && above == DEEPEST {
        return None;
    }
    Some(match raw.as_bytes()[0] {
        b'{' => {
            let members = serde_json::from_str::<Members>(raw).ok()?.0.into_iter();
            Json::Object(
                members.map(|(name, value)| Some((name, tree(value.get(), above + 1)?))).collect::<Option<_>>()?,
            )
        }
        b'[' => {
            let items = serde_json::from_str::<Vec<Box<RawValue>>>(raw).ok()?.into_iter();
            Json::List(items.map(|item| tree(item.get(), above + 1)).collect::<Option<_>>()?)
        }
        b'"' => Json::Text(serde_json::from_str(raw).ok()?),
        b'n' => Json::Null,
        b't' => Json::Bool(true),
        b'f' => Json::Bool(false),
        _ => Json::Number(raw.to_owned()),
    })
}

struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Every)
    }
}

struct Every;

impl<'de> Visitor<'de> for Every {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// A decimal as a whole number of its digit at a scale, and whether something was left over; digit by digit.
pub fn shifted(text: &str, scale: i32) -> Option<(i128, String)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i128>().ok()?;
    let shift = exponent.checked_add(scale)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    // The powers of ten that 128 bits hold.
    if shift.abs() > 38 {
        return None;
    }
    let mut left = String::new();
    if shift >= 0 {
        digits.push_str(&"0".repeat(usize::try_from(shift).ok()?));
    } else {
        let padded = format!("{}{digits}", "0".repeat(40));
        let at = padded.len() - usize::try_from(-shift).ok()?;
        left = padded[at..].to_owned();
        digits = padded[..at].to_owned();
    }
    digits
        .trim_start_matches('0')
        .parse::<i128>()
        .ok()
        .or((digits.trim_matches('0').is_empty()).then_some(0))
        .map(|n| (sign * n, left))
}
