//! A large table read in ranges: the same rows as one chain brings, whatever happens meanwhile, and within the limits.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use ferry::app::runs::{Named, find};
use ferry::dynamics::client::{Credentials, Dynamics, Proof};
use ferry::dynamics::odata::{Query, queries};
use ferry::dynamics::pages::Whole;
use ferry::http::terms::Terms;
use ferry::model::clock::Clock;
use ferry::model::secret::Secret;
use ferry::sandbox::{Sandbox, Service};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Map, Value, json};

use crate::stage::{SCALE, Stage};

/// Contacts whose times of creation lie as unevenly as migrations make them: bursts of one second, years of nothing, some
/// before 1970, some that do not say.
pub fn contacts(seed: u64) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut lines = String::new();
    let mut second = -200_000_000_i64;
    for number in 0..1_200_u32 {
        second += match random.next_u32() % 40 {
            0 => i64::from(random.next_u32() % 90_000_000),
            1..=8 => i64::from(random.next_u32() % 5_000),
            9..=15 => 1,
            _ => 0,
        };
        let created = chrono::DateTime::from_timestamp(second, 0).map(|t| t.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        let created = created.filter(|_| !random.next_u32().is_multiple_of(30));
        let id = format!("{:08x}-{:04x}-4000-8000-{number:012x}", random.next_u32(), random.next_u32() >> 16);
        let row = json!({"contactid": id, "lastname": format!("N{number}"), "createdon": created});
        lines.push_str(&format!("{row}\n"));
    }
    lines
}

async fn stage(seed: u64) -> Stage {
    Stage::world("", "", &contacts(seed)).await
}

/// The query of a job over contacts, and a client with limits of its own.
pub async fn client(stage: &Stage, filter: &str, page_size: u32, at_once: u32) -> (Query, Dynamics) {
    let job = format!(
        "CREATE JOB \"X\" AS UPSERT INTO gainsight.Company KEY (\"Name\") SELECT c.lastname AS \"Name\" \
         FROM dynamics.contact AS c {filter};"
    );
    let workspace = stage.workspace(&[("x.ferry", &job)]).await.or_mistakes().expect("the job is right");
    let Ok(Named::Job(job)) = find(&workspace.project, "X") else { panic!("it is a job") };
    let mut connection = workspace.project.connections["dynamics"].clone();
    (connection.limits.page_size, connection.limits.max_in_flight) = (page_size, at_once);
    let known = stage.sandbox.credentials();
    let credentials = Credentials {
        tenant_id: Some(Secret::new(known.tenant_id.clone())),
        client_id: Secret::new(known.client_id.clone()),
        proof: Proof::Secret(Secret::new(known.client_secret.clone())),
    };
    let mut dynamics =
        Dynamics::new(&connection, credentials, &Terms::of(&connection, Clock::system(SCALE), None)).expect("a client");
    dynamics.ranges_from_rows = 100;
    (queries(job).remove(0), dynamics)
}

/// Number, key and name of each row, in the order in which they come; `between` is done after each page.
pub async fn rows(whole: &mut Whole<'_>, mut between: impl FnMut()) -> Vec<(i64, String, String)> {
    let mut all = Vec::new();
    while let Some(page) = whole.next().await.expect("a page") {
        assert_eq!(page.rows.schema(), whole.schema());
        all.extend(rows_of(&page.rows));
        between();
    }
    all
}

/// Number, key and name of each row of a page.
pub fn rows_of(page: &RecordBatch) -> Vec<(i64, String, String)> {
    let numbers = page.column(0).as_primitive::<Int64Type>();
    let text = |name: &str| page.column_by_name(name).expect("a column").as_string::<i32>().clone();
    let (keys, names) = (text("contactid"), text("lastname"));
    (0..keys.len()).map(|at| (numbers.value(at), keys.value(at).to_owned(), names.value(at).to_owned())).collect()
}

pub async fn in_ranges<'a>(dynamics: &'a Dynamics, query: &Query) -> Whole<'a> {
    let whole = dynamics.read_whole(query.clone(), None).await.expect("it begins");
    assert!(matches!(whole, Whole::Ranges(_)), "the table is large enough");
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_bring_the_rows_of_one_chain_in_an_order_that_timing_does_not_change() {
    for (seed, page_size) in [(1, 10), (2, 37), (3, 100), (4, 500), (5, 300)] {
        for filter in ["", "WHERE c.lastname <> 'N7' AND c.createdon > DATETIME '1969-01-01T00:00:00Z'"] {
            let stage = stage(seed).await;
            let (query, dynamics) = client(&stage, filter, page_size, 7).await;
            let mut chain = Whole::Chain(Box::new(dynamics.read(query.clone()).expect("it begins")), None);
            let expected: BTreeMap<String, String> =
                rows(&mut chain, || ()).await.into_iter().map(|(_, key, name)| (key, name)).collect();
            let ranged = rows(&mut in_ranges(&dynamics, &query).await, || ()).await;
            assert!(ranged.iter().map(|(number, ..)| *number).eq(1..=ranged.len() as i64), "numbered from 1 on");
            let found: BTreeMap<String, String> = ranged.iter().map(|(_, k, n)| (k.clone(), n.clone())).collect();
            assert_eq!(found.len(), ranged.len(), "seed {seed}: a row came twice");
            assert_eq!(found, expected, "seed {seed}, pages of {page_size}, {filter}");
            let (query, alone) = client(&stage, filter, page_size, 2).await;
            assert_eq!(rows(&mut in_ranges(&alone, &query).await, || ()).await, ranged, "seed {seed}");
        }
    }
}

/// Changes the table as its users would: some rows go, some come (also into the past), some are edited.
pub fn mutate(sandbox: &Sandbox, rows: &[Map<String, Value>], random: &mut ChaCha8Rng, touched: &mut BTreeSet<String>) {
    for _ in 0..6 {
        let row = &rows[random.next_u32() as usize % rows.len()];
        let id = row["contactid"].as_str().expect("a key").to_owned();
        match random.next_u32() % 3 {
            0 => {
                sandbox.delete_row("contact", &id);
                touched.insert(id);
            }
            1 if !touched.contains(&id) => {
                let edited = json!({"contactid": id, "firstname": "edited"});
                sandbox.put_row("contact", edited.as_object().expect("an object").clone());
            }
            _ => {
                let id = format!("{:08x}-0000-4000-9000-{:012x}", random.next_u32(), random.next_u32());
                let row = json!({"contactid": id, "lastname": "new", "createdon": row["createdon"]});
                sandbox.put_row("contact", row.as_object().expect("an object").clone());
                touched.insert(id);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changes_meanwhile_loses_no_row_and_shows_none_twice() {
    for seed in 10..14 {
        let stage = stage(seed).await;
        let (query, dynamics) = client(&stage, "", 40, 5).await;
        let table = stage.sandbox.table("contact");
        let before: BTreeSet<String> =
            table.iter().filter_map(|row| Some(row["contactid"].as_str()?.to_owned())).collect();
        let (mut random, mut touched) = (ChaCha8Rng::seed_from_u64(seed), BTreeSet::new());
        let mut whole = in_ranges(&dynamics, &query).await;
        let read = rows(&mut whole, || mutate(&stage.sandbox, &table, &mut random, &mut touched)).await;
        let found: BTreeSet<String> = read.iter().map(|(_, key, _)| key.clone()).collect();
        assert_eq!(found.len(), read.len(), "seed {seed}: a row came twice");
        assert!(touched.len() > 80, "the table did change");
        let lost: Vec<&String> = before.difference(&found).filter(|key| !touched.contains(*key)).collect();
        assert!(lost.is_empty(), "seed {seed}: rows that were there all the time are missing: {lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_table_and_one_of_unknown_size_are_read_in_one_chain() {
    let stage = stage(1).await;
    let (query, mut dynamics) = client(&stage, "", 100, 5).await;
    dynamics.ranges_from_rows = 1_201;
    assert!(
        matches!(dynamics.read_whole(query.clone(), None).await, Ok(Whole::Chain(..))),
        "fewer rows than are worth it"
    );
    let (query, dynamics) = client(&stage, "", 100, 1).await;
    assert!(matches!(dynamics.read_whole(query, None).await, Ok(Whole::Chain(..))), "one request at a time");
    let (query, dynamics) = client(&stage, "WHERE c.lastname = 'N7'", 100, 5).await;
    let before = stage.sandbox.calls().len();
    assert!(matches!(dynamics.read_whole(query, None).await, Ok(Whole::Chain(..))), "one page");
    let reads = stage.sandbox.calls().len() - before;
    assert_eq!(reads, 3, "nobody asks how large a table is that has one page (challenge, token, page)");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_are_under_way_than_the_connection_allows_and_fewer_after_a_429() {
    let stage = stage(2).await;
    let (query, dynamics) = client(&stage, "", 10, 6).await;
    assert_eq!(dynamics.at_once(), 4, "what is assumed until the service recommends something");
    let read = rows(&mut in_ranges(&dynamics, &query).await, || ()).await;
    assert!(stage.sandbox.most_at_once() <= 6, "{}", stage.sandbox.most_at_once());
    assert_eq!(dynamics.at_once(), 6, "all went well");
    stage.sandbox.fail_next(Service::Dynamics, 429, 1, Some(0));
    let again = rows(&mut in_ranges(&dynamics, &query).await, || ()).await;
    assert_eq!(dynamics.at_once(), 3, "half of it, and the service has to be calm for a while");
    assert_eq!(again, read);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_end_in_the_middle_of_ranges_cost_no_row() {
    let stage = stage(3).await;
    let (query, dynamics) = client(&stage, "", 25, 5).await;
    let expected = rows(&mut in_ranges(&dynamics, &query).await, || ()).await;
    stage.sandbox.limit_token_uses(20);
    let read = rows(&mut in_ranges(&dynamics, &query).await, || ()).await;
    assert_eq!(read, expected);
}
