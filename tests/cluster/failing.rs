//! Clusters that are away, are none, say nothing, or have nobody to do the work: a message within a bound, or the same plan from here.

use std::time::{Duration, Instant};

use ferry::cluster::bounds::Bounds;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::desk::{Planned, Served, Told, Worker, planned, sending};
use crate::stage::{COMPANIES, Stage, USERS};

/// Bounds that a test can wait for.
fn short() -> Bounds {
    let second = Duration::from_secs(1);
    Bounds { connect: second, answer: second, executors: second, stage: second, job: 20 * second, rows: 5 * second }
}

/// What is always said in the end.
const ADVICE: &str = "nothing was written: mend that and give the command again, or plan on this machine: add --or-locally, or leave out --cluster";

async fn small() -> (Stage, Planned) {
    let stage = Stage::seeded(40).await;
    stage.run(USERS).await;
    let one = planned(&stage, &[COMPANIES], &[]).await.remove(0);
    (stage, one)
}

/// Plans with a cluster that fails so, without and with the choice to plan here.
async fn fails(one: &Planned, url: &str, words: &str) {
    let since = Instant::now();
    let failed = one.made(Some(sending(url, short(), false, &Told::default())), || {}).await.unwrap_err();
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
    let said = failed.to_string();
    assert!(said.contains(words) && said.ends_with(ADVICE), "{said}");
    assert!(failed.can_resume(), "{said}");
    let told = Told::default();
    let there = one.made(Some(sending(url, short(), true, &told)), || {}).await.unwrap();
    assert_eq!(there, one.made(None, || {}).await.unwrap());
    let told = told.all();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains(words) && told[0].ends_with("what is left of the job is planned on this machine"),
        "{told:?}"
    );
}

/// A listener that is gone: nobody else has its port so soon.
async fn nobody() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_that_is_away_is_said() {
    let (_stage, one) = small().await;
    fails(&one, &nobody().await, "cannot be reached").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_says_nothing_is_given_up() {
    let (_stage, one) = small().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let _held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    fails(&one, &url, "did not answer within 1 s").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_no_scheduler_is_none() {
    let (_stage, one) = small().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let _serves = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _read = stream.read(&mut [0; 64]).await;
            let _written = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    fails(&one, &url, "is no scheduler of Ballista 55").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_without_executors_is_waited_for_so_long() {
    let (_stage, one) = small().await;
    let served = Served::begin().await;
    fails(&one, &served.url, "has had no executor for 1 s; start some with `ferry cluster executor").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_hangs_is_cancelled() {
    let (_stage, one) = small().await;
    let served = Served::begin().await;
    let worker = Worker::of(&served.url);
    // It has to be there before it can do nothing.
    let told = Told::default();
    one.made(Some(sending(&served.url, Bounds::default(), false, &told)), || {}).await.unwrap();
    worker.freeze();
    let failed = one.made(Some(sending(&served.url, short(), false, &told)), || {}).await.unwrap_err().to_string();
    assert!(failed.contains("was cancelled: no stage of it came to its end within 1 s"), "{failed}");
}
