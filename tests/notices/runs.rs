//! Runs that tell: who, of what, in which words; and that a notice never stands in the way of a run.

use ferry::app::notices::{list, run_given_up};
use ferry::model::notice::{Content, Event};
use ferry::model::outcome::Status;

use super::desk::{Desk, KEY, job};
use super::smtp::Answer;
use crate::lost::desk::{counted, id};
use crate::security::listener::{Listener, reply, send};

fn content(written: &str) -> Content {
    serde_json::from_str(written).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_success_is_told_to_a_person_and_a_program() {
    let desk = Desk::new().await;
    let there = Listener::start(|_, stream| send(stream, &reply("200 OK", &[], b"{}")));
    let notify =
        format!("NOTIFY 'revops@acme.com', '{}/x' ON PARTIAL, FAILURE NOTIFY 'ceo@acme.com' ON SUCCESS", there.url());
    let project = desk.project("", &job("J", &notify));
    let (reports, result) = desk.run(&project, "J", true).await;
    result.unwrap();
    assert_eq!(counted(&reports[0].counts), "3 read, 1 error, 2 inserted");
    let addresses: Vec<String> = desk.notices().into_iter().map(|one| one.address).collect();
    assert_eq!(addresses, ["revops@acme.com".to_owned(), format!("{}/x", there.url())], "whoever asked for it");
    assert_eq!(desk.deliver(&project).await.arrived.len(), 2);
    let mail = desk.smtp.taken().remove(0).text.replace("=\r\n", "");
    for part in [
        "Subject: [Ferry] J: Partial Success",
        &format!("Run {}, started by anna", reports[0].run),
        "rows: 3 read: 1 error, 2 inserted",
        &format!("1 × REQUIRED_EMPTY, such as {}", id(3)).replace('×', "=C3=97"),
        &format!("`ferry replay {}`", reports[0].run),
        &format!("filename=\"errors-{}.csv\"", reports[0].run),
    ] {
        assert!(mail.contains(part), "{part}\n{mail}");
    }
    let body = there.heard().remove(0);
    assert!(body.contains("\"code\":\"REQUIRED_EMPTY\"") && body.contains(&id(3)), "{body}");
    // What a row holds stands in the error file, and nowhere else.
    assert!(!body.contains("canary-4711"), "{body}");
    assert!(!mail.split("Content-Disposition").next().unwrap().contains("canary-4711"), "{mail}");
    assert!(!format!("{:?}", list(&desk.stage.setting).unwrap()).contains(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_is_told_to_whoever_wants_that() {
    let desk = Desk::new().await;
    let job = job("J", "NOTIFY 'a@acme.com' ON SUCCESS NOTIFY 'b@acme.com' ON PARTIAL, FAILURE")
        .replace("IS NOT NULL", "IS NULL");
    let project = desk.project("", &job);
    desk.run(&project, "J", true).await.1.unwrap();
    let told = desk.notices();
    assert_eq!((told.len(), told[0].address.as_str(), told[0].event.as_str()), (1, "a@acme.com", "job \"J\" success"));
    desk.run(&project, "J", true).await.1.unwrap();
    assert_eq!(desk.notices().len(), 2, "each run");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_file_goes_along_up_to_a_size() {
    for (setting, is_attached) in [("", true), (", notice_attach = '0'", false), (", notice_attach = '10'", false)] {
        let desk = Desk::new().await;
        let project = desk.project(setting, &job("J", "NOTIFY 'a@acme.com' ON PARTIAL"));
        let (reports, _) = desk.run(&project, "J", true).await;
        assert_eq!(desk.deliver(&project).await.arrived.len(), 1);
        let mail = desk.smtp.taken().remove(0).text.replace("=\r\n", "");
        assert_eq!(mail.contains("filename="), is_attached, "{setting}");
        let file = reports[0].error_file.as_ref().unwrap();
        assert!(mail.contains(file.to_str().unwrap()), "it is named all the same: {setting}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_with_its_words_and_a_notice_that_fails_changes_nothing() {
    let desk = Desk::new().await;
    let project =
        desk.project("", &job("J", "ON FAILURE STOP NOTIFY 'a@acme.com' ON FAILURE").replace("ON FAILURE STOP ", ""));
    desk.stage
        .sandbox
        .strike_by(r#"{"service": "gainsight", "path": "/v1/data/objects/company", "status": 403}"#)
        .unwrap();
    let (reports, result) = desk.run(&project, "J", true).await;
    let error = result.unwrap_err();
    let status = reports[0].status;
    desk.smtp.answers(&[Answer::Refuse("550 no")]);
    assert_eq!(desk.deliver(&project).await.given_up.len(), 1);
    let told = content(&desk.notices()[0].content);
    assert_eq!((told.event, told.message.as_deref()), (Event::Failure, Some(error.to_string().as_str())));
    assert!(told.next.iter().any(|next| next.contains(&reports[0].run)), "{told:?}");
    let kept = desk.state().run(&reports[0].run).unwrap().expect("the run").0;
    assert_eq!(kept.status, status.word(), "the run is what it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_somebody_tells_what_to_type() {
    let desk = Desk::new().await;
    let many: Vec<String> = (10..160).map(|n| super::desk::account(n, Some("B"))).collect();
    for row in many {
        assert!(desk.stage.sandbox.put_row("account", serde_json::from_str(&row).unwrap()));
    }
    let job = job("J", "NOTIFY 'a@acme.com' ON FAILURE");
    let project = desk.project("", &job);
    desk.run(&project, "J", false).await.1.unwrap();
    // Another mapping would change every company.
    let other = project.replace("a.name AS \"Name\"", "UPPER(a.name || 'x') AS \"Name\"");
    let (reports, result) = desk.run(&other, "J", false).await;
    assert!(result.is_err() && reports[0].status == Status::WaitingApproval, "{:?}", reports[0]);
    let told = desk.notices();
    assert_eq!((told.len(), told[0].event.as_str()), (1, "job \"J\" waiting_approval"));
    let command = format!("`ferry approve {}`", reports[0].run);
    assert!(content(&told[0].content).next.iter().any(|next| next.contains(&command)), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_by_itself_is_told_only_where_nobody_goes_on() {
    for is_attended in [true, false] {
        let desk = Desk::new().await;
        let project = desk.project("", &job("J", "NOTIFY 'a@acme.com' ON FAILURE"));
        desk.run(&project, "J", is_attended).await.1.unwrap();
        let more: serde_json::Map<_, _> = serde_json::from_str(&super::desk::account(9, Some("B"))).unwrap();
        assert!(desk.stage.sandbox.put_row("account", more));
        let rule = r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "status": 503}"#;
        desk.stage.sandbox.strike_by(rule).unwrap();
        let (reports, result) = desk.run(&project, "J", is_attended).await;
        assert!(result.is_err(), "{reports:?}");
        let status = if is_attended { Status::Failed } else { Status::WaitingRetry };
        assert_eq!((reports[0].status, desk.notices().len()), (status, usize::from(is_attended)));
        // The daemon that gives up tells of it then.
        let state =
            ferry::store::state::State::open(&ferry::store::home::state_path(&desk.stage.setting.home)).unwrap();
        state.fail_waiting(&reports[0].run, None).unwrap();
        let workspace = desk.workspace(&project).await;
        run_given_up(&state, &workspace.project, &desk.stage.setting, &reports[0].run).unwrap();
        run_given_up(&state, &workspace.project, &desk.stage.setting, &reports[0].run).unwrap();
        let failed = desk.notices().into_iter().filter(|one| one.event == "job \"J\" failed").count();
        assert_eq!(failed, 1, "{is_attended}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_tells_as_a_whole_and_its_jobs_by_themselves() {
    let desk = Desk::new().await;
    let jobs = job("One", "NOTIFY 'one@acme.com' ON PARTIAL") + &job("Two", "");
    let chain =
        "CREATE CHAIN \"All\" NOTIFY 'one@acme.com', 'all@acme.com' ON PARTIAL AS RUN \"One\" THEN RUN \"Two\";";
    let project = desk.project("", &(jobs + chain));
    let (reports, result) = desk.run(&project, "All", true).await;
    result.unwrap();
    let told: Vec<(String, String)> = desk.notices().into_iter().map(|one| (one.address, one.event)).collect();
    let of = |address: &str, event: &str| (address.to_owned(), event.to_owned());
    assert_eq!(
        told,
        [
            of("one@acme.com", "job \"One\" partial"),
            of("one@acme.com", "chain \"All\" partial"),
            of("all@acme.com", "chain \"All\" partial")
        ]
    );
    let whole = content(&desk.notices()[2].content);
    assert_eq!((whole.chain.as_deref(), whole.job, whole.runs.len()), (Some("All"), None, 2));
    assert_eq!((whole.counts.read, whole.run.as_str()), (6, reports[1].run.as_str()));
    assert_eq!(desk.deliver(&project).await.arrived.len(), 3);
}
