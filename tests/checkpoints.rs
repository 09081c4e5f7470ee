//! A reading that breaks off and goes on in another process: the same rows with the same numbers as one that did not.

use std::collections::BTreeSet;

use ferry::dynamics::checkpoint::Checkpoint;
use ferry::dynamics::client::Dynamics;
use ferry::dynamics::error::Error;
use ferry::dynamics::odata::Query;
use ferry::dynamics::pages::Whole;
use ferry::gainsight::client::Gainsight;
use ferry::model::connection::Limits;
use ferry::model::field::{Field, FieldKind};
use ferry::sandbox::{Options, start};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;

use crate::generated::dice::Dice;
use crate::paging::{organization, rows as listed};
use crate::ranges::{client, contacts, mutate, rows, rows_of};
use crate::security::listener::accounts;
use crate::stage::{SCALE, Stage, faults_file};

type Row = (i64, String, String);

/// Reads up to so many pages; what they hold, and the checkpoint after them as its text.
async fn pages(whole: &mut Whole<'_>, most: usize) -> (Vec<Row>, String) {
    let mut all = Vec::new();
    for _ in 0..most {
        let Some(page) = whole.next().await.expect("a page") else { break };
        all.extend(rows_of(&page.rows));
    }
    (all, serde_json::to_string(&whole.checkpoint()).expect("it is plain data"))
}

async fn resumed<'a>(dynamics: &'a Dynamics, query: &Query, text: &str) -> Whole<'a> {
    let from: Checkpoint = serde_json::from_str(text).expect("it is what was kept");
    dynamics.read_whole(query.clone(), Some(from)).await.expect("it goes on")
}

/// The contacts of a seed, and these faults.
pub async fn world(seed: u64, rules: &str) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    for (name, rows) in [("systemusers", ""), ("accounts", ""), ("contacts", &contacts(seed))] {
        std::fs::write(folder.path().join(format!("{name}.jsonl")), rows).unwrap();
    }
    let file = faults_file(rules);
    let (world, faults) = (Some(folder.path().to_owned()), Some(file.path().to_owned()));
    let options = Options { world, faults, seed, limits_scale: SCALE, ..Options::default() };
    Stage::on(start(options).await.expect("the sandbox starts"))
}

/// Breaks off after each number of pages, from none to all, and goes on with a client of its own.
async fn holds_after_every_page(stage: &Stage, page_size: u32, ranges_from_rows: u64) {
    let new = async || {
        let (query, mut dynamics) = client(stage, "", page_size, 5).await;
        dynamics.ranges_from_rows = ranges_from_rows;
        (query, dynamics)
    };
    let (query, dynamics) = new().await;
    let expected = rows(&mut dynamics.read_whole(query.clone(), None).await.expect("it begins"), || ()).await;
    assert_eq!(expected.len(), 1_200);
    for count in 0.. {
        let (before, text) = {
            let (query, first) = new().await;
            pages(&mut first.read_whole(query, None).await.expect("it begins"), count).await
        };
        let (query, second) = new().await;
        let mut whole = resumed(&second, &query, &text).await;
        assert!(second.calls() == 0 || count == 0, "nothing is asked for before the next page is wanted");
        let after = rows(&mut whole, || ()).await;
        assert!(before.iter().chain(&after).eq(&expected), "after {count} pages of {page_size}");
        if after.is_empty() {
            assert!(count > 10, "it was read page by page");
            let (_, again) = pages(&mut whole, 1).await;
            assert!(rows(&mut resumed(&second, &query, &again).await, || ()).await.is_empty(), "the end stays the end");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_goes_on_behind_every_page() {
    holds_after_every_page(&Stage::world("", "", &contacts(1)).await, 70, u64::MAX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_go_on_behind_every_page() {
    for (seed, page_size) in [(2, 80), (3, 140)] {
        holds_after_every_page(&Stage::world("", "", &contacts(seed)).await, page_size, 100).await;
    }
}

/// Answers come in another order each time, so that other pages wait and other requests are under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_breaks_off_again_and_again_comes_to_its_end() {
    for seed in 20..23 {
        let rules = [(0.2, 3), (0.3, 9), (0.2, 20)].map(|(probability, latency)| {
            let rule = json!({"service": "dynamics", "path": "/api/data/v9.2/contacts", "probability": probability, "latency_ms": latency});
            format!("{rule}\n")
        });
        let stage = world(seed, &rules.concat()).await;
        let (query, dynamics) = client(&stage, "", 33, 7).await;
        let expected = rows(&mut dynamics.read_whole(query, None).await.expect("it begins"), || ()).await;
        let (mut dice, mut found, mut kept) = (Dice::of(seed), Vec::new(), None::<String>);
        // Each turn reads a page or more; a reading that never comes to its end shall not keep anybody.
        for _ in 0..expected.len() {
            if found.len() >= expected.len() {
                break;
            }
            let (query, dynamics) = client(&stage, "", 33, 7).await;
            let mut whole = match &kept {
                Some(text) => resumed(&dynamics, &query, text).await,
                None => dynamics.read_whole(query, None).await.expect("it begins"),
            };
            let (more, text) = pages(&mut whole, 1 + dice.below(6)).await;
            found.extend(more);
            kept = Some(text);
        }
        assert!(found == expected, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changes_meanwhile_loses_no_row_and_shows_none_twice() {
    for seed in 30..32 {
        let stage = Stage::world("", "", &contacts(seed)).await;
        let table = stage.sandbox.table("contact");
        let before: BTreeSet<&str> = table.iter().filter_map(|row| row["contactid"].as_str()).collect();
        let (mut random, mut touched) = (ChaCha8Rng::seed_from_u64(seed), BTreeSet::new());
        let (mut dice, mut found, mut kept) = (Dice::of(seed), Vec::new(), None::<String>);
        for turn in 0.. {
            assert!(turn < table.len(), "seed {seed}: it comes to no end");
            let (query, dynamics) = client(&stage, "", 40, 5).await;
            let mut whole = match &kept {
                Some(text) => resumed(&dynamics, &query, text).await,
                None => dynamics.read_whole(query, None).await.expect("it begins"),
            };
            let (more, text) = pages(&mut whole, 1 + dice.below(4)).await;
            if more.is_empty() && Some(&text) == kept.as_ref() {
                break;
            }
            found.extend(more);
            kept = Some(text);
            mutate(&stage.sandbox, &table, &mut random, &mut touched);
        }
        let keys: BTreeSet<&str> = found.iter().map(|(_, key, _)| key.as_str()).collect();
        assert_eq!(keys.len(), found.len(), "seed {seed}: a row came twice");
        assert!(found.iter().map(|(number, ..)| *number).eq(1..=found.len() as i64), "numbered from 1 on");
        let lost: Vec<_> = before.difference(&keys).filter(|key| !touched.contains(**key)).collect();
        assert!(lost.is_empty() && touched.len() > 20, "seed {seed}: missing {lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_reading_is_not_taken() {
    let stage = Stage::world("", "", &contacts(1)).await;
    let (query, dynamics) = client(&stage, "", 70, 5).await;
    let (_, text) = pages(&mut dynamics.read_whole(query, None).await.unwrap(), 2).await;
    for (filter, page_size) in [("", 71), ("WHERE c.lastname = 'N7'", 70)] {
        let (query, dynamics) = client(&stage, filter, page_size, 5).await;
        let from = serde_json::from_str(&text).unwrap();
        let error = dynamics.read_whole(query, Some(from)).await.err().expect("it is of another query");
        assert!(matches!(error, Error::OtherQuery { .. }) && error.is_to_begin_again(), "{error}");
        assert!(error.to_string().contains("run the job again"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_a_service_does_not_know_any_more_is_told() {
    let (one, other) = (Stage::world("", "", &contacts(1)).await, Stage::world("", "", &contacts(1)).await);
    let (query, mut dynamics) = client(&one, "", 70, 5).await;
    dynamics.ranges_from_rows = u64::MAX;
    let (before, text) = pages(&mut dynamics.read_whole(query, None).await.unwrap(), 3).await;
    assert!(before.len() == 210 && !text.contains("127.0.0.1"), "the host is the connection's: {text}");
    let (query, mut dynamics) = client(&other, "", 70, 5).await;
    dynamics.ranges_from_rows = u64::MAX;
    let error = resumed(&dynamics, &query, &text).await.next().await.err().expect("it gave no such link");
    assert!(matches!(error, Error::LinkExpired { .. }) && error.is_to_begin_again(), "{error}");
    let said = "the reading of contacts cannot go on where it stood: Dynamics does not know the place any more";
    assert!(error.to_string().contains(said) && error.to_string().contains("0x8004112a"), "{error}");
    assert_eq!(rows(&mut dynamics.read_whole(query, None).await.unwrap(), || ()).await.len(), 1_200);
}

/// Refusals of a link, each with whether another reading from the beginning would help.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_refusal_of_the_link_itself_asks_for_a_new_beginning() {
    let of = |code: &str| json!({"error": {"code": code, "message": "No."}});
    for (status, body, is_expired) in [
        ("400 Bad Request", of("0x8004112A"), true),
        ("400 Bad Request", of("0x80041129"), true),
        ("412 Precondition Failed", of("0x8004112a"), true),
        ("400 Bad Request", of("0x80060888"), true),
        ("404 Not Found", of(""), true),
        ("410 Gone", of("0x80040217"), true),
        ("400 Bad Request", of("0x8004430a"), false),
        ("403 Forbidden", of("0x8004112a"), false),
        ("501 Not Implemented", of("0x8004112a"), false),
        ("404 Not Found", json!("<html>no such site</html>"), false),
    ] {
        let first = json!({"value": listed(&["a"]), "@odata.nextLink": "accounts?$skiptoken=2"});
        let listener = organization(vec![("200 OK", vec![], first), (status, vec![], body.clone())]);
        let dynamics = listener.dynamics();
        let mut whole = dynamics.read_whole(accounts(), None).await.unwrap();
        whole.next().await.unwrap().unwrap();
        let stands = whole.checkpoint();
        let error = whole.next().await.err().unwrap();
        assert_eq!(matches!(error, Error::LinkExpired { .. }), is_expired, "{status} {body}: {error}");
        assert_eq!(error.is_to_begin_again(), is_expired);
        assert_eq!(whole.checkpoint(), stands, "the reading stands where it stood");
        // Nothing of a first page can have expired.
        let listener = organization(vec![(status, vec![], body)]);
        let error = listener.dynamics().read_whole(accounts(), None).await.err().unwrap();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_error_the_same_page_is_the_next_one() {
    // The client itself does not ask again after a 403. The first three requests may be those that look at the table.
    let rule = r#"{"service": "dynamics", "path": "/api/data/v9.2/contacts", "nth": [5, 8, 9, 10, 13], "status": 403}"#;
    for ranges_from_rows in [100, u64::MAX] {
        let (calm, rough) = (world(4, "").await, world(4, rule).await);
        let (query, mut dynamics) = client(&calm, "", 90, 5).await;
        dynamics.ranges_from_rows = ranges_from_rows;
        let expected = rows(&mut dynamics.read_whole(query, None).await.unwrap(), || ()).await;
        let (query, mut dynamics) = client(&rough, "", 90, 5).await;
        dynamics.ranges_from_rows = ranges_from_rows;
        let mut whole = dynamics.read_whole(query.clone(), None).await.unwrap();
        let (mut found, mut failed) = (Vec::new(), 0);
        loop {
            match whole.next().await {
                Ok(Some(page)) => found.extend(rows_of(&page.rows)),
                Ok(None) => break,
                Err(error) => {
                    assert!(matches!(error, Error::Refused { status: 403, .. }), "{error}");
                    failed += 1;
                    let text = serde_json::to_string(&whole.checkpoint()).unwrap();
                    // Once within the same reading, once in another.
                    if failed % 2 == 0 {
                        whole = resumed(&dynamics, &query, &text).await;
                    }
                }
            }
        }
        // Some may strike what was under way when a reading was left.
        assert!((2..=5).contains(&failed), "{failed}");
        assert!(found == expected, "from {ranges_from_rows} rows on");
    }
}

fn fields() -> Vec<Field> {
    vec![Field::bare("Gsid", "GSID", FieldKind::Text), Field::bare("Name", "Name", FieldKind::Text)]
}

async fn gsids(gainsight: &Gainsight, after: Option<String>, most: usize) -> (usize, Option<String>) {
    let (fields, mut count) = (fields(), 0);
    let mut records = gainsight.read_from("Company", &fields, after);
    for _ in 0..most {
        let Some(page) = records.next().await.expect("a page") else { break };
        count += page.num_rows();
    }
    (count, records.after().map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_gainsight_go_on_behind_the_last_one() {
    for more in [0, 1] {
        let stage = Stage::world("", "", "").await;
        let there = Limits::READ_ROWS + more;
        for number in 0..there {
            stage.sandbox.put_record("company", json!({"Name": format!("C{number}")}).as_object().unwrap().clone());
        }
        let new = async || stage.workspace(&[]).await.services.gainsight.remove("gainsight").expect("a client");
        let (first, after) = gsids(&new().await, None, 1).await;
        assert!(first == Limits::READ_ROWS && after.is_some());
        let (second, end) = gsids(&new().await, after.clone(), 9).await;
        assert_eq!((second, end.is_some()), (more, true));
        assert_eq!(end == after, more == 0, "behind an empty page it stands where it stood");
        assert_eq!(gsids(&new().await, end, 9).await.0, 0);
    }
}
