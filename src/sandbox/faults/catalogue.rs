//! What a drawn fault may do at a label, and how often.
//!
//! When it strikes is drawn in `schedule`. Waits stay so short that a write is applied before a client may believe that it
//! never will be, which is the promise that reads after lost answers rest on. In: chance and a label. Out: the members of a
//! rule that say what happens.

use serde_json::{Value, json};

use super::super::randomness::Chance;
use super::label::{Label, Step, weighted};

/// What a fault may do besides failing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    /// Rows change, go, come twice or have an unknown choice.
    pub(super) changes_source: bool,
    /// Good records are refused.
    pub(super) refuses_records: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    LostAnswer,
    LostRequest,
    Late,
    /// Carried out while the client waits, until its patience may end.
    LateAndSlow,
    StaleAndLost,
    Stale,
    Truncated,
    Cut,
    Malformed,
    LoginPage,
    ContentType,
    Oversize,
    Gateway,
    ServerError,
    Throttled,
    Slow,
    Unauthorized,
    RepeatLink,
    ExpireLink,
    RepeatRow,
    Touch,
    DropRow,
    UnknownChoice,
    RefuseRecords,
}

/// Sizes of padded answers; the last is more than any client should take.
const SIZES_KB: [usize; 6] = [64, 256, 512, 1024, 2048, 66_000];

/// More than a call's time as tests scale it.
const LONGEST_LATENCY_MS: usize = 200;
const LATENCIES_MS: [usize; 4] = [10, 40, 80, LONGEST_LATENCY_MS];

const WRITES: [(usize, Kind); 16] = [
    (20, Kind::LostAnswer),
    (12, Kind::LostRequest),
    (14, Kind::Late),
    (5, Kind::LateAndSlow),
    (8, Kind::StaleAndLost),
    (2, Kind::Stale),
    (8, Kind::Truncated),
    (6, Kind::Cut),
    (3, Kind::Malformed),
    (2, Kind::ContentType),
    (1, Kind::Oversize),
    (6, Kind::Gateway),
    (4, Kind::ServerError),
    (7, Kind::Throttled),
    (3, Kind::Slow),
    (30, Kind::RefuseRecords),
];

const PAGES: [(usize, Kind); 15] = [
    (14, Kind::Throttled),
    (6, Kind::Gateway),
    (5, Kind::ServerError),
    (4, Kind::LostAnswer),
    (4, Kind::LostRequest),
    (6, Kind::Cut),
    (6, Kind::Truncated),
    (4, Kind::Malformed),
    (4, Kind::LoginPage),
    (3, Kind::ContentType),
    (3, Kind::Oversize),
    (5, Kind::Slow),
    (5, Kind::Unauthorized),
    (3, Kind::RepeatLink),
    (8, Kind::ExpireLink),
];

/// What changes the source besides [`PAGES`].
const SOURCE: [(usize, Kind); 4] =
    [(24, Kind::RepeatRow), (50, Kind::Touch), (20, Kind::DropRow), (20, Kind::UnknownChoice)];

const QUERIES: [(usize, Kind); 11] = [
    (12, Kind::Throttled),
    (6, Kind::Gateway),
    (5, Kind::ServerError),
    (6, Kind::LostAnswer),
    (5, Kind::Cut),
    (6, Kind::Truncated),
    (4, Kind::Malformed),
    (3, Kind::LoginPage),
    (3, Kind::ContentType),
    (2, Kind::Oversize),
    (4, Kind::Slow),
];

const TOKENS: [(usize, Kind); 7] = [
    (5, Kind::Throttled),
    (4, Kind::Gateway),
    (3, Kind::ServerError),
    (3, Kind::LostAnswer),
    (3, Kind::LostRequest),
    (2, Kind::Truncated),
    (2, Kind::Slow),
];

/// Draws what happens at a label.
pub(super) fn draw(chance: &mut Chance, label: &Label, allowed: Allowed) -> Value {
    let mut kinds = match label.step {
        Step::Write => WRITES.to_vec(),
        Step::Page => PAGES.to_vec(),
        Step::Query | Step::Metadata => QUERIES.to_vec(),
        Step::Token => TOKENS.to_vec(),
    };
    if label.step == Step::Page && allowed.changes_source {
        kinds.extend(SOURCE);
    }
    kinds.retain(|(_, kind)| *kind != Kind::RefuseRecords || allowed.refuses_records);
    let kind = weighted(chance, &kinds);
    failure(chance, label, kind).unwrap_or_else(|| disturbance(chance, label, kind))
}

/// What goes wrong on the way.
fn failure(chance: &mut Chance, label: &Label, kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::LostAnswer => json!({"close": "after"}),
        Kind::LostRequest => json!({"close": "before"}),
        Kind::Late => json!({"late_ms": wait_ms(chance)}),
        Kind::LateAndSlow => json!({"late_ms": wait_ms(chance), "latency_ms": LONGEST_LATENCY_MS}),
        Kind::StaleAndLost => json!({"stale_ms": wait_ms(chance), "close": "after"}),
        Kind::Stale => json!({"stale_ms": wait_ms(chance)}),
        Kind::Truncated => json!({"truncate_json": true}),
        Kind::Cut => json!({"cut": chance.below(200)}),
        Kind::Malformed => {
            json!({"status": 200, "text": chance.pick(&["{\"result\": true, \"data\": {", "{\"value\": [{]}", "null", ""])})
        }
        Kind::LoginPage => json!({"status": 200, "text": "<html><body><form>Sign in</form></body></html>"}),
        Kind::ContentType => json!({"content_type": chance.pick(&["text/html", "application/octet-stream"])}),
        Kind::Oversize => json!({"oversize_kb": SIZES_KB[chance.below(SIZES_KB.len())]}),
        Kind::Gateway => json!({"html": 502 + chance.below(3)}),
        Kind::ServerError => json!({"status": 500}),
        Kind::Throttled => throttled(chance, label),
        Kind::Slow => json!({"latency_ms": LATENCIES_MS[chance.below(LATENCIES_MS.len())]}),
        Kind::Unauthorized => json!({"status": 401}),
        _ => return None,
    })
}

/// What goes wrong with rows, records and links.
fn disturbance(chance: &mut Chance, label: &Label, kind: Kind) -> Value {
    let (table, column) = label.rows.unwrap_or_default();
    let value = format!("Changed {}", chance.below(1000));
    match kind {
        Kind::RepeatLink => json!({"repeat_link": true}),
        Kind::RepeatRow => json!({"repeat_row": true}),
        Kind::Touch => {
            json!({"touch": {"table": table, "column": column, "value": value, "rows": 1 + chance.below(8)}})
        }
        Kind::DropRow => json!({"drop_row": true}),
        Kind::UnknownChoice => json!({"unknown_choice": true}),
        Kind::RefuseRecords => {
            let mut places: Vec<usize> = (0..1 + chance.below(4)).map(|_| chance.below(20)).collect();
            places.sort_unstable();
            places.dedup();
            json!({"refuse_records": places})
        }
        _ => json!({"expire_link": true}),
    }
}

/// Milliseconds that a client waits out with its limits as tests scale them.
fn wait_ms(chance: &mut Chance) -> usize {
    10 + chance.below(80)
}

/// A full window, in the kinds that the service has, with a time to wait that can be read, with one that cannot, or without.
fn throttled(chance: &mut Chance, label: &Label) -> Value {
    const UNREADABLE: [&str; 7] =
        ["soon", "", "-5", "1.5", "1e3", "18446744073709551616", "Wed, 21 Oct 2015 07:28:00 GMT"];
    let mut fault = json!({"status": 429});
    if label.is_dynamics() {
        fault["code"] = chance.pick(&["0x80072322", "0x80072321", "0x80072326"]).into();
    }
    match chance.below(3) {
        // Real seconds, which a client waits out each time: rarely one.
        0 => fault["retry_after"] = usize::from(chance.below(8) == 0).into(),
        1 => fault["retry_after_text"] = chance.pick(&UNREADABLE).into(),
        _ => {}
    }
    fault
}
