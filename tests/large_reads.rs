//! A large object of Gainsight, of which two pages are asked for at once: whatever comes, goes, or is counted otherwise meanwhile, each record
//! that was there all the time is read once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use arrow::array::AsArray;
use ferry::gainsight::client::Gainsight;
use ferry::model::dataset;
use serde_json::{Value, json};

use crate::security::listener::{Listener, reply, send};

/// Records of a page.
const PAGE: usize = 5_000;
/// More than the pages behind which two are asked for at once.
const RECORDS: usize = 26 * PAGE + 7;

/// A tenant that keeps records and finds them as its documents say, but for what `skipped` makes of an offset: so many are left out, and so many given, or it
/// refuses. Each time it is
/// asked, `happens` may change what there is.
fn tenant(
    skipped: impl Fn(usize) -> Option<(usize, usize)> + Send + Sync + 'static,
    happens: impl Fn(usize, &str, &mut BTreeSet<String>) + Send + Sync + 'static,
) -> (Listener, Arc<Mutex<BTreeSet<String>>>) {
    let records: BTreeSet<String> = (0..RECORDS).map(|n| id(n * 2)).collect();
    let records = Arc::new(Mutex::new(records));
    let (kept, asked) = (Arc::clone(&records), Mutex::new(0));
    let listener = Listener::start(move |request, stream| {
        let question: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        let after = question["where"]["conditions"][0]["value"][0].as_str().unwrap_or_default();
        let offset = question["offset"].as_u64().unwrap() as usize;
        let mut records = kept.lock().unwrap();
        let mut asked = asked.lock().unwrap();
        happens(*asked, after, &mut records);
        *asked += 1;
        let body = match skipped(offset) {
            Some((skipped, limit)) => {
                let found = records.iter().filter(|id| id.as_str() > after).skip(skipped).take(limit);
                let found: Vec<Value> = found.map(|id| json!({ "Gsid": id })).collect();
                json!({ "result": true, "data": found })
            }
            None => json!({ "result": false, "errorCode": "GSOBJ_1001", "errorDesc": "offset is not supported" }),
        };
        drop(records);
        send(stream, &reply("200 OK", &[("content-type", "application/json")], body.to_string().as_bytes()));
    });
    (listener, records)
}

fn id(number: usize) -> String {
    format!("1P{number:010}")
}

/// All records in the order in which they were read.
async fn read(gainsight: &Gainsight) -> Vec<String> {
    let mut records = gainsight.read("contact__gc", &[dataset::gsid()]).ahead(usize::MAX, || true);
    let mut found = Vec::new();
    while let Some(batch) = records.next().await.expect("it is read") {
        found.extend(batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned));
    }
    found
}

fn is_once_and_in_order(found: &[String]) {
    assert!(found.is_sorted_by(|one, next| one < next), "no record comes twice, and none before its turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pages_at_once_are_the_pages_one_by_one() {
    let (listener, records) = tenant(|offset| Some((offset, PAGE)), |_, _, _| {});
    let found = read(&listener.gainsight()).await;
    let there: Vec<String> = records.lock().unwrap().iter().cloned().collect();
    assert!(found == there, "{} of {} records", found.len(), there.len());
    let asked = listener.heard();
    assert!(asked.iter().any(|asked| asked.contains("\"offset\":4999")), "the second is asked for by its place");
    assert!(asked.iter().any(|asked| asked.contains("\"offset\":4998")), "and so is the one behind it");
    assert!((27..=28).contains(&asked.len()), "one more at the most: {}", asked.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_and_goes_meanwhile_hides_no_other_record() {
    // Between any two questions one record goes and another one comes, before, within or behind what is being read.
    let happens = |asked: usize, after: &str, records: &mut BTreeSet<String>| {
        let place = |of: usize| (of * 7_919 + asked * PAGE) % RECORDS;
        records.remove(&id(place(asked) * 2));
        records.insert(id(place(asked + 3) * 2 + 1));
        // One less stands before whatever is asked for by its place.
        let one = records.iter().filter(|id| id.as_str() > after).nth(1_000).cloned();
        one.into_iter().for_each(|id| _ = records.remove(&id));
    };
    let (listener, records) = tenant(|offset| Some((offset, PAGE)), happens);
    let before: BTreeSet<String> = records.lock().unwrap().clone();
    let found = read(&listener.gainsight()).await;
    is_once_and_in_order(&found);
    let after = records.lock().unwrap();
    let found: BTreeSet<String> = found.into_iter().collect();
    let lost: Vec<&String> = before.intersection(&after).filter(|id| !found.contains(*id)).collect();
    assert!(lost.is_empty(), "{} records that were there all the time, as {:?}", lost.len(), lost.first());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_counts_otherwise_is_asked_page_by_page() {
    type Skipped = fn(usize) -> Option<(usize, usize)>;
    let ways: [(&str, Skipped); 5] = [
        ("from one", |offset| Some((offset.saturating_sub(1), PAGE))),
        ("one too many", |offset| Some((if offset == 0 { 0 } else { offset + 1 }, PAGE))),
        ("not at all", |_| Some((0, PAGE))),
        ("and refuses", |offset| (offset == 0).then_some((0, PAGE))),
        ("what is left out too", |offset| Some((offset, PAGE - offset))),
    ];
    for (way, skipped) in ways {
        let (listener, records) = tenant(skipped, |_, _, _| {});
        let found = read(&listener.gainsight()).await;
        let there: Vec<String> = records.lock().unwrap().iter().cloned().collect();
        assert!(found == there, "{way}: {} of {} records", found.len(), there.len());
        let asked = listener.heard().len();
        assert!(asked <= 30, "{way}: it is noticed at once, not with each page: {asked} calls");
    }
}
