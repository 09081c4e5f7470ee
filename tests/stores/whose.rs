//! Two states count their runs alike, so each needs a place of its own.

use std::sync::Arc;

use ferry::app::cleaning;
use object_store::memory::InMemory;

use super::{bucket, in_store};
use crate::stage::{COMPANIES, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn another_state_is_kept_out() {
    let store = Arc::new(InMemory::new());
    let (mut first, mut second) = (Stage::seeded(20).await, Stage::seeded(20).await);
    for stage in [&mut first, &mut second] {
        stage.setting.runs = Some(bucket(store.clone()));
    }
    let run = first.run(COMPANIES).await.remove(0).run;
    let before = in_store(&*store).await;
    // Two states may be made within the same millisecond only by a test.
    while second.setting.clock.now() == first.setting.clock.now() {}
    let (reports, ended) = second.try_run(COMPANIES).await;
    let said = ended.expect_err("it is another's").to_string();
    assert!(said.contains("s3://acme/ferry has the runs of another state"), "{said}");
    assert!(said.contains("a --home of its own"), "{said}");
    assert!(reports.iter().all(|report| report.counts.read == 0), "{reports:?}");
    assert_eq!(in_store(&*store).await, before, "nothing of {run} was touched");
    let said = cleaning::clean(&second.setting, 0).await.expect_err("it is another's").to_string();
    assert!(said.contains("another state"), "{said}");
    assert_eq!(in_store(&*store).await, before);
    // The same state finds its own again, and its own place elsewhere.
    first.run(COMPANIES).await;
    second.setting.runs = Some(bucket(Arc::new(InMemory::new())));
    second.run(COMPANIES).await;
}
