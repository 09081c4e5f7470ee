//! The paging cookie inside `$skiptoken`, written exactly as the service writes it.
//!
//! Whether a cookie is one of ours is not decided here. In: the first and last places of a page. Out: the token, and
//! back.

use super::super::assumptions::INVALID_COOKIE;
use super::errors::Refusal;

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
}

/// The token, percent-encoded for a link.
pub(in crate::sandbox) fn write(page_read: usize, marks: &[Mark]) -> String {
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
    let mut encoded = String::new();
    for byte in inner.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(byte as char),
            other => encoded.push_str(&format!("%{other:02x}")),
        }
    }
    let outer = format!("<cookie pagenumber=\"{}\" pagingcookie=\"{encoded}\" istracking=\"False\" />", page_read + 1);
    outer.replace('%', "%25").replace('<', "%3C").replace('>', "%3E").replace('"', "%22").replace(' ', "%20")
}

/// Reads a token that the query string's encoding was taken off.
pub(in crate::sandbox) fn read(token: &str) -> Result<Resume, Refusal> {
    parse(token).ok_or_else(invalid)
}

/// The refusal of a token that is not ours.
pub(in crate::sandbox) fn invalid() -> Refusal {
    Refusal::new(400, INVALID_COOKIE, "The paging cookie is invalid.")
}

fn parse(token: &str) -> Option<Resume> {
    let rest = token.strip_prefix("<cookie pagenumber=\"")?.strip_suffix("\" istracking=\"False\" />")?;
    let (page, encoded) = rest.split_once("\" pagingcookie=\"")?;
    let page: usize = page.parse().ok()?;
    let inner = percent_decode(encoded)?;
    let rest = inner.strip_prefix("<cookie page=\"")?.strip_suffix("</cookie>")?;
    let (read, mut elements) = rest.split_once("\">")?;
    if read.parse::<usize>().ok()? + 1 != page {
        return None;
    }
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
    (elements.is_empty() && !last.is_empty()).then_some(Resume { page, last })
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
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::{Mark, read, write};

    #[test]
    fn the_token_is_the_documented_one_byte_for_byte() {
        let mark = Mark {
            name: "contactid".to_owned(),
            first: Some("{49B0BE2E-D01C-ED11-B83E-000D3A572421}".to_owned()),
            last: Some("{D5026A4D-D01C-ED11-B83E-000D3A572421}".to_owned()),
        };
        let documented = "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%253c\
                          contactid%2520last%253d%2522%257bD5026A4D-D01C-ED11-B83E-000D3A572421%257d%2522%2520first%253d\
                          %2522%257b49B0BE2E-D01C-ED11-B83E-000D3A572421%257d%2522%2520%252f%253e%253c%252fcookie%253e\
                          %22%20istracking=%22False%22%20/%3E";
        assert_eq!(write(1, &[mark]), documented);
    }

    #[test]
    fn a_null_and_a_quote_survive() {
        let marks = [
            Mark { name: "name".to_owned(), first: None, last: Some("a\"b & <c>".to_owned()) },
            Mark { name: "fax".to_owned(), first: None, last: None },
        ];
        let decoded = url::form_urlencoded::parse(format!("t={}", write(3, &marks)).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap();
        let resume = read(&decoded).unwrap();
        assert_eq!(resume.page, 4);
        assert_eq!(resume.last, vec![("name".to_owned(), Some("a\"b & <c>".to_owned())), ("fax".to_owned(), None)]);
    }
}
