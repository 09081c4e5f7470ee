//! `$filter` on metadata: a condition over the members of a definition.
//!
//! `eq`, `ne`, `and`, `or`, `not` and groups; other operators and functions answer 501. Rows have a filter of their own.
//! In: the decoded text. Out: a condition to ask of each definition.

use serde_json::Value;

use super::super::assumptions::FILTER_DEPTH;
use super::errors::Refusal;
use super::wish::unknown_member;
use super::words::{Word, words};

/// What a definition must satisfy.
#[derive(Debug)]
pub(in crate::sandbox) enum MemberFilter {
    All(Vec<MemberFilter>),
    Any(Vec<MemberFilter>),
    Not(Box<MemberFilter>),
    /// A member by its path, whether it must be equal, and to what.
    Compare(Vec<String>, bool, Value),
}

impl MemberFilter {
    pub(in crate::sandbox) fn read(text: &str) -> Result<Self, Refusal> {
        let words = words(text)?.into_iter().map(|(_, word)| word).collect();
        let mut reader = Reader { text, words, place: 0, depth: 0 };
        let filter = reader.any()?;
        if reader.place == reader.words.len() { Ok(filter) } else { Err(reader.wrong()) }
    }

    /// Whether it holds of a definition of that kind, whose members it must name.
    pub(in crate::sandbox) fn holds(&self, definition: &Value, kind: &str) -> Result<bool, Refusal> {
        // Every side is looked at, so that a wrong name is always told.
        let each = |list: &[MemberFilter]| {
            list.iter().map(|one| one.holds(definition, kind)).collect::<Result<Vec<bool>, Refusal>>()
        };
        Ok(match self {
            MemberFilter::All(list) => each(list)?.into_iter().all(|holds| holds),
            MemberFilter::Any(list) => each(list)?.into_iter().any(|holds| holds),
            MemberFilter::Not(inner) => !inner.holds(definition, kind)?,
            MemberFilter::Compare(path, equal, wanted) => {
                let mut value = definition;
                for name in path {
                    value = value.get(name).ok_or_else(|| unknown_member(name, kind))?;
                }
                if value.is_object() || value.is_array() {
                    return Err(Refusal::missing(&format!("metadata $filter on {}", path.join("/"))));
                }
                (value == wanted) == *equal
            }
        })
    }
}

struct Reader<'a> {
    text: &'a str,
    words: Vec<Word>,
    place: usize,
    depth: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Word> {
        let word = self.words.get(self.place)?.clone();
        self.place += 1;
        Some(word)
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let found = matches!(self.words.get(self.place), Some(Word::Bare(text)) if text == keyword);
        self.place += usize::from(found);
        found
    }

    fn wrong(&self) -> Refusal {
        Refusal::syntax(format!("Syntax error in '{}'.", self.text))
    }

    fn missing(&self) -> Refusal {
        Refusal::missing(&format!("metadata $filter={}", self.text))
    }

    fn any(&mut self) -> Result<MemberFilter, Refusal> {
        let mut list = vec![self.all()?];
        while self.takes("or") {
            list.push(self.all()?);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { MemberFilter::Any(list) })
    }

    fn all(&mut self) -> Result<MemberFilter, Refusal> {
        let mut list = vec![self.one()?];
        while self.takes("and") {
            list.push(self.one()?);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { MemberFilter::All(list) })
    }

    fn one(&mut self) -> Result<MemberFilter, Refusal> {
        self.depth += 1;
        if self.depth > FILTER_DEPTH {
            return Err(Refusal::option("The depth of the $filter exceeds the limit."));
        }
        let filter = self.group_or_test();
        self.depth -= 1;
        filter
    }

    fn group_or_test(&mut self) -> Result<MemberFilter, Refusal> {
        if self.takes("not") {
            return Ok(MemberFilter::Not(Box::new(self.one()?)));
        }
        match self.next() {
            Some(Word::Open) => {
                let inner = self.any()?;
                if self.next() == Some(Word::Close) { Ok(inner) } else { Err(self.wrong()) }
            }
            Some(Word::Bare(_)) if matches!(self.words.get(self.place), Some(Word::Open)) => Err(self.missing()),
            Some(Word::Bare(path)) => {
                let equal = match self.next() {
                    Some(Word::Bare(test)) if test == "eq" => true,
                    Some(Word::Bare(test)) if test == "ne" => false,
                    Some(Word::Bare(test)) if matches!(test.as_str(), "gt" | "ge" | "lt" | "le") => {
                        return Err(self.missing());
                    }
                    _ => return Err(self.wrong()),
                };
                let value = self.value()?;
                Ok(MemberFilter::Compare(path.split('/').map(str::to_owned).collect(), equal, value))
            }
            _ => Err(self.wrong()),
        }
    }

    fn value(&mut self) -> Result<Value, Refusal> {
        match self.next() {
            Some(Word::Text(text)) => Ok(text.into()),
            // The name of an enumeration, with its value in quotes behind it.
            Some(Word::Bare(name)) if name.starts_with("Microsoft.Dynamics.CRM.") => match self.next() {
                Some(Word::Text(text)) => Ok(text.into()),
                _ => Err(self.wrong()),
            },
            Some(Word::Bare(text)) if text.len() == 36 => Ok(text.to_lowercase().into()),
            Some(Word::Bare(text)) => serde_json::from_str(&text).map_err(|_| self.missing()),
            _ => Err(self.wrong()),
        }
    }
}
