//! The pest parser, made from the files in `grammar/`. The sole home of pest, together with `parse*` and `expect`.

#![allow(missing_docs)] // The derive makes an enum of rules that nobody outside this folder sees.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use pest::Parser as _;
use pest_derive::Parser;

/// Rule applications that one statement may take: far above any honest statement, far below a noticeable wait.
const CALLS_AT_MOST: usize = 20_000_000;

/// The parser of one statement.
#[derive(Parser)]
#[grammar = "../grammar/words.pest"]
#[grammar = "../grammar/expressions.pest"]
#[grammar = "../grammar/statements.pest"]
pub(super) struct Grammar;

/// Bounds the work of a parse. pest keeps the bound for the whole process, so setting it again changes nothing.
pub(super) fn bound() {
    pest::set_call_limit(NonZeroUsize::new(CALLS_AT_MOST));
}

/// Where a wrong statement gets stuck, and the signs that could have stood there.
///
/// pest keeps book of rules, and of signs only when it is told to: so the statement is parsed once more, with the books
/// open. They are opened for the whole process, hence one at a time.
pub(super) fn stuck(statement: &str) -> Option<(usize, Vec<String>)> {
    static BOOKS: Mutex<()> = Mutex::new(());
    let parsed = {
        let _held = BOOKS.lock().unwrap_or_else(PoisonError::into_inner);
        pest::set_error_detail(true);
        let parsed = Grammar::parse(Rule::statement, statement);
        pest::set_error_detail(false);
        parsed
    };
    let attempts = parsed.err()?.parse_attempts()?;
    let is_sign = |token: &String| ["(", ")", ",", ".", "="].contains(&token.as_str());
    let tokens = attempts.expected_tokens().into_iter().map(|token| token.to_string());
    Some((attempts.max_position, tokens.filter(is_sign).collect()))
}
