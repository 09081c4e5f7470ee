//! Schemas that are kept for a while: they save calls, and never make a mistake of what came since.

use serde_json::{Value, json};

use crate::stage::COMPANIES;
use crate::terminal::Desk;

/// Requests for schemas since the one with this number.
fn asked(desk: &Desk, since: usize) -> usize {
    let calls = desk.stage.sandbox.calls();
    calls[since..].iter().filter(|c| c.path.contains("EntityDefinitions") || c.path.contains("/meta/services/")).count()
}

fn check(desk: &Desk) -> usize {
    let since = desk.stage.sandbox.calls().len();
    let (code, out, err) = desk.ferry(&["check"]);
    assert_eq!(code, 0, "{out}{err}");
    asked(desk, since)
}

async fn known() -> Desk {
    let desk = Desk::new().await;
    assert!(check(&desk) > 10, "nothing is known");
    assert!(!desk.home().exists(), "checking makes no home");
    assert_eq!(desk.ferry(&["connection", "authorize", "dynamics"]).0, 0);
    assert!(check(&desk) > 10, "nothing was kept");
    desk
}

fn change(desk: &Desk, connection: &str, how: impl FnOnce(&mut Value)) {
    let path = desk.home().join("metadata").join(format!("{connection}.json"));
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    how(&mut kept);
    std::fs::write(path, kept.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_a_short_while_ago_is_not_asked_again() {
    let desk = known().await;
    assert_eq!(check(&desk), 0);
    let since = desk.stage.sandbox.calls().len();
    assert_eq!(desk.ferry(&["plan", COMPANIES]).0, 1);
    assert!(asked(&desk, since) > 10, "whoever is about to write asks anew");
    assert_eq!(check(&desk), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_led_elsewhere_or_is_damaged_is_asked_again() {
    let desk = known().await;
    for change_it in [
        (|kept| kept["asked_at"] = (kept["asked_at"].as_i64().unwrap() - 901).into()) as fn(&mut Value),
        |kept| kept["asked_at"] = (kept["asked_at"].as_i64().unwrap() + 9_999).into(),
        |kept| kept["url"] = json!("https://elsewhere.crm.dynamics.com"),
        |kept| *kept = json!("no schema"),
    ] {
        change(&desk, "dynamics", change_it);
        assert!(check(&desk) > 10);
        assert_eq!(check(&desk), 0, "it is kept anew");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_was_added_since_is_never_called_unknown() {
    let desk = known().await;
    change(&desk, "dynamics", |kept| {
        let fields = kept["objects"]["account"]["fields"].as_array_mut().unwrap();
        let before = fields.len();
        fields.retain(|field| field["name"] != "name");
        assert_eq!(fields.len(), before - 1);
    });
    assert!(check(&desk) > 10, "a mistake is looked at twice");
    assert_eq!(check(&desk), 0);
    desk.write(
        "more.ferry",
        "CREATE JOB \"X\" AS UPSERT INTO gainsight.Nothing KEY (\"A\") SELECT b AS \"A\" FROM dynamics.c AS d;",
    );
    let (code, out, _) = desk.ferry(&["check"]);
    assert!(code == 2 && out.contains("Nothing"), "a real mistake stays one: {out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_stops_no_check() {
    let desk = known().await;
    std::fs::remove_dir_all(desk.home().join("metadata")).unwrap();
    std::fs::write(desk.home().join("metadata"), "a file where the folder should be").unwrap();
    assert!(check(&desk) > 10, "nothing can be kept, and the check is right all the same");
}
