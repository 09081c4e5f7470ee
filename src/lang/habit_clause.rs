//! Slips in the clauses of a job, a chain or a test: those of other SQLs, those in the wrong place, those without a part.

use super::habit::{Slip, Told};
use super::tokens::{CLAUSES, Token, clause, open_bracket, tokens};

const LOOKUP_HELP: [&str; 3] = [
    "another record is found with a LOOKUP:",
    "  LOOKUP gainsight.Company AS co ON co.\"Field\" = a.column WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT",
    "or through a lookup column: u.parentsystemuserid.domainname",
];
pub(super) const HEAD: [&str; 5] = ["COMMENT", "AFTER", "SCHEDULE", "NOTIFY", "TIME"];

/// Slips in the list of mappings.
pub(super) fn select(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    let last = slip.back(1);
    if clause(&slip.before) != Some("SELECT") {
        return None;
    }
    if upper == "*" {
        return Told::said("there is no `*`: each target field is mapped by itself", &["such as a.name AS \"Name\""]);
    }
    if ["DISTINCT", "TOP", "ALL"].contains(&last.as_str()) && slip.before.len() > 1 && slip.back(2) == "SELECT" {
        let word = slip.before.last().copied()?;
        let help = match last.as_str() {
            "TOP" => "`ferry preview \"job\" --limit 10` shows the first rows; WHERE says which rows are taken",
            _ => "KEY says which rows are one record; WHEN DUPLICATE KEY THEN … says what becomes of several",
        };
        return Some(Told::said(format!("there is no SELECT {last}: a mapping works on one row"), &[help])?.at(word));
    }
    if let Some(bracket) = open_bracket(&slip.before) {
        return unclosed(slip, bracket);
    }
    if slip.is_word() && slip.back(2) == "AS" && slip.wants(",") && !slip.before.last()?.text.starts_with('"') {
        let name = format!("\"{} {}\"", slip.before.last()?.text, slip.found);
        return Told::help(&[&format!("a name of several words stands in double quotes: AS {name}")]);
    }
    let is_after_target = slip.before.len() > 2 && (slip.back(2) == "AS" || slip.wants(","));
    if is_after_target && (slip.is_word() || slip.found == "(") && !slip.expects("AS") {
        return Told::help(&["is a `,` missing before it?"]);
    }
    match upper {
        "," | "FROM" | "" if slip.expects("AS") => no_target(slip),
        _ if slip.found.starts_with('"') && slip.expects("AS") => Told::help(&["write AS before the target field"]),
        _ => None,
    }
}

/// `LABEL(a.x AS "Field"`: the target stands where a type would.
fn unclosed(slip: &Slip<'_>, bracket: usize) -> Option<Told> {
    let is_as = |token: &&Token<'_>| token.text.eq_ignore_ascii_case("AS");
    let first =
        *slip.before[bracket..].iter().find(is_as).filter(|_| slip.found.starts_with('"') && slip.back(1) == "AS")?;
    let call = slip.before_bracket(Some(bracket)).unwrap_or_default().to_ascii_uppercase();
    if ["CAST", "TRY_CAST", "TREAT"].contains(&call.as_str()) {
        return Told::help(&["a type is one of TEXT, INTEGER, DECIMAL, DOUBLE, BOOLEAN, DATE, DATETIME"]);
    }
    let message = format!("expected `)` or `,` in the call of {call}, found `AS`");
    Some(Told::said(message, &[&format!("close the bracket before AS: {call}(…) AS \"Field\"")])?.at(first))
}

/// A value without its `AS`, from its first piece to its last.
fn no_target(slip: &Slip<'_>) -> Option<Told> {
    let mut depth = 0_usize;
    let begins = |token: &Token<'_>| {
        match token.text {
            ")" => depth += 1,
            "(" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (token.text == "," || token.text.eq_ignore_ascii_case("SELECT"))
    };
    let start = slip.before.len()
        - slip.before.iter().rev().position({
            let mut begins = begins;
            move |token| begins(token)
        })?;
    let (first, last) = (slip.before.get(start)?, slip.before.last()?);
    let is_assignment = slip.before.get(start + 1).is_some_and(|token| token.text == "=");
    let help = ["each value says where it goes: a.name AS \"Name\""];
    let told = if is_assignment && first.text.starts_with('"') {
        Told::said("the value comes first, its target field behind AS", &["write a.name AS \"Name\""])?
    } else {
        Told::said("this value has no target field", &help)?
    };
    Some(Told { place: Some((first.start, last.start + last.text.len() - first.start)), ..told })
}

/// Slips around the names of tables and objects.
pub(super) fn table(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    let clause = clause(&slip.before).unwrap_or_default();
    let last = slip.before.last().copied()?;
    if upper == "," && clause == "FROM" {
        return Told::said("there is no second table: a job reads one", &LOOKUP_HELP);
    }
    if slip.found == "." && slip.back(2) == "BY" {
        return Told::help(&["BY takes a column without its alias: BY modifiedon"]);
    }
    if slip.found == "." && slip.back(2) == "." && slip.expects("AS") {
        return Told::said("a table has two names: its connection and its own", &["such as dynamics.account"]);
    }
    if slip.wants(".") && slip.expected.is_empty() {
        return unconnected(slip, last, clause);
    }
    if slip.expects("AS") && ["FROM", "LOOKUP"].contains(&clause) && slip.back(2) == "." {
        let number = slip.before.len();
        let shown = format!("{}.{}", slip.before[number - 3].text, last.text);
        let is_alias = slip.is_word() && !CLAUSES.contains(&upper) && upper != "BY";
        let alias = last.text.trim_matches('"').chars().next().map_or('a', |c| c.to_ascii_lowercase()).to_string();
        let alias = if is_alias { slip.found } else { alias.as_str() };
        return Told::help(&[&format!("give it an alias: {shown} AS {alias}")]);
    }
    match (upper, clause) {
        ("AS", "INTO") => Told::help(&["what is written has no alias; its fields stand in SELECT: a.name AS \"Name\""]),
        ("(", "INTO") => Told::help(&["the fields stand in SELECT: a.name AS \"Name\""]),
        _ if slip.wants("(") && clause == "KEY" => Told::help(&["the fields stand in brackets: KEY (\"Name\")"]),
        _ if slip.wants("(") && slip.back(2) == "AUTH" => {
            Told::help(&["the settings stand in brackets: AUTH access_key (key = SECRET 'some/name')"])
        }
        _ if slip.wants("(") && slip.back(1) == "SETTINGS" => {
            Told::help(&["the settings stand in brackets: CREATE SETTINGS (time_zone = 'Europe/Berlin')"])
        }
        _ => None,
    }
}

/// A name without its connection.
fn unconnected(slip: &Slip<'_>, last: Token<'_>, clause: &str) -> Option<Told> {
    if slip.back(1) == "INTO" {
        return Some(Told::said("UPDATE takes no INTO", &["write UPDATE gainsight.Company"])?.at(last));
    }
    if slip.back(2) == "EXPECT" && slip.found == "(" {
        return Some(
            Told::said(
                format!("there is no EXPECT {}", last.text),
                &["write EXPECT REJECTS, ERRORS, UNCHANGED or gainsight.Company"],
            )?
            .at(last),
        );
    }
    let service = if clause == "FROM" { "dynamics" } else { "gainsight" };
    let message = format!("`{}` is named without its connection", last.text);
    Some(Told::said(message, &[&format!("write {service}.{}", last.text)])?.at(last))
}

/// Clauses of other SQLs.
pub(super) fn clause_of_sql(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    let told = |what: &str, help: &str| Told::said(format!("there is no {what}: a mapping works on one row"), &[help]);
    let is_length = slip.back(1).bytes().all(|b| b.is_ascii_digit()) && ["LAG", "EVERY"].contains(&&*slip.back(2));
    let ends = ["", "AS", "AT", "BY", "FROM", "FULL", "IN", "LAG", "LOOKUP", "NOTIFY", "UNTIL", "WHERE"];
    if is_length && ends.contains(&upper) {
        let number = slip.back(1);
        return Told::said("a length of time has a unit", &[&format!("write {number}m, {number}h or {number}d")]);
    }
    match upper {
        "JOIN" | "LEFT" | "INNER" | "RIGHT" | "FULL" | "CROSS" | "OUTER" | "NATURAL" | "UNION" | "WITH" | "EXCEPT"
        | "INTERSECT"
            if slip.before.len() > 3 =>
        {
            let what = if ["UNION", "WITH", "EXCEPT", "INTERSECT"].contains(&upper) { upper } else { "JOIN" };
            let told = Told::said(format!("there is no {what}: a job reads one table"), &LOOKUP_HELP)?;
            // `FULL` alone begins FULL EVERY.
            let full = slip.before.last().copied().filter(|token| token.text.eq_ignore_ascii_case("FULL"));
            Some(match full {
                Some(full) => Told { place: Some((full.start, slip.at + slip.found.len() - full.start)), ..told },
                None => told,
            })
        }
        "GROUP" => told("GROUP BY", "of several rows with one key, WHEN DUPLICATE KEY THEN KEEP LATEST BY … takes one"),
        "HAVING" => told("HAVING", "WHERE says which rows are taken"),
        "ORDER" => told("ORDER BY", "LOAD FIRST BY o.modifiedon DESC at the end says which rows are loaded first"),
        "LIMIT" | "OFFSET" | "FETCH" => {
            told(upper, "WHERE says which rows are taken; `ferry preview \"job\"` shows the first ones")
        }
        "QUALIFY" | "WINDOW" => told(upper, "WHEN DUPLICATE KEY THEN KEEP LATEST BY … takes one row of each key"),
        "VALUES" if slip.before.len() > 3 && !slip.before[1].text.eq_ignore_ascii_case("TEST") => {
            Told::help(&["a job takes its rows from Dynamics: SELECT a.name AS \"Name\" FROM dynamics.account AS a"])
        }
        "SET" if slip.before.len() > 3 => Told::help(&["a field is filled in SELECT: a.name AS \"Name\""]),
        "USING" => Told::help(&["a job reads FROM one table; KEY says which record a row belongs to"]),
        "NULLS" => Told::help(&["nulls always come last"]),
        _ => None,
    }
}

/// Slips in a lookup and its policies.
pub(super) fn lookup(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    if clause(&slip.before) != Some("LOOKUP") {
        return None;
    }
    match upper {
        _ if slip.found.starts_with('"') && ["ON", "AND"].contains(&slip.back(1).as_str()) => {
            let alias = slip.before.iter().rposition(|token| token.text.eq_ignore_ascii_case("AS"));
            let alias = alias.and_then(|at| slip.before.get(at + 1)).map_or("co", |token| token.text);
            Told::help(&[&format!("write the alias of the lookup before its field: {alias}.{}", slip.found)])
        }
        "WHEN" if slip.expects("ON") => Told::help(&["ON … stands before the policies"]),
        "OR" => Told::said(
            "the equalities of a lookup are joined by AND only",
            &["for OR write two LOOKUPs and COALESCE(x.\"GSID\", y.\"GSID\")"],
        ),
        "<" | ">" | "IN" | "LIKE" | "!" | "IS" | "BETWEEN" if slip.wants("=") => {
            Told::help(&["a lookup finds by equalities only; conditions stand in WHERE"])
        }
        "NULL" if slip.back(1) == "THEN" => Told::help(&["write USE NULL"]),
        "INSERT" | "UPDATE" | "DELETE" if slip.back(1) == "THEN" => {
            Told::help(&["a lookup writes nothing; it says what becomes of the row: USE … or REJECT"])
        }
        "REJECT" if slip.back(1) == "THEN" => {
            Told::help(&["ERROR puts the row into the error file; USE ANY takes the record with the smallest GSID"])
        }
        "IGNORE" | "SKIP" | "CONTINUE" if slip.back(1) == "THEN" && slip.expects("ERROR") => {
            Told::help(&["ERROR puts the row into the error file; USE ANY takes the record with the smallest GSID"])
        }
        "ERROR" if slip.back(1) == "THEN" => Told::help(&["a row that finds nothing is rejected: THEN REJECT"]),
        "IGNORE" | "SKIP" | "CONTINUE" if slip.back(1) == "THEN" => {
            Told::help(&["USE NULL goes on without the record; REJECT puts the row into the error file"])
        }
        _ if slip.expects("FIRST") || slip.back(1) == "FIRST" => {
            Told::help(&["USE FIRST BY co.\"Modified Date\" DESC takes the newest record"])
        }
        _ => None,
    }
}

/// Clauses in the wrong order, or twice.
pub(super) fn order(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    const ORDER: &str =
        "the order is UPSERT INTO, KEY, WHEN DUPLICATE KEY, SELECT, FROM, LOOKUP, WHERE, REQUIRE, ON …, LOAD FIRST BY";
    let place = |word: &str| CLAUSES.iter().position(|c| *c == word);
    let late = |what: &str, help: &str| Told::said(format!("{what} stands too late"), &[help]);
    let now = clause(&slip.before)?;
    if open_bracket(&slip.before).is_some() || slip.back(1) == "CREATE" {
        return None;
    }
    let next = tokens(slip.rest).get(1).map(|token| token.text.to_ascii_uppercase()).unwrap_or_default();
    match upper {
        "AFTER" if now == "LOOKUP" => late("AFTER LOAD", "it stands behind ON … and before the policies"),
        "BY" if now == "FROM" => late("BY", "the order is FROM CHANGES OF … AS a, BY, LAG, FULL EVERY"),
        "WHEN" if next == "MATCHED" => Told::said(
            "there is no WHEN MATCHED",
            &[
                "UPSERT INTO updates what matches KEY and inserts what does not",
                "a LOOKUP says WHEN MULTIPLE MATCHED THEN … and WHEN NOT MATCHED THEN …",
            ],
        ),
        "WHEN" if now != "LOOKUP" && now != "KEY" => late("WHEN DUPLICATE KEY", ORDER),
        "KEY" if slip.before.iter().any(|token| token.text.eq_ignore_ascii_case("DUPLICATE")) => late(upper, ORDER),
        _ if HEAD.contains(&upper) && slip.before.iter().any(|token| token.text.eq_ignore_ascii_case("CHAIN")) => None,
        _ if HEAD.contains(&upper) => {
            late(upper, &format!("it stands before AS: CREATE JOB \"name\" {upper} … AS UPSERT INTO …"))
        }
        "WHERE" if now == "WHERE" => Told::said("WHERE stands here twice", &["join the conditions with AND"]),
        _ if place(upper)? < place(now)? && !slip.expects(upper) => late(upper, ORDER),
        _ => None,
    }
}

/// Slips before `AS` of a job or a chain, and in short clauses.
pub(super) fn head(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    let last = slip.back(1);
    let is_chain = slip.before.get(1).is_some_and(|token| token.text.eq_ignore_ascii_case("CHAIN"));
    match (upper, last.as_str()) {
        ("UPSERT" | "INSERT" | "UPDATE" | "RUN", _) if slip.expects("AS") => Told::said(
            format!("expected AS before `{upper}`"),
            &[if is_chain {
                "CREATE CHAIN \"name\" … AS RUN \"job\""
            } else {
                "CREATE JOB \"name\" … AS UPSERT INTO …"
            }],
        ),
        ("AFTER", _) if is_chain => Told::help(&["a chain has its order in RUN … THEN RUN …"]),
        ("RUN", _) if is_chain => Told::help(&["steps are joined by THEN RUN; jobs of one step by a comma"]),
        (_, "AS") if is_chain => Told::help(&["CREATE CHAIN \"name\" AS RUN \"job\" THEN RUN \"another job\""]),
        ("COMMENT" | "AFTER" | "SCHEDULE" | "NOTIFY" | "TIME", "AS") => Told::said(
            format!("{upper} stands too late"),
            &[&format!("it stands before AS: CREATE JOB \"name\" {upper} … AS UPSERT INTO …")],
        ),
        ("DAILY" | "HOURLY" | "WEEKLY" | "MONTHLY", "SCHEDULE") => {
            Told::help(&["such as EVERY DAY AT '02:00', EVERY 1h, EVERY MONDAY or EVERY MONTH ON DAY 1"])
        }
        (_, "CRON") => Told::help(&["the five fields stand in single quotes: CRON '0 2 * * 1-5'"]),
        _ if slip.expects("ON") && slip.before.iter().any(|token| token.text.eq_ignore_ascii_case("NOTIFY")) => {
            Told::help(&["a notice says when: NOTIFY 'revops@acme.com' ON PARTIAL, FAILURE"])
        }
        (_, _) if slip.expects("FROM") && upper.is_empty() => {
            Told::help(&["a job takes its rows from a table: FROM dynamics.account AS a"])
        }
        ("FROM", _) if slip.expects("SELECT") => {
            Told::help(&["SELECT says which value goes where: SELECT a.name AS \"Name\" FROM …"])
        }
        _ if slip.expects("FOR") => Told::help(&["CREATE TEST \"name\" FOR \"job\" AS GIVEN … EXPECT …"]),
        _ => None,
    }
}

/// Slips in the clauses that say what happens in cases that go wrong.
pub(super) fn policy(slip: &Slip<'_>, upper: &str) -> Option<Told> {
    let last = slip.back(1);
    match (upper, last.as_str()) {
        _ if slip.expects("ELSE") && clause(&slip.before) == Some("REQUIRE") => {
            Told::help(&["a REQUIRE says why: REQUIRE … ELSE REJECT 'close date is missing'"])
        }
        (_, "ELSE") => Told::help(&["a row that lacks something is rejected: ELSE REJECT 'close date is missing'"]),
        ("CONFLICT", "ON") | ("ON", _) if slip.rest.to_ascii_uppercase().contains("CONFLICT") => {
            Told::help(&["WHEN DUPLICATE KEY THEN KEEP LATEST BY … says what becomes of a key that comes twice"])
        }
        ("DELETE" | "LEAVE", "ON") => Told::help(&["what becomes of a record whose row is gone: ON SOURCE DELETE …"]),
        (_, "ERROR") => Told::help(&["CONTINUE puts the row into the error file and goes on; STOP ends the run"]),
        (_, "THEN") if slip.expects("KEEP") || slip.expects("KEEP LATEST BY …") => {
            Told::help(&["KEEP LATEST BY o.modifiedon takes the newest of them"])
        }
        ("ERROR", _) if slip.expects("PARTIAL") => {
            Told::help(&["PARTIAL: some rows are in the error file; FAILURE: the run could not end"])
        }
        _ if slip.expects("a length of time (5m, 4h, 7d)") && slip.found.starts_with('\'') => {
            Told::help(&[&format!("write it without quotes: {}", slip.found.trim_matches('\''))])
        }
        _ if slip.expects("a number") && slip.found.starts_with('\'') => {
            Told::help(&["a number stands without quotes"])
        }
        ("SALESFORCE" | "HUBSPOT", "TO") | (_, "TO") if slip.expects("DYNAMICS") => {
            Told::help(&["Ferry reads from DYNAMICS and FILES, and writes to GAINSIGHT; SMTP sends its notices"])
        }
        _ if slip.is_word() && slip.expects("AND") && slip.expects("OR") && !slip.expects("WHEN") => {
            Told::help(&["conditions are joined by AND or OR"])
        }
        _ => None,
    }
}
