//! Where a statement breaks into lines and what lines up, told from its parse.
//!
//! In: the pairs of one statement. Out: decisions by the byte at which a token begins. Nothing here looks at blanks, so the
//! same statement is laid out the same however it is written.

use std::collections::{BTreeMap, BTreeSet};

use pest::iterators::Pair;

use super::tokens::Token;
use crate::lang::syntax::Rule;

/// A list in brackets that is longer than this is broken into lines.
const LIST_WIDTH: usize = 100;
/// A row, or a `CASE` of one arm, that is longer than this is broken.
const LINE_WIDTH: usize = 120;

/// Where a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// This many blanks in.
    Indent(usize),
    /// Below the token that begins at this byte.
    Below(usize),
}

/// A token that stands below others of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) group: usize,
    /// Columns that do not count: those of `KEEP(` and `)` around a value.
    pub(super) discount: usize,
    /// Whether values of unusual length are left out of the reckoning.
    pub(super) tolerant: bool,
}

/// The decisions about one statement.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) breaks: BTreeMap<usize, Break>,
    pub(super) cells: BTreeMap<usize, Cell>,
    /// Words that are written in capitals.
    pub(super) capitals: BTreeSet<usize>,
    /// Brackets and operands that stand close to what is before them.
    pub(super) close: BTreeSet<usize>,
    /// Signs that belong to the operand behind them.
    pub(super) signs: BTreeSet<usize>,
    groups: usize,
}

/// The layout of the statement that these pairs are of; `base` is where its text begins in the file.
pub(super) fn layout(statement: Pair<'_, Rule>, base: usize, tokens: &[Token], text: &str) -> Layout {
    let mut made = Layout::default();
    let context = Context { base, tokens, text };
    words(statement.clone(), &context, &mut made);
    made.breaks.insert(context.start(&statement), Break::Indent(0));
    for body in statement.into_inner() {
        match body.as_rule() {
            Rule::connection => connection(body, &context, &mut made),
            Rule::settings => list(&body, Rule::setting, 0, &context, &mut made),
            Rule::job => job(body, &context, &mut made),
            Rule::chain => chain(body, &context, &mut made),
            Rule::test => test(body, &context, &mut made),
            _ => {}
        }
    }
    made
}

struct Context<'a> {
    base: usize,
    tokens: &'a [Token],
    text: &'a str,
}

impl Context<'_> {
    /// The first token of a pair: a pair may begin with blanks and comments.
    fn start(&self, pair: &Pair<'_, Rule>) -> usize {
        let from = self.base + pair.as_span().start();
        let first = self.tokens.partition_point(|t| t.start < from);
        self.tokens[first..].iter().find(|t| !t.is_comment()).map_or(from, |t| t.start)
    }

    fn within(&self, pair: &Pair<'_, Rule>) -> impl Iterator<Item = &Token> {
        let (from, to) = (self.base + pair.as_span().start(), self.base + pair.as_span().end());
        let first = self.tokens.partition_point(|t| t.start < from);
        self.tokens[first..].iter().take_while(move |t| t.end <= to)
    }

    /// How wide a pair is on one line, about; none if a comment stands in it.
    fn width(&self, pair: &Pair<'_, Rule>) -> Option<usize> {
        let mut width = 0;
        let end = self.base + pair.as_span().start() + pair.as_str().trim_end().len();
        for token in self.within(pair).take_while(|t| t.start < end) {
            if token.is_comment() {
                return None;
            }
            let text = token.text(self.text);
            let is_tight = matches!(text, "." | "," | ")" | "(");
            width += text.chars().count() + usize::from(!is_tight);
        }
        Some(width)
    }

    fn fits(&self, pair: &Pair<'_, Rule>, most: usize) -> bool {
        self.width(pair).is_some_and(|width| width <= most)
    }
}

impl Layout {
    fn group(&mut self) -> usize {
        self.groups += 1;
        self.groups
    }

    fn line(&mut self, context: &Context<'_>, pair: &Pair<'_, Rule>, indent: usize) {
        self.breaks.insert(context.start(pair), Break::Indent(indent));
    }

    fn cell(&mut self, context: &Context<'_>, pair: &Pair<'_, Rule>, group: usize) {
        self.cells.insert(context.start(pair), Cell { group, discount: 0, tolerant: false });
    }
}

/// What is the same everywhere: keywords, names of functions, signs, CASE.
fn words(pair: Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    let rule = pair.as_rule();
    let start = context.start(&pair);
    match rule {
        Rule::unit | Rule::operator => {
            made.capitals.insert(start);
        }
        Rule::minus => {
            made.signs.insert(start);
        }
        Rule::number if pair.as_str().starts_with('-') => {
            made.signs.insert(start);
        }
        Rule::arguments => {
            made.close.insert(start);
        }
        Rule::call_or_path if pair.clone().into_inner().any(|p| p.as_rule() == Rule::arguments) => {
            made.capitals.insert(start);
            let name = pair.clone().into_inner().next().map(|p| p.as_str().trim_end().to_ascii_uppercase());
            // Behind CAST stands a type; behind TREAT the name of a table.
            if matches!(name.as_deref(), Some("CAST" | "TRY_CAST")) {
                let arguments = pair.clone().into_inner().flat_map(Pair::into_inner).flat_map(Pair::into_inner);
                made.capitals.extend(arguments.filter(|p| p.as_rule() == Rule::type_name).map(|p| context.start(&p)));
            }
        }
        Rule::call_or_path if MOMENTS.iter().any(|word| pair.as_str().trim_end().eq_ignore_ascii_case(word)) => {
            made.capitals.insert(start);
        }
        Rule::calendar => {
            let days = pair.clone().into_inner().filter(|p| p.as_rule() == Rule::identifier);
            made.capitals.extend(days.map(|p| context.start(&p)));
        }
        Rule::case => case(&pair, context, made),
        _ if format!("{rule:?}").starts_with("kw_") => {
            made.capitals.insert(start);
        }
        _ => {}
    }
    pair.into_inner().for_each(|inner| words(inner, context, made));
}

/// Constants of a run that look like columns.
const MOMENTS: [&str; 4] = ["NOW", "TODAY", "CURRENT_DATE", "CURRENT_TIMESTAMP"];

/// A CASE of several arms has a line for each, below the first.
fn case(pair: &Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    let parts: Vec<Pair<'_, Rule>> =
        pair.clone().into_inner().filter(|p| matches!(p.as_rule(), Rule::arm | Rule::otherwise)).collect();
    let arms = parts.iter().filter(|p| p.as_rule() == Rule::arm).count();
    if arms < 2 && context.fits(pair, LINE_WIDTH) {
        return;
    }
    let first = context.start(&parts[0]);
    for part in &parts[1..] {
        made.breaks.insert(context.start(part), Break::Below(first));
    }
}

fn connection(pair: Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    for clause in pair.into_inner().filter(|p| p.as_rule() == Rule::connection_clause) {
        made.line(context, &clause, 2);
        for body in clause.into_inner() {
            match body.as_rule() {
                Rule::auth => list(&body, Rule::auth_setting, 2, context, made),
                Rule::limits => list(&body, Rule::limit, 2, context, made),
                Rule::files_table => body
                    .into_inner()
                    .filter(|part| part.as_rule() == Rule::declared)
                    .for_each(|declared| list(&declared, Rule::declaration, 2, context, made)),
                _ => {}
            }
        }
    }
}

/// A list of settings in brackets, on one line or on a line each.
fn list(pair: &Pair<'_, Rule>, item: Rule, indent: usize, context: &Context<'_>, made: &mut Layout) {
    if context.fits(pair, LIST_WIDTH - indent) {
        return;
    }
    let group = made.group();
    for setting in pair.clone().into_inner().filter(|p| p.as_rule() == item) {
        made.line(context, &setting, indent + 2);
        if let Some(equals) = context.within(&setting).find(|t| t.text(context.text) == "=") {
            made.cells.insert(equals.start, Cell { group, discount: 0, tolerant: false });
        }
    }
    if let Some(bracket) = context.within(pair).filter(|t| t.text(context.text) == ")").last() {
        made.breaks.insert(bracket.start, Break::Indent(indent));
    }
}

fn job(pair: Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::job_clause | Rule::key | Rule::duplicate_key => made.line(context, &part, 2),
            Rule::kw_as | Rule::verb | Rule::from | Rule::require | Rule::late_clause => made.line(context, &part, 0),
            Rule::select => {
                made.line(context, &part, 0);
                select(part, context, made);
            }
            Rule::lookup => {
                made.line(context, &part, 0);
                lookup(part, context, made);
            }
            Rule::filter => {
                made.line(context, &part, 0);
                part.into_inner().filter(|p| p.as_rule() == Rule::expression).for_each(|p| condition(p, context, made));
            }
            _ => {}
        }
    }
}

fn select(pair: Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    let group = made.group();
    for mapping in pair.into_inner().filter(|p| p.as_rule() == Rule::mapping) {
        made.line(context, &mapping, 2);
        let is_kept =
            context.within(&mapping).next().is_some_and(|t| t.text(context.text).eq_ignore_ascii_case("keep"));
        let discount = if is_kept { "KEEP()".len() } else { 0 };
        if let Some(word) = mapping.into_inner().find(|p| p.as_rule() == Rule::kw_as) {
            made.cells.insert(context.start(&word), Cell { group, discount, tolerant: true });
        }
    }
}

fn lookup(pair: Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    let (equals, cases, thens) = (made.group(), made.group(), made.group());
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::kw_on | Rule::after_load => made.line(context, &part, 4),
            Rule::kw_and => made.line(context, &part, 3),
            Rule::equality => {
                let sign = context.within(&part).find(|t| t.text(context.text) == "=").map(|t| t.start);
                made.cells.extend(sign.map(|at| (at, Cell { group: equals, discount: 0, tolerant: false })));
                let ignores = part.into_inner().find(|p| p.as_rule() == Rule::ignore_case);
                ignores.iter().for_each(|p| made.cell(context, p, cases));
            }
            Rule::policy => {
                made.line(context, &part, 4);
                let then = part.into_inner().flat_map(Pair::into_inner).find(|p| p.as_rule() == Rule::kw_then);
                then.iter().for_each(|p| made.cell(context, p, thens));
            }
            _ => {}
        }
    }
}

/// The parts of a condition, one below the other.
fn condition(pair: Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    let ors: Vec<_> = pair.clone().into_inner().filter(|p| p.as_rule() == Rule::kw_or).collect();
    if !ors.is_empty() {
        ors.iter().for_each(|word| made.line(context, word, 3));
        return;
    }
    let chains = pair.into_inner().filter(|p| p.as_rule() == Rule::and_chain).flat_map(Pair::into_inner);
    chains.filter(|p| p.as_rule() == Rule::kw_and).for_each(|word| made.line(context, &word, 2));
}

fn chain(pair: Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::chain_clause | Rule::kw_then => made.line(context, &part, 2),
            Rule::kw_as => made.line(context, &part, 0),
            _ => {}
        }
    }
}

fn test(pair: Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::kw_for => made.line(context, &part, 2),
            Rule::given | Rule::expect => {
                made.line(context, &part, 0);
                rows(&part, context, made);
            }
            _ => {}
        }
    }
}

/// One short row stays on its line; several have a line each, and their values line up.
fn rows(pair: &Pair<'_, Rule>, context: &Context<'_>, made: &mut Layout) {
    let rows: Vec<Pair<'_, Rule>> = pair.clone().into_inner().flatten().filter(|p| p.as_rule() == Rule::row).collect();
    if rows.is_empty() || (rows.len() == 1 && context.fits(pair, LINE_WIDTH)) {
        return;
    }
    let mut groups: Vec<usize> = Vec::new();
    for row in rows {
        made.line(context, &row, 2);
        let values = row.into_inner().filter(|p| p.as_rule() == Rule::literal).skip(1);
        for (number, value) in values.enumerate() {
            if groups.len() == number {
                groups.push(made.group());
            }
            made.cell(context, &value, groups[number]);
        }
    }
}
