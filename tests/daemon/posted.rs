//! Notices of a daemon's runs: delivered beside everything else, and told of what it gives up.

use chrono::TimeDelta;
use ferry::daemon::told::Told;
use ferry::sandbox::{Options as World, start};

use super::watched::{Daemon, Desk};
use crate::notices::smtp::{Answer, Manner, Smtp};
use crate::stage::{SCALE, Stage, faults_file};

/// A chain that tells, and the mail server that it tells by.
fn project(smtp: &Smtp) -> String {
    format!(
        "CREATE CONNECTION mail TO SMTP URL 'smtp://127.0.0.1:{}' FROM 'ferry@acme.com';\nCREATE CHAIN \"Daily\" SCHEDULE EVERY DAY AT \
         '02:00' NOTIFY 'a@acme.com' ON SUCCESS, PARTIAL, FAILURE AS RUN \"Company Sync_Dynamics Connection\";",
        smtp.port
    )
}

async fn desk(smtp: &Smtp, rules: &str) -> Desk {
    let file = faults_file(rules);
    let world = World { rows: 20, limits_scale: SCALE, faults: Some(file.path().to_owned()), ..World::default() };
    Desk::new(Stage::on(start(world).await.expect("it starts")), &project(smtp))
}

async fn comes(desk: &Desk, daemon: &mut Daemon) {
    let at = desk.next_of("Daily").await;
    desk.set_clock(at - TimeDelta::seconds(2));
    daemon.turns().await;
    desk.set_clock(at);
}

fn subjects(smtp: &Smtp) -> Vec<String> {
    let subject =
        |text: &str| text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default().to_owned();
    smtp.taken().iter().map(|mail| subject(&mail.text)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_ran_by_itself_is_told_of_and_again_where_nobody_took_it() {
    let smtp = Smtp::start(Manner::default()).await;
    smtp.answers(&[Answer::Refuse("451 4.7.1 come back later")]);
    let desk = desk(&smtp, "").await;
    desk.with(Desk::options(), async |daemon| {
        comes(&desk, daemon).await;
        daemon.ended().await;
        daemon.turns().await;
        desk.set_clock(desk.now() + TimeDelta::seconds(6));
        let is_told =
            |told: &Told| matches!(told, Told::Notice(words) if words.contains("come back later")).then_some(());
        daemon.hears(is_told).await;
        daemon.turns().await;
        assert_eq!(subjects(&smtp), [""; 0], "not before its time");
        desk.set_clock(desk.now() + TimeDelta::seconds(61));
        daemon.turns_until(|| !smtp.taken().is_empty()).await;
    })
    .await;
    assert_eq!(subjects(&smtp), ["[Ferry] Daily: Partial Success"]);
    assert_eq!(desk.state().notices(10).unwrap()[0].state, "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_again_by_itself_is_told_of_when_it_is_given_up() {
    let smtp = Smtp::start(Manner::default()).await;
    let text = r#""status": 200, "text": "<html>Signed out</html>""#;
    let path = "/v1/data/objects/query/company";
    let rule = format!(r#"{{"service": "gainsight", "path": "{path}", "nth": [1], "in_a_row": 9999, {text}}}"#);
    let desk = desk(&smtp, &rule).await;
    desk.with(Desk::options(), async |daemon| {
        comes(&desk, daemon).await;
        for _ in 0..2 {
            let at = daemon.hears(|told| if let Told::Retried { at, .. } = told { Some(*at) } else { None }).await;
            assert_eq!(subjects(&smtp), [""; 0]);
            desk.set_clock(at);
        }
        daemon.hears(|told| matches!(told, Told::GivenUp { .. }).then_some(())).await;
        desk.set_clock(desk.now() + TimeDelta::seconds(6));
        daemon.turns_until(|| !smtp.taken().is_empty()).await;
    })
    .await;
    assert_eq!(subjects(&smtp), ["[Ferry] Daily: Failed"]);
}
