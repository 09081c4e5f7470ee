//! Call budgets beyond one process: what one has spent, the next one knows.

use std::sync::Arc;

use ferry::gainsight::error::Error;
use ferry::gainsight::windows::{Bucket, Windows};
use ferry::model::clock::Clock;
use ferry::model::connection::Limits;
use ferry::model::spent::Spent;
use ferry::store::state::State;
use ferry::store::windows::SpentCalls;
use tempfile::TempDir;

/// Minutes that take sixteen hours, so that no window ends while a test looks at it.
const SLOW: f64 = 0.001;

fn windows(calls_per_minute: u32) -> Windows {
    Windows::new(&Limits { calls_per_minute, reserve_percent: 0, ..Limits::DEFAULT }, Clock::system(SLOW))
}

fn spent(folder: &TempDir, tenant: &str) -> Arc<dyn Spent> {
    let path = folder.path().join("state.db");
    drop(State::open(&path).unwrap());
    Arc::new(SpentCalls::open(&path, tenant).unwrap())
}

#[tokio::test]
async fn a_restart_does_not_forget_what_was_spent() {
    let folder = tempfile::tempdir().unwrap();
    let first = windows(5);
    first.enter(Bucket::Synchronous).await.unwrap();
    first.remember(spent(&folder, "acme")).await.unwrap();
    for _ in 0..3 {
        first.enter(Bucket::Synchronous).await.unwrap();
    }
    assert_eq!(first.left(Bucket::Synchronous).await, 1, "those before it remembers count too");
    drop(first);
    let second = windows(5);
    assert_eq!(second.left(Bucket::Synchronous).await, 5, "by itself it knows nothing");
    second.remember(spent(&folder, "acme")).await.unwrap();
    assert_eq!(second.left(Bucket::Synchronous).await, 1);
    second.enter(Bucket::Synchronous).await.unwrap();
    let refused = second.enter(Bucket::Synchronous).await;
    assert!(matches!(refused, Err(Error::Budget { limit: 5, window: "a minute", .. })), "{refused:?}");
}

#[tokio::test]
async fn tenants_and_apis_are_counted_apart() {
    let folder = tempfile::tempdir().unwrap();
    let first = windows(5);
    first.remember(spent(&folder, "acme")).await.unwrap();
    first.enter(Bucket::Synchronous).await.unwrap();
    let other = windows(5);
    other.remember(spent(&folder, "other")).await.unwrap();
    assert_eq!(other.left(Bucket::Synchronous).await, 5);
    assert_eq!(first.left(Bucket::Users).await, Limits::DEFAULT.users_per_hour);
}

#[tokio::test]
async fn what_is_claimed_and_not_made_is_little() {
    let folder = tempfile::tempdir().unwrap();
    let first = windows(100);
    first.remember(spent(&folder, "acme")).await.unwrap();
    for _ in 0..11 {
        first.enter(Bucket::Synchronous).await.unwrap();
    }
    drop(first);
    let second = windows(100);
    second.remember(spent(&folder, "acme")).await.unwrap();
    let left = second.left(Bucket::Synchronous).await;
    assert!((87..=89).contains(&left), "11 were made, and at most a fiftieth of the window more is claimed: {left}");
}

#[test]
fn a_window_of_another_number_begins_at_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let kept = spent(&folder, "acme");
    assert_eq!(kept.add("object", 60_000, 7, 3), Ok(3));
    assert_eq!(kept.add("object", 60_000, 7, 2), Ok(5));
    assert_eq!(kept.add("object", 60_000, 8, 1), Ok(1));
    assert_eq!(kept.add("object", 86_400_000, 7, 1), Ok(1), "a day is another window");
}

#[tokio::test]
async fn calls_that_cannot_be_kept_are_not_made() {
    struct Broken;
    impl Spent for Broken {
        fn add(&self, _: &str, _: i64, _: i64, calls: u32) -> Result<u32, String> {
            if calls == 0 { Ok(0) } else { Err("the disk is full".to_owned()) }
        }
    }
    let windows = windows(5);
    windows.remember(Arc::new(Broken)).await.unwrap();
    let refused = windows.enter(Bucket::Synchronous).await;
    assert!(matches!(&refused, Err(Error::Spent(why)) if why == "the disk is full"), "{refused:?}");
}

#[tokio::test]
async fn a_part_of_each_window_is_left_to_others() {
    for (reserve_percent, objects, users) in [(0, 100, 100), (10, 90, 90), (33, 67, 67), (90, 10, 10)] {
        let limits = Limits { reserve_percent, ..Limits::DEFAULT };
        let windows = Windows::new(&limits, Clock::system(SLOW));
        let left = (windows.left(Bucket::Synchronous).await, windows.left(Bucket::Users).await);
        assert_eq!(left, (objects, users), "{reserve_percent} %");
    }
    let tiny = Limits { reserve_percent: 90, calls_per_minute: 1, ..Limits::DEFAULT };
    assert_eq!(Windows::new(&tiny, Clock::system(SLOW)).left(Bucket::Synchronous).await, 1, "never nothing at all");
}
