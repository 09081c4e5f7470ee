//! `ferry fmt`: one canonical layout of a file. The tokens stay as they are and where they are, comments among them; only
//! blanks, ends of lines and the case of keywords change, so the meaning cannot.
//!
//! In: the text of a file. Out: the text anew, or what is wrong with it. `tokens` cuts the text, `breaks` decides from the parse
//! where lines begin and what lines up, `print` puts the tokens down.

mod breaks;
mod print;
mod tokens;

use pest::Parser;

use super::expect::diagnose;
use super::split::split;
use super::syntax::{Grammar, Rule, bound};
use crate::diagnostic::report::Diagnostics;
use crate::diagnostic::source::Span;

use breaks::layout;
use print::print;
use tokens::{Kind, Token, tokens};

/// The text in its canonical layout.
///
/// # Errors
/// What keeps it from being read; a text that is not right in its form is left as it is.
pub fn format(file: usize, text: &str) -> Result<String, Diagnostics> {
    let mut wrong = Diagnostics::default();
    split(file, text, &mut wrong);
    if wrong.has_errors() {
        return Err(wrong);
    }
    bound();
    let all = tokens(text);
    let mut writer = Writer { text, out: String::new(), last_end: None };
    for part in all.split_inclusive(|t| t.kind == Kind::End) {
        let code = part.iter().position(|t| !t.is_comment() && t.kind != Kind::End);
        let Some(first) = code else {
            // A `;` that ends nothing goes; the comments before it stay.
            part.iter().filter(|t| t.is_comment()).for_each(|t| writer.comment(*t));
            continue;
        };
        part[..first].iter().for_each(|t| writer.comment(*t));
        match statement(file, &part[first..], text) {
            Ok(printed) => writer.statement(&printed, part[first], part[part.len() - 1]),
            Err(mistakes) => wrong.append(mistakes),
        }
    }
    if wrong.has_errors() { Err(wrong) } else { Ok(writer.finish()) }
}

/// Each statement of a text by itself, in its canonical layout and without the comments around it; what cannot be read is left out.
pub(super) fn statements(file: usize, text: &str) -> Vec<String> {
    let mut wrong = Diagnostics::default();
    split(file, text, &mut wrong);
    if wrong.has_errors() {
        return Vec::new();
    }
    bound();
    let all = tokens(text);
    let parts = all.split_inclusive(|t| t.kind == Kind::End);
    let printed = parts.filter_map(|part| {
        let first = part.iter().position(|t| !t.is_comment() && t.kind != Kind::End)?;
        statement(file, &part[first..], text).ok()
    });
    printed.collect()
}

fn statement(file: usize, tokens: &[Token], text: &str) -> Result<String, Diagnostics> {
    let (first, last) = (tokens[0], tokens[tokens.len() - 1]);
    let span = Span { file, start: first.start, end: last.start };
    let parsed = Grammar::parse(Rule::statement, &text[span.start..span.end]);
    let mut pairs = parsed.map_err(|error| {
        let mut wrong = Diagnostics::default();
        wrong.push(diagnose(&error, span, text));
        wrong
    })?;
    let statement = pairs.next().expect("a successful parse yields its rule");
    Ok(print(tokens, &layout(statement, span.start, tokens, text), text))
}

/// Statements and the comments between them.
struct Writer<'a> {
    text: &'a str,
    out: String,
    /// Where the last thing that was written ends in the source, and whether it is a statement.
    last_end: Option<(usize, bool)>,
}

impl Writer<'_> {
    fn comment(&mut self, token: Token) {
        let said = &token.text(self.text).trim_end().replace("\r\n", "\n");
        match self.last_end {
            None => {}
            // Behind the `;` of a statement, on its line.
            Some((end, true)) if !self.text[end..token.start].contains('\n') => {
                let line = self.text[..token.start].rfind('\n').map_or(0, |n| n + 1);
                let column = self.text[line..token.start].chars().count();
                let written = self.out.lines().last().map_or(0, |l| l.chars().count());
                self.out.push_str(&" ".repeat(column.saturating_sub(written).max(1)));
            }
            Some((end, _)) => self.gap(end, token.start, false),
        }
        self.out.push_str(said);
        self.last_end = Some((token.end, false));
    }

    fn statement(&mut self, printed: &str, first: Token, last: Token) {
        if let Some((end, is_statement)) = self.last_end {
            self.gap(end, first.start, is_statement);
        }
        self.out.push_str(printed);
        self.last_end = Some((last.end, true));
    }

    /// A line's end, and a blank line where the source has one or a statement is to stand apart.
    fn gap(&mut self, from: usize, to: usize, apart: bool) {
        let is_apart = apart || self.text[from..to].matches('\n').count() > 1;
        self.out.push_str(if is_apart { "\n\n" } else { "\n" });
    }

    fn finish(mut self) -> String {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }
}
