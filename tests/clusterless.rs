//! A build without support for clusters says so, before it asks anybody for anything.

use crate::terminal::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn a_build_without_clusters_says_which_has_them() {
    let desk = Desk::new().await;
    let all: [&[&str]; 5] = [
        &["plan", "Company Sync_Dynamics Connection", "--cluster", "http://127.0.0.1:1"],
        &["run", "Company Sync_Dynamics Connection", "--cluster", "http://127.0.0.1:1", "--or-locally"],
        &["resume", "--cluster", "http://127.0.0.1:1"],
        &["cluster", "scheduler"],
        &["cluster", "executor"],
    ];
    for arguments in all {
        let (code, _, talk) = desk.ferry(arguments);
        assert_eq!(code, 2, "{arguments:?}: {talk}");
        assert!(talk.contains("no support for clusters") && talk.contains("--features cluster"), "{talk}");
    }
    let (code, _, talk) = desk.ferry(&["plan", "J", "--or-locally"]);
    assert!(code == 2 && talk.contains("--cluster"), "{talk}");
}
