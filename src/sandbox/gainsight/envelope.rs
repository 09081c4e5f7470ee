//! Gainsight's envelope: success, refusal, and the gateway's own forms.
//!
//! In: data or an error. Out: a reply with a request id.

use serde_json::{Value, json};

use super::super::assumptions::GAINSIGHT_MISSING_FEATURE;
use super::super::faults::Fault;
use super::super::http::Reply;

const JSON: &str = "application/json;charset=UTF-8";

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) struct Refusal {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) code: String,
    pub(in crate::sandbox) text: String,
    pub(in crate::sandbox) data: Box<Value>,
}

impl Refusal {
    pub(in crate::sandbox) fn new(status: u16, code: &str, text: impl Into<String>) -> Self {
        Refusal { status, code: code.to_owned(), text: text.into(), data: Box::default() }
    }

    /// The refusal of a value, a field or a body that does not fit.
    pub(in crate::sandbox) fn invalid() -> Self {
        Refusal::new(400, "GSOBJ_1002", "Invalid field, please re-check data mapping")
    }

    pub(in crate::sandbox) fn no_match() -> Self {
        let text = "No entity matches the given criteria, please re-check your request";
        let data = Box::new(json!({"count": 0, "errors": null, "records": null}));
        Refusal { data, ..Refusal::new(400, "GSOBJ_1011", text) }
    }

    /// The sandbox itself lacks the feature; the service has it.
    pub(in crate::sandbox) fn missing(feature: &str) -> Self {
        Refusal::new(501, GAINSIGHT_MISSING_FEATURE, format!("The sandbox does not have this feature: {feature}."))
    }

    pub(in crate::sandbox) fn no_route() -> Self {
        Refusal::new(404, "GS_APIG_1000", "No route matches the request path.")
    }

    pub(in crate::sandbox) fn too_many() -> Self {
        Refusal::new(429, "GU_2400", "Too many request")
    }

    pub(in crate::sandbox) fn reply(&self, request: &str) -> Reply {
        let mut body = json!({
            "result": false,
            "errorCode": self.code,
            "errorDesc": self.text,
            "requestId": request,
            "data": self.data,
            "message": null,
        });
        // The rate limiter and the server-failure bodies are the short form; the newer endpoints add these two keys.
        if !matches!(self.status, 429 | 500) {
            body["localizedErrorDesc"] = Value::Null;
            body["localizedMessage"] = Value::Null;
        }
        Reply::new(self.status, JSON, body.to_string())
    }
}

/// A success whose data is JSON text already.
pub(in crate::sandbox) fn success(request: &str, data: &str) -> Reply {
    succeeded(success_with(request, "") + data, "")
}

/// The beginning of a success, up to where its data begins, with the first of it.
pub(in crate::sandbox) fn success_with(request: &str, data: &str) -> String {
    format!("{{\"result\":true,\"errorCode\":null,\"errorDesc\":null,\"requestId\":\"{request}\",\"data\":{data}")
}

/// A success that was begun so, with the last of its data: what is large is written where it is sent from.
pub(in crate::sandbox) fn succeeded(mut body: String, data: &str) -> Reply {
    body.push_str(data);
    body.push_str(",\"message\":null,\"localizedErrorDesc\":null,\"localizedMessage\":null}");
    Reply::new(200, JSON, body)
}

/// The gateway's refusal of a key: no `data`.
pub(in crate::sandbox) fn unauthorized(request: &str) -> Reply {
    let body = json!({
        "result": false,
        "errorCode": "GS_APIG_2401",
        "errorDesc": "Unauthorized",
        "requestId": request,
        "message": "Unauthorized",
    });
    Reply::new(401, JSON, body.to_string())
}

/// The gateway's refusal of an address that the key's list does not have: no `data` either.
pub(in crate::sandbox) fn foreign_address(request: &str) -> Reply {
    let body = json!({
        "result": false,
        "errorCode": "GS_APIG_2402",
        "errorDesc": "IP Address does not lie in range of whitelisted ips",
        "requestId": request,
        "message": null,
    });
    Reply::new(403, JSON, body.to_string())
}

/// A failure a test ordered, as the service would word it.
pub(in crate::sandbox) fn fault(request: &str, fault: &Fault) -> Reply {
    let reply = match fault.status {
        401 => unauthorized(request),
        403 => foreign_address(request),
        404 => coded(Refusal::no_route(), fault).reply(request),
        429 => coded(Refusal::too_many(), fault).reply(request),
        502 => Reply::new(502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>"),
        503 | 504 => Reply::new(fault.status, "text/plain", "Service Temporarily Unavailable"),
        400 => coded(Refusal::invalid(), fault).reply(request),
        status => coded(Refusal::new(status, "GU_1101", "Oops, something went wrong."), fault).reply(request),
    };
    match &fault.retry_after {
        Some(wait) => reply.with("retry-after", wait.as_ref()),
        None => reply,
    }
}

fn coded(refusal: Refusal, fault: &Fault) -> Refusal {
    match &fault.code {
        Some(code) => Refusal { code: code.to_string(), ..refusal },
        None => refusal,
    }
}
