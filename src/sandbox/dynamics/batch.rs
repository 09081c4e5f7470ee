//! `$batch`: many requests in one, in order; change sets all or none.
//!
//! The form of the text is `multipart`'s. In: a batch. Out: the replies of its parts, up to the first that failed unless
//! the client prefers to go on.

use std::sync::PoisonError;

use bytes::Bytes;

use super::super::faults::Strike;
use super::super::http::{Ask, Reply};
use super::errors::Refusal;
use super::multipart::{Item, Request, boundary, part, read};
use super::place::{Place, below_version};
use super::prefer::Prefer;
use super::route;
use super::service::Dynamics;
use super::target::{References, undeclared};
use super::write::Write;

/// The replies so far.
struct Replies {
    boundary: String,
    text: Vec<u8>,
    records: usize,
    failed: bool,
}

pub(in crate::sandbox) fn answer(dynamics: &Dynamics, ask: &Ask, caller: &str) -> Result<Reply, Refusal> {
    if ask.method != "POST" {
        return Err(Refusal::method(&ask.method));
    }
    let kind = ask.header("content-type").unwrap_or("");
    let boundary = boundary(kind).ok_or_else(|| {
        Refusal::option(format!("The content type '{kind}' of a batch is not 'multipart/mixed' with a boundary."))
    })?;
    let goes_on = Prefer::read(&ask.headers)?.goes_on;
    let items = read(&ask.body, boundary)?;
    let boundary = format!("batchresponse_{}", dynamics.request_id());
    let mut replies = Replies { boundary, text: Vec::new(), records: 0, failed: false };
    for item in &items {
        match item {
            Item::One(request) => {
                let reply = one(dynamics, ask, request, caller).unwrap_or_else(|refusal| refused(dynamics, &refusal));
                replies.add(None, &reply);
            }
            Item::ChangeSet(requests) => match change_set(dynamics, ask, requests, caller) {
                Ok(done) => replies.add_set(dynamics, &done),
                Err(refusal) => replies.add(None, &refused(dynamics, &refusal)),
            },
        }
        if replies.failed && !goes_on {
            break;
        }
    }
    let status = if replies.failed && !goes_on { 400 } else { 200 };
    replies.text.extend_from_slice(format!("--{}--\r\n", replies.boundary).as_bytes());
    let kind = format!("multipart/mixed; boundary={}", replies.boundary);
    let mut reply = Reply::new(status, &kind, replies.text).with("odata-version", "4.0");
    reply.records = replies.records;
    Ok(reply)
}

impl Replies {
    fn add(&mut self, content_id: Option<&str>, reply: &Reply) {
        part(&mut self.text, &self.boundary, content_id, reply);
        self.records += reply.records;
        self.failed |= reply.status >= 400;
    }

    fn add_set(&mut self, dynamics: &Dynamics, done: &[(Option<String>, Reply)]) {
        let inner = format!("changesetresponse_{}", dynamics.request_id());
        let head = format!("--{}\r\nContent-Type: multipart/mixed; boundary={inner}\r\n\r\n", self.boundary);
        self.text.extend_from_slice(head.as_bytes());
        for (content_id, reply) in done {
            part(&mut self.text, &inner, content_id.as_deref(), reply);
            self.records += reply.records;
        }
        self.text.extend_from_slice(format!("--{inner}--\r\n").as_bytes());
    }
}

/// The reply of a part that failed names the part.
fn refused(dynamics: &Dynamics, refusal: &Refusal) -> Reply {
    let mut reply = refusal.reply();
    reply.headers.insert(0, ("req_id", dynamics.request_id()));
    reply
}

fn one(dynamics: &Dynamics, outer: &Ask, request: &Request, caller: &str) -> Result<Reply, Refusal> {
    if request.address.starts_with('$') && !request.address.starts_with("$metadata") {
        let name = request.address.trim_start_matches('$');
        return Err(undeclared(name.split(['/', '?']).next().unwrap_or(name)));
    }
    let ask = inner(outer, request, below_version(&request.address).to_owned())?;
    if ask.path.ends_with("/$batch") {
        return Err(Refusal::option("A batch must not have a batch in it."));
    }
    route::answer(dynamics, &ask, caller)
}

/// Writes that are done together, under one lock, with what each answered.
fn change_set(
    dynamics: &Dynamics,
    outer: &Ask,
    requests: &[Request],
    caller: &str,
) -> Result<Vec<(Option<String>, Reply)>, Refusal> {
    let mut references = References::default();
    let mut store = dynamics.store.write().unwrap_or_else(PoisonError::into_inner);
    store.atomically(|store| {
        let mut done = Vec::with_capacity(requests.len());
        for request in requests {
            if !matches!(request.method.as_str(), "POST" | "PATCH" | "PUT" | "DELETE") {
                return Err(Refusal::option(format!("{} is not allowed in a change set.", request.method)));
            }
            let ask = inner(outer, request, resolved(dynamics, &references, &request.address)?)?;
            let place = Place::read(dynamics, &ask)?;
            let written = Write { dynamics, place: &place, ask: &ask, references: &references, caller }.apply(store)?;
            if let (Some(id), Some(row)) = (&request.content_id, written.row) {
                references.0.insert(id.clone(), row);
            }
            done.push((request.content_id.clone(), written.reply));
        }
        Ok(done)
    })
}

/// The address below the version, with a `$1` at its start replaced by the row it stands for.
fn resolved(dynamics: &Dynamics, references: &References, address: &str) -> Result<String, Refusal> {
    let Some(named) = address.strip_prefix('$') else { return Ok(below_version(address).to_owned()) };
    let end = named.find(['/', '?']).unwrap_or(named.len());
    let (table, id) = references.0.get(&named[..end]).ok_or_else(|| undeclared(&named[..end]))?;
    Ok(format!("{}({}){}", dynamics.schema.tables[*table].set, id.text(), &named[end..]))
}

/// A part as a request of its own, sent to where the batch was sent.
fn inner(outer: &Ask, request: &Request, below: String) -> Result<Ask, Refusal> {
    let version = outer.path.strip_suffix("$batch").ok_or_else(|| Refusal::segment(&outer.path))?;
    let (path, query) = below.split_once('?').unwrap_or((below.as_str(), ""));
    let mut headers = request.headers.clone();
    for name in ["host", "x-forwarded-proto"] {
        if let Some(value) = outer.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    let ask = Ask {
        method: request.method.clone(),
        path: format!("{version}{path}"),
        query: query.to_owned(),
        headers,
        body: Bytes::from(request.body.clone().into_bytes()),
        strike: Strike::default(),
    };
    route::unsupported_headers(&ask)?;
    Ok(ask)
}
