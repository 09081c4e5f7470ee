//! What a project defines, statement by statement in the canonical layout: what is compared to tell that somebody changed something.
//!
//! In: the files of a project. Out: each statement that can be read, with what it declares. Comments around a statement and its layout
//! are no part of it. Tests are left out, as they run nothing.

use super::layout::statements;
use super::parse::unquote;
use super::tokens::tokens;
use crate::diagnostic::source::Sources;

/// One statement of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// `job`, `chain`, `connection`, `settings`.
    pub kind: &'static str,
    /// The name that it declares; of settings, which have none, `settings`.
    pub name: String,
    /// The statement in its canonical layout.
    pub text: String,
}

/// The kinds by their keywords.
const KINDS: [(&str, &str); 4] =
    [("JOB", "job"), ("CHAIN", "chain"), ("CONNECTION", "connection"), ("SETTINGS", "settings")];

/// All definitions of a project, by kind and name.
#[must_use]
pub fn definitions(sources: &Sources) -> Vec<Definition> {
    let mut found = Vec::new();
    for (number, file) in sources.iter() {
        found.extend(statements(number, &file.text).into_iter().filter_map(definition));
    }
    found.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    // A name that is declared twice is a mistake of the project; the first one counts.
    found.dedup_by(|later, first| (later.kind, &later.name) == (first.kind, &first.name));
    found
}

fn definition(text: String) -> Option<Definition> {
    let words = tokens(&text);
    let [create, kind, name, ..] = &words[..] else { return None };
    let (_, kind) = KINDS.iter().find(|(word, _)| create.text == "CREATE" && kind.text.eq_ignore_ascii_case(word))?;
    let name = if *kind == "settings" { (*kind).to_owned() } else { unquote(name.text) };
    Some(Definition { kind, name, text })
}
