//! What `ferry serve` gives up (S-20): core dumps, and files that others may look into.

use crate::ownership::begun;
use crate::stage::Stage;
use crate::terminal::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_leaves_no_core_and_no_file_to_others() {
    let desk = Desk::on(Stage::seeded(20).await);
    let (mut child, said) = begun(&desk, &["serve"], &[], "serving");
    let of = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    let (limits, status) = (of("limits"), of("status"));
    let line = |text: &str, word: &str| text.lines().find(|line| line.starts_with(word)).unwrap().to_owned();
    let core: Vec<String> = line(&limits, "Max core file size").split_whitespace().map(str::to_owned).collect();
    assert_eq!(core[4..6], ["0", "0"], "{core:?}");
    assert!(line(&status, "Umask").ends_with("0077"), "{status}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(said);
}
