//! What a fault does to a reply on its way out.
//!
//! Which fault strikes is decided in `rule`. In: a reply of a service, complete. Out: a response that is spoiled as told.

use std::io;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;

use super::super::http::{Breaks, Reply};
use super::rule::Effect;

/// The page of a gateway before the service.
pub(in crate::sandbox) fn gateway_page(status: u16) -> String {
    let title = match status {
        502 => "502 Bad Gateway",
        503 => "503 Service Unavailable",
        _ => "504 Gateway Time-out",
    };
    format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>")
}

/// Changes a reply before it is sent; `asked` is the path with its query.
pub(in crate::sandbox) fn spoil(mut reply: Reply, effect: &Effect, asked: &str) -> Reply {
    match effect {
        Effect::Page(fault) => put(&mut reply, "text/html", gateway_page(fault.status).into_bytes()),
        Effect::Text(_, text) => {
            let kind = match text.bytes().next() {
                Some(b'{') => "application/json",
                Some(b'<') => "text/html",
                _ => "text/plain",
            };
            put(&mut reply, kind, text.clone().into_bytes());
        }
        Effect::Truncate => reply.body.truncate(reply.body.len() / 2),
        Effect::RepeatLink => repeat_link(&mut reply, asked),
        Effect::Close(_) | Effect::Late(_) => reply.breaks = Some(Breaks::Unanswered),
        Effect::ContentType(kind) => {
            let body = std::mem::take(&mut reply.body);
            put(&mut reply, kind, body);
        }
        Effect::Oversize(bytes) => pad(&mut reply.body, *bytes),
        Effect::Cut(bytes) => {
            reply.breaks = Some(Breaks::After((*bytes).min(reply.body.len().saturating_sub(1))));
        }
        // The service itself has seen to these.
        Effect::Fail(_)
        | Effect::ExpireLink
        | Effect::RepeatRow
        | Effect::Touch(_)
        | Effect::DropRow
        | Effect::UnknownChoice
        | Effect::RefuseRecords(_) => {}
    }
    reply
}

fn put(reply: &mut Reply, kind: &str, body: Vec<u8>) {
    reply.headers.retain(|(name, _)| *name != "content-type");
    reply.headers.push(("content-type", kind.to_owned()));
    reply.body = body;
}

/// Blanks behind the first byte, where JSON may have them.
fn pad(body: &mut Vec<u8>, bytes: usize) {
    let (blanks, place) = (bytes.saturating_sub(body.len()), body.len().min(1));
    body.splice(place..place, std::iter::repeat_n(b' ', blanks));
}

fn repeat_link(reply: &mut Reply, asked: &str) {
    const LINK: &str = "@odata.nextLink";
    let Ok(mut page) = serde_json::from_slice::<Value>(&reply.body) else { return };
    let Some(link) = page.get(LINK).and_then(Value::as_str) else { return };
    let origin = link.match_indices('/').nth(2).map_or("", |(end, _)| &link[..end]);
    page[LINK] = format!("{origin}{asked}").into();
    reply.body = page.to_string().into_bytes();
}

/// Gives a response a body that fails, upon which the connection is closed. A body that fails at once takes the head with
/// it, which is still in the buffer then.
pub(in crate::sandbox) fn breaking(mut response: Response, whole: Vec<u8>, breaks: Breaks) -> Response {
    let length = HeaderValue::from(whole.len().max(1));
    let mut sent = Bytes::from(whole);
    let begins = match breaks {
        Breaks::Unanswered => None,
        Breaks::After(bytes) => {
            sent.truncate(bytes);
            Some(Ok(sent))
        }
    };
    let ends = stream::once(async move {
        if breaks != Breaks::Unanswered {
            // What came before is written out while this waits.
            tokio::task::yield_now().await;
        }
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    *response.body_mut() = Body::from_stream(stream::iter(begins).chain(ends));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}
