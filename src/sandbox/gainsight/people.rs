//! Upsert of one person with the companies the person works for.
//!
//! A person is found by e-mail without case, an association by person and company; both are written together or not at
//! all, and associations that are not mentioned stay. In: one JSON object. Out: what is stored now.

use serde_json::{Map, Value, json};

use super::batch;
use super::envelope::Refusal;
use super::house_rules;
use super::objects::{Written, apply};
use super::record::{Cell, Record};
use super::service::Gainsight;
use super::store::Store;
use super::validate::{Changes, Check, Dialect, Wrong, details, refusal};
use super::values::Mistake;

/// One association to write: its company and its other fields.
struct Link {
    company: String,
    changes: Changes,
}

/// Where the objects of the people API are.
struct Places {
    person: usize,
    link: usize,
    company: usize,
}

pub(in crate::sandbox) fn upsert(gainsight: &Gainsight, body: &[u8]) -> Result<Written, Refusal> {
    let schema = &gainsight.schema;
    let place = |name| schema.object(name).ok_or_else(|| Refusal::missing(name));
    let places = Places { person: place("person")?, link: place("company_person")?, company: place("company")? };
    let mut sent = batch::object(body)?;
    if sent.is_empty() {
        return Err(Refusal::new(400, "GSOBJ_VCRUDR1001", "Record is null or empty"));
    }
    for name in ["relationships", "associations", "lookups"] {
        if sent.contains_key(name) {
            return Err(Refusal::missing(&format!("{name} of a person")));
        }
    }
    let companies = sent.remove("companies");
    let mut store = gainsight.store();
    let email = sent.get("Email").and_then(Value::as_str).unwrap_or("");
    let known = store.find(places.person, &[email]).first().cloned();
    let changes = person(gainsight, &store, &places, &sent, known.is_none())?;
    let links = links(gainsight, &store, &places, companies.as_ref(), known.as_deref())?;

    let is_new = known.is_none();
    let gsid = known.unwrap_or_else(|| store.new_gsid(schema, places.person));
    let mut record = store.shelves[places.person].records.get(&gsid).cloned().unwrap_or_default();
    apply(&mut record, changes, &[]);
    gainsight.stamp(&mut record, is_new);
    store.put(places.person, &gsid, record);
    let written = 1 + links.len();
    let stored: Vec<Value> = links.into_iter().map(|link| write(gainsight, &mut store, &places, &gsid, link)).collect();
    Ok((answer(gainsight, &store, &places, &gsid, stored), written))
}

fn person(
    gainsight: &Gainsight,
    store: &Store,
    places: &Places,
    sent: &Map<String, Value>,
    inserting: bool,
) -> Result<Changes, Refusal> {
    let schema = &gainsight.schema;
    let check = Check { store, schema, object: places.person, inserting, keys: &[] };
    let refuse = |wrongs: Vec<Wrong>| refusal(Dialect::People, &[wrongs]);
    let changes = check.record(sent).map_err(refuse)?;
    let wrongs = house_rules::email(&schema.objects[places.person], &changes);
    if wrongs.is_empty() { Ok(changes) } else { Err(refuse(wrongs)) }
}

fn links(
    gainsight: &Gainsight,
    store: &Store,
    places: &Places,
    companies: Option<&Value>,
    person: Option<&str>,
) -> Result<Vec<Link>, Refusal> {
    let list = match companies {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(Refusal::new(400, "GSOBJ_VCRUDR1001", "Record is null or empty")),
    };
    let mut links = Vec::with_capacity(list.len());
    for entry in list {
        let Value::Object(entry) = entry else {
            return Err(Refusal::new(400, "GSOBJ_VCRUDR1001", "Record is null or empty"));
        };
        let mut entry = entry.clone();
        let named = entry.remove("Company_ID").unwrap_or(Value::Null);
        let company = named.as_str().filter(|gsid| store.holds(places.company, gsid)).ok_or_else(|| {
            let wrong = Wrong { field: "Company_ID".to_owned(), value: named.clone(), mistake: Mistake::Gsid };
            let data = Box::new(details(Dialect::People, &[vec![wrong]]));
            Refusal { data, ..Refusal::new(400, "GSOBJ_PEOPLE1001", "People entities do not exist") }
        })?;
        // The person may be named, but only the one the call is about.
        if let Some(named) = entry.remove("Person_ID").filter(|named| named.as_str() != person) {
            let wrong = Wrong { field: "Person_ID".to_owned(), value: named, mistake: Mistake::Gsid };
            return Err(refusal(Dialect::People, &[vec![wrong]]));
        }
        let check = Check { store, schema: &gainsight.schema, object: places.link, inserting: false, keys: &[] };
        let changes = check.record(&entry).map_err(|wrongs| refusal(Dialect::People, &[wrongs]))?;
        links.push(Link { company: company.to_owned(), changes });
    }
    Ok(links)
}

fn write(gainsight: &Gainsight, store: &mut Store, places: &Places, person: &str, link: Link) -> Value {
    let object = &gainsight.schema.objects[places.link];
    let known = store.find(places.link, &[person, &link.company]).first().cloned();
    let is_new = known.is_none();
    let gsid = known.unwrap_or_else(|| store.new_gsid(&gainsight.schema, places.link));
    let mut record: Record = store.shelves[places.link].records.get(&gsid).cloned().unwrap_or_default();
    apply(&mut record, link.changes, &[]);
    for (name, value) in [("Person_ID", person), ("Company_ID", link.company.as_str())] {
        if let Some(field) = object.field(name) {
            record.set(field, Some(Cell::Text(value.into())));
        }
    }
    gainsight.stamp(&mut record, is_new);
    store.put(places.link, &gsid, record);
    store.shelves[places.link].records.get(&gsid).map_or(json!({}), |record| Value::Object(record.map(object)))
}

fn answer(gainsight: &Gainsight, store: &Store, places: &Places, gsid: &str, links: Vec<Value>) -> Value {
    let object = &gainsight.schema.objects[places.person];
    let stored = store.shelves[places.person].records.get(gsid);
    let mut members = stored.map(|record| record.map(object)).unwrap_or_default();
    members.insert("companies".to_owned(), Value::Array(links));
    Value::Object(members)
}
