//! Call budgets beyond one process: what one has spent, the next one knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ferry::gainsight::error::Error;
use ferry::gainsight::windows::{Bucket, Windows};
use ferry::http::terms::MAX_WAIT;
use ferry::model::clock::Clock;
use ferry::model::connection::Limits;
use ferry::model::spent::Spent;
use ferry::store::state::State;
use ferry::store::windows::SpentCalls;
use tempfile::TempDir;

/// Minutes that take sixteen hours, so that no window ends while a test looks at it.
const SLOW: f64 = 0.001;

fn windows(calls_per_minute: u32) -> Windows {
    Windows::new(&Limits { calls_per_minute, reserve_percent: 0, ..Limits::DEFAULT }, Clock::system(SLOW), MAX_WAIT)
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

#[tokio::test]
async fn many_short_processes_claim_little_more_than_they_make() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..50 {
        let one = windows(10_000);
        one.remember(spent(&folder, "acme")).await.unwrap();
        for _ in 0..7 {
            one.enter(Bucket::Synchronous).await.unwrap();
        }
    }
    let last = windows(10_000);
    last.remember(spent(&folder, "acme")).await.unwrap();
    let claimed = 10_000 - last.left(Bucket::Synchronous).await;
    assert!((350..=700).contains(&claimed), "350 were made, and fifty fiftieths would be all: {claimed}");
}

#[test]
fn a_window_of_another_number_begins_at_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let kept = spent(&folder, "acme");
    assert_eq!(kept.add("object", 60_000, 7, 3), Ok(3));
    assert_eq!(kept.add("object", 60_000, 7, 2), Ok(5));
    assert_eq!(kept.add("object", 60_000, 8, 1), Ok(1));
    assert_eq!(kept.add("object", 60_000, 6, 2), Ok(3), "a clock that was set back opens no window");
    assert_eq!(kept.add("object", 60_000, 7, 1), Ok(1), "and the next one is a new one");
    assert_eq!(kept.add("object", 86_400_000, 7, 1), Ok(1), "a day is another window");
}

/// A clock that the test sets, by seconds of the services' time.
struct Set(&'static AtomicI64);

impl Set {
    fn new() -> Self {
        Self(Box::leak(Box::new(AtomicI64::new(0))))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn to(&self, seconds: i64) {
        self.0.store((seconds as f64 * 1_000.0 / SLOW) as i64, Ordering::SeqCst);
    }

    fn windows(&self, calls_per_minute: u32) -> Windows {
        let limits = Limits { calls_per_minute, reserve_percent: 0, ..Limits::DEFAULT };
        Windows::new(&limits, Clock::system(SLOW).set_by(self.0), MAX_WAIT)
    }
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[tokio::test]
async fn a_clock_that_is_set_back_opens_no_window_and_shuts_none_for_long() {
    for back in [1, 61, HOUR, DAY, 400 * DAY] {
        let clock = Set::new();
        let windows = clock.windows(5);
        for _ in 0..3 {
            windows.enter(Bucket::Synchronous).await.unwrap();
        }
        clock.to(-back);
        assert_eq!(windows.left(Bucket::Synchronous).await, 2, "{back}");
        windows.enter(Bucket::Synchronous).await.unwrap();
        windows.enter(Bucket::Synchronous).await.unwrap();
        match windows.enter(Bucket::Synchronous).await {
            Err(Error::Budget { window: "a minute", seconds, .. }) => {
                let a_minute = Clock::system(SLOW).real(60_250).as_secs();
                assert!(seconds <= a_minute, "{back}: it would wait {seconds} s, of {a_minute} that a minute takes");
            }
            other => panic!("{back}: {other:?}"),
        }
        clock.to(60 - back);
        assert_eq!(windows.left(Bucket::Synchronous).await, 5, "{back}: the next minute of the clock as it is");
    }
}

#[tokio::test]
async fn the_days_calls_stay_with_a_day_that_is_shown_again() {
    let clock = Set::new();
    let limits = Limits { calls_per_day: 5, reserve_percent: 0, ..Limits::DEFAULT };
    let windows = Windows::new(&limits, Clock::system(SLOW).set_by(clock.0), MAX_WAIT);
    for _ in 0..4 {
        windows.enter(Bucket::Synchronous).await.unwrap();
    }
    clock.to(-DAY);
    assert_eq!(windows.left(Bucket::Synchronous).await, 1);
    // Whoever sets it to what it was has a new day: the one before is told from it by nothing but its number.
    clock.to(0);
    assert_eq!(windows.left(Bucket::Synchronous).await, 5);
}

#[tokio::test]
async fn a_clock_that_is_set_forward_and_back_again_gives_one_window_more() {
    let clock = Set::new();
    let windows = clock.windows(5);
    for _ in 0..5 {
        windows.enter(Bucket::Synchronous).await.unwrap();
    }
    clock.to(DAY);
    assert_eq!(windows.left(Bucket::Synchronous).await, 5, "a machine that slept has a new day before it");
    for _ in 0..4 {
        windows.enter(Bucket::Synchronous).await.unwrap();
    }
    clock.to(0);
    assert_eq!(windows.left(Bucket::Synchronous).await, 1);
}

#[tokio::test]
async fn a_restart_with_a_clock_that_was_set_back_does_not_forget_either() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Set::new();
    let first = clock.windows(5);
    first.remember(spent(&folder, "acme")).await.unwrap();
    for _ in 0..3 {
        first.enter(Bucket::Synchronous).await.unwrap();
    }
    drop(first);
    clock.to(-HOUR);
    let second = clock.windows(5);
    second.remember(spent(&folder, "acme")).await.unwrap();
    assert_eq!(second.left(Bucket::Synchronous).await, 2);
    clock.to(60 - HOUR);
    assert_eq!(second.left(Bucket::Synchronous).await, 5);
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
        let windows = Windows::new(&limits, Clock::system(SLOW), MAX_WAIT);
        let left = (windows.left(Bucket::Synchronous).await, windows.left(Bucket::Users).await);
        assert_eq!(left, (objects, users), "{reserve_percent} %");
    }
    let tiny = Limits { reserve_percent: 90, calls_per_minute: 1, ..Limits::DEFAULT };
    assert_eq!(
        Windows::new(&tiny, Clock::system(SLOW), MAX_WAIT).left(Bucket::Synchronous).await,
        1,
        "never nothing at all"
    );
}
