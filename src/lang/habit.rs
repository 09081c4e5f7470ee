//! Slips that come from other SQLs, from word processors and from haste: what was meant, and what to type instead.
//!
//! In: where a statement got stuck and what could have stood there. Out: better words than "expected this, found that".

use super::habit_clause::{HEAD, clause_of_sql, head, lookup, order, policy, select, table};
use super::tokens::{Token, open_bracket, tokens};

/// Where a statement got stuck.
pub(super) struct Slip<'t> {
    /// What stands before.
    pub(super) before: Vec<Token<'t>>,
    /// What stands there; nothing at the end.
    pub(super) found: &'t str,
    /// All from there on.
    pub(super) rest: &'t str,
    pub(super) at: usize,
    /// What could have stood there, in words, and which signs.
    pub(super) expected: Vec<String>,
    pub(super) signs: Vec<String>,
}

/// What a slip is told.
#[derive(Default)]
pub(super) struct Told {
    /// In place of "expected …, found …".
    pub(super) message: Option<String>,
    /// Another place than the one where the statement got stuck: start and length.
    pub(super) place: Option<(usize, usize)>,
    pub(super) help: Vec<String>,
}

impl<'t> Slip<'t> {
    /// Whether this word could have stood there.
    pub(super) fn expects(&self, word: &str) -> bool {
        self.expected.iter().any(|w| w == word)
    }

    /// Whether this sign could have stood there.
    pub(super) fn wants(&self, sign: &str) -> bool {
        self.signs.iter().any(|s| s == sign)
    }

    /// The piece before the bracket with this number.
    pub(super) fn before_bracket(&self, bracket: Option<usize>) -> Option<&'t str> {
        self.word_before_bracket(bracket, 1)
    }

    /// The n-th piece before the bracket with this number.
    pub(super) fn word_before_bracket(&self, bracket: Option<usize>, back: usize) -> Option<&'t str> {
        bracket?.checked_sub(back).and_then(|at| self.before.get(at)).map(|token| token.text)
    }

    /// The n-th piece before the place, in capitals.
    pub(super) fn back(&self, n: usize) -> String {
        let at = self.before.len().checked_sub(n);
        at.and_then(|at| self.before.get(at)).map(|token| token.text.to_ascii_uppercase()).unwrap_or_default()
    }

    pub(super) fn is_word(&self) -> bool {
        self.found.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"')
    }
}

impl Told {
    pub(super) fn help(lines: &[&str]) -> Option<Self> {
        Some(Self { help: lines.iter().map(|line| (*line).to_owned()).collect(), ..Self::default() })
    }

    pub(super) fn said(message: impl Into<String>, lines: &[&str]) -> Option<Self> {
        Self::help(lines).map(|told| Self { message: Some(message.into()), ..told })
    }

    pub(super) fn at(self, token: Token<'_>) -> Self {
        Self { place: Some((token.start, token.text.len())), ..self }
    }
}

/// What is told about a slip; nothing where it is no habit.
pub(super) fn habit(slip: &Slip<'_>) -> Told {
    let upper = slip.found.to_ascii_uppercase();
    let told = sign(slip)
        .or_else(|| beginning(slip, &upper))
        .or_else(|| trailing_comma(slip, &upper))
        .or_else(|| number(slip))
        .or_else(|| form(slip, &upper))
        .or_else(|| value(slip, &upper))
        .or_else(|| quotes(slip))
        .or_else(|| order(slip, &upper))
        .or_else(|| select(slip, &upper))
        .or_else(|| table(slip, &upper))
        .or_else(|| clause_of_sql(slip, &upper))
        .or_else(|| lookup(slip, &upper))
        .or_else(|| head(slip, &upper))
        .or_else(|| policy(slip, &upper));
    told.unwrap_or_default()
}

/// The first words of a statement.
fn beginning(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    match (slip.before.len(), upper) {
        (0, "ALTER" | "DROP" | "REPLACE") => {
            Told::help(&["edit or delete the CREATE statement itself: what stands in the files is what there is"])
        }
        (0, "MERGE" | "INSERT" | "UPDATE" | "UPSERT" | "SELECT" | "WITH" | "DELETE") => {
            Told::help(&["it stands inside a job: CREATE JOB \"name\" AS UPSERT INTO … KEY (…) SELECT … FROM …"])
        }
        (0, _) => Told::help(&["a script holds CREATE statements, each ended by `;`"]),
        (1, "OR" | "IF") => Told::help(&["write CREATE alone: what stands in the files is what there is"]),
        (3, "NOT") if slip.back(1) == "IF" => {
            Told::said("there is no IF NOT EXISTS", &["write CREATE alone: what stands in the files is what there is"])
        }
        (1, "TABLE" | "VIEW" | "INDEX" | "SCHEMA") => {
            Told::help(&["a job fills objects that Gainsight has already; they are made there"])
        }
        (_, "CREATE") => {
            let help = ["write `;` at the end of the statement before"];
            Told::said("the statement before this CREATE does not end", &help)
        }
        _ => None,
    }
}

/// Signs that no place takes.
fn sign(slip: &Slip<'_>) -> Option<Told> {
    let said = |message: &str, help: &str| Told::said(message, &[help]);
    match slip.found.chars().next()? {
        '’' | '‘' | '“' | '”' | '„' | '«' | '»' => {
            said("these are the quotes of a word processor", "write straight ones: 'text', \"Name\"")
        }
        '`' => said("a backtick is no quote here", "names stand in double quotes: \"Name\""),
        '[' => said("a square bracket is no quote here", "names stand in double quotes: \"Name\""),
        ')' if open_bracket(&slip.before).is_none() => {
            said("no bracket is open here", "remove this one, or open one before")
        }
        '*' if slip.back(1) == "*" => said("there is no `**`", "write POWER(a.column, 2)"),
        '!' if slip.back(1) == "=" => said("there is no `=!`", "unequal is `<>`"),
        '!' => said("there is no `!`", "write NOT; unequal is `<>`"),
        '&' => said("there is no `&`", "conditions are joined by AND, texts by `||`"),
        '|' => said("there is no single `|`", "conditions are joined by OR, texts by `||`"),
        '#' => said("`#` begins no comment", "comments begin with `--`, or stand between /* and */"),
        '/' if slip.rest.starts_with("//") => {
            said("`//` begins no comment", "comments begin with `--`, or stand between /* and */")
        }
        '@' | '$' | '{' | '?' => {
            said("there are no variables", "write the value itself; a secret is named by SECRET 'name' in a connection")
        }
        ':' if slip.rest.starts_with("::") => said("there is no `::`", "write CAST(… AS TEXT)"),
        _ => None,
    }
}

fn trailing_comma(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    let comma = *slip.before.last().filter(|token| token.text == ",")?;
    let ends = [")", "", "FROM", "KEY", "SELECT", "LOOKUP", "WHERE", "AS", "THEN", "ON", "WHEN", "GIVEN", "EXPECT"];
    if !ends.contains(&upper) {
        return None;
    }
    let before = if upper.is_empty() { "the end".to_owned() } else { format!("`{upper}`") };
    Some(Told::said(format!("a comma too many before {before}"), &["remove the comma"])?.at(comma))
}

/// Single quotes around a name, double ones around a text, none around a text.
fn quotes(slip: &Slip<'_>) -> Option<Told> {
    let inner = slip.found.get(1..slip.found.len().max(2) - 1).unwrap_or_default();
    let is_name_wanted = slip.expects("a name") || slip.expects("AFTER \"job\"");
    let is_text_wanted = slip.expects("a text in single quotes");
    if slip.found.starts_with('\'') && is_name_wanted && !is_text_wanted {
        return Told::help(&[&format!("names stand in double quotes: \"{inner}\"")]);
    }
    if slip.found.starts_with('"') && is_text_wanted {
        return Told::help(&[&format!("texts stand in single quotes: '{inner}'")]);
    }
    let is_plain = slip.found.starts_with(|c: char| c.is_alphanumeric());
    if is_text_wanted
        && is_plain
        && slip.back(1) != "CRON"
        && !slip.expects("a number")
        && !slip.expects("a value or a column")
    {
        let text: String = slip.rest.chars().take_while(|c| !c.is_whitespace() && !",;()".contains(*c)).collect();
        return Told::help(&[&format!("texts stand in single quotes: '{text}'")]);
    }
    if slip.found == "." && slip.back(1).starts_with('"') && slip.expected.iter().any(|w| w == "a comparison") {
        return Told::help(&["an alias stands without quotes: a.name"]);
    }
    let (name, of) = (slip.before.last()?, slip.back(2));
    let is_named = ["JOB", "CHAIN", "TEST", "CONNECTION", "AFTER", "RUN", "FOR"].contains(&of.as_str());
    if is_named && slip.is_word() && !name.text.starts_with(['"', '\'']) && slip.expected.len() > 1 {
        let known = HEAD
            .iter()
            .chain(&["AS", "LABEL", "TO", "THEN", "DYNAMICS", "GAINSIGHT", "SMTP"])
            .any(|w| slip.found.eq_ignore_ascii_case(w));
        let help = format!("a name of several words stands in double quotes: \"{} {}\"", name.text, slip.found);
        return if known { None } else { Told::help(&[&help]) };
    }
    None
}

/// Numbers with a comma, a unit or a percent sign.
fn number(slip: &Slip<'_>) -> Option<Told> {
    let (last, second) = (slip.back(1), slip.back(2));
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    if slip.found == ","
        && second != "BETWEEN"
        && is_number(&last)
        && is_number(slip.rest[1..].trim_start())
        && open_bracket(&slip.before).is_none()
    {
        return Told::said("a number has no commas between its digits", &["write 1000, or 1000.50"]);
    }
    if is_number(slip.found) && slip.found.ends_with(char::is_alphabetic) && slip.expects("a value or a column") {
        let message = format!("`{}` is no number", slip.found);
        return Told::said(message, &["a number has digits and one point only: 1000"]);
    }
    if last == "%" && is_number(&second) {
        let sign = slip.before.last().copied()?;
        return Some(Told::said("a number has no percent sign", &["write the number alone: 80"])?.at(sign));
    }
    if slip.found == "%" && slip.expects("PERCENT") {
        return Told::help(&["write the word: UP TO 5 PERCENT"]);
    }
    if last == "%" && slip.back(3) == "LIKE" {
        let message = "the pattern of LIKE is a text";
        return Told::said(message, &["it stands in single quotes: LIKE 'Acme%'"]);
    }
    None
}

/// Forms of other SQLs inside a value: what they are called here.
fn form(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    let (last, second) = (slip.back(1), slip.back(2));
    let call = slip.before_bracket(open_bracket(&slip.before)).unwrap_or_default();
    let is_cast = ["CAST", "TRY_CAST"].iter().any(|word| call.eq_ignore_ascii_case(word));
    match (upper, last.as_str()) {
        _ if slip.is_word() && second == "INTERVAL" && last.starts_with('\'') => Told::said(
            "the unit of an interval stands inside its quotes",
            &[&format!("such as INTERVAL '{} days'", last.trim_matches('\''))],
        ),
        ("FROM" | "FOR", _) if ["SUBSTRING", "SUBSTR"].iter().any(|w| call.eq_ignore_ascii_case(w)) => {
            Told::said("the parts of SUBSTR are separated by commas", &["write SUBSTR(a.name, 1, 10)"])
        }
        ("AT", _) if tokens(slip.rest).get(1).is_some_and(|t| t.text.eq_ignore_ascii_case("TIME")) => Told::said(
            "there is no AT TIME ZONE",
            &["the job's own TIME ZONE 'Europe/Berlin', before AS, says on which clock its days and hours are"],
        ),
        _ if is_cast && slip.is_word() && upper != "AS" && slip.expects("AS") => Told::said(
            format!("AS is missing before the type `{}`", slip.found),
            &[&format!("write {}(… AS {upper})", call.to_ascii_uppercase())],
        ),
        (_, "KEEP" | "LABEL" | "TYPE_OF") if slip.is_word() => {
            Told::said(format!("{last} stands before brackets"), &[&format!("write {last}(a.column)")])
        }
        (_, "DISTINCT") if !call.is_empty() => Told::said(
            "there is no DISTINCT: a mapping works on one row",
            &["WHEN DUPLICATE KEY THEN … says what becomes of several rows with one key"],
        ),
        (_, "DATE" | "TIMESTAMP") if slip.is_word() => {
            let of = if last == "DATE" { "DATE" } else { "DATETIME" };
            Told::said(format!("{last} stands before a text"), &[&format!("of a column write CAST(a.column AS {of})")])
        }
        _ => None,
    }
}

/// Slips inside a value or a condition.
fn value(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    let (last, second) = (slip.back(1), slip.back(2));
    let call = slip.before_bracket(open_bracket(&slip.before)).unwrap_or_default();
    match (upper, last.as_str()) {
        (_, "INTERVAL") if slip.found.starts_with(|c: char| c.is_ascii_digit()) => {
            Told::said("the length of an interval stands in single quotes", &["such as INTERVAL '7 days'"])
        }
        (_, "DATE" | "TIMESTAMP") if slip.found.starts_with(|c: char| c.is_ascii_digit() || c == '"') => Told::said(
            format!("a {} stands in single quotes", last.to_lowercase()),
            &["such as DATE '2026-01-31', TIMESTAMP '2026-01-31 10:00'"],
        ),
        ("SELECT", "(") => Told::said(
            "there are no subqueries: a mapping works on one row",
            &["another record is found with a LOOKUP, or through a lookup column: o.ownerid.lastname"],
        ),
        ("FROM", _) if call.eq_ignore_ascii_case("EXTRACT") => {
            Told::said("there is no EXTRACT", &["write DATE_PART('year', …)"])
        }
        ("OVER", _) => Told::said(
            "there are no window functions: a mapping works on one row",
            &["of several rows with one key, WHEN DUPLICATE KEY THEN KEEP LATEST BY … takes one"],
        ),
        ("TRUE" | "FALSE", _) if second == "IS" || last == "IS" => {
            Told::said("IS asks for NULL only", &["write = TRUE or = FALSE"])
        }
        (_, "IS") => Told::said("IS asks for NULL only", &["compare with `=`"]),
        (_, "NOT") if second == "IS" => Told::said("IS NOT asks for NULL only", &["compare with `<>`"]),
        ("ESCAPE", _) => {
            Told::said("LIKE has no ESCAPE", &["CONTAINS(…, 'text'), STARTS_WITH and ENDS_WITH take a text as it is"])
        }
        (",", _) if slip.expects("AND") && second == "BETWEEN" => Told::help(&["write BETWEEN 1 AND 10"]),
        ("ELSEIF" | "ELSIF" | "ELIF", _) => Told::said(
            format!("there is no {upper}"),
            &["a further case begins with WHEN: CASE WHEN … THEN … WHEN … THEN … END"],
        ),
        (_, "IN") if slip.wants("(") => Told::help(&["the values stand in brackets: IN ('Open', 'Won')"]),
        (")", "(") if second == "IN" => Told::said("an empty list matches nothing", &["such as IN ('Open', 'Won')"]),
        ("(", _) if second == "AS" && slip.wants(")") => {
            Told::said("a type has no length", &["write CAST(… AS TEXT); LEFT(…, 50) cuts it"])
        }
        _ if slip.expects("END") && !slip.expects("a value or a column") => {
            Told::said(format!("this CASE does not end before `{}`", slip.found), &["write END behind its last value"])
        }
        _ => None,
    }
}
