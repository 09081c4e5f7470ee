//! The `expression` of a query: aliases joined by AND and OR.
//!
//! AND binds tighter; parentheses are allowed. In: the text and the aliases. Out: a tree over the numbers of conditions.

use super::envelope::Refusal;

/// A tree whose leaves are conditions.
#[derive(Debug, PartialEq)]
pub(in crate::sandbox) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Leaf(usize),
}

pub(in crate::sandbox) fn read(text: &str, aliases: &[String]) -> Result<Expression, Refusal> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (tree, rest) = any(&words, aliases).ok_or_else(Refusal::invalid)?;
    if rest.is_empty() { Ok(tree) } else { Err(Refusal::invalid()) }
}

type Read<'a> = Option<(Expression, &'a [&'a str])>;

fn any<'a>(words: &'a [&'a str], aliases: &[String]) -> Read<'a> {
    let (first, mut rest) = all(words, aliases)?;
    let mut list = vec![first];
    while let Some((&"OR", after)) = rest.split_first() {
        let (next, after) = all(after, aliases)?;
        list.push(next);
        rest = after;
    }
    Some((if list.len() == 1 { list.pop()? } else { Expression::Any(list) }, rest))
}

fn all<'a>(words: &'a [&'a str], aliases: &[String]) -> Read<'a> {
    let (first, mut rest) = one(words, aliases)?;
    let mut list = vec![first];
    while let Some((&"AND", after)) = rest.split_first() {
        let (next, after) = one(after, aliases)?;
        list.push(next);
        rest = after;
    }
    Some((if list.len() == 1 { list.pop()? } else { Expression::All(list) }, rest))
}

fn one<'a>(words: &'a [&'a str], aliases: &[String]) -> Read<'a> {
    let (word, rest) = words.split_first()?;
    if *word == "(" {
        let (tree, rest) = any(rest, aliases)?;
        return match rest.split_first()? {
            (&")", after) => Some((tree, after)),
            _ => None,
        };
    }
    Some((Expression::Leaf(aliases.iter().position(|alias| alias == word)?), rest))
}
