//! The workload as a world of the sandbox: a folder of JSON lines.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use serde_json::{Map, Value, json};

use super::Workload;
use super::contact::contacts;
use super::job::OBJECT;
use super::page::moment;
use super::records::{companies, target, users};

/// Writes the files. Lookups of Dynamics lead to rows that are not there, which nothing of the job asks for.
pub fn write(workload: &Workload, folder: &Path) {
    std::fs::create_dir_all(folder.join("gainsight")).expect("a folder");
    for name in ["systemusers", "accounts"] {
        std::fs::write(folder.join(format!("{name}.jsonl")), "").expect("a file");
    }
    let mut file = begun(&folder.join("contacts.jsonl"));
    for one in (0..workload.pages()).flat_map(|page| contacts(workload, page)) {
        let row = json!({
            "contactid": one.id(), "firstname": one.first, "lastname": one.last, "emailaddress1": one.email,
            "jobtitle": one.title, "telephone1": one.phone, "address1_city": one.city, "address1_country": one.country,
            "_parentcustomerid_value": one.account_id(),
            "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account",
            "_ownerid_value": one.owner_id(), "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "systemuser",
            "statecode": u8::from(!one.is_active), "modifiedon": moment(one.modified), "createdon": moment(one.modified),
        });
        writeln!(file, "{row}").expect("a line");
    }
    file.flush().expect("the file ends");
    records(folder, "company", std::iter::once(companies(workload)));
    records(folder, "gsuser", std::iter::once(users(workload)));
    records(folder, OBJECT, (0..workload.pages()).map(|page| target(workload, page)));
}

fn records(folder: &Path, object: &str, batches: impl Iterator<Item = RecordBatch>) {
    let mut file = begun(&folder.join("gainsight").join(format!("{object}.jsonl")));
    for batch in batches {
        let columns: Vec<_> = batch.columns().iter().map(|column| column.as_string::<i32>()).collect();
        let schema = batch.schema();
        for at in 0..batch.num_rows() {
            let mut record = Map::new();
            for (field, column) in schema.fields().iter().zip(&columns) {
                if !column.is_null(at) {
                    record.insert(field.name().clone(), column.value(at).into());
                }
            }
            writeln!(file, "{}", Value::Object(record)).expect("a line");
        }
    }
    file.flush().expect("the file ends");
}

fn begun(path: &Path) -> BufWriter<File> {
    BufWriter::new(File::create(path).expect("a file"))
}
