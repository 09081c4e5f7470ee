//! What Gainsight holds when a run begins: companies, users, and a record for each contact.
//!
//! Out: batches in stored form, as they lie in a run folder. The target is made page by page, from the contacts' own values.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

use super::contact::{ACCOUNT, Contact, Fate, USER, accounts_held, contacts, guid, owners_held};
use super::{COMPANIES, USERS, Workload};

/// Fields of the target in the order of the job, by API name.
pub const FIELDS: [&str; 10] = [
    "External_Contact_ID__gc",
    "First_Name__gc",
    "Last_Name__gc",
    "Name",
    "Email__gc",
    "Title__gc",
    "Phone__gc",
    "Location__gc",
    "Company__gc",
    "Owner__gc",
];

/// A record of the target: its fields in the order of [`FIELDS`].
pub type Values = [Option<String>; 10];

/// The GSID of a record: the object's prefix and a number, 36 characters.
pub fn gsid(prefix: &str, number: u64) -> String {
    format!("{prefix}{number:0>32}")
}

pub const COMPANY: &str = "1P02";
pub const OWNER: &str = "1P01";
pub const RECORD: &str = "1Z02";

/// The id of the Dynamics row that a company or a user is of: the last records share theirs with the first.
fn keys(workload: &Workload, table: u64) -> impl Iterator<Item = String> {
    let (records, held) = match table {
        ACCOUNT => (COMPANIES, accounts_held(&workload.mix)),
        _ => (USERS, owners_held(&workload.mix)),
    };
    (0..records).map(move |number| guid(table, number % held))
}

/// All companies: GSID, name, and the account they are of, in both fields that the tenant has for it.
pub fn companies(workload: &Workload) -> RecordBatch {
    let keys: Vec<String> = keys(workload, ACCOUNT).collect();
    let names: Vec<String> = (0..COMPANIES).map(|number| format!("Account {number}")).collect();
    batch(
        &["Gsid", "Name", "External_Account_ID_gainsight123__gc", "Dynamics_Account_ID__gc"],
        vec![text((0..COMPANIES).map(|n| gsid(COMPANY, n))), text(names), text(keys.clone()), text(keys)],
    )
}

/// All users: GSID, and the Dynamics user they are of.
pub fn users(workload: &Workload) -> RecordBatch {
    let keys: Vec<String> = keys(workload, USER).collect();
    let names: Vec<String> = (0..USERS).map(|number| format!("user{number}@contoso.example")).collect();
    batch(
        &["Gsid", "Email", "SFDCUserName", "Dynamics_User_ID__gc"],
        vec![text((0..USERS).map(|n| gsid(OWNER, n))), text(names.clone()), text(names), text(keys)],
    )
}

/// The target's records of a page of contacts.
pub fn target(workload: &Workload, page: u64) -> RecordBatch {
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); FIELDS.len() + 1];
    for contact in contacts(workload, page) {
        columns[0].push(Some(gsid(RECORD, contact.number)));
        for (place, value) in held(&contact, workload).into_iter().enumerate() {
            columns[place + 1].push(value);
        }
    }
    let names: Vec<&str> = std::iter::once("Gsid").chain(FIELDS).collect();
    batch(&names, columns.into_iter().map(|values| Arc::new(StringArray::from(values)) as ArrayRef).collect())
}

/// What a contact is to become, by the job. None of the fields in which a lookup found nothing.
pub fn wanted(one: &Contact, workload: &Workload) -> Values {
    let trimmed = |text: &Option<String>| text.as_deref().map(|text| text.trim().to_owned());
    let (first, last) = (one.first.trim(), one.last.trim());
    let company = (one.account < accounts_held(&workload.mix)).then(|| gsid(COMPANY, one.account));
    let owner = (one.owner < owners_held(&workload.mix)).then(|| gsid(OWNER, one.owner));
    [
        Some(one.id()),
        Some(first.to_owned()),
        Some(last.to_owned()),
        Some(format!("{first} {last}")),
        trimmed(&one.email).map(|email| email.to_lowercase()),
        trimmed(&one.title),
        trimmed(&one.phone),
        Some(format!("{}, {}", one.city, one.country)),
        company,
        owner,
    ]
}

/// What the target holds in its place.
fn held(one: &Contact, workload: &Workload) -> Values {
    let mut values = wanted(one, workload);
    match one.fate {
        Fate::Same => {}
        Fate::Changed => {
            values[5] = Some(format!("Former {}", values[5].as_deref().unwrap_or("Trainee")));
            if one.number.is_multiple_of(4) {
                values[6] = None;
            }
        }
        // A record that no contact is of.
        Fate::New => values[0] = Some(guid(0, one.number)),
    }
    values
}

/// Which accounts two companies are of.
pub fn is_doubled(account: u64, workload: &Workload) -> bool {
    account < COMPANIES - accounts_held(&workload.mix)
}

fn text(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn batch(names: &[&str], columns: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns of one length")
}
