//! The `Prefer` header: page size, annotations, and whether a write answers with the row.
//!
//! In: one or several headers. Out: what was asked for, and the `Preference-Applied` header that says so.

use axum::http::HeaderMap;

use super::super::assumptions::PAGE_LIMIT;
use super::errors::Refusal;

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const TARGET: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const MORE: &str = "Microsoft.Dynamics.CRM.morerecords";
const COOKIE: &str = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie";
const COUNT: &str = "Microsoft.Dynamics.CRM.totalrecordcount";

const TRACK: &str = "odata.track-changes";

/// What a request prefers.
#[derive(Debug, Default, Clone, PartialEq)]
pub(in crate::sandbox) struct Prefer {
    /// Never above the service's limit.
    pub(in crate::sandbox) page_size: Option<usize>,
    pub(in crate::sandbox) formatted: bool,
    pub(in crate::sandbox) target: bool,
    pub(in crate::sandbox) navigation: bool,
    pub(in crate::sandbox) count: bool,
    /// A fetch says whether there are more rows, and how to go on.
    pub(in crate::sandbox) more: bool,
    pub(in crate::sandbox) cookie: bool,
    /// A write answers with the row; only a write applies it.
    pub(in crate::sandbox) representation: bool,
    pub(in crate::sandbox) annotated: bool,
    /// A batch goes on after a part that failed.
    pub(in crate::sandbox) goes_on: bool,
    /// Only a read of a set has it.
    tracks: bool,
    pub(in crate::sandbox) applied: Vec<String>,
}

impl Prefer {
    /// What any other request prefers than a read of changes.
    pub(in crate::sandbox) fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let prefer = Prefer::of_tracking(headers)?;
        if prefer.tracks { Err(Refusal::missing(&format!("Prefer: {TRACK} here"))) } else { Ok(prefer) }
    }

    /// What a read of changes prefers.
    pub(in crate::sandbox) fn of_tracking(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut prefer = Prefer::default();
        for header in headers.get_all("prefer") {
            let text = header.to_str().map_err(|_| Refusal::option("The Prefer header is not readable."))?;
            for preference in split(text) {
                prefer.take(preference.trim())?;
            }
        }
        Ok(prefer)
    }

    fn take(&mut self, preference: &str) -> Result<(), Refusal> {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let value = value.trim().trim_matches('"');
        match name.trim() {
            "" => {}
            "odata.maxpagesize" | "maxpagesize" => {
                // A size that is no number is left out, as OData lets a service ignore a preference.
                if let Some(size) = value.parse::<usize>().ok().filter(|size| *size > 0) {
                    self.page_size = Some(size.min(PAGE_LIMIT));
                    self.applied.push(format!("odata.maxpagesize={}", size.min(PAGE_LIMIT)));
                }
            }
            TRACK => {
                self.tracks = true;
                self.applied.push(TRACK.to_owned());
            }
            // Only a batch has errors to go on from.
            "odata.continue-on-error" => self.goes_on = value != "false",
            "return" if value == "representation" => self.representation = true,
            "return" if value == "minimal" => {}
            "odata.include-annotations" => {
                self.annotated = true;
                for pattern in value.split(',').map(str::trim) {
                    self.formatted |= matches(pattern, FORMATTED);
                    self.target |= matches(pattern, TARGET);
                    self.navigation |= matches(pattern, NAVIGATION);
                    self.count |= matches(pattern, COUNT);
                    self.more |= matches(pattern, MORE);
                    self.cookie |= matches(pattern, COOKIE);
                }
                self.applied.push(format!("odata.include-annotations=\"{value}\""));
            }
            other => return Err(Refusal::missing(&format!("Prefer: {other}"))),
        }
        Ok(())
    }
}

/// Whether a request prefers to be told of changes.
pub(in crate::sandbox) fn tracks(headers: &HeaderMap) -> bool {
    let texts = headers.get_all("prefer").iter().filter_map(|header| header.to_str().ok());
    texts.flat_map(split).any(|preference| preference.trim() == TRACK)
}

/// Commas between preferences, not those inside quotes.
fn split(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    })
    .collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}
