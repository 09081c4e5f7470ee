//! The query functions of Dataverse in a `$filter`: `Microsoft.Dynamics.CRM.In(PropertyName='…',PropertyValues=[…])`.
//!
//! What they mean is `operator`'s. In: a function's name, and the words between its parentheses. Out: an operator, and the
//! arguments by their names.

use super::errors::Refusal;
use super::operator::Operator;
use super::options::Given;
use super::words::{Word, words};

/// What all names start with.
pub(in crate::sandbox) const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

/// The operator of a function, and whether the function negates it.
pub(in crate::sandbox) fn operator(name: &str) -> Result<(Operator, bool), Refusal> {
    Ok(match name.strip_prefix(NAMESPACE).unwrap_or(name) {
        "In" => (Operator::In, false),
        "NotIn" => (Operator::In, true),
        "Between" => (Operator::Between, false),
        "NotBetween" => (Operator::Between, true),
        "ContainValues" => (Operator::ContainValues, false),
        "DoesNotContainValues" => (Operator::ContainValues, true),
        "On" => (Operator::On, false),
        "OnOrAfter" => (Operator::OnOrAfter, false),
        "OnOrBefore" => (Operator::OnOrBefore, false),
        "Today" => (Operator::Today, false),
        "LastXDays" => (Operator::LastDays, false),
        "LastXHours" => (Operator::LastHours, false),
        _ => return Err(Refusal::missing(&format!("$filter function {name}"))),
    })
}

/// The arguments of a call.
#[derive(Debug, Default, PartialEq)]
pub(in crate::sandbox) struct Arguments {
    pub(in crate::sandbox) property: String,
    pub(in crate::sandbox) values: Vec<String>,
}

impl Arguments {
    /// Reads the words between the parentheses; nothing where they are no arguments of a query function.
    pub(in crate::sandbox) fn read(inside: &[Word], given: &Given) -> Option<Self> {
        let mut arguments = Arguments::default();
        let (mut named, mut valued) = (false, false);
        for argument in inside.split(|word| *word == Word::Comma) {
            let (Word::Bare(first), rest) = argument.split_first()? else { return None };
            let (name, bare) = first.split_once('=')?;
            let value = match (bare, rest) {
                ("", [value]) => value.clone(),
                (alias, []) if alias.starts_with('@') => one(given.aliases.get(alias)?)?,
                ("", _) | (_, [_, ..]) => return None,
                (bare, []) => Word::Bare(bare.to_owned()),
            };
            match (name, value) {
                ("PropertyName", Word::Text(property)) if !named => {
                    arguments.property = property;
                    named = true;
                }
                ("PropertyValue", Word::Text(value) | Word::Bare(value)) if !valued => {
                    arguments.values.push(value);
                    valued = true;
                }
                ("PropertyValues", Word::List(values)) if !valued => {
                    arguments.values = values;
                    valued = true;
                }
                _ => return None,
            }
        }
        named.then_some(arguments)
    }
}

/// The only word of a text.
fn one(text: &str) -> Option<Word> {
    let mut found = words(text).ok()?;
    let (_, word) = found.pop()?;
    found.is_empty().then_some(word)
}
