//! Bulk import: a file of records is taken in by a job that the tenant's administrator made, and asked about until it is at its end.
//!
//! A job is called after what it does: `company by External Account ID_acme` upserts companies by that field, and its columns are called
//! like the labels of fields. Each row is written or fails by itself. In: multipart bodies. Out: ids, states, files of failures.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::super::assumptions::IMPORT_LOOKS;
use super::super::http::{Ask, Reply};
use super::envelope::Refusal;
use super::objects::{self, Written};
use super::schema::{Field, Kind, Object};
use super::service::Gainsight;

/// What a file without rows is refused with.
const EMPTY: &str = "GS_7571";

/// How late a file is taken in that is late.
const LATE: Duration = Duration::from_millis(400);

/// What may be odd about imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Oddity {
    /// Nothing.
    #[default]
    None,
    /// It never comes to its end.
    Stuck,
    /// The counts at its end are less than the rows.
    WrongCounts,
    /// Failures are counted, and there is no file of them.
    NoFailures,
    /// The file of failures lies on another host.
    ForeignFailures,
    /// Every file is too large that has more rows than this.
    Smaller(usize),
    /// A file is taken in some time after it was handed over, whether anybody asks about it or not.
    Late,
    /// It ends without having written anything, and says so in a word that nobody knows.
    Failed,
}

/// The imports of a tenant.
#[derive(Default)]
pub(in crate::sandbox) struct Imports {
    all: Mutex<HashMap<String, Import>>,
    pub(in crate::sandbox) oddity: Mutex<Oddity>,
}

struct Import {
    /// What is still to be taken in, and when.
    pending: Option<(Instant, Pending)>,
    written: usize,
    header: String,
    failed: Vec<String>,
    looks: u32,
}

/// A file that is not taken in yet.
struct Pending {
    object: usize,
    fields: Vec<Field>,
    key: usize,
    rows: Vec<csv::StringRecord>,
}

impl Imports {
    fn oddity(&self) -> Oddity {
        *self.oddity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a file in.
pub(in crate::sandbox) fn import(gainsight: &Gainsight, ask: &Ask, request: &str) -> Result<Written, Refusal> {
    let parts = parts(ask)?;
    let job = parts.get("jobId").ok_or_else(Refusal::invalid)?;
    let job = String::from_utf8_lossy(job).into_owned();
    let file = parts.get("file").ok_or_else(Refusal::invalid)?;
    let (object, key) = job.split_once(" by ").ok_or_else(|| Refusal::new(400, "GS_7501", "Invalid jobId"))?;
    let object = gainsight.schema.object(object).ok_or_else(|| Refusal::new(400, "GS_7501", "Invalid jobId"))?;
    let description = &gainsight.schema.objects[object];
    let mut reader = csv::ReaderBuilder::new().from_reader(file.as_slice());
    let header = reader.headers().map_err(|_| Refusal::new(400, EMPTY, "File does not contain any rows"))?.clone();
    let fields: Option<Vec<Field>> = header.iter().map(|label| labelled(description, label).cloned()).collect();
    let fields = fields.ok_or_else(|| Refusal::new(400, "GS_7560", "Column in file is not mapped"))?;
    let key_place = header.iter().position(|label| label == key);
    let key_place = key_place.ok_or_else(|| Refusal::new(400, "GS_7561", "Update key is missing in file"))?;
    let rows: Vec<csv::StringRecord> = reader.records().filter_map(Result::ok).collect();
    if rows.is_empty() {
        return Err(Refusal::new(400, EMPTY, "File does not contain any rows"));
    }
    if matches!(gainsight.imports.oddity(), Oddity::Smaller(most) if rows.len() > most) {
        return Err(Refusal::new(413, "GS_7599", "Request Entity Too Large"));
    }
    let header = header.iter().collect::<Vec<_>>().join(",");
    let pending = Pending { object, fields, key: key_place, rows };
    let late = if gainsight.imports.oddity() == Oddity::Late { LATE } else { Duration::ZERO };
    let mut made =
        Import { pending: Some((Instant::now() + late, pending)), written: 0, header, failed: Vec::new(), looks: 0 };
    made.take_in(gainsight);
    let written = made.written;
    gainsight.imports.all.lock().unwrap_or_else(PoisonError::into_inner).insert(request.to_owned(), made);
    Ok((json!({ "statusId": request }), written))
}

/// Takes in what is due.
pub(in crate::sandbox) fn take_in(gainsight: &Gainsight) {
    let mut all = gainsight.imports.all.lock().unwrap_or_else(PoisonError::into_inner);
    all.values_mut().for_each(|import| import.take_in(gainsight));
}

impl Import {
    fn take_in(&mut self, gainsight: &Gainsight) {
        let Some((_, pending)) = self.pending.take_if(|(due, _)| *due <= Instant::now()) else { return };
        if gainsight.imports.oddity() == Oddity::Failed {
            return;
        }
        let Pending { object, fields, key, rows } = pending;
        let mut known = known(gainsight, object, &fields[key].name);
        for row in &rows {
            match take(gainsight, object, &fields, row, row[key].to_lowercase(), &mut known) {
                Ok(()) => self.written += 1,
                Err(refusal) => {
                    let words = failure(&refusal);
                    let cells =
                        row.iter().chain([words.as_str()]).map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
                    self.failed.push(cells.collect::<Vec<_>>().join(","));
                }
            }
        }
    }
}

/// The records that there are, by the key of a job.
fn known(gainsight: &Gainsight, object: usize, key: &str) -> HashMap<String, String> {
    let records = gainsight.records(&gainsight.schema.objects[object].name);
    let of = |record: &Map<String, Value>| {
        Some((record.get(key)?.as_str()?.to_lowercase(), record.get("Gsid")?.as_str()?.to_owned()))
    };
    records.iter().filter_map(of).collect()
}

fn take(
    gainsight: &Gainsight,
    object: usize,
    fields: &[Field],
    row: &csv::StringRecord,
    key: String,
    known: &mut HashMap<String, String>,
) -> Result<(), Refusal> {
    let mut record = Map::new();
    for (field, cell) in fields.iter().zip(row.iter()) {
        record.insert(field.name.clone(), value(field, cell));
    }
    if let Some(gsid) = known.get(&key) {
        record.insert("Gsid".to_owned(), gsid.clone().into());
        let body = json!({ "records": [record] }).to_string();
        return objects::update(gainsight, object, "Gsid", body.as_bytes()).map(drop);
    }
    record.retain(|_, value| !value.is_null());
    let body = json!({ "records": [record] }).to_string();
    let (data, _) = objects::insert(gainsight, object, body.as_bytes())?;
    if let Some(gsid) = data["records"][0]["Gsid"].as_str().or_else(|| data["records"][0]["gsid"].as_str()) {
        known.insert(key, gsid.to_owned());
    }
    Ok(())
}

fn value(field: &Field, cell: &str) -> Value {
    if cell.is_empty() {
        return Value::Null;
    }
    match field.kind {
        Kind::Number | Kind::Currency | Kind::Percentage => {
            cell.parse::<f64>().map_or_else(|_| cell.into(), Value::from)
        }
        Kind::Boolean => cell.parse::<bool>().map_or_else(|_| cell.into(), Value::from),
        Kind::Date | Kind::DateTime => cell.parse::<i64>().map_or_else(|_| cell.into(), Value::from),
        _ => cell.into(),
    }
}

fn labelled<'o>(object: &'o Object, label: &str) -> Option<&'o Field> {
    object.fields.iter().find(|field| field.label == label)
}

fn failure(refusal: &Refusal) -> String {
    let details = refusal.data.to_string();
    format!("{} {} {details}", refusal.code, refusal.text).trim().to_owned()
}

/// How far an import is.
pub(in crate::sandbox) fn status(gainsight: &Gainsight, id: &str) -> Result<Value, Refusal> {
    let mut all = gainsight.imports.all.lock().unwrap_or_else(PoisonError::into_inner);
    let import = all.get_mut(id).ok_or_else(|| Refusal::new(404, "GS_7502", "Invalid statusId"))?;
    let oddity = gainsight.imports.oddity();
    import.looks += 1;
    if import.looks <= IMPORT_LOOKS || oddity == Oddity::Stuck || import.pending.is_some() {
        let state = if import.looks == 1 { "INIT" } else { "IN_PROGRESS" };
        return Ok(json!({ "statusId": id, "jobStatus": state, "success": 0, "failed": 0, "failedRecordsUrl": null }));
    }
    if oddity == Oddity::Failed {
        return Ok(json!({ "statusId": id, "jobStatus": "ABORTED" }));
    }
    let path = format!("/v1.0/admin/connector/job/bulkimport/failed/{id}");
    let url = match oddity {
        Oddity::NoFailures => Value::Null,
        Oddity::ForeignFailures => format!("https://files.example.com{path}").into(),
        _ if import.failed.is_empty() => Value::Null,
        _ => path.into(),
    };
    let written = if oddity == Oddity::WrongCounts { import.written / 2 } else { import.written };
    let failed = import.failed.len();
    Ok(json!({
        "statusId": id, "jobStatus": "COMPLETED", "success": written, "failed": failed, "failedRecordsUrl": url,
    }))
}

/// The rows that an import did not take, each with why.
pub(in crate::sandbox) fn failures(gainsight: &Gainsight, id: &str) -> Result<Reply, Refusal> {
    let all = gainsight.imports.all.lock().unwrap_or_else(PoisonError::into_inner);
    let import = all.get(id).ok_or_else(|| Refusal::new(404, "GS_7502", "Invalid statusId"))?;
    let header: Vec<String> = import.header.split(',').map(|name| format!("\"{name}\"")).collect();
    let text = format!("{},\"Error\"\n{}\n", header.join(","), import.failed.join("\n"));
    Ok(Reply::new(200, "text/csv", text))
}

/// The parts of a multipart body, by name.
fn parts(ask: &Ask) -> Result<HashMap<String, Vec<u8>>, Refusal> {
    let kind = ask.header("content-type").unwrap_or_default().to_owned();
    let boundary =
        kind.split("boundary=").nth(1).map(|b| b.trim_matches('"').to_owned()).ok_or_else(Refusal::invalid)?;
    let mark = format!("--{boundary}");
    let (body, mut found) = (ask.body.as_ref(), HashMap::new());
    let places: Vec<usize> = memchr::memmem::find_iter(body, mark.as_bytes()).collect();
    for pair in places.windows(2) {
        let part = &body[pair[0] + mark.len()..pair[1]];
        let Some(end) = memchr::memmem::find(part, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&part[..end]).into_owned();
        let name = head.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let content = &part[end + 4..];
        found.insert(name.to_owned(), content.strip_suffix(b"\r\n").unwrap_or(content).to_vec());
    }
    Ok(found)
}
