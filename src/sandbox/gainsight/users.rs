//! Users: create, update, activate and deactivate.
//!
//! Calls are atomic. A user name is unique on create; those that are not were there before. In: the body. Out: the
//! records as echoed, or a refusal with the codes of the users API.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::assumptions::WRITE_LIMIT;
use super::batch;
use super::envelope::Refusal;
use super::house_rules;
use super::objects::{Written, apply, echo, success};
use super::record::{Cell, Record};
use super::schema::Object;
use super::service::Gainsight;
use super::store::Store;
use super::validate::{Changes, Check, Dialect, Wrong, details};
use super::values::Mistake;

pub(in crate::sandbox) const CREATE_FAILED: &str = "GU_2401";
pub(in crate::sandbox) const UPDATE_FAILED: &str = "GU_2402";

pub(in crate::sandbox) fn create(gainsight: &Gainsight, object: usize, body: &[u8]) -> Result<Written, Refusal> {
    let description = &gainsight.schema.objects[object];
    let sent = readable(body)?;
    let mut store = gainsight.store();
    let mut all = checked(gainsight, &store, object, &sent, CREATE_FAILED, &[])?;
    let mut refused: Vec<Vec<Wrong>> = Vec::new();
    let mut names = HashSet::new();
    for (sent, changes) in sent.iter().zip(&mut all) {
        let username = sent.get("SFDCUserName").and_then(Value::as_str).unwrap_or("");
        let taken = !store.find(object, &[username]).is_empty() || !names.insert(username.to_lowercase());
        if taken {
            refused.push(vec![wrong("SFDCUserName", username)]);
        } else if !named(description, changes) {
            refused.push(vec![Wrong { field: "Name".to_owned(), value: Value::Null, mistake: Mistake::Missing }]);
        } else if external(gainsight, object, changes) {
            refused.push(vec![Wrong { field: "CompanyID".to_owned(), value: Value::Null, mistake: Mistake::Missing }]);
        }
    }
    refuse_all(CREATE_FAILED, &refused)?;
    let mut echoes = Vec::with_capacity(sent.len());
    for (sent, changes) in sent.iter().zip(all) {
        let mut record = Record::default();
        apply(&mut record, changes, &[]);
        gainsight.stamp(&mut record, true);
        let gsid = store.new_gsid(&gainsight.schema, object);
        store.put(object, &gsid, record);
        echoes.push(echo(sent, &gsid));
    }
    Ok(success(echoes))
}

pub(in crate::sandbox) fn update(
    gainsight: &Gainsight,
    object: usize,
    key: &str,
    body: &[u8],
) -> Result<Written, Refusal> {
    let description = &gainsight.schema.objects[object];
    let supported = ["SFDCUserName", "Gsid", "SfdcUserId"].contains(&key);
    let key = description.field(key).filter(|_| supported);
    let key = key.ok_or_else(|| Refusal::new(400, "GU_2409", "Key not supported"))?;
    let sent = readable(body)?;
    let mut store = gainsight.store();
    let all = checked(gainsight, &store, object, &sent, UPDATE_FAILED, &[key])?;
    let mut targets = Vec::with_capacity(all.len());
    for changes in &all {
        let value = changes.iter().find(|(field, _)| *field == key).and_then(|(_, cell)| cell.as_ref());
        let Some(Cell::Text(value)) = value else {
            let name = description.fields[key].name.clone();
            let missing = Wrong { field: name, value: Value::Null, mistake: Mistake::Missing };
            return Err(failed(UPDATE_FAILED, &[vec![missing]]));
        };
        targets.push(target(&store, description, object, key, value, changes)?);
    }
    let mut echoes = Vec::with_capacity(sent.len());
    for ((sent, changes), gsid) in sent.iter().zip(all).zip(targets) {
        let mut record = store.shelves[object].records.get(&gsid).cloned().unwrap_or_default();
        apply(&mut record, changes, &[key]);
        gainsight.stamp(&mut record, false);
        store.put(object, &gsid, record);
        echoes.push(echo(sent, &gsid));
    }
    Ok(success(echoes))
}

pub(in crate::sandbox) fn set_status(
    gainsight: &Gainsight,
    object: usize,
    status: &str,
    body: &[u8],
) -> Result<Written, Refusal> {
    let active = match status {
        "true" => true,
        "false" => false,
        _ => return Err(Refusal::new(400, UPDATE_FAILED, "Bulk user update failed")),
    };
    let gsids: Vec<String> = serde_json::from_slice(body).map_err(|_| Refusal::invalid())?;
    if gsids.is_empty() || gsids.len() > WRITE_LIMIT {
        return Err(Refusal::invalid());
    }
    let mut store = gainsight.store();
    let unknown: Vec<Vec<Wrong>> =
        gsids.iter().filter(|gsid| !store.holds(object, gsid)).map(|gsid| vec![wrong("Gsid", gsid)]).collect();
    refuse_all(UPDATE_FAILED, &unknown)?;
    let field = gainsight.schema.objects[object].field("IsActiveUser").ok_or_else(Refusal::invalid)?;
    for gsid in &gsids {
        let mut record = store.shelves[object].records.get(gsid).cloned().unwrap_or_default();
        record.set(field, Some(Cell::Flag(active)));
        gainsight.stamp(&mut record, false);
        store.put(object, gsid, record);
    }
    let records: Vec<Value> = gsids.iter().map(|gsid| json!({"Gsid": gsid})).collect();
    Ok(success(records))
}

fn readable(body: &[u8]) -> Result<Vec<Map<String, Value>>, Refusal> {
    let sent = batch::records(body)?;
    let bundles = sent.iter().flat_map(|record| record.keys()).find(|name| name.starts_with("permissionBundle"));
    bundles.map_or(Ok(()), |name| Err(Refusal::missing(name)))?;
    Ok(sent)
}

fn checked(
    gainsight: &Gainsight,
    store: &Store,
    object: usize,
    sent: &[Map<String, Value>],
    code: &str,
    keys: &[usize],
) -> Result<Vec<Changes>, Refusal> {
    let schema = &gainsight.schema;
    let check = Check { store, schema, object, inserting: code == CREATE_FAILED, keys };
    let (mut all, mut refused) = (Vec::new(), Vec::new());
    for record in sent {
        match check.record(record) {
            Ok(changes) => {
                let wrongs = house_rules::email(&schema.objects[object], &changes);
                if !wrongs.is_empty() {
                    refused.push(wrongs);
                }
                all.push(changes);
            }
            Err(wrongs) => refused.push(wrongs),
        }
    }
    refuse_all(code, &refused)?;
    Ok(all)
}

/// The one user an update means; the user may not become its own manager, nor take another's name.
fn target(
    store: &Store,
    description: &Object,
    object: usize,
    key: usize,
    value: &str,
    changes: &Changes,
) -> Result<String, Refusal> {
    let text = |name: &str| {
        let field = description.field(name)?;
        match changes.iter().find(|(index, _)| *index == field) {
            Some((_, Some(Cell::Text(text)))) => Some(text.as_ref()),
            _ => None,
        }
    };
    let same = |record: &Record| record.text(key).is_some_and(|found| found.to_lowercase() == value.to_lowercase());
    let records = &store.shelves[object].records;
    let found: Vec<&String> = match key {
        0 => records.get_key_value(value).map(|(gsid, _)| gsid).into_iter().collect(),
        _ => records.iter().filter(|(_, record)| same(record)).map(|(gsid, _)| gsid).collect(),
    };
    let gsid = match found.as_slice() {
        [] => return Err(failed(UPDATE_FAILED, &[vec![wrong(&description.fields[key].name, value)]])),
        [one] => (*one).clone(),
        _ => return Err(Refusal::new(400, "GU_2411", "Conflict in update: several users have this key")),
    };
    if text("Manager") == Some(gsid.as_str()) {
        return Err(Refusal::new(400, "GU_2410", "A user cannot be their own manager"));
    }
    let taken = text("SFDCUserName").is_some_and(|name| store.find(object, &[name]).iter().any(|other| *other != gsid));
    if taken {
        return Err(Refusal::new(400, "GU_2411", "Conflict in update: the user name belongs to another user"));
    }
    Ok(gsid)
}

/// Fills the name from first and last name when it is absent, and says whether there is one.
fn named(object: &Object, changes: &mut Changes) -> bool {
    let find = |name: &str| {
        let field = object.field(name)?;
        match changes.iter().find(|(index, _)| *index == field) {
            Some((_, Some(Cell::Text(text)))) => Some(text.to_string()),
            _ => None,
        }
    };
    if find("Name").is_some() {
        return true;
    }
    let parts: Vec<String> = ["FirstName", "LastName"].into_iter().filter_map(find).collect();
    if let (Some(field), false) = (object.field("Name"), parts.is_empty()) {
        changes.retain(|(index, _)| *index != field);
        changes.push((field, Some(Cell::Text(parts.join(" ").into()))));
    }
    !parts.is_empty()
}

/// Whether this is an external user without a company.
fn external(gainsight: &Gainsight, object: usize, changes: &Changes) -> bool {
    let description = &gainsight.schema.objects[object];
    let cell = |name: &str| {
        let field = description.field(name)?;
        changes.iter().find(|(index, _)| *index == field)?.1.as_ref()
    };
    let Some(Cell::Text(gsid)) = cell("SystemType") else { return false };
    let items = description.field("SystemType").map_or(&[][..], |field| &description.fields[field].items);
    items.iter().any(|item| item.gsid == gsid.as_ref() && item.label == "External") && cell("CompanyID").is_none()
}

fn wrong(field: &str, value: &str) -> Wrong {
    Wrong { field: field.to_owned(), value: value.into(), mistake: Mistake::Rule }
}

fn refuse_all(code: &str, refused: &[Vec<Wrong>]) -> Result<(), Refusal> {
    if refused.is_empty() { Ok(()) } else { Err(failed(code, refused)) }
}

pub(in crate::sandbox) fn failed(code: &str, refused: &[Vec<Wrong>]) -> Refusal {
    let text = if code == CREATE_FAILED { "Bulk user create failed" } else { "Bulk user update failed" };
    Refusal { data: Box::new(details(Dialect::Objects, refused)), ..Refusal::new(400, code, text) }
}
