//! A syntax error in an analyst's words: which clause or sign may stand here. Never the name of a grammar rule.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::syntax::Rule;
use crate::diagnostic::code;
use crate::diagnostic::report::Diagnostic;
use crate::diagnostic::source::Span;

/// The diagnostic for a failed parse of the statement at `statement`.
pub(super) fn diagnose(error: &Error<Rule>, statement: Span, text: &str) -> Diagnostic {
    let start = statement.start
        + match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
    let rest = &text[start.min(text.len())..statement.end.max(start.min(text.len()))];
    let length = word_length(rest);
    let found = &rest[..length];
    let span = Span { file: statement.file, start, end: start + length };
    let expected = match &error.variant {
        // Where nothing but words that must not stand here is known, a value was wanted: no other place has such words.
        ErrorVariant::ParsingError { positives, .. } => {
            Some(list(positives)).filter(|l| !l.is_empty()).unwrap_or_else(|| "a value or a column".to_owned())
        }
        ErrorVariant::CustomError { .. } => String::new(),
    };
    if expected.is_empty() {
        return Diagnostic::error(code::TOO_MUCH, span, "the statement is too large or too deeply nested to read");
    }
    let message = if found.is_empty() {
        format!("expected {expected}, but the statement ends")
    } else {
        format!("expected {expected}, found `{found}`")
    };
    with_habit(Diagnostic::error(code::SYNTAX, span, message), found, text, start)
}

/// How many bytes of `rest` the caret should cover: a word, a quoted text, or one sign.
fn word_length(rest: &str) -> usize {
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) }
}

/// Adds a hint where the slip is a habit from SQL, or a forgotten sign before this place.
fn with_habit(diagnostic: Diagnostic, found: &str, text: &str, start: usize) -> Diagnostic {
    let before = text[..start].trim_end();
    match found.to_ascii_uppercase().as_str() {
        "CREATE" => diagnostic.help("is a `;` missing at the end of the statement before?"),
        "JOIN" | "LEFT" | "INNER" | "RIGHT" | "UNION" | "WITH" => diagnostic
            .help("a job reads one table; another record is found with a LOOKUP:")
            .help("  LOOKUP gainsight.Company AS co ON co.\"Field\" = a.column WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT")
            .help("or through a lookup column: u.parentsystemuserid.domainname"),
        "*" => diagnostic.help("each target field is mapped by itself: a.name AS \"Name\""),
        "GROUP" | "ORDER" | "HAVING" | "LIMIT" => diagnostic.help("a mapping works on one row: there is no such clause"),
        "FROM" | "KEY" | "SELECT" if before.ends_with(',') => diagnostic.help("remove the comma before it"),
        _ => diagnostic,
    }
}

fn list(rules: &[Rule]) -> String {
    let mut words: Vec<String> = rules.iter().flat_map(|rule| words(*rule)).collect();
    words.sort();
    words.dedup();
    match words.len() {
        0 => String::new(),
        1 => words.remove(0),
        _ => {
            let last = words.pop().unwrap_or_default();
            format!("{} or {last}", words.join(", "))
        }
    }
}

fn words(rule: Rule) -> Vec<String> {
    let of = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect();
    match rule {
        Rule::connection => of(&["CONNECTION"]),
        Rule::job => of(&["JOB"]),
        Rule::chain => of(&["CHAIN"]),
        Rule::statement => of(&["CREATE"]),
        Rule::connection_clause => of(&["URL", "AUTH", "LIMITS", "COMPANY RESOLVED BY", "PERSON RESOLVED BY"]),
        Rule::service => of(&["DYNAMICS", "GAINSIGHT"]),
        Rule::job_clause => of(&["COMMENT", "AFTER"]),
        Rule::comment => of(&["COMMENT"]),
        Rule::after => of(&["AFTER"]),
        Rule::key => of(&["KEY"]),
        Rule::select => of(&["SELECT"]),
        Rule::from => of(&["FROM"]),
        Rule::changes => of(&["CHANGES OF"]),
        Rule::lookup => of(&["LOOKUP"]),
        Rule::filter => of(&["WHERE"]),
        Rule::policy => of(&["WHEN MULTIPLE MATCHED THEN …", "WHEN NOT MATCHED THEN …"]),
        Rule::when_multiple => of(&["MULTIPLE MATCHED THEN …"]),
        Rule::when_none => of(&["NOT MATCHED THEN …"]),
        Rule::use_any => of(&["USE ANY"]),
        Rule::use_null => of(&["USE NULL"]),
        Rule::after_load => of(&["AFTER LOAD"]),
        Rule::ignore_case => of(&["IGNORE CASE"]),
        Rule::on_failure => of(&["ON FAILURE"]),
        Rule::step => of(&["RUN"]),
        Rule::operator | Rule::comparison => of(&["a comparison"]),
        Rule::is_null => of(&["IS NULL"]),
        Rule::in_list => of(&["IN (…)"]),
        Rule::text => of(&["a text in single quotes"]),
        Rule::number => of(&["a number"]),
        Rule::name | Rule::identifier | Rule::quoted | Rule::target_field | Rule::object | Rule::key_field => {
            of(&["a name"])
        }
        Rule::secret => of(&["SECRET 'name'"]),
        Rule::arguments => of(&["`(`"]),
        Rule::path => of(&["`.` and a column"]),
        Rule::EOI => of(&["`;`"]),
        Rule::expression | Rule::primary | Rule::literal | Rule::call_or_path | Rule::mapping | Rule::sum => {
            of(&["a value or a column"])
        }
        other => {
            let name = format!("{other:?}");
            name.strip_prefix("kw_").map_or_else(Vec::new, |keyword| vec![keyword.to_ascii_uppercase()])
        }
    }
}
