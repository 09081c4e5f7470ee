//! The workload as a run folder: what extraction would have staged of it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMillisecondArray, new_null_array};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use ferry::model::dataset::{self, ROW};
use ferry::model::job::Job;
use ferry::store::dataset::RunFolder;

use super::contact::{Contact, contacts};
use super::records::{companies, target, users};
use super::{Workload, job};

/// The source's rows of a page, as the decoder gives them.
pub fn decoded(workload: &Workload, job: &Job, page: u64) -> RecordBatch {
    let contacts: Vec<Contact> = contacts(workload, page).collect();
    let schema = dataset::table_schema(&dataset::table_fields(job, None), true, None);
    let columns = schema.fields().iter().map(|field| column(&contacts, field.name(), field.data_type()));
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).expect("columns of the schema")
}

fn column(contacts: &[Contact], name: &str, kind: &DataType) -> ArrayRef {
    let texts =
        |of: fn(&Contact) -> Option<String>| Arc::new(StringArray::from_iter(contacts.iter().map(of))) as ArrayRef;
    match name {
        ROW => Arc::new(Int64Array::from_iter_values(contacts.iter().map(|c| c.number as i64 + 1))),
        "contactid" => texts(|c| Some(c.id())),
        "firstname" => texts(|c| Some(c.first.clone())),
        "lastname" => texts(|c| Some(c.last.clone())),
        "emailaddress1" => texts(|c| c.email.clone()),
        "jobtitle" => texts(|c| c.title.clone()),
        "telephone1" => texts(|c| c.phone.clone()),
        "address1_city" => texts(|c| Some(c.city.to_owned())),
        "address1_country" => texts(|c| Some(c.country.to_owned())),
        "parentcustomerid" => texts(|c| Some(c.account_id())),
        "parentcustomerid@type" => texts(|_| Some("account".to_owned())),
        "ownerid" => texts(|c| Some(c.owner_id())),
        "ownerid@type" => texts(|_| Some("systemuser".to_owned())),
        "statecode" => Arc::new(Int64Array::from_iter_values(contacts.iter().map(|c| i64::from(!c.is_active)))),
        "modifiedon" => Arc::new(
            TimestampMillisecondArray::from_iter_values(contacts.iter().map(|c| c.modified * 1_000))
                .with_timezone("UTC"),
        ),
        other => unreachable!("the job wants no {other} of type {kind}"),
    }
}

/// Writes everything that the job's plan reads.
pub async fn stage(workload: &Workload, job: &Job, folder: &RunFolder) {
    let fields = dataset::table_fields(job, None);
    let mut source = folder.write(dataset::SOURCE, dataset::table_schema(&fields, true, None));
    for page in 0..workload.pages() {
        source.add(decoded(workload, job, page)).await.expect("a page is written");
    }
    source.finish().await.expect("the source is written");
    stage_target(workload, job, folder).await;
    let refused = folder.write(dataset::REFUSED, dataset::refused_schema());
    refused.finish().await.expect("an empty dataset is written");
}

/// Writes Gainsight's side of it.
pub async fn stage_target(workload: &Workload, job: &Job, folder: &RunFolder) {
    for (name, fields) in dataset::objects(job) {
        let schema = dataset::object_schema(&fields);
        let mut writer = folder.write(&dataset::target(&name), Arc::clone(&schema));
        let batches: Box<dyn Iterator<Item = RecordBatch>> = match name.as_str() {
            "company" => Box::new(std::iter::once(companies(workload))),
            "gsuser" => Box::new(std::iter::once(users(workload))),
            job::OBJECT => Box::new((0..workload.pages()).map(|page| target(workload, page))),
            other => unreachable!("the job reads no {other}"),
        };
        for batch in batches {
            writer.add(shaped(&batch, &schema)).await.expect("it is written");
        }
        writer.finish().await.expect("it is written");
    }
}

/// A batch with the columns that the agreement wants; what the workload does not have is null.
fn shaped(batch: &RecordBatch, schema: &SchemaRef) -> RecordBatch {
    let column = |name: &str, kind: &DataType| match batch.column_by_name(name) {
        Some(column) => Arc::clone(column),
        None => new_null_array(kind, batch.num_rows()),
    };
    let columns = schema.fields().iter().map(|f| column(f.name(), f.data_type())).collect();
    RecordBatch::try_new(Arc::clone(schema), columns).expect("columns of the schema")
}
