//! Pages of Gainsight. Whatever is not plainly a page is left to who reads the envelope, and counts as refused here.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use ferry::gainsight::page::{Layout, decode};
use ferry::model::field::{Choice, Field, FieldKind};
use serde_json::{Map, Value};

use super::draw::{Pen, Sort};
use super::naive::{Json, read, shifted};
use super::{agree, columns};
use crate::generated::dice::Dice;

const FIELDS: [(&str, FieldKind, i8, Sort); 9] = [
    ("Gsid", FieldKind::Gsid, 0, Sort::Id),
    ("Name", FieldKind::String, 0, Sort::Text),
    ("Stage", FieldKind::Picklist, 0, Sort::Item),
    ("Regions", FieldKind::MultiPicklist, 0, Sort::Items),
    ("Arr", FieldKind::Number, 2, Sort::Decimal),
    ("Users", FieldKind::Number, 0, Sort::Whole),
    ("Won", FieldKind::Boolean, 0, Sort::Truth),
    ("Day", FieldKind::Date, 0, Sort::Day),
    ("At", FieldKind::DateTime, 0, Sort::Moment),
];

fn fields() -> Vec<Field> {
    let choice = |(code, label): (&str, &str)| Choice { code: code.to_owned(), label: label.to_owned() };
    let choices = || [("i1", "Develop"), ("i2", ""), ("i1", "never"), ("i3", "Könnte")].map(choice).to_vec();
    let field = |(name, kind, scale, _): (&str, FieldKind, i8, Sort)| Field {
        scale,
        choices: choices(),
        ..Field::bare(name, name, kind)
    };
    FIELDS.map(field).to_vec()
}

/// Rows, and the GSID of the last one.
type Told = (Vec<Vec<Option<String>>>, Option<String>);

fn ours(layout: &Layout, bytes: &[u8]) -> Option<Told> {
    let page = decode(bytes, layout).ok()?;
    Some((columns::texts(&page.rows), page.last))
}

fn naive(bytes: &[u8]) -> Option<Told> {
    let Json::Object(members) = read(bytes)? else { return None };
    let known = ["result", "data", "errorCode", "errorDesc", "requestId", "title"];
    let texts = &known[2..];
    for name in known {
        let values: Vec<&Json> = members.iter().filter(|(found, _)| found == name).map(|(_, value)| value).collect();
        let is_text = values.iter().all(|value| matches!(value, Json::Null | Json::Text(_)));
        if values.len() > 1 || texts.contains(&name) && !is_text {
            return None;
        }
    }
    // Two lists of records are one too many; of other names the last one counts.
    if let Some((_, Json::Object(data))) = members.iter().find(|(name, _)| name == "data")
        && data.iter().filter(|(name, _)| name == "records").count() > 1
    {
        return None;
    }
    if let Some(records) = members.iter().find(|(name, _)| name == "data").map(|(_, data)| records_of(data))
        && records.iter().any(has_name_twice)
    {
        return None;
    }
    let envelope: Value = serde_json::from_slice(bytes).ok()?;
    if envelope["result"] != true {
        return None;
    }
    let list = if envelope["data"].is_object() { &envelope["data"]["records"] } else { &envelope["data"] };
    let rows: Vec<&Map<String, Value>> = list.as_array()?.iter().map(Value::as_object).collect::<Option<_>>()?;
    let fields = fields();
    let columns = fields.iter().map(|field| rows.iter().map(|row| stored(row.get(&field.name), field)).collect());
    let last = rows.last().and_then(|row| row.get("Gsid")?.as_str().map(str::to_owned));
    Some((columns.collect::<Option<_>>()?, last))
}

fn records_of(data: &Json) -> &[Json] {
    match data {
        Json::List(records) => records,
        Json::Object(data) => data.iter().find(|(name, _)| name == "records").map_or(&[], |(_, list)| records_of(list)),
        _ => &[],
    }
}

fn has_name_twice(record: &Json) -> bool {
    let Json::Object(members) = record else { return false };
    FIELDS.iter().any(|(name, ..)| members.iter().filter(|(found, _)| found == name).count() > 1)
}

/// A value in stored form; none if it must be refused.
fn stored(value: Option<&Value>, field: &Field) -> Option<Option<String>> {
    let value = match value {
        None | Some(Value::Null) => return Some(None),
        Some(value) => value,
    };
    Some(match field.kind {
        FieldKind::Number => Some(rounded(value, field.scale)?),
        FieldKind::Boolean => Some(value.as_bool()?.to_string()),
        FieldKind::Date => Some(i32::try_from(at(value)?.div_euclid(86_400_000)).ok()?.to_string()),
        FieldKind::DateTime => Some(at(value)?.to_string()),
        _ => text(value, field),
    })
}

fn rounded(value: &Value, scale: i8) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.replace(',', ""),
        _ => return None,
    };
    let (number, left) = shifted(&text, i32::from(scale))?;
    let away = i128::from(left.as_bytes().first().is_some_and(|digit| *digit >= b'5'));
    // The sign of a number that is less than one of its last digits is in its text alone.
    Some((if text.starts_with('-') { number - away } else { number + away }).to_string())
}

fn text(value: &Value, field: &Field) -> Option<String> {
    let label = |item: &str| {
        let found = field.choices.iter().find(|choice| choice.code == item);
        found.map_or(item.to_owned(), |choice| choice.label.clone())
    };
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if field.kind == FieldKind::MultiPicklist => {
            let items = items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned));
            items.collect::<Vec<_>>().join(";")
        }
        other => other.to_string(),
    };
    match field.kind {
        _ if text.is_empty() => None,
        FieldKind::Picklist => Some(label(&text)),
        FieldKind::MultiPicklist => Some(text.split(';').map(label).collect::<Vec<_>>().join(";")),
        _ => Some(text),
    }
}

fn at(value: &Value) -> Option<i64> {
    if value.is_number() {
        return value.as_i64().filter(|at| (-62_135_596_800_000..=253_402_300_799_999).contains(at));
    }
    let text = value.as_str()?;
    let zoned =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let bare = || forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let day = || Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN));
    zoned.map(|at| at.timestamp_millis()).ok().or_else(|| Some(bare().or_else(day)?.and_utc().timestamp_millis()))
}

fn page(dice: &mut Dice) -> Vec<u8> {
    let blanks = dice.maybe(20);
    let mut pen = Pen { dice, out: Vec::new(), wrong: 1, blanks };
    let is_list = pen.dice.maybe(50);
    let mut names = vec!["result", "errorCode", "errorDesc", "requestId", "data", "message"];
    names.retain(|name| ["result", "data"].contains(name) || pen.dice.maybe(80));
    if pen.dice.maybe(10) {
        names.swap(0, 1);
    }
    if pen.dice.maybe(2) {
        names.push("result");
    }
    pen.put("{");
    for (at, name) in names.into_iter().enumerate() {
        if at > 0 {
            pen.mark(",");
        }
        pen.name(name);
        match name {
            "result" if pen.dice.maybe(97) => pen.put("true"),
            "result" => pen.put("false"),
            "data" if is_list => records(&mut pen),
            "data" => {
                pen.put("{\"count\":7,");
                pen.name("records");
                records(&mut pen);
                pen.put("}");
            }
            "message" => pen.any(2),
            _ => pen.value(Sort::Id),
        }
    }
    pen.put("}");
    pen.out
}

fn records(pen: &mut Pen<'_>) {
    pen.put("[");
    for at in 0..pen.dice.below(6) {
        if at > 0 {
            pen.mark(",");
        }
        let mut members: Vec<(&str, Option<Sort>)> =
            FIELDS.iter().map(|(name, .., sort)| (*name, Some(*sort))).collect();
        members.push(("else", None));
        members.retain(|_| pen.dice.maybe(92));
        if pen.dice.maybe(10) && !members.is_empty() {
            let (from, to) = (pen.dice.below(members.len()), pen.dice.below(members.len()));
            members.insert(to, members[from]);
        }
        pen.put("{");
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
        pen.put("}");
    }
    pen.put("]");
}

#[test]
fn pages_of_gainsight_are_read_as_the_plainest_reader_reads_them() {
    let layout = Layout::new(&fields());
    agree(page, |bytes| ours(&layout, bytes), naive);
}

#[test]
fn what_is_not_plainly_a_page_is_left_alone() {
    let layout = Layout::new(&fields());
    for body in [
        r#"{"result":false,"errorCode":"GSOBJ_1002"}"#,
        r#"{"data":[]}"#,
        r#"{"result":true}"#,
        r#"{"result":true,"data":null}"#,
        r#"{"result":true,"data":{}}"#,
        r#"{"result":true,"data":{"records":null}}"#,
        r#"{"result":true,"data":[7]}"#,
        r#"{"result":true,"data":[{"Won":"true"}]}"#,
        r#"{"result":true,"data":[{"Arr":".-17"}]}"#,
        r#"{"result":true,"data":[]}]"#,
        r#"{"result":true,"data":[{"Won":true,"Won":true}]}"#,
    ] {
        assert!(decode(body.as_bytes(), &layout).is_err(), "{body}");
    }
    let twice = [fields(), fields()].concat();
    assert!(decode(br#"{"result":true,"data":[]}"#, &Layout::new(&twice)).is_err());
    assert!(decode(br#"{"data":[],"result":true}"#, &layout).is_ok());
}
