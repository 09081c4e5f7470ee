//! The pest parser, made from the files in `grammar/`. The sole home of pest, together with `parse*` and `expect`.

#![allow(missing_docs)] // The derive makes an enum of rules that nobody outside this folder sees.

use std::num::NonZeroUsize;

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
