//! Insert, update and delete of companies and custom objects.
//!
//! A call is atomic: one mistake in one record and nothing is written. An update never inserts. In: the object and the
//! body. Out: the records as echoed, with their GSIDs.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::assumptions::{KEY_LIMIT, NO_MATCH_STATUS};
use super::batch;
use super::delete_log;
use super::envelope::Refusal;
use super::gsid::is_gsid;
use super::house_rules;
use super::record::{Cell, Record};
use super::schema::{Kind, Object};
use super::service::Gainsight;
use super::store::Store;
use super::validate::{Changes, Check, Dialect, Wrong, refusal};

/// The data of a success and how many records it wrote.
pub(in crate::sandbox) type Written = (Value, usize);

pub(in crate::sandbox) fn insert(gainsight: &Gainsight, object: usize, body: &[u8]) -> Result<Written, Refusal> {
    let schema = &gainsight.schema;
    writable(&schema.objects[object])?;
    let sent = batch::records(body)?;
    let mut store = gainsight.store();
    let all = checked(gainsight, &store, object, &sent, true, &[])?;
    let mut echoes = Vec::with_capacity(sent.len());
    for (sent, changes) in sent.iter().zip(all) {
        let mut record = Record::default();
        apply(&mut record, changes, &[]);
        gainsight.stamp(&mut record, true);
        let gsid = store.new_gsid(schema, object);
        store.put(object, &gsid, record);
        echoes.push(echo(sent, &gsid));
    }
    Ok(success(echoes))
}

pub(in crate::sandbox) fn update(
    gainsight: &Gainsight,
    object: usize,
    keys: &str,
    body: &[u8],
) -> Result<Written, Refusal> {
    let description = &gainsight.schema.objects[object];
    writable(description)?;
    let keys = key_fields(description, keys)?;
    let sent = batch::records(body)?;
    let mut store = gainsight.store();
    let all = checked(gainsight, &store, object, &sent, false, &keys)?;
    let places = places(&store, object, &keys, &all)?;
    let mut echoes = Vec::with_capacity(sent.len());
    for ((sent, changes), gsids) in sent.iter().zip(all).zip(places) {
        for gsid in gsids {
            let mut record = store.shelves[object].records.get(&gsid).cloned().unwrap_or_default();
            apply(&mut record, changes.clone(), &keys);
            gainsight.stamp(&mut record, false);
            store.put(object, &gsid, record);
            echoes.push(echo(sent, &gsid));
        }
    }
    Ok(success(echoes))
}

pub(in crate::sandbox) fn delete(gainsight: &Gainsight, object: usize, gsid: &str) -> Result<Written, Refusal> {
    writable(&gainsight.schema.objects[object])?;
    if !is_gsid(gsid) {
        let text = "Either the Gainsight ID is invalid or missing, please re-check your request.";
        return Err(Refusal::new(400, "GSOBJ_1004", text));
    }
    if !delete_log::delete(gainsight, object, gsid) {
        return Err(Refusal { data: Box::default(), ..Refusal::no_match() });
    }
    Ok((json!(format!("Record with GSID: {gsid} successfully deleted.")), 1))
}

fn writable(object: &Object) -> Result<(), Refusal> {
    if object.generic_writes() { Ok(()) } else { Err(Refusal::invalid()) }
}

/// Every record's changes, or the refusal of the call.
fn checked(
    gainsight: &Gainsight,
    store: &Store,
    object: usize,
    sent: &[Map<String, Value>],
    inserting: bool,
    keys: &[usize],
) -> Result<Vec<Changes>, Refusal> {
    let schema = &gainsight.schema;
    let check = Check { store, schema, object, inserting, keys };
    let (mut all, mut refused): (Vec<Changes>, Vec<Vec<Wrong>>) = (Vec::new(), Vec::new());
    for record in sent {
        match check.record(record) {
            Ok(changes) => {
                let wrongs = house_rules::company(&schema.objects[object], &changes);
                if wrongs.is_empty() {
                    all.push(changes);
                } else {
                    refused.push(wrongs);
                }
            }
            Err(wrongs) => refused.push(wrongs),
        }
    }
    if !refused.is_empty() {
        return Err(refusal(Dialect::Objects, &refused));
    }
    house_rules::company_names(&schema.objects[object], &all)?;
    Ok(all)
}

/// The key fields of an update: one to three, of a type that can be a key.
fn key_fields(object: &Object, keys: &str) -> Result<Vec<usize>, Refusal> {
    let fields: Option<Vec<usize>> = keys.split(',').map(|name| object.field(name.trim())).collect();
    let fields = fields.filter(|fields| fields.len() <= KEY_LIMIT).ok_or_else(Refusal::invalid)?;
    let can_be_key =
        |index: &usize| matches!(object.fields[*index].kind, Kind::Text | Kind::Gsid | Kind::Number | Kind::Email);
    if fields.iter().all(can_be_key) { Ok(fields) } else { Err(Refusal::invalid()) }
}

/// The records each change goes to, found in one pass over the object.
fn places(store: &Store, object: usize, keys: &[usize], all: &[Changes]) -> Result<Vec<Vec<String>>, Refusal> {
    let mut wanted: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, changes) in all.iter().enumerate() {
        let value = |key: &usize| changes.iter().find(|(field, _)| field == key).and_then(|(_, cell)| cell.as_ref());
        let key = key_text(keys.iter().map(value)).ok_or_else(Refusal::invalid)?;
        wanted.entry(key).or_default().push(index);
    }
    let mut places: Vec<Vec<String>> = vec![Vec::new(); all.len()];
    let mut found = |gsid: &str, record: &Record| {
        let key = key_text(keys.iter().map(|key| record.get(*key)));
        for index in key.and_then(|key| wanted.get(&key)).into_iter().flatten() {
            if places[*index].last().is_none_or(|last| last != gsid) {
                places[*index].push(gsid.to_owned());
            }
        }
    };
    let records = &store.shelves[object].records;
    if keys == [0] {
        for changes in all {
            let sent = changes.iter().find(|(field, _)| *field == 0);
            if let Some((_, Some(Cell::Text(gsid)))) = sent
                && let Some(record) = records.get(gsid.as_ref())
            {
                found(gsid, record);
            }
        }
    } else {
        records.iter().for_each(|(gsid, record)| found(gsid, record));
    }
    if places.iter().any(Vec::is_empty) {
        return Err(Refusal { status: NO_MATCH_STATUS, ..Refusal::no_match() });
    }
    Ok(places)
}

fn key_text<'a>(cells: impl Iterator<Item = Option<&'a Cell>>) -> Option<String> {
    let mut key = String::new();
    for cell in cells {
        match cell? {
            Cell::Text(text) => key.push_str(&text.to_lowercase()),
            other => key.push_str(&format!("{other:?}")),
        }
        key.push('\u{1f}');
    }
    Some(key)
}

/// Key fields find a record and are not changed by it.
pub(in crate::sandbox) fn apply(record: &mut Record, changes: Changes, keys: &[usize]) {
    for (field, cell) in changes {
        if !keys.contains(&field) {
            record.set(field, cell);
        }
    }
}

pub(in crate::sandbox) fn echo(sent: &Map<String, Value>, gsid: &str) -> Value {
    let mut echo = sent.clone();
    echo.insert("Gsid".to_owned(), gsid.into());
    Value::Object(echo)
}

pub(in crate::sandbox) fn success(echoes: Vec<Value>) -> Written {
    let count = echoes.len();
    (json!({"count": count, "errors": null, "records": echoes}), count)
}
