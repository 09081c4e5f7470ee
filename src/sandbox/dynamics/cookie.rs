//! The paging cookie inside `$skiptoken` and beside the rows of a fetch, written exactly as the service writes it.
//!
//! Whether a cookie is one of ours is not decided here. In: the first and last places of a page. Out: the token, and
//! back.

use super::super::assumptions::INVALID_COOKIE;
use super::errors::Refusal;

/// What a cookie says of change tracking.
const PLAIN: &str = "False";
const TRACKING: &str = "True";

/// One column of the order (or the key): its name and its values in the first and the last row; nothing is null.
pub(in crate::sandbox) struct Mark {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) first: Option<String>,
    pub(in crate::sandbox) last: Option<String>,
}

/// What a token says: the page to fetch, and per column where the page before ended.
#[derive(Debug, PartialEq)]
pub(in crate::sandbox) struct Resume {
    pub(in crate::sandbox) page: usize,
    pub(in crate::sandbox) last: Vec<(String, Option<String>)>,
    /// Whether the row that ended the page before is given again, which only a fault does.
    pub(in crate::sandbox) again: bool,
}

/// The cookie itself: the page that was read, and where it began and ended.
pub(in crate::sandbox) fn inner(page_read: usize, marks: &[Mark]) -> String {
    let mut inner = format!("<cookie page=\"{page_read}\">");
    for mark in marks {
        inner.push('<');
        inner.push_str(&mark.name);
        for (name, value) in [("last", &mark.last), ("first", &mark.first)] {
            match value {
                Some(value) => inner.push_str(&format!(" {name}=\"{}\"", escape(value))),
                None => inner.push_str(&format!(" {name}null=\"1\"")),
            }
        }
        inner.push_str(" />");
    }
    inner.push_str("</cookie>");
    inner
}

/// The token, percent-encoded for a link.
pub(in crate::sandbox) fn write(page_read: usize, marks: &[Mark]) -> String {
    in_link(&outer(page_read, &encoded(&inner(page_read, marks)), PLAIN))
}

/// The same for a page of change tracking.
pub(in crate::sandbox) fn write_tracking(page_read: usize, marks: &[Mark]) -> String {
    in_link(&outer(page_read, &encoded(&inner(page_read, marks)), TRACKING))
}

fn in_link(outer: &str) -> String {
    outer.replace('%', "%25").replace('<', "%3C").replace('>', "%3E").replace('"', "%22").replace(' ', "%20")
}

/// The cookie as an annotation of a fetch has it: encoded twice, in an element that is not.
pub(in crate::sandbox) fn annotation(page_read: usize, inner: &str) -> String {
    outer(page_read, &encoded(inner).replace('%', "%25"), PLAIN)
}

fn outer(page_read: usize, encoded: &str, tracking: &str) -> String {
    format!("<cookie pagenumber=\"{}\" pagingcookie=\"{encoded}\" istracking=\"{tracking}\" />", page_read + 1)
}

fn encoded(inner: &str) -> String {
    let mut encoded = String::new();
    for byte in inner.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(byte as char),
            other => encoded.push_str(&format!("%{other:02x}")),
        }
    }
    encoded
}

/// Reads a token that the query string's encoding was taken off.
pub(in crate::sandbox) fn read(token: &str) -> Result<Resume, Refusal> {
    parse(token, PLAIN).ok_or_else(invalid)
}

/// Reads the token of a page of change tracking.
pub(in crate::sandbox) fn read_tracking(token: &str) -> Option<Resume> {
    parse(token, TRACKING)
}

/// The refusal of a token that is not ours.
pub(in crate::sandbox) fn invalid() -> Refusal {
    Refusal::new(400, INVALID_COOKIE, "The paging cookie is invalid.")
}

fn parse(token: &str, tracking: &str) -> Option<Resume> {
    let end = format!("\" istracking=\"{tracking}\" />");
    let rest = token.strip_prefix("<cookie pagenumber=\"")?.strip_suffix(end.as_str())?;
    let (page, encoded) = rest.split_once("\" pagingcookie=\"")?;
    let page: usize = page.parse().ok()?;
    read_inner(&percent_decode(encoded)?).filter(|resume| resume.page == page)
}

/// Reads the cookie itself.
pub(in crate::sandbox) fn read_inner(inner: &str) -> Option<Resume> {
    let rest = inner.strip_prefix("<cookie page=\"")?.strip_suffix("</cookie>")?;
    let (read, mut elements) = rest.split_once("\">")?;
    let page = read.parse::<usize>().ok()?.checked_add(1)?;
    let mut last = Vec::new();
    while let Some(element) = elements.strip_prefix('<') {
        let (element, rest) = element.split_once(" />")?;
        let (name, attributes) = element.split_once(' ')?;
        let value = match attributes.strip_prefix("last=\"") {
            Some(value) => Some(unescape(value.split_once('"')?.0)),
            None => attributes.starts_with("lastnull=\"1\"").then_some(()).map(|()| None)?,
        };
        last.push((name.to_owned(), value));
        elements = rest;
    }
    (elements.is_empty() && !last.is_empty()).then_some(Resume { page, last, again: false })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    text.replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;")
}

fn unescape(text: &str) -> String {
    let text = text.replace("&#10;", "\n").replace("&#13;", "\r").replace("&#9;", "\t");
    text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}
