//! A page of contacts as Dataverse answers it: a context, the rows with their annotations, and a link to the next page.

use std::fmt::Write as _;

use arrow::array::{Array, AsArray};
use chrono::DateTime;

use super::Workload;
use super::contact::{Contact, contacts};
use super::records::target;

/// The bytes of a page: an answer of the Web API.
pub fn page(workload: &Workload, number: u64) -> Vec<u8> {
    let mut out = String::with_capacity(5_000 * 900);
    out.push_str("{\"@odata.context\":\"https://contoso.crm.dynamics.com/api/data/v9.2/$metadata#contacts(contactid,firstname)\",\"value\":[");
    for (place, contact) in contacts(workload, number).enumerate() {
        if place > 0 {
            out.push(',');
        }
        row(&mut out, &contact);
    }
    out.push(']');
    if number + 1 < workload.pages() {
        let _ = write!(
            out,
            ",\"@odata.nextLink\":\"https://contoso.crm.dynamics.com/api/data/v9.2/contacts?$skiptoken={number}\""
        );
    }
    out.push('}');
    out.into_bytes()
}

/// The same rows, one a line, for those who read that faster.
pub fn lines(workload: &Workload, number: u64) -> Vec<u8> {
    let mut out = String::with_capacity(5_000 * 900);
    for contact in contacts(workload, number) {
        row(&mut out, &contact);
        out.push('\n');
    }
    out.into_bytes()
}

/// The bytes of a page of the target's records, as Gainsight answers a query.
pub fn answer(workload: &Workload, number: u64) -> Vec<u8> {
    let records = target(workload, number);
    let schema = records.schema();
    let columns: Vec<_> = records.columns().iter().map(|column| column.as_string::<i32>()).collect();
    let mut out = String::with_capacity(records.num_rows() * 500);
    out.push_str(
        "{\"result\":true,\"errorCode\":null,\"errorDesc\":null,\"requestId\":\"b-1\",\"data\":{\"records\":[",
    );
    for at in 0..records.num_rows() {
        for (place, column) in columns.iter().enumerate() {
            let before = if place > 0 {
                ","
            } else if at > 0 {
                ",{"
            } else {
                "{"
            };
            let _ = write!(out, "{before}\"{}\":", schema.field(place).name());
            text(&mut out, (!column.is_null(at)).then(|| column.value(at)));
        }
        out.push('}');
    }
    out.push_str("]},\"message\":null}");
    out.into_bytes()
}

/// The twenty properties of a row, about 846 bytes.
fn row(out: &mut String, one: &Contact) {
    let modified = moment(one.modified);
    let _ = write!(
        out,
        "{{\"@odata.etag\":\"W/\\\"{}\\\"\",\"contactid\":\"{}\",\"firstname\":\"{}\",\"lastname\":\"{}\",\"emailaddress1\":",
        8_000_000 + one.number,
        one.id(),
        one.first,
        one.last
    );
    text(out, one.email.as_deref());
    out.push_str(",\"jobtitle\":");
    text(out, one.title.as_deref());
    out.push_str(",\"telephone1\":");
    text(out, one.phone.as_deref());
    let _ = write!(
        out,
        ",\"address1_line1\":\"{}\",\"address1_city\":\"{}\",\"address1_postalcode\":\"{:05}\",\"address1_country\":\"{}\",\"mobilephone\":null,\"description\":\"{}\"",
        one.street,
        one.city,
        one.number % 100_000,
        one.country,
        one.note
    );
    let (account, owner) = (one.account_id(), one.owner_id());
    let _ = write!(
        out,
        ",\"_parentcustomerid_value@OData.Community.Display.V1.FormattedValue\":\"Account {}\",\"_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname\":\"account\",\"_parentcustomerid_value\":\"{account}\"",
        one.account
    );
    let _ = write!(
        out,
        ",\"_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname\":\"systemuser\",\"_ownerid_value\":\"{owner}\",\"statecode\":{},\"modifiedon\":\"{modified}\"}}",
        u8::from(!one.is_active)
    );
}

/// A text that may have to be escaped, or null.
fn text(out: &mut String, text: Option<&str>) {
    match text {
        None => out.push_str("null"),
        Some(text) if text.contains('"') => out.push_str(&serde_json::Value::from(text).to_string()),
        Some(text) => {
            let _ = write!(out, "\"{text}\"");
        }
    }
}

/// A moment as the service writes it.
pub fn moment(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
