//! `$filter`: read into a condition, and asked of a row.
//!
//! Functions of Dataverse's own are named in `query_function`. Other functions, paths into other tables and lambdas answer
//! 501. In: the decoded text and the table. Out: a condition over stored rows.

use std::cmp::Ordering;

use super::super::assumptions::{FILTER_DEPTH, NOT_EQUAL_KEEPS_NULLS};
use super::errors::Refusal;
use super::guid::Guid;
use super::like::Pattern;
use super::operator::Operator;
use super::options::{Aliases, Given};
use super::query_function::{self, Arguments};
use super::row::{Comparable, Row, comparable};
use super::schema::{Column, Kind, TableSchema};
use super::words::{Word, words};

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::sandbox) enum Test {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// The right side of a comparison.
pub(in crate::sandbox) enum Side {
    Column(usize),
    Value(Comparable),
}

/// What a row must satisfy.
pub(in crate::sandbox) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare(usize, Test, Side),
    Like(usize, Pattern),
    /// Several options, of which the row must have one at least.
    Chosen(usize, Vec<i64>),
    /// A lookup, which of its targets, and the row it must name.
    Leads(usize, usize, Guid),
}

impl Condition {
    pub(in crate::sandbox) fn read(filter: &str, table: &TableSchema, given: &Given) -> Result<Self, Refusal> {
        let words = resolved(words(filter)?, &given.aliases)?;
        let mut reader = Reader { filter, table, given, words, place: 0, depth: 0 };
        let condition = reader.any()?;
        match reader.words.get(reader.place) {
            None => Ok(condition),
            Some(_) => Err(reader.wrong()),
        }
    }

    pub(in crate::sandbox) fn holds(&self, row: &Row, table: &TableSchema) -> bool {
        match self {
            Condition::All(list) => list.iter().all(|one| one.holds(row, table)),
            Condition::Any(list) => list.iter().any(|one| one.holds(row, table)),
            Condition::Not(inner) => !inner.holds(row, table),
            Condition::Leads(column, target, id) => {
                row.json(*column).is_some_and(|(_, found)| found == *target) && row.guid(*column) == Some(*id)
            }
            Condition::Chosen(column, wanted) => row.plain(*column).is_some_and(|text| {
                text.split(',').any(|number| number.parse().is_ok_and(|number| wanted.contains(&number)))
            }),
            Condition::Like(column, pattern) => {
                row.plain(*column).is_some_and(|text| pattern.matches(&text.to_lowercase()))
            }
            Condition::Compare(column, test, side) => {
                let left = row.comparable(&table.columns[*column], *column);
                match side {
                    Side::Value(right) => compare(&left, *test, right),
                    Side::Column(other) => compare(&left, *test, &row.comparable(&table.columns[*other], *other)),
                }
            }
        }
    }
}

fn compare(left: &Comparable, test: Test, right: &Comparable) -> bool {
    let nulls = (*left == Comparable::Null, *right == Comparable::Null);
    match (nulls, test) {
        ((true, true), _) => matches!(test, Test::Equal | Test::GreaterOrEqual | Test::LessOrEqual),
        ((false, true), _) => test == Test::NotEqual,
        ((true, false), _) => test == Test::NotEqual && NOT_EQUAL_KEEPS_NULLS,
        (_, Test::Equal) => left == right,
        (_, Test::NotEqual) => left != right,
        (_, Test::Greater) => left.order(right) == Ordering::Greater,
        (_, Test::GreaterOrEqual) => left.order(right) != Ordering::Less,
        (_, Test::Less) => left.order(right) == Ordering::Less,
        (_, Test::LessOrEqual) => left.order(right) != Ordering::Greater,
    }
}

struct Reader<'a> {
    filter: &'a str,
    table: &'a TableSchema,
    given: &'a Given,
    words: Vec<(usize, Word)>,
    place: usize,
    /// How many groups and negations are open.
    depth: usize,
}

/// Puts the values of aliases in; one without a value is null.
fn resolved(words: Vec<(usize, Word)>, aliases: &Aliases) -> Result<Vec<(usize, Word)>, Refusal> {
    let one = |(place, word): (usize, Word)| match &word {
        Word::Bare(name) if name.starts_with('@') => {
            let mut value = self::words(aliases.get(name).map_or("null", String::as_str))?;
            match (value.pop(), value.is_empty()) {
                (Some((_, value)), true) => Ok((place, value)),
                _ => Err(Refusal::missing(&format!("parameter alias {name} of several words"))),
            }
        }
        _ => Ok((place, word)),
    };
    words.into_iter().map(one).collect()
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Word> {
        let word = self.words.get(self.place)?.1.clone();
        self.place += 1;
        Some(word)
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let found = matches!(self.words.get(self.place), Some((_, Word::Bare(text))) if text == keyword);
        self.place += usize::from(found);
        found
    }

    fn wrong(&self) -> Refusal {
        let place = self.words.get(self.place.saturating_sub(1)).map_or(self.filter.len(), |(place, _)| *place);
        Refusal::syntax(format!("Syntax error at position {place} in '{}'.", self.filter))
    }

    fn expect(&mut self, word: &Word) -> Result<(), Refusal> {
        if self.next().as_ref() == Some(word) { Ok(()) } else { Err(self.wrong()) }
    }

    fn any(&mut self) -> Result<Condition, Refusal> {
        // A list, however long it is, nests no deeper than its deepest member.
        let mut list = vec![self.all()?];
        while self.takes("or") {
            list.push(self.all()?);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { Condition::Any(list) })
    }

    fn all(&mut self) -> Result<Condition, Refusal> {
        let mut list = vec![self.one()?];
        while self.takes("and") {
            list.push(self.one()?);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { Condition::All(list) })
    }

    fn one(&mut self) -> Result<Condition, Refusal> {
        self.depth += 1;
        if self.depth > FILTER_DEPTH {
            return Err(Refusal::option("The depth of the $filter exceeds the limit."));
        }
        let condition = self.group_or_test();
        self.depth -= 1;
        condition
    }

    fn group_or_test(&mut self) -> Result<Condition, Refusal> {
        if self.takes("not") {
            return Ok(Condition::Not(Box::new(self.one()?)));
        }
        match self.next() {
            Some(Word::Open) => {
                let inner = self.any()?;
                self.expect(&Word::Close)?;
                Ok(inner)
            }
            Some(Word::Bare(name)) if matches!(self.words.get(self.place), Some((_, Word::Open))) => {
                self.function(&name)
            }
            Some(Word::Bare(name)) => self.comparison(&name),
            _ => Err(self.wrong()),
        }
    }

    fn function(&mut self, name: &str) -> Result<Condition, Refusal> {
        let (before, after) = match name {
            "contains" => ("%", "%"),
            "startswith" => ("", "%"),
            "endswith" => ("%", ""),
            other => return self.query_function(other),
        };
        self.expect(&Word::Open)?;
        let Some(Word::Bare(column)) = self.next() else { return Err(self.wrong()) };
        let column = self.column(&column)?;
        self.expect(&Word::Comma)?;
        let Some(Word::Text(text)) = self.next() else { return Err(self.wrong()) };
        self.expect(&Word::Close)?;
        if !self.table.columns[column].is_text() {
            let found = &self.table.columns[column].property;
            return Err(Refusal::syntax(format!("No function signature for '{name}' matches the type of '{found}'.")));
        }
        self.answered(Condition::Like(column, Pattern::new(&format!("{before}{}{after}", text.to_lowercase()))))
    }

    fn query_function(&mut self, name: &str) -> Result<Condition, Refusal> {
        let (operator, negated) = query_function::operator(name)?;
        self.expect(&Word::Open)?;
        let start = self.place;
        while !matches!(self.words.get(self.place), None | Some((_, Word::Close))) {
            self.place += 1;
        }
        let inside: Vec<Word> = self.words[start..self.place].iter().map(|(_, word)| word.clone()).collect();
        self.expect(&Word::Close)?;
        let arguments = Arguments::read(&inside, self.given).ok_or_else(|| self.wrong())?;
        let column = match self.table.logical_column(&arguments.property) {
            Some(column) => column,
            None => self.column(&arguments.property)?,
        };
        let condition = operator.condition(self.table, column, &arguments.values, self.given.now)?;
        self.answered(if negated { Operator::negated(condition) } else { condition })
    }

    /// A function stands alone or is compared with `true` or `false`.
    fn answered(&mut self, condition: Condition) -> Result<Condition, Refusal> {
        if !self.takes("eq") {
            return Ok(condition);
        }
        match self.next() {
            Some(Word::Bare(text)) if text == "true" => Ok(condition),
            Some(Word::Bare(text)) if text == "false" => Ok(Operator::negated(condition)),
            _ => Err(self.wrong()),
        }
    }

    fn comparison(&mut self, name: &str) -> Result<Condition, Refusal> {
        let column = self.column(name)?;
        let test = match self.next() {
            Some(Word::Bare(text)) => match text.as_str() {
                "eq" => Test::Equal,
                "ne" => Test::NotEqual,
                "gt" => Test::Greater,
                "ge" => Test::GreaterOrEqual,
                "lt" => Test::Less,
                "le" => Test::LessOrEqual,
                _ => return Err(self.wrong()),
            },
            _ => return Err(self.wrong()),
        };
        let left = &self.table.columns[column];
        let side = match self.next() {
            Some(Word::Text(text)) if left.is_text() => Side::Value(Comparable::Text(text.to_lowercase())),
            Some(Word::Text(text)) if left.kind == Kind::MultiSelectPicklist => {
                Side::Value(comparable(left.kind, &text).ok_or_else(|| self.wrong())?)
            }
            Some(Word::Text(_)) => return Err(unlike(left, "Edm.String")),
            Some(Word::Bare(text)) => self.bare(left, &text)?,
            _ => return Err(self.wrong()),
        };
        Ok(Condition::Compare(column, test, side))
    }

    fn bare(&self, left: &Column, text: &str) -> Result<Side, Refusal> {
        if text == "null" {
            return Ok(Side::Value(Comparable::Null));
        }
        let literal = text.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-' || letter == '+')
            || matches!(text, "true" | "false")
            || (text.len() == 36 && text.matches('-').count() == 4);
        if !literal {
            let other = self.column(text)?;
            let right = &self.table.columns[other];
            return if edm(left) == edm(right) { Ok(Side::Column(other)) } else { Err(unlike(left, edm(right))) };
        }
        let fits = match left.kind {
            Kind::String | Kind::Memo | Kind::MultiSelectPicklist => false,
            Kind::Boolean => matches!(text, "true" | "false"),
            Kind::DateTime => text.contains('-') && (!left.date_only || text.len() == 10),
            _ => true,
        };
        comparable(left.kind, text).filter(|_| fits).map(Side::Value).ok_or_else(|| unlike(left, written(text)))
    }

    fn column(&self, name: &str) -> Result<usize, Refusal> {
        if name.contains('/') {
            return Err(Refusal::missing(&format!("$filter path or lambda {name}")));
        }
        self.table.column(name).ok_or_else(|| Refusal::property(name, &self.table.logical))
    }
}

fn unlike(column: &Column, found: &str) -> Refusal {
    Refusal::syntax(format!(
        "A binary operator with incompatible types was detected. Found operand types '{}' and '{found}'.",
        edm(column)
    ))
}

fn written(text: &str) -> &'static str {
    match text {
        "true" | "false" => "Edm.Boolean",
        text if text.len() == 36 => "Edm.Guid",
        text if text.contains('T') => "Edm.DateTimeOffset",
        text if text.len() == 10 && text.contains('-') => "Edm.Date",
        _ => "Edm.Int32",
    }
}

/// The type the service document gives a column.
pub(in crate::sandbox) fn edm(column: &Column) -> &'static str {
    match column.kind {
        Kind::String | Kind::Memo | Kind::MultiSelectPicklist => "Edm.String",
        Kind::Boolean => "Edm.Boolean",
        Kind::DateTime if column.date_only => "Edm.Date",
        Kind::DateTime => "Edm.DateTimeOffset",
        Kind::Integer | Kind::Picklist | Kind::State | Kind::Status => "Edm.Int32",
        Kind::BigInt => "Edm.Int64",
        Kind::Decimal | Kind::Money => "Edm.Decimal",
        Kind::Double => "Edm.Double",
        Kind::Uniqueidentifier | Kind::Lookup | Kind::Customer | Kind::Owner => "Edm.Guid",
    }
}
