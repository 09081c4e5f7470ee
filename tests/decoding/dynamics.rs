//! Pages of Dataverse.

use chrono::{DateTime, NaiveDate};
use ferry::dynamics::decode::{Decoded, Flaw, Layout, decode};
use ferry::dynamics::odata::{Query, Reach};
use ferry::model::dataset;
use ferry::model::field::{Field, FieldKind};
use ferry::model::job::TableRef;

use super::draw::{Pen, Sort};
use super::naive::{Json, read, shifted};
use super::{agree, columns};
use crate::generated::dice::Dice;

const GONE: &str = "https://org.example/$metadata#contacts/$deletedEntity";
const TARGET: &str = "_owner_value@Microsoft.Dynamics.CRM.lookuplogicalname";

/// The columns: name, property, kind, sort of values.
const FIELDS: [(&str, &str, FieldKind, Sort); 11] = [
    ("contactid", "contactid", FieldKind::Guid, Sort::Id),
    ("name", "name", FieldKind::Text, Sort::Text),
    ("count", "count", FieldKind::Integer, Sort::Whole),
    ("amount", "amount", FieldKind::Decimal, Sort::Decimal),
    ("ratio", "ratio", FieldKind::Double, Sort::Decimal),
    ("active", "active", FieldKind::Boolean, Sort::Truth),
    ("day", "day", FieldKind::Date, Sort::Day),
    ("at", "at", FieldKind::DateTime, Sort::Moment),
    ("owner", "_owner_value", FieldKind::Reference, Sort::Id),
    ("parent", "_parent_value", FieldKind::Reference, Sort::Id),
    ("state", "state", FieldKind::Choice, Sort::Whole),
];

fn query() -> Query {
    let table = TableRef {
        connection: "dynamics".to_owned(),
        name: "contact".to_owned(),
        set_name: "contacts".to_owned(),
        primary_id: "contactid".to_owned(),
        has_created: true,
        has_modified: true,
        tracks: true,
        is_of_files: false,
    };
    let mut fields: Vec<Field> = FIELDS.iter().map(|(name, _, kind, _)| Field::bare(name, name, *kind)).collect();
    fields[8].targets = vec!["systemuser".to_owned(), "team".to_owned()];
    Query { table, fields, filter: None, reach: Reach::Whole, dataset: dataset::SOURCE.to_owned() }
}

/// What a page comes to: rows, the link to the next, the link to changes, keys that are gone.
type Told = (Vec<Vec<Option<String>>>, Option<String>, Option<String>, Vec<String>);

fn ours(layout: &Layout, bytes: &[u8]) -> Option<Told> {
    let Decoded { rows, next, changes, gone, .. } = decode(bytes, layout, 40).ok()?;
    Some((columns::texts(&rows), next, changes, gone))
}

fn naive(bytes: &[u8]) -> Option<Told> {
    let Json::Object(page) = read(bytes)? else { return None };
    let (mut links, mut rows) = ([None, None], None);
    for (name, value) in page {
        match (name.as_str(), value) {
            ("@odata.nextLink", Json::Text(link)) => links[0] = Some(link),
            ("@odata.deltaLink", Json::Text(link)) => links[1] = Some(link),
            ("value", Json::List(list)) if rows.is_none() => rows = Some(list),
            ("@odata.nextLink" | "@odata.deltaLink" | "value", _) => return None,
            _ => {}
        }
    }
    // The row's number, the columns, and behind that of the owner his table.
    let (mut columns, mut gone) = (vec![Vec::new(); 1 + FIELDS.len() + 1], Vec::new());
    for row in rows? {
        let Json::Object(members) = row else { return None };
        let first = |name: &str| members.iter().find(|(found, _)| found == name).map(|(_, value)| value);
        let contexts = members.iter().filter(|(name, _)| name == "@odata.context");
        let contexts: Vec<&String> = contexts
            .map(|(_, value)| if let Json::Text(text) = value { Some(text) } else { None })
            .collect::<Option<_>>()?;
        let mut values = vec![None; FIELDS.len() + 1];
        for (at, (_, property, kind, _)) in FIELDS.iter().enumerate() {
            values[at + usize::from(at > 8)] = first(property).map_or(Some(None), |value| stored(value, *kind))?;
        }
        values[9] = first(TARGET).map_or(Some(None), |value| stored(value, FieldKind::Text))?;
        if contexts.last().is_some_and(|context| context.ends_with("/$deletedEntity")) {
            let has_column =
                first(TARGET).is_some() || FIELDS.iter().any(|(_, property, ..)| first(property).is_some());
            let id = members.iter().rfind(|(name, _)| name == "id").map(|(_, value)| value);
            match id {
                Some(Json::Text(id)) if !has_column => gone.push(id.to_ascii_lowercase()),
                _ => return None,
            }
            continue;
        }
        let number = 41 + columns[0].len();
        columns[0].push(Some(number.to_string()));
        values.into_iter().enumerate().for_each(|(at, value)| columns[at + 1].push(value));
    }
    let [next, changes] = links;
    Some((columns, next, changes, gone))
}

/// A value as the column has it; none if it must be refused.
fn stored(value: &Json, kind: FieldKind) -> Option<Option<String>> {
    let (text, is_text) = match value {
        Json::Null => return Some(None),
        Json::Text(text) => (text.clone(), true),
        Json::Number(text) => (text.clone(), false),
        Json::Bool(truth) => (truth.to_string(), false),
        Json::List(_) | Json::Object(_) => return None,
    };
    Some(Some(match kind {
        FieldKind::Integer | FieldKind::Choice => text.parse::<i64>().ok()?.to_string(),
        FieldKind::Decimal => shifted(&text, 10)?.0.to_string(),
        FieldKind::Double => text.parse::<f64>().ok()?.to_string(),
        FieldKind::Boolean => text.parse::<bool>().ok()?.to_string(),
        FieldKind::Date => {
            let day = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
            (day - NaiveDate::from_ymd_opt(1970, 1, 1)?).num_days().to_string()
        }
        FieldKind::DateTime => DateTime::parse_from_rfc3339(&text).ok()?.timestamp_millis().to_string(),
        _ if !is_text => return None,
        FieldKind::Text => text,
        _ => text.to_ascii_lowercase(),
    }))
}

/// A page: rows that are mostly alike, as a service writes them.
fn page(dice: &mut Dice) -> Vec<u8> {
    let blanks = dice.maybe(20);
    let mut pen = Pen { dice, out: Vec::new(), wrong: 1, blanks };
    pen.blank();
    pen.put("{");
    pen.blank();
    if pen.dice.maybe(50) {
        pen.name("@odata.context");
        pen.any(3);
        pen.mark(",");
    }
    if pen.dice.maybe(2) {
        pen.name("value");
        pen.put("[],");
    }
    pen.name("value");
    pen.put("[");
    pen.blank();
    for at in 0..pen.dice.below(6) {
        if at > 0 {
            pen.mark(",");
        }
        row(&mut pen);
    }
    pen.blank();
    pen.put("]");
    for link in ["@odata.nextLink", "@odata.deltaLink"] {
        if pen.dice.maybe(20) {
            pen.mark(",");
            pen.name(link);
            pen.value(Sort::Id);
        }
    }
    pen.blank();
    pen.put("}");
    pen.blank();
    pen.out
}

fn row(pen: &mut Pen<'_>) {
    let mut members: Vec<(&str, Option<Sort>)> = vec![("@odata.etag", None)];
    members.extend(FIELDS.iter().map(|(_, property, _, sort)| (*property, Some(*sort))));
    members.insert(9, (TARGET, Some(Sort::Text)));
    members.insert(4, ("unwanted", None));
    members.retain(|_| pen.dice.maybe(92));
    if pen.dice.maybe(10) {
        let (from, to) = (pen.dice.below(members.len().max(1)), pen.dice.below(members.len().max(1)));
        members.extend(members.get(from).copied());
        let end = members.len() - 1;
        members.swap(to.min(end), end);
    }
    let is_gone = pen.dice.maybe(8);
    if is_gone && pen.dice.maybe(80) {
        members.retain(|(_, sort)| sort.is_none());
    }
    if is_gone || pen.dice.maybe(5) {
        members.push(("id", Some(Sort::Id)));
    }
    pen.put("{");
    pen.blank();
    if is_gone || pen.dice.maybe(3) {
        pen.name("@odata.context");
        pen.put(&format!("\"{}\"", if is_gone { GONE } else { "elsewhere" }));
        if !members.is_empty() {
            pen.mark(",");
        }
    }
    for (at, (name, sort)) in members.into_iter().enumerate() {
        if at > 0 {
            pen.mark(",");
        }
        pen.name(name);
        match sort {
            Some(sort) => pen.value(sort),
            None => pen.any(3),
        }
    }
    pen.blank();
    pen.put("}");
}

#[test]
fn pages_of_dataverse_are_read_as_the_plainest_reader_reads_them() {
    let layout = Layout::new(&query());
    agree(page, |bytes| ours(&layout, bytes), naive);
}

fn said(body: &str) -> Flaw {
    decode(body.as_bytes(), &Layout::new(&query()), 7).expect_err("it is refused")
}

#[test]
fn a_page_that_is_refused_says_what_and_where_and_no_value() {
    for (body, words) in [
        (r#"{"value":[{"count":"many"}]}"#, "count of row 8 is not a whole number at line 1 column 20"),
        (r#"{"value":[{"amount":".-17"}]}"#, "amount of row 8 is not a decimal number at line 1 column 21"),
        (r#"{"value":[{"name":7}]}"#, "name of row 8 is not a text at line 1 column 19"),
        ("{\"value\":[{},\n{\"_owner_value\":{}}]}", "_owner_value of row 9 is not a text at line 2 column 17"),
        (r#"{"value":[{"at":"soon"}]}"#, "at of row 8 is not a time at line 1 column 17"),
        ("[]", "something else, expected an object with the rows of a page at line 1 column 1"),
        (r#"{"value":7}"#, "something else, expected a list of rows at line 1 column 10"),
        (r#"{"value":[7]}"#, "something else, expected a row at line 1 column 11"),
        (r#"{"value":[],"@odata.nextLink":null}"#, "something else, expected a string at line 1 column 31"),
        (r#"{"values":[]}"#, "it has no list of rows"),
        (r#"{"value":[],"value":[]}"#, "it has two lists of rows"),
        (r#"{"value":[{"@odata.context":"/$deletedEntity"}]}"#, "it has a row that is gone without an id"),
        (r#"{"value":[{"else":"\ud800"}]}"#, "it has half of a character"),
        (r#"{"value":[{"else":1e999}]}"#, "it has a number that is too large"),
        (r#"{"value":[{"name":"Ada"#, "EOF while parsing a string at line 1 column 22"),
        (r#"{"value":[{"else":tru}]}"#, "expected ident at line 1 column 22"),
        (r#"{"value":[]} 7"#, "trailing characters at line 1 column 14"),
    ] {
        let Flaw::Unreadable(said) = said(body) else { panic!("{body} is not too large") };
        assert!(said.starts_with(words), "{body}: {said}");
    }
}

/// Only what is too large would be so again.
#[test]
fn a_page_that_is_too_large_is_told_from_one_that_cannot_be_read() {
    let names: Vec<String> = (0..4_097).map(|number| format!("\"c{number}\":1")).collect();
    for (body, words) in [
        (format!(r#"{{"value":[{{"else":{}}}]}}"#, "[".repeat(62) + &"]".repeat(62)), "it is nested more than 64 deep"),
        (format!(r#"{{"value":[{{"name":7,"else":{}"#, "[".repeat(100)), "it is nested more than 64 deep"),
        (format!(r#"{{"value":[{{{}}}]}}"#, names.join(",")), "row 8 has more than 4096 names"),
        (
            format!(r#"{{"value":[{{"name":"{}"}}]}}"#, "ü".repeat((1 << 20) + 1)),
            "it has a text of more than 1048576 characters",
        ),
    ] {
        let Flaw::Excess(said) = said(&body) else { panic!("{words} is an excess") };
        assert_eq!(said, words);
    }
    let longest =
        format!(r#"{{"value":[{{"name":"{}","else":{}1{}}}]}}"#, "\\n".repeat(1 << 20), "[".repeat(61), "]".repeat(61));
    assert!(decode(longest.as_bytes(), &Layout::new(&query()), 0).is_ok());
}
