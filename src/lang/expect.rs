//! A syntax error in an analyst's words: which clause or sign may stand here. Never the name of a grammar rule.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::habit::{Slip, habit};
use super::suggest::nearest;
use super::syntax::{Rule, stuck};
use super::tokens::{open_bracket, piece, tokens};
use crate::diagnostic::code;
use crate::diagnostic::report::Diagnostic;
use crate::diagnostic::source::Span;

/// The diagnostic for a failed parse of the statement at `statement`.
pub(super) fn diagnose(error: &Error<Rule>, statement: Span, text: &str) -> Diagnostic {
    let written = &text[statement.start..statement.end];
    let located = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(written.len()),
    };
    let place = |start: usize, length: usize| {
        let start = statement.start + start;
        Span { file: statement.file, start, end: start + length }
    };
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let message = "the statement is too large or too deeply nested to read";
        return Diagnostic::error(code::TOO_MUCH, place(located, piece(&written[located..])), message);
    };
    let (further, signs) = stuck(written).unwrap_or_default();
    // Where a sign is wanted, something else stands. A blank stands there where a word must not have been.
    let is_sign = !signs.is_empty() && !written[further.min(written.len())..].starts_with(char::is_whitespace);
    let further = if is_sign { word_start(written, further) } else { located };
    let at = further.max(located);
    let mut slip = Slip {
        before: tokens(&written[..at]),
        found: &written[at..at + piece(&written[at..])],
        rest: &written[at..],
        at,
        expected: if at == located { expected(positives) } else { Vec::new() },
        signs: if at == further { signs } else { Vec::new() },
    };
    if slip.expected.is_empty() && slip.signs.is_empty() {
        // Where nothing but words that must not stand here is known, a value was wanted: no other place has such words.
        slip.expected.push("a value or a column".to_owned());
    }
    let told = habit(&slip);
    let (start, length) = told.place.unwrap_or((slip.at, slip.found.len()));
    let message = told.message.clone().unwrap_or_else(|| message(&slip));
    let mut wrong = Diagnostic::error(code::SYNTAX, place(start, length), message);
    if let (Some(near), None) = (meant(&slip), &told.message) {
        wrong = wrong.label(format!("did you mean {near}?"));
    }
    if let Some(number) = open_bracket(&slip.before).filter(|_| told.message.is_none() && slip.wants(")")) {
        let bracket = slip.before[number].start;
        if written[bracket..slip.at].contains('\n') || inside(&slip, Some(number)).is_empty() {
            wrong = wrong.related(place(bracket, 1), "it is opened here");
        }
    }
    told.help.into_iter().fold(wrong, Diagnostic::help)
}

/// The start of the word that a place lies in: a keyword may be matched but for its end.
fn word_start(text: &str, at: usize) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    if !text[at..].starts_with(is_word) {
        return at;
    }
    text[..at]
        .rfind(|c| !is_word(c))
        .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8))
}

/// `expected …, found …`
fn message(slip: &Slip<'_>) -> String {
    let found = match slip.found {
        "" => "but the statement ends".to_owned(),
        long if long.chars().count() > 40 => format!("found `{}…`", long.chars().take(39).collect::<String>()),
        found => format!("found `{found}`"),
    };
    format!("expected {}, {found}", wanted(slip))
}

/// What may stand here, as few words as will do.
fn wanted(slip: &Slip<'_>) -> String {
    let bracket = open_bracket(&slip.before);
    if slip.expects("AS") && !slip.expects("a name") && bracket.is_some() {
        let call = slip.before_bracket(bracket).map(str::to_ascii_uppercase).unwrap_or_default();
        if ["CAST", "TRY_CAST", "TREAT"].contains(&call.as_str()) {
            return format!("AS and a type in the call of {call}");
        }
    }
    if slip.wants(")") {
        let comma = if slip.wants(",") { " or `,`" } else { "" };
        return format!("`)`{comma}{}", inside(slip, bracket));
    }
    words_of(slip)
}

/// The words that may stand here, in a row.
fn words_of(slip: &Slip<'_>) -> String {
    let mut words = slip.expected.clone();
    let structure = |word: &String| !OPERATORS.contains(&word.as_str());
    if words.iter().any(structure) {
        words.retain(structure);
    }
    let has = |words: &[String], word: &str| words.iter().any(|w| w == word);
    if ["AS", "THEN", "WHEN", "END"].iter().any(|word| has(&words, word)) && !has(&words, "LOOKUP") {
        words.retain(|word| word != "AND" && word != "OR");
    }
    if has(&words, "LOOKUP") {
        words.retain(|word| word != "AFTER" && word != "IGNORE");
    }
    if words.len() > WORDS_AT_MOST {
        words.retain(|word| !SELDOM.contains(&word.as_str()));
    }
    if words.len() > WORDS_AT_MOST {
        words.retain(|word| !LATER.contains(&word.as_str()));
        words.insert(0, "the next clause".to_owned());
    }
    let has_words = !words.is_empty();
    let signs = slip.signs.iter().filter(|sign| !has_words || *sign == ",").map(|sign| format!("`{sign}`"));
    words = signs.chain(words).collect();
    match words.len() {
        0 => String::new(),
        1 => words.remove(0),
        _ => {
            let last = words.pop().unwrap_or_default();
            format!("{} or {last}", words.join(", "))
        }
    }
}

/// Which bracket is open: ` in the call of LABEL`.
fn inside(slip: &Slip<'_>, bracket: Option<usize>) -> String {
    let Some(before) = slip.before_bracket(bracket) else { return String::new() };
    let upper = before.to_ascii_uppercase();
    let is_name = before.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"');
    match upper.as_str() {
        "KEY" | "IN" | "LIMITS" | "SETTINGS" | "CSV" => format!(" in {upper} (…)"),
        "BY" => " in RESOLVED BY (…)".to_owned(),
        "VALUES" | "," | ")" => " in this row".to_owned(),
        "AND" | "OR" | "NOT" | "WHERE" | "WHEN" | "THEN" | "ELSE" | "CASE" | "REQUIRE" | "SELECT" | "BETWEEN"
        | "LIKE" => String::new(),
        "REJECTS" | "ERRORS" | "UNCHANGED" => format!(" in the columns of {upper}"),
        _ if !is_name => String::new(),
        _ if slip.word_before_bracket(bracket, 2).is_some_and(|w| w.eq_ignore_ascii_case("AUTH")) => {
            format!(" in AUTH {before} (…)")
        }
        _ if slip.word_before_bracket(bracket, 2) == Some(".") => format!(" in the columns of {before}"),
        _ => format!(" in the call of {upper}"),
    }
}

/// The word that was meant where a keyword is misspelt.
fn meant(slip: &Slip<'_>) -> Option<String> {
    let is_word = slip.found.len() > 2 && slip.found.chars().all(|c| c.is_alphabetic() || c == '_');
    let is_keyword = |word: &&str| word.chars().all(char::is_uppercase);
    let known = slip.expected.iter().filter_map(|word| word.split(' ').next()).filter(is_keyword);
    let near = nearest(slip.found, known).filter(|near| is_word && !near.eq_ignore_ascii_case(slip.found))?;
    let whole = slip.expected.iter().find(|word| word.split(' ').next() == Some(near))?;
    let keywords: Vec<&str> = whole.split(' ').take_while(|word| is_keyword(word)).collect();
    Some(keywords.join(" "))
}

/// More words than this help nobody.
const WORDS_AT_MOST: usize = 5;
/// What may follow every value: left out where anything else is possible.
const OPERATORS: [&str; 8] =
    ["`.` and a column", "`(`", "IN (…)", "a comparison", "an arithmetic sign", "BETWEEN", "LIKE", "IS NULL"];
/// What is left out of a long list first: it is seldom what was meant.
const SELDOM: [&str; 15] = [
    "AND",
    "BEGIN WITH",
    "BY",
    "CATCH UP",
    "COMMENT",
    "FROM 'date'",
    "FULL EVERY",
    "IGNORE CASE",
    "IN 'zone'",
    "LAG",
    "LOAD FIRST BY",
    "LOAD VIA …",
    "ON ERROR",
    "ON UNKNOWN …",
    "OR",
];

/// The later clauses of a job, which many places have in common.
const LATER: [&str; 4] = ["LOOKUP", "ON SOURCE …", "REQUIRE", "WHERE"];

/// The words of some rules, each once.
fn expected(rules: &[Rule]) -> Vec<String> {
    let mut words: Vec<String> = rules.iter().flat_map(|rule| words(*rule)).collect();
    words.sort();
    words.dedup();
    words
}

fn words(rule: Rule) -> Vec<String> {
    let of = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect();
    match rule {
        Rule::connection => of(&["CONNECTION"]),
        Rule::job => of(&["JOB"]),
        Rule::chain => of(&["CHAIN"]),
        Rule::test => of(&["TEST"]),
        Rule::settings => of(&["SETTINGS"]),
        Rule::statement => of(&["CREATE"]),
        Rule::connection_clause => {
            of(&["URL", "AUTH", "LIMITS", "FORMAT", "TABLE", "COMPANY RESOLVED BY", "PERSON RESOLVED BY"])
        }
        Rule::service => of(&["DYNAMICS", "FILES", "GAINSIGHT", "SMTP"]),
        Rule::sender => of(&["FROM 'address'"]),
        Rule::files_key => of(&["KEY (column)"]),
        Rule::files_at => of(&["AT 'files'"]),
        Rule::declared | Rule::format_settings => of(&["`(`"]),
        Rule::kw_synapse => of(&["SYNAPSE LINK"]),
        Rule::job_clause => of(&["COMMENT", "AFTER", "SCHEDULE", "NOTIFY", "TIME ZONE"]),
        Rule::chain_clause => of(&["COMMENT", "SCHEDULE", "NOTIFY", "ON FAILURE"]),
        Rule::after => of(&["AFTER \"job\""]),
        Rule::verb => of(&["UPSERT INTO", "INSERT INTO", "UPDATE"]),
        Rule::duplicate_key => of(&["WHEN DUPLICATE KEY THEN …"]),
        Rule::keep_latest => of(&["KEEP LATEST BY …"]),
        Rule::changes => of(&["CHANGES OF"]),
        Rule::begin_with => of(&["BEGIN WITH"]),
        Rule::full_every | Rule::kw_full => of(&["FULL EVERY"]),
        Rule::filter => of(&["WHERE"]),
        Rule::policy => of(&["WHEN MULTIPLE MATCHED THEN …", "WHEN NOT MATCHED THEN …"]),
        Rule::when_multiple => of(&["MULTIPLE MATCHED THEN …"]),
        Rule::when_none => of(&["NOT MATCHED THEN …"]),
        Rule::use_multiple => of(&["USE ANY", "USE FIRST BY …"]),
        Rule::first_by => of(&["FIRST BY …"]),
        Rule::use_value => of(&["USE NULL"]),
        Rule::after_load => of(&["AFTER LOAD"]),
        Rule::late_clause => of(&["ON ERROR", "ON SOURCE …", "ON UNKNOWN …", "LOAD FIRST BY", "LOAD VIA …"]),
        Rule::on_error => of(&["ERROR"]),
        Rule::on_source => of(&["SOURCE DELETE", "SOURCE LEAVE"]),
        Rule::on_unknown => of(&["UNKNOWN CHOICE", "UNKNOWN ITEM"]),
        Rule::source_action => of(&["IGNORE", "SET …", "DELETE"]),
        Rule::up_to => of(&["UP TO"]),
        Rule::load_first => of(&["LOAD FIRST BY"]),
        Rule::load_via => of(&["LOAD VIA …"]),
        Rule::via_job => of(&["(job_id = '…')"]),
        Rule::on_failure => of(&["ON FAILURE"]),
        Rule::step => of(&["RUN"]),
        Rule::calendar => of(&["DAY", "WEEKDAY", "MONTH ON DAY …", "a day of the week"]),
        Rule::length | Rule::duration => of(&["a length of time (5m, 4h, 7d)"]),
        Rule::unit => of(&["SECONDS", "MINUTES", "HOURS", "DAYS"]),
        Rule::event => of(&["SUCCESS", "PARTIAL", "FAILURE"]),
        Rule::in_zone => of(&["IN 'zone'"]),
        Rule::from_date => of(&["FROM 'date'"]),
        Rule::until_date => of(&["UNTIL 'date'"]),
        Rule::catch_up => of(&["CATCH UP"]),
        Rule::row => of(&["a row in brackets"]),
        Rule::columns => of(&["columns in brackets"]),
        Rule::expected => of(&["columns in brackets", "NONE"]),
        Rule::expect_outcome => of(&["REJECTS", "ERRORS", "UNCHANGED"]),
        Rule::expect_records => of(&["an object"]),
        Rule::given_now => of(&["NOW '…'"]),
        other => words_of_values(other),
    }
}

fn words_of_values(rule: Rule) -> Vec<String> {
    let of = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect();
    match rule {
        Rule::operator | Rule::comparison => of(&["a comparison"]),
        Rule::ignore_case => of(&["IGNORE CASE"]),
        Rule::between => of(&["BETWEEN"]),
        Rule::plus_minus | Rule::times => of(&["an arithmetic sign"]),
        Rule::is_null | Rule::kw_is => of(&["IS NULL"]),
        Rule::literal => of(&["a constant"]),
        Rule::membership => of(&["IN (…)", "BETWEEN", "LIKE"]),
        Rule::in_list => of(&["IN (…)"]),
        Rule::like => of(&["LIKE"]),
        Rule::arm => of(&["WHEN"]),
        Rule::otherwise => of(&["ELSE"]),
        Rule::text => of(&["a text in single quotes"]),
        Rule::number => of(&["a number"]),
        Rule::name
        | Rule::identifier
        | Rule::quoted
        | Rule::target_field
        | Rule::object
        | Rule::objects
        | Rule::key_field
        | Rule::auth_setting
        | Rule::declaration
        | Rule::format_setting
        | Rule::setting
        | Rule::limit
        | Rule::assignment
        | Rule::equality
        | Rule::order => of(&["a name"]),
        Rule::secret => of(&["SECRET 'name'"]),
        Rule::arguments => of(&["`(`"]),
        Rule::path => of(&["`.` and a column"]),
        Rule::type_name => of(&["a type"]),
        Rule::EOI => of(&["`;`"]),
        Rule::minus | Rule::star | Rule::typed => Vec::new(),
        Rule::expression
        | Rule::primary
        | Rule::call_or_path
        | Rule::mapping
        | Rule::sum
        | Rule::concat
        | Rule::product
        | Rule::signed
        | Rule::case
        | Rule::argument
        | Rule::predicate
        | Rule::negation
        | Rule::and_chain => of(&["a value or a column"]),
        other => {
            let name = format!("{other:?}");
            let word = name.strip_prefix("kw_").unwrap_or(&name);
            // What is left are keywords and clauses that are named after their first word.
            vec![word.split('_').next().unwrap_or(word).to_ascii_uppercase()]
        }
    }
}
