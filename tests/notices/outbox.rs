//! The outbox: what is due when, what is tried again, what is given up; on a clock that is set by hand.

use std::time::Duration;

use ferry::app::notices::{Posts, deliver_due};
use ferry::store::home::{Home, state_path};
use ferry::store::notices::{ToTell, Tried};
use ferry::store::state::State;

use super::desk::{Desk, content};
use super::smtp::Answer;

fn to_tell(desk: &Desk, run: &str, address: &str) -> ToTell {
    ToTell {
        run: run.to_owned(),
        address: address.to_owned(),
        event: "job \"J\" partial".to_owned(),
        content: serde_json::to_string(&content()).unwrap(),
        due_ms: desk.now_ms(),
        at: "2026-11-26T02:03:00.000Z".to_owned(),
    }
}

/// A home with these notices.
fn keep(desk: &Desk, all: &[ToTell]) {
    let home = Home::open(&desk.stage.setting.home).unwrap();
    State::open(&home.state_path()).unwrap().tell(all).unwrap();
}

fn join(desk: &Desk) -> State {
    State::join(&state_path(&desk.stage.setting.home)).unwrap()
}

const LATER: Answer = Answer::Refuse("451 4.7.1 come back later");

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_tried_again_at_its_times_and_then_given_up() {
    let desk = Desk::new().await;
    let project = desk.project("", "");
    keep(&desk, &[to_tell(&desk, "r1", "revops@acme.com")]);
    for (tries, wait) in [(1, 60), (2, 300), (3, 1_800), (4, 7_200), (5, 21_600)] {
        desk.smtp.answers(&[LATER]);
        let delivered = desk.deliver(&project).await;
        assert_eq!((delivered.arrived.len(), delivered.later.len(), delivered.given_up.len()), (0, 1, 0), "{tries}");
        let one = desk.notices().remove(0);
        assert_eq!((one.state.as_str(), one.tries), ("due", tries));
        assert!(one.message.as_ref().is_some_and(|said| said.contains("come back later")), "{one:?}");
        let left = one.next_ms - desk.now_ms();
        assert!((0..=wait * 1_000).contains(&left) && left > wait * 1_000 - 60_000, "{tries}: {left}");
        desk.pass(left / 1_000 - 5);
        assert_eq!(desk.deliver(&project).await, ferry::app::notices::Delivered::default(), "not yet: {tries}");
        desk.pass(6);
    }
    desk.smtp.answers(&[LATER]);
    let delivered = desk.deliver(&project).await;
    assert_eq!(delivered.given_up.len(), 1, "{delivered:?}");
    desk.pass(1_000_000);
    assert_eq!(desk.deliver(&project).await, ferry::app::notices::Delivered::default(), "never again");
    let one = desk.notices().remove(0);
    assert_eq!((one.state.as_str(), one.tries, desk.smtp.taken().len()), ("given_up", 6, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_arrives_is_not_sent_again() {
    let desk = Desk::new().await;
    let project = desk.project("", "");
    let one = to_tell(&desk, "r1", "revops@acme.com");
    keep(&desk, std::slice::from_ref(&one));
    desk.smtp.answers(&[LATER]);
    desk.deliver(&project).await;
    desk.pass(61);
    assert_eq!(desk.deliver(&project).await.arrived, ["revops@acme.com"]);
    // Whoever keeps it once more, as a run that is gone on with may, tells nobody twice.
    keep(&desk, &[one.clone(), one]);
    desk.pass(1_000_000);
    desk.deliver(&project).await;
    assert_eq!((desk.smtp.taken().len(), desk.notices().len()), (1, 1));
    assert!(desk.notices()[0].message.as_ref().is_some_and(|said| said.contains("queued as 42")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_good_is_given_up_at_once_and_holds_up_no_other() {
    let desk = Desk::new().await;
    let project = desk.project("", "");
    desk.smtp.answers(&[Answer::Refuse("550 5.1.1 no such user here")]);
    keep(&desk, &[to_tell(&desk, "r1", "gone@acme.com")]);
    assert_eq!(desk.deliver(&project).await.given_up.len(), 1);
    keep(&desk, &[to_tell(&desk, "r2", "here@acme.com"), to_tell(&desk, "r2", "https://10.0.0.1/x")]);
    let delivered = desk.deliver(&project).await;
    assert_eq!((delivered.arrived.as_slice(), delivered.later.len()), (&["here@acme.com".to_owned()][..], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_without_what_it_needs_is_told_and_tried_again() {
    let desk = Desk::new().await;
    keep(&desk, &[to_tell(&desk, "r1", "a@acme.com"), to_tell(&desk, "r1", "http://127.0.0.1:1/x")]);
    let delivered = desk.deliver("CREATE SETTINGS (time_zone = 'UTC');").await;
    let why: Vec<&str> = delivered.later.iter().map(|(_, why)| why.as_str()).collect();
    assert!(why[0].contains("no mail connection") && why[1].contains("no webhook_key"), "{why:?}");
    let mut setting = desk.stage.setting.clone();
    setting.secrets = std::sync::Arc::new(|_| None);
    let posts = Posts::of(&desk.workspace(&desk.project("", "")).await.project);
    desk.pass(61);
    let delivered = deliver_due(&setting, &posts, Duration::from_secs(60)).await.unwrap();
    assert!(delivered.later[0].1.contains("the secret 'webhook/key' is not set"), "{delivered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_do_not_deliver_one_notice_and_a_dead_one_leaves_it() {
    let desk = Desk::new().await;
    let project = desk.project("", "");
    keep(&desk, &[to_tell(&desk, "r1", "revops@acme.com")]);
    let (one, other) = (join(&desk), join(&desk));
    let due = one.due_notices(desk.now_ms(), 10).unwrap().remove(0);
    assert!(one.take_notice(&due, desk.now_ms() + 60_000).unwrap());
    assert!(!other.take_notice(&due, desk.now_ms() + 60_000).unwrap(), "taken");
    assert_eq!(desk.deliver(&project).await, ferry::app::notices::Delivered::default());
    // Whoever took it has died.
    desk.pass(61);
    assert_eq!(desk.deliver(&project).await.arrived, ["revops@acme.com"]);
    // And one that died in the last try is not sent for ever.
    keep(&desk, &[to_tell(&desk, "r2", "revops@acme.com")]);
    for _ in 0..6 {
        let due = one.due_notices(desk.now_ms(), 10).unwrap().remove(0);
        assert!(one.take_notice(&due, desk.now_ms()).unwrap());
    }
    let delivered = desk.deliver(&project).await;
    assert!(delivered.given_up[0].1.contains("nobody knows whether it arrived"), "{delivered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_holds_nobody_up() {
    let desk = Desk::new().await;
    let posts = Posts::of(&desk.workspace(&desk.project("", "")).await.project);
    desk.smtp.answers(&[Answer::Silence]);
    keep(&desk, &[to_tell(&desk, "r1", "revops@acme.com")]);
    let delivered = deliver_due(&desk.stage.setting, &posts, Duration::from_millis(300)).await.unwrap();
    assert_eq!(delivered, ferry::app::notices::Delivered::default());
    let one = desk.notices().remove(0);
    assert_eq!((one.state.as_str(), one.tries), ("due", 1), "it is tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_one_is_known_and_a_home_without_any_is_at_rest() {
    let desk = Desk::new().await;
    let project = desk.project("", "");
    assert_eq!(desk.deliver(&project).await, ferry::app::notices::Delivered::default(), "no home yet");
    keep(&desk, &[]);
    let state = join(&desk);
    assert_eq!(state.next_notice_ms().unwrap(), None);
    let one = to_tell(&desk, "r1", "revops@acme.com");
    keep(&desk, std::slice::from_ref(&one));
    assert_eq!(state.next_notice_ms().unwrap(), Some(one.due_ms));
    let id = desk.notices()[0].id;
    state.tried_notice(id, Tried::GivenUp("no"), "2026-11-26T02:03:00.000Z").unwrap();
    assert_eq!(state.next_notice_ms().unwrap(), None);
}
