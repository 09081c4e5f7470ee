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
//! - What: one of `status` (the service's own error, with `code` where the body has one, or with `text` as the whole body),
//!   `html` (a gateway's page with 502, 503 or 504), `close` (`before` or `after` the request is carried out, without an
//!   answer), `cut` (the connection is closed after so many bytes of the body, at the latest before its last),
//!   `truncate_json` and `repeat_link` (both `true`; a reply without a `nextLink` stays as it is). `status` and `html` take
//!   `retry_after` in seconds. `latency_ms` stands beside any of them, or alone.
//!
//! The first rule in the file that is due strikes. In: the file. Out: rules, or the line that is wrong and what to do.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::super::options::Error;
use super::line::rule;
use super::rule::Rule;

/// Bytes of a file that are read.
const LONGEST_FILE: u64 = 1024 * 1024;
const RULES_AT_MOST: usize = 1000;

/// Reads a file.
pub(in crate::sandbox) fn read_rules(path: &Path) -> Result<Vec<Rule>, Error> {
    let unreadable = |source| Error::Faults { file: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?.take(LONGEST_FILE + 1);
    let (mut rules, mut bytes) = (Vec::new(), 0);
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(unreadable)?;
        let wrong = |reason| Error::Line { file: path.to_owned(), line: number + 1, reason };
        bytes += line.len() as u64 + 1;
        if bytes > LONGEST_FILE || rules.len() == RULES_AT_MOST {
            return Err(wrong(format!("the file is too long; it takes {RULES_AT_MOST} rules and 1 MiB at most")));
        }
        if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            rules.push(rule(&line).map_err(wrong)?);
        }
    }
    Ok(rules)
}
