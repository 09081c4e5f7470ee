//! Records against an object: what a write would store, or every mistake in it.
//!
//! The mistakes carry the codes of the object API or of the people API. In: a record as a client sent it. Out: cells by
//! field, or mistakes, and the refusal made of them.

use serde_json::{Map, Value, json};

use super::envelope::Refusal;
use super::record::Cell;
use super::schema::{Field, Kind, Object};
use super::store::Store;
use super::values::{Mistake, read};

/// Whose codes a refusal carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Dialect {
    Objects,
    People,
}

/// One refused field.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Wrong {
    pub(in crate::sandbox) field: String,
    pub(in crate::sandbox) value: Value,
    pub(in crate::sandbox) mistake: Mistake,
}

/// What a write sets; nothing clears the field.
pub(in crate::sandbox) type Changes = Vec<(usize, Option<Cell>)>;

/// What a write is checked against.
pub(in crate::sandbox) struct Check<'a> {
    pub(in crate::sandbox) store: &'a Store,
    pub(in crate::sandbox) schema: &'a super::schema::Schema,
    pub(in crate::sandbox) object: usize,
    /// Whether required fields must be there.
    pub(in crate::sandbox) inserting: bool,
    /// Fields that may be sent although they are read only: the keys of an update.
    pub(in crate::sandbox) keys: &'a [usize],
}

impl Check<'_> {
    pub(in crate::sandbox) fn record(&self, sent: &Map<String, Value>) -> Result<Changes, Vec<Wrong>> {
        let object = &self.schema.objects[self.object];
        let (mut changes, mut wrongs) = (Changes::new(), Vec::new());
        for (name, value) in sent {
            let mut wrong = |mistake| wrongs.push(Wrong { field: name.clone(), value: value.clone(), mistake });
            match object.field(name).filter(|index| !object.fields[*index].read_only || self.keys.contains(index)) {
                None => wrong(Mistake::Unknown),
                Some(index) => match self.value(&object.fields[index], value) {
                    Ok(cell) => changes.push((index, cell)),
                    Err(mistake) => wrong(mistake),
                },
            }
        }
        if self.inserting {
            self.complete(object, sent, &mut changes, &mut wrongs);
        }
        if wrongs.is_empty() { Ok(changes) } else { Err(wrongs) }
    }

    fn value(&self, field: &Field, value: &Value) -> Result<Option<Cell>, Mistake> {
        let cell = read(field, value)?;
        if cell.is_none() && field.required {
            return Err(Mistake::Missing);
        }
        if let (Some(target), Some(Cell::Text(gsid))) = (&field.target, &cell) {
            let target = self.schema.object(target).filter(|target| self.store.holds(*target, gsid));
            target.ok_or(Mistake::Gsid)?;
        }
        Ok(cell)
    }

    fn complete(&self, object: &Object, sent: &Map<String, Value>, changes: &mut Changes, wrongs: &mut Vec<Wrong>) {
        for (index, field) in object.fields.iter().enumerate().filter(|(_, field)| !sent.contains_key(&field.name)) {
            if field.required {
                let missing = Wrong { field: field.name.clone(), value: Value::Null, mistake: Mistake::Missing };
                wrongs.push(missing);
            } else if let Some(default) = &field.default {
                let value = if field.kind == Kind::Boolean { Value::from(default == "true") } else { json!(default) };
                changes.push((index, read(field, &value).unwrap_or(None)));
            }
        }
    }
}

/// The refusal of a call: the first mistake on top, all of them below, one inner list per refused record.
pub(in crate::sandbox) fn refusal(dialect: Dialect, refused: &[Vec<Wrong>]) -> Refusal {
    let Some(first) = refused.iter().flatten().next() else { return Refusal::invalid() };
    let (code, _, headline) = words(dialect, first);
    Refusal { data: Box::new(details(dialect, refused)), ..Refusal::new(400, code, headline) }
}

/// The `data` of a refused call.
pub(in crate::sandbox) fn details(dialect: Dialect, refused: &[Vec<Wrong>]) -> Value {
    let record = |wrongs: &Vec<Wrong>| {
        let field = |wrong: &Wrong| {
            let (code, message, _) = words(dialect, wrong);
            let error = json!({"errorMessage": message, "errorCode": code, "fieldName": wrong.field, "invalidValue": wrong.value});
            json!({"success": false, "parsedValue": wrong.value, "errors": [error]})
        };
        Value::Array(wrongs.iter().map(field).collect())
    };
    json!({"count": 0, "errors": refused.iter().map(record).collect::<Vec<_>>(), "records": null})
}

/// Code, message and headline of a mistake.
fn words(dialect: Dialect, wrong: &Wrong) -> (&'static str, String, String) {
    let place = format!("({} = {})", wrong.field, shown(&wrong.value));
    if dialect == Dialect::People {
        let (code, message) = people_words(wrong.mistake);
        return (code, message.to_owned(), format!("{message} {place}"));
    }
    let plain = |code, text: &str| (code, text.to_owned(), text.to_owned());
    let placed = |code, text: &str| (code, text.to_owned(), format!("{text} {place}"));
    let moment = format!("Invalid dateTime format ({}= {})", wrong.field, shown(&wrong.value));
    match wrong.mistake {
        Mistake::TooLong => plain("GSOBJ_1001", "Field exceeds maximum allowed length"),
        Mistake::Unknown | Mistake::Text | Mistake::Gsid | Mistake::Item => {
            plain("GSOBJ_1002", "Invalid field, please re-check data mapping")
        }
        Mistake::DateTime => ("GSOBJ_1005", "Invalid dateTime format".to_owned(), moment),
        Mistake::Date => ("GSOBJ_1006", "Invalid dateTime format".to_owned(), moment),
        Mistake::Missing => placed("GSOBJ_1007", "Invalid field value"),
        Mistake::Rule => placed("GSOBJ_1008", "Invalid field value"),
        Mistake::Boolean => placed("GSOBJ_1008", &format!("Invalid Boolean Value: {}", shown(&wrong.value))),
        Mistake::Percentage => placed("GSOBJ_1008", "Failed to parse value as percentage."),
        Mistake::Number => placed("GSOBJ_1008", "Failed to parse value as number."),
        Mistake::Currency => placed("GSOBJ_1008", "Failed to parse value as currency."),
        Mistake::Comma => placed("GSOBJ_1008", "Invalid representation of comma as thousand separator."),
        Mistake::Email => placed("GSOBJ_1008", "Failed to parse value as email."),
        Mistake::Url => placed("GSOBJ_1008", "Failed to parse value as URL."),
    }
}

fn people_words(mistake: Mistake) -> (&'static str, &'static str) {
    match mistake {
        Mistake::Unknown => ("GSOBJ_VCRUDR1002", "Fields do not exist in object"),
        Mistake::Missing => ("GSOBJ_VCRUDR1003", "Field info missing"),
        Mistake::TooLong | Mistake::Text => ("GSOBJ_VDTBSTR1001", "Invalid string"),
        Mistake::Boolean => ("GSOBJ_VDTBOOL1001", "Invalid boolean"),
        Mistake::Number => ("GSOBJ_VDTNUM1001", "Invalid number"),
        Mistake::Currency => ("GSOBJ_VDTCURREN1001", "Invalid currency"),
        Mistake::Comma => ("GSOBJ_VDTCURREN1002", "Invalid representation of comma as thousand separator"),
        Mistake::Percentage => ("GSOBJ_VDTPERCENT1001", "Invalid percentage"),
        Mistake::Date | Mistake::DateTime => ("GSOBJ_VDTDATIME1001", "Invalid datetime"),
        Mistake::Email | Mistake::Rule => ("GSOBJ_VDTEMAIL1001", "Invalid email"),
        Mistake::Url => ("GSOBJ_VDTURL1001", "Invalid URL"),
        Mistake::Gsid => ("GSOBJ_VDTGSID1001", "Invalid gsid"),
        Mistake::Item => ("GSOBJ_VDTPKLST1002", "Dropdown item not found"),
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
