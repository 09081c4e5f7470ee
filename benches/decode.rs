//! Pages of both services → batches: how fast, on one core.

use std::time::{Duration, Instant};

use ferry::dynamics::decode::{Layout, decode};
use ferry::dynamics::odata::queries;
use ferry::gainsight::page as records;
use ferry::model::dataset;

use super::measured::{median, say};
use super::workload::Workload;
use super::workload::folder::decoded;
use super::workload::job::{OBJECT, job};
use super::workload::page::{answer, page};
use super::workload::records::target;

/// Pages that are in memory at once, so that any number of rows fits.
const PAGES_AT_ONCE: u64 = 200;

/// Measures both decoders.
pub fn decoders(rows: &[u64]) {
    let job = job();
    let query = queries(&job).remove(0);
    let layout = Layout::new(&query);
    let fields = &dataset::objects(&job)[OBJECT];
    let held = records::Layout::new(fields);
    let first = Workload::of(10_000);
    let made = decode(&page(&first, 1), &layout, 5_000).expect("a page");
    assert_eq!(made.rows, decoded(&first, &job, 1), "the decoder gives the rows that the page was made of");
    let made = records::decode(&answer(&first, 1), &held).expect("a page").rows;
    let columns = target(&first, 1);
    for name in super::workload::records::FIELDS {
        assert_eq!(made.column_by_name(name), columns.column_by_name(name), "{name}");
    }
    for &rows in rows {
        let workload = Workload::of(rows);
        measured("decode, Dynamics", &workload, page, |bytes, before| {
            decode(bytes, &layout, before).expect("a page").rows.num_rows()
        });
        measured("decode, Gainsight", &workload, answer, |bytes, _| {
            records::decode(bytes, &held).expect("a page").rows.num_rows()
        });
    }
}

/// Times a decoder on all pages of a workload; pages are made before, some at a time.
fn measured(
    what: &str,
    workload: &Workload,
    make: fn(&Workload, u64) -> Vec<u8>,
    decode: impl Fn(&[u8], i64) -> usize,
) {
    let kept: Vec<Vec<u8>> = (0..workload.pages().min(PAGES_AT_ONCE)).map(|number| make(workload, number)).collect();
    let mut bytes = 0;
    let taken = median(|| {
        bytes = 0;
        let (mut rows, mut taken) = (0, Duration::ZERO);
        let mut of = |page: &[u8]| {
            let since = Instant::now();
            let decoded = decode(page, rows as i64);
            taken += since.elapsed();
            (rows, bytes) = (rows + decoded, bytes + page.len());
        };
        kept.iter().for_each(|page| of(page));
        (PAGES_AT_ONCE..workload.pages()).for_each(|number| of(&make(workload, number)));
        assert_eq!(rows as u64, workload.rows);
        taken
    });
    say(what, workload.rows, bytes, taken);
}
