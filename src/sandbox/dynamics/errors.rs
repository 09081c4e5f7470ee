//! Refusals of the Web API, in its own error envelope and with its own codes.
//!
//! The token endpoint has another form, see `token`. In: a code and a text. Out: a reply.

use serde_json::json;

use super::super::assumptions::INVALID_PAYLOAD;
use super::super::faults::{Fault, gateway_page};
use super::super::http::Reply;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) struct Refusal {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) code: &'static str,
    pub(in crate::sandbox) message: String,
}

impl Refusal {
    pub(in crate::sandbox) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Refusal { status, code, message: message.into() }
    }

    /// The sandbox itself lacks the feature; the service has it.
    pub(in crate::sandbox) fn missing(feature: &str) -> Self {
        Refusal::new(501, "0x80004001", format!("The sandbox does not have this feature: {feature}."))
    }

    pub(in crate::sandbox) fn segment(name: &str) -> Self {
        Refusal::new(404, "0x8006088a", format!("Resource not found for the segment '{name}'."))
    }

    pub(in crate::sandbox) fn property(name: &str, kind: &str) -> Self {
        let text = format!("Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{kind}'.");
        Refusal::new(400, "0x0", text)
    }

    pub(in crate::sandbox) fn option(message: impl Into<String>) -> Self {
        Refusal::new(400, "0x80060888", message)
    }

    pub(in crate::sandbox) fn syntax(message: impl Into<String>) -> Self {
        Refusal::new(400, "0x0", message)
    }

    pub(in crate::sandbox) fn method(method: &str) -> Self {
        Refusal::new(405, "", format!("The requested resource does not support http method '{method}'."))
    }

    /// A body that does not fit the table's set; the inner text says how.
    pub(in crate::sandbox) fn payload(set: &str, inner: &str) -> Self {
        let text = format!(
            "Error identified in Payload provided by the user for Entity :'{set}', For more information on this error \
             please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {inner}"
        );
        Refusal::new(400, INVALID_PAYLOAD, text)
    }

    /// No row has that key.
    pub(in crate::sandbox) fn absent(table: &str, id: &str) -> Self {
        Refusal::new(404, "0x80040217", format!("{table} With Id = {id} Does Not Exist"))
    }

    /// A row already has that key.
    pub(in crate::sandbox) fn duplicate() -> Self {
        Refusal::new(412, "0x80040237", "A record with matching key values already exists.")
    }

    pub(in crate::sandbox) fn reply(&self) -> Reply {
        envelope(self.status, self.code, &self.message)
    }
}

fn envelope(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({"error": {"code": code, "message": message}}).to_string();
    Reply::new(status, "application/json; odata.metadata=minimal", body).with("odata-version", "4.0")
}

/// A failure a test ordered, as the service would word it.
pub(in crate::sandbox) fn fault(fault: &Fault) -> Reply {
    let (code, message) = match fault.status {
        400 => ("0x80040203", "Invalid argument."),
        403 => ("0x80048405", "Access is denied."),
        404 => ("0x80060891", "A record with the specified key values does not exist in {0} entity"),
        412 => ("0x80060882", "The version of the existing record doesn't match the RowVersion property provided."),
        429 => ("0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 seconds."),
        500 => ("0x80040216", "An unexpected error occurred."),
        502..=504 => return gateway(fault),
        _ => ("0x80040216", "An unexpected error occurred."),
    };
    let (code, message) = match fault.code.as_deref() {
        Some("0x80044150") => ("0x80044150", "Generic SQL error."),
        Some("0x80044151") => ("0x80044151", "SQL timeout expired."),
        Some("0x80072321") => (
            "0x80072321",
            "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of \
             300 seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later.",
        ),
        Some("0x80072326") => ("0x80072326", "Number of concurrent requests exceeded the limit of 52."),
        Some("0x80072560") => ("0x80072560", "The user is not a member of the organization."),
        Some("0x80040220") => ("0x80040220", "Principal user is missing prvReadAccount privilege."),
        Some("0x80044352") => {
            ("0x80044352", "Version stamp associated with the client has expired. Please perform a full sync.")
        }
        Some(other) => (other, message),
        None => (code, message),
    };
    waiting(envelope(fault.status, code, message), fault)
}

/// A failure of a gateway before the service: a page of HTML, not an envelope.
pub(in crate::sandbox) fn gateway(fault: &Fault) -> Reply {
    waiting(Reply::new(fault.status, "text/html", gateway_page(fault.status)), fault)
}

/// Adds the time to wait, if the test named one.
pub(in crate::sandbox) fn waiting(reply: Reply, fault: &Fault) -> Reply {
    match &fault.retry_after {
        Some(wait) => reply.with("retry-after", wait.as_ref()),
        None => reply,
    }
}
