//! The file of `--faults`: JSON lines, one rule a line. Empty lines and lines that begin with `#` say nothing.
//!
//! ```json
//! {"service": "dynamics", "method": "GET", "path": "/api/data/", "probability": 0.1, "times": 20, "html": 502}
//! {"service": "gainsight", "every": 10, "in_a_row": 3, "status": 429, "retry_after": 1}
//! {"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [2], "close": "after"}
//! ```
//!
//! - Which requests: `service` (`dynamics`, `entra`, `gainsight`), and perhaps `method` and the `path`'s beginning.
//! - When, counted among these requests: one of `probability` (0 to 1, drawn from the sandbox's seed and the request's
//!   number), `every` (each n-th) and `nth` (a list of numbers, from 1); without any, always. `in_a_row` strikes the
//!   requests after it too, as a full window does; `times` ends the rule after so many strikes.
//!
//! What happens is one of these:
//!
//! | member | does |
//! |---|---|
//! | `status` | the service's own error; with `code` where the body has one, or with `text` as the whole body |
//! | `html` | a gateway's page, with 502, 503 or 504 |
//! | `close` | no answer: the connection is closed `before` or `after` the request is carried out |
//! | `late_ms` | no answer either, and the request is carried out so long after it came, whatever its client does meanwhile; a sandbox that ends forgets it |
//! | `cut` | the connection is closed after so many bytes of the body, at the latest before its last |
//! | `truncate_json` | `true`: the body ends in the middle, and its length says so too |
//! | `content_type` | the answer's type is another, such as `text/html`; the body is the service's own |
//! | `oversize_kb` | blanks make the body so many KiB long |
//! | `refuse_records` | Gainsight: the records at these places of a call, from 0, are bad, and so it writes none of them; a call that has none of these places, or is no write of records, is carried out |
//! | `repeat_link` | Dynamics, `true`: the next link leads back; a reply without a link stays as it is |
//! | `expire_link` | Dynamics, `true`: the link that the request follows has expired (`0x8004112a`) |
//! | `repeat_row` | Dynamics, `true`: the page begins with the row that ended the page before |
//! | `touch` | Dynamics: `{"table": "contact", "column": "jobtitle", "value": "Changed", "rows": 3}` changes rows once the answer is made, one where `rows` is left out: those that follow each other by key from a drawn one on |
//! | `drop_row` | Dynamics, `true`: a drawn row of the table that was asked for is deleted once the answer is made |
//! | `unknown_choice` | Dynamics, `true`: a drawn choice in the page is a number that no metadata knows, without a formatted value; a page without a choice stays as it is |
//!
//! `status` and `html` take `retry_after` in seconds, or `retry_after_text` as the header is to be, readable or not. An access
//! token that has expired is `"status": 401` with `nth`. Rules of `expire_link` and `repeat_row` count only requests that
//! follow a link (`$skiptoken`), so `nth` 1 is the second page.
//!
//! Two members stand beside any of these, or alone: `latency_ms` passes before all else, except that the work of
//! `late_ms` goes on meanwhile, so that a client whose patience ends first sees a time-out of a call that was carried out.
//! `stale_ms` hides a write to Gainsight: for so long queries answer as its objects were before, which lost answers
//! (`close`) make a trap of.
//!
//! The first rule in the file that is due strikes. In: the file, or such a text. Out: rules, or the line that is wrong and
//! what to do.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::super::options::Error;
use super::line::rule;
use super::rule::{Rule, Touch};

/// Bytes of a file that are read.
const LONGEST_FILE: u64 = 1024 * 1024;
const RULES_AT_MOST: usize = 1000;

/// Whether the source has such rows; the error says what it lacks.
type Fits<'a> = &'a dyn Fn(&Touch) -> Result<(), String>;

/// Reads a file.
pub(in crate::sandbox) fn read_rules(path: &Path, fits: Fits<'_>) -> Result<Vec<Rule>, Error> {
    let file = File::open(path).map_err(|source| Error::Faults { file: path.to_owned(), source })?;
    read(BufReader::new(file.take(LONGEST_FILE + 1)), path, fits)
}

/// Reads a text in place of a file.
pub(in crate::sandbox) fn given_rules(text: &str, fits: Fits<'_>) -> Result<Vec<Rule>, Error> {
    read(text.as_bytes(), Path::new("the given faults"), fits)
}

fn read(lines: impl BufRead, path: &Path, fits: Fits<'_>) -> Result<Vec<Rule>, Error> {
    let unreadable = |source: io::Error| Error::Faults { file: path.to_owned(), source };
    let (mut rules, mut bytes) = (Vec::new(), 0);
    for (number, line) in lines.lines().enumerate() {
        let line = line.map_err(unreadable)?;
        let wrong = |reason| Error::Line { file: path.to_owned(), line: number + 1, reason };
        bytes += line.len() as u64 + 1;
        if bytes > LONGEST_FILE || rules.len() == RULES_AT_MOST {
            return Err(wrong(format!("the file is too long; it takes {RULES_AT_MOST} rules and 1 MiB at most")));
        }
        if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            let rule = rule(&line).map_err(wrong)?;
            let lacks = |reason| wrong(format!("`touch` does not fit: {reason}"));
            rule.touch().map_or(Ok(()), fits).map_err(lacks)?;
            rules.push(rule);
        }
    }
    Ok(rules)
}
