//! What a service says is put into our messages as words: no escape sequence, no second line, no flood, no value of a row.

use ferry::dynamics::error::Error;
use ferry::gainsight::sent::Fields;
use ferry::gainsight::write::{Batch, Judged};
use ferry::http::quoted::{CHARACTERS_AT_MOST, plain, quoted};
use ferry::sandbox::Service;
use serde_json::{Value, json};

use super::listener::{Listener, accounts, reply, send};
use crate::generated::dice::Dice;
use crate::stage::{PEOPLE, lines};
use crate::terminal::Desk;

/// Texts that the random test makes.
const TEXTS: usize = 100_000;
const EVIL: &str =
    "first\r\nsecond\u{1b}[2J\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}\u{9b}1Aup\0\u{8}\u{202e}\u{85}end";
const TAMED: &str = "first  secondredup end";

#[test]
fn words_are_tamed_and_cut() {
    assert_eq!(quoted(EVIL), TAMED);
    assert_eq!(plain("\u{1b}]8;;http://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\"), "link");
    assert_eq!(plain("\u{1b}(B\u{1b}cfull \u{1b}]never ended"), "full never ended");
    assert_eq!(plain("Zoë 🙂 \"x\" C:\\a [1m"), "Zoë 🙂 \"x\" C:\\a [1m");
    let long = quoted(&"ü".repeat(CHARACTERS_AT_MOST + 1));
    assert_eq!((long.chars().count(), long.ends_with('…')), (CHARACTERS_AT_MOST + 1, true));
    assert_eq!(quoted(&"ü".repeat(CHARACTERS_AT_MOST)).chars().count(), CHARACTERS_AT_MOST);
}

#[test]
fn no_random_text_keeps_a_control_character() {
    let pieces = [
        "\u{1b}", "\u{1b}[", "\u{1b}]", "\u{9b}", "\u{7}", "\u{9c}", "\\", "\r\n", "\0", "m", "ü", "31", ";", "P",
        "🙂", " ",
    ];
    let mut dice = Dice::of(6);
    for _ in 0..TEXTS {
        let text: String = (0..dice.below(12)).map(|_| dice.pick(&pieces)).collect();
        let words = plain(&text);
        assert!(!words.chars().any(char::is_control), "{text:?} became {words:?}");
        let visible = |t: &str| t.chars().filter(|c| matches!(c, 'ü' | '🙂')).count();
        assert!(
            visible(&words) <= visible(&text)
                && (text.contains(['\u{1b}', '\u{9b}']) || visible(&words) == visible(&text))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamics_words_are_tamed() {
    let said = format!("{EVIL}{}", "x".repeat(5_000));
    let body = json!({ "error": { "code": EVIL, "message": said } }).to_string();
    let organization = Listener::organization(move |_, stream| {
        send(stream, &reply("403 Forbidden", &[("x-ms-service-request-id", "a-1")], body.as_bytes()));
    });
    let Err(error) = organization.dynamics().read(accounts()).unwrap().next().await else { panic!("it is refused") };
    let Error::Refused { message, code, .. } = &error else { panic!("{error}") };
    assert!(message.starts_with(TAMED) && message.chars().count() == CHARACTERS_AT_MOST + 1, "{message}");
    assert_eq!((code.as_str(), error.to_string().chars().any(char::is_control)), (TAMED, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_errors_that_repeats_the_request_gives_no_secret_away() {
    let organization =
        Listener::organization(|asked, stream| send(stream, &reply("403 Forbidden", &[], asked.as_bytes())));
    let said = organization.dynamics().who_am_i().await.err().unwrap().to_string();
    assert!(said.contains("Bearer (secret)") && !said.contains("a-token"), "{said}");
    let tenant = Listener::start(|asked, stream| send(stream, &reply("502 Bad", &[], asked.as_bytes())));
    let said = tenant
        .gainsight()
        .write(&Batch::InsertObject("company".to_owned()), &[(&row(), None)])
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(!said.contains("the-key") && !said.contains("Lovelace"), "{said}");
}

fn row() -> Fields {
    let row =
        json!({ "Name": "Ada Lovelace", "Mail": "ada\u{1b}[1m@lovelace.example", "Employees": 123_456, "S": "the" });
    Fields::of(row.as_object().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_call_that_is_refused_is_told_without_its_rows() {
    let said = "the row Ada Lovelace <ada\u{1b}[1m@lovelace.example> of 123456 is\r\nwrong";
    for (status, code) in [
        ("403 Forbidden", json!("X_1")),
        ("404 Not Found", json!("X_1")),
        ("400 Bad", json!(null)),
        ("500 Bad", json!("X_1")),
    ] {
        let body = json!({ "result": false, "errorCode": code, "errorDesc": said, "requestId": EVIL }).to_string();
        let tenant = Listener::start(move |_, stream| send(stream, &reply(status, &[], body.as_bytes())));
        let (one, other) = (row(), row());
        let records = [(&one, None), (&other, None)];
        let batch = Batch::InsertObject("company".to_owned());
        let said = tenant.gainsight().write(&batch, &records).await.err().unwrap().to_string();
        assert!(said.contains("the row (…) <(…)> of (…) is  wrong"), "{status}: {said}");
        assert!(!said.chars().any(char::is_control), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_has_its_value_and_tame_words() {
    let entry = json!([{ "errorCode": "E\u{1b}[1m1", "errorMessage": EVIL, "fieldName": "Name", "invalidValue": "Ada Lovelace" }]);
    let body =
        json!({ "result": false, "errorCode": "X", "errorDesc": "refused", "data": { "errors": [entry] } }).to_string();
    let tenant = Listener::start(move |_, stream| send(stream, &reply("400 Bad", &[], body.as_bytes())));
    let judged = tenant.gainsight().write(&Batch::InsertObject("company".to_owned()), &[(&row(), None)]).await.unwrap();
    let Judged::Blamed(blamed) = judged else { panic!("it was refused") };
    let (_, refusal) = &blamed[0];
    assert_eq!((refusal.message.as_str(), refusal.code.as_str()), (TAMED, "E1"));
    assert_eq!(refusal.value.as_deref(), Some("Ada Lovelace"), "the error file has it, by purpose");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_read_is_told_without_its_rows() {
    let pages = [
        "{\"value\":[\"Ada Lovelace\"]}",
        "{\"value\":\"Ada Lovelace\"}",
        "{\"value\":[{\"name\":\"Ada Lovelace, expected\"},\"Ada, expected Lovelace\"]}",
        "{\"value\":[{\"name\":{\"first\":\"Ada Lovelace\"}}]}",
        "{\"value\":[{\"name\":\"Ada Lovelace\"}",
        "{\"value\":[],\"@odata.nextLink\":[\"Ada Lovelace\"]}",
        "[\"Ada Lovelace\"]",
    ];
    for page in pages {
        let organization =
            Listener::organization(move |_, stream| send(stream, &reply("200 OK", &[], page.as_bytes())));
        let said = organization.dynamics().read(accounts()).unwrap().next().await.err().unwrap().to_string();
        assert!(
            said.contains("cannot be read") && !said.contains("Ada") && !said.contains("Lovelace"),
            "{page}: {said}"
        );
        let tenant =
            Listener::start(move |_, stream| send(stream, &reply("200 OK", &[], &page.as_bytes()[..page.len() - 1])));
        let said = tenant.gainsight().objects().await.err().unwrap().to_string();
        assert!(!said.contains("Ada") && !said.contains("Lovelace"), "{page}: {said}");
    }
}

/// Names and addresses of every contact, looked for in whatever a run says while both services fail in turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_talks_about_no_row() {
    let desk = Desk::new().await;
    let sandbox = &desk.stage.sandbox;
    let mut contact = sandbox.table("contact").remove(0);
    contact.insert("lastname".to_owned(), json!("\r\n\u{1b}[31mMallory\u{1b}[0m"));
    sandbox.put_row("contact", contact);
    let values: Vec<String> = sandbox
        .table("contact")
        .iter()
        .flat_map(|row| {
            ["fullname", "lastname", "emailaddress1", "telephone1"]
                .map(|c| row[c].as_str().unwrap_or_default().to_owned())
        })
        .filter(|value| value.chars().count() > 6)
        .collect();
    assert!(values.len() > 100);
    let talk = |faults: &[(Service, u16, usize)], verb: &[&str]| {
        for (service, status, times) in faults {
            sandbox.fail_next(*service, *status, *times, None);
        }
        let (code, out, err) = desk.ferry(verb);
        let said = format!("{out}{err}");
        for value in &values {
            assert!(!said.contains(value.as_str()), "{value} is said: {said}");
        }
        assert!(!said.contains('\u{1b}'), "{said:?}");
        (code, out)
    };
    let run = ["run", PEOPLE, "--json"];
    talk(&[(Service::Gainsight, 403, 1)], &run);
    talk(&[(Service::Dynamics, 403, 1)], &run);
    let (code, out) = talk(&[], &run);
    assert_eq!(code, 1, "{out}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let failed = report["counts"]["rejected"].as_u64().unwrap() + report["counts"]["error"].as_u64().unwrap();
    let file = lines(report["error_file"].as_str().unwrap().as_ref());
    assert_eq!(file.len() as u64, failed, "a row is a line, whatever stands in it");
    talk(&[], &["activity", "--json"]);
    let run = report["run"].as_str().unwrap();
    talk(&[], &["activity", run]);
}
