//! The text of a `$batch`: `multipart/mixed` with requests and change sets in it.
//!
//! What the requests mean is not looked at. In: a body and its boundary. Out: requests in order, or the refusal of text
//! that does not keep to the form; and the other way, replies as parts.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::super::assumptions::{BATCH_ADDRESS_LIMIT, BATCH_LIMIT};
use super::super::http::Reply;
use super::errors::Refusal;

/// One request of a batch.
#[derive(Debug)]
pub(in crate::sandbox) struct Request {
    pub(in crate::sandbox) method: String,
    pub(in crate::sandbox) address: String,
    pub(in crate::sandbox) headers: HeaderMap,
    pub(in crate::sandbox) body: String,
    pub(in crate::sandbox) content_id: Option<String>,
}

/// One part of a batch.
#[derive(Debug)]
pub(in crate::sandbox) enum Item {
    One(Request),
    ChangeSet(Vec<Request>),
}

/// The boundary a content type names, if it is that of a multipart body.
pub(in crate::sandbox) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    let named = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    (kind.trim().eq_ignore_ascii_case("multipart/mixed") && !named.is_empty()).then_some(named)
}

pub(in crate::sandbox) fn read(body: &[u8], boundary: &str) -> Result<Vec<Item>, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
    let (mut items, mut count) = (Vec::new(), 0);
    for part in parts(text, boundary)? {
        let (headers, rest) = head(part)?;
        let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
        let item = match self::boundary(kind) {
            Some(inner) => {
                let inner = parts(rest, inner)?.into_iter().map(|part| single(part, true));
                Item::ChangeSet(inner.collect::<Result<_, _>>()?)
            }
            None => Item::One(single(part, false)?),
        };
        count += if let Item::ChangeSet(set) = &item { set.len() } else { 1 };
        if count > BATCH_LIMIT {
            return Err(Refusal::option(format!("A batch must not have more than {BATCH_LIMIT} requests.")));
        }
        items.push(item);
    }
    Ok(items)
}

/// The refusal of lines that do not end as they must.
fn unreadable() -> Refusal {
    Refusal::payload("", "System.ArgumentException: Stream was not readable.")
}

/// What stands between the boundaries, the last of which must be there.
fn parts<'a>(text: &'a str, boundary: &str) -> Result<Vec<&'a str>, Refusal> {
    let (next, last) = (format!("--{boundary}"), format!("--{boundary}--"));
    let (mut found, mut start, mut place) = (Vec::new(), None, 0);
    for line in text.split_inclusive("\r\n") {
        let bare = line.trim_end_matches("\r\n").trim_end_matches([' ', '\t']);
        if bare == next || bare == last {
            found.extend(start.map(|start: usize| &text[start..place]));
            start = Some(place + line.len());
        }
        if bare == last {
            return Ok(found);
        }
        place += line.len();
    }
    Err(unreadable())
}

/// The headers of a part, and what follows the blank line after them.
fn head(part: &str) -> Result<(HeaderMap, &str), Refusal> {
    let (head, rest) = part.split_once("\r\n\r\n").unwrap_or((part.trim_end_matches("\r\n"), ""));
    Ok((headers(head.split("\r\n"))?, rest))
}

fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or_else(unreadable)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| unreadable())?;
        headers.append(name, HeaderValue::from_str(value.trim()).map_err(|_| unreadable())?);
    }
    Ok(headers)
}

fn single(part: &str, in_set: bool) -> Result<Request, Refusal> {
    let (outer, rest) = head(part)?;
    let kind = outer.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    if !kind.to_ascii_lowercase().starts_with("application/http") {
        return Err(Refusal::option(format!("A part of a batch has the content type '{kind}'.")));
    }
    let content_id = outer.get("content-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    if in_set && content_id.is_none() {
        let text = "The header with name 'Content-ID' was not present in the header collection of the batch operation.";
        return Err(Refusal::option(text));
    }
    let rest = rest.trim_start_matches("\r\n");
    let (head, body) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or("");
    if first.contains('\n') {
        return Err(unreadable());
    }
    let wrong = || Refusal::option(format!("The request line '{first}' of a part is not valid."));
    let (method, address) =
        first.trim_end().strip_suffix(" HTTP/1.1").and_then(|line| line.split_once(' ')).ok_or_else(wrong)?;
    if address.len() > BATCH_ADDRESS_LIMIT {
        return Err(Refusal::option(format!("An address in a batch is longer than {BATCH_ADDRESS_LIMIT} characters.")));
    }
    Ok(Request {
        method: method.to_owned(),
        address: address.trim().to_owned(),
        headers: headers(lines)?,
        body: body.trim().to_owned(),
        content_id,
    })
}

/// A reply as one part, with the boundary before it.
pub(in crate::sandbox) fn part(out: &mut Vec<u8>, boundary: &str, content_id: Option<&str>, reply: &Reply) {
    let mut head = format!("--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n");
    if let Some(id) = content_id {
        head.push_str(&format!("Content-ID: {id}\r\n"));
    }
    let reason = StatusCode::from_u16(reply.status).ok().and_then(|status| status.canonical_reason()).unwrap_or("");
    head.push_str(&format!("\r\nHTTP/1.1 {} {reason}\r\n", reply.status));
    for (name, value) in &reply.headers {
        let streamed = *name == "content-type" && reply.status < 400 && value.starts_with("application/json");
        head.push_str(&format!("{}: {value}{}\r\n", title(name), if streamed { "; odata.streaming=true" } else { "" }));
    }
    head.push_str("\r\n");
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&reply.body);
    out.extend_from_slice(b"\r\n");
}

/// A header's name as the service writes it.
fn title(name: &str) -> &str {
    match name {
        "content-type" => "Content-Type",
        "odata-version" => "OData-Version",
        "odata-entityid" => "OData-EntityId",
        "location" => "Location",
        "etag" => "ETag",
        "preference-applied" => "Preference-Applied",
        "req_id" => "REQ_ID",
        other => other,
    }
}
