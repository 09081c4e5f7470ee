//! A mail on its way: what it says, how it is encrypted, and what a server may say to it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ferry::model::connection::Mail;
use ferry::notice::error::Error;
use ferry::notice::letter;
use ferry::notice::mail::{Security, Server};

use super::desk::{content, parcel, sender, signed_in};
use super::smtp::{Answer, Manner, Smtp};

fn wrapped() -> Manner {
    Manner { is_wrapped: true, sign_in: Some(("ferry", "the-password")), ..Manner::default() }
}

fn upgraded() -> Manner {
    Manner { offers_tls: true, sign_in: Some(("ferry", "the-password")), ..Manner::default() }
}

#[tokio::test]
async fn a_mail_arrives_encrypted_with_everything_in_it() {
    for (manner, security) in [(wrapped(), Security::Tls), (upgraded(), Security::StartTls)] {
        let smtp = Smtp::start(manner).await;
        let sender = signed_in(sender(&smtp, security, true), "ferry", "the-password");
        let content = content();
        let said = sender.send("revops@acme.com", &parcel(&content)).await.unwrap();
        assert!(said.contains("queued as 42"), "{said}");
        let mail = smtp.taken().remove(0);
        assert_eq!((mail.from.as_str(), mail.to.as_str()), ("ferry@acme.com", "revops@acme.com"));
        assert_eq!((mail.user.as_deref(), mail.was_encrypted), (Some("ferry"), true), "{security:?}");
        for part in [
            "From: Ferry <ferry@acme.com>\r\n",
            "Subject: [Ferry] Company Sync_Dynamics Connection: Partial Success\r\n",
            "Message-ID: <20261126-0003.17.ferry@acme.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "3 read: 1 error, 2 inserted",
            "REQUIRED_EMPTY, such as 00000000-0000-0000-0000-000000000003",
            "What to do next:",
            "errors.csv (attached)",
            "filename=\"errors-20261126-0003.csv\"",
        ] {
            assert!(mail.text.replace("=\r\n", "").contains(part), "{part}\n{}", mail.text);
        }
        let file = STANDARD.encode(&parcel(&content).attached[0].bytes);
        assert!(mail.text.replace("\r\n", "").contains(&file), "{}", mail.text);
        assert!(!mail.text.replace("\r\n", "").contains(['\r', '\n']), "each line ends as RFC 5321 has it");
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_nobody_vouches_for() {
    for (manner, security) in [(wrapped(), Security::Tls), (upgraded(), Security::StartTls)] {
        let smtp = Smtp::start(manner).await;
        let sender = signed_in(sender(&smtp, security, false), "ferry", "the-password");
        let error = sender.send("revops@acme.com", &parcel(&content())).await.unwrap_err();
        assert!(matches!(error, Error::Untrusted { .. }) && !error.is_final(), "{error:?}");
        assert!(error.to_string().contains("FERRY_CA_FILE"), "{error}");
        assert_eq!(smtp.taken(), []);
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let smtp = Smtp::start(wrapped()).await;
    let mut sender = sender(&smtp, Security::Tls, true);
    sender.server.host = "127.0.0.2".to_owned();
    let error = sender.send("revops@acme.com", &parcel(&content())).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. } | Error::Broken { .. }), "{error:?}");
    assert_eq!(smtp.taken(), []);
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_hears_no_password() {
    let smtp = Smtp::start(Manner { sign_in: Some(("ferry", "the-password")), ..Manner::default() }).await;
    let sender = signed_in(sender(&smtp, Security::StartTls, true), "ferry", "the-password");
    let error = sender.send("revops@acme.com", &parcel(&content())).await.unwrap_err();
    assert!(matches!(error, Error::NotEncrypted(_)) && !error.is_final(), "{error:?}");
    assert_eq!(smtp.taken(), []);
}

#[tokio::test]
async fn a_wrong_password_is_tried_again_and_never_told() {
    let smtp = Smtp::start(wrapped()).await;
    let sender = signed_in(sender(&smtp, Security::Tls, true), "ferry", "another-password");
    let error = sender.send("revops@acme.com", &parcel(&content())).await.unwrap_err();
    assert!(matches!(error, Error::NotTaken { .. }) && !error.is_final(), "{error:?}");
    assert!(error.to_string().contains("not you") && !error.to_string().contains("another-password"), "{error}");
}

#[tokio::test]
async fn what_a_server_says_decides_whether_it_is_tried_again() {
    let smtp = Smtp::start(Manner::default()).await;
    let sender = sender(&smtp, Security::None, true);
    let cases = [
        (Answer::Refuse("550 5.1.1 no such user here"), true, "no such user here"),
        (Answer::Refuse("553 5.1.3 that is no address"), true, "no address"),
        (Answer::Refuse("451 4.7.1 come back later"), false, "come back later"),
        (Answer::Refuse("421 closing"), false, "closing"),
        (Answer::Break, false, ""),
    ];
    for (answer, is_final, words) in cases {
        smtp.answers(std::slice::from_ref(&answer));
        let error = sender.send("revops@acme.com", &parcel(&content())).await.unwrap_err();
        assert!(error.is_final() == is_final && error.to_string().contains(words), "{answer:?}: {error:?}");
    }
    assert_eq!(smtp.taken(), []);
    assert!(sender.send("revops@acme.com", &parcel(&content())).await.is_ok());
    let mut nobody = super::desk::sender(&smtp, Security::None, true);
    nobody.server.port = 1;
    let error = nobody.send("revops@acme.com", &parcel(&content())).await.unwrap_err();
    assert!(matches!(error, Error::Broken { .. }) && !error.is_final(), "{error:?}");
}

#[tokio::test]
async fn no_name_and_no_message_breaks_a_header() {
    let smtp = Smtp::start(Manner::default()).await;
    let sender = sender(&smtp, Security::None, true);
    let mut content = content();
    content.job = Some("Kunden\r\nBcc: all@acme.com\r\n\r\nÄ\u{1b}[31m".to_owned());
    content.message = Some("line one\r\n.\r\nMAIL FROM:<evil@acme.com>".to_owned());
    content.runs[0].reasons[0].message = "=1+1\r\nX-Evil: 1".to_owned();
    sender.send("revops@acme.com", &parcel(&content)).await.unwrap();
    let mail = smtp.taken();
    assert_eq!(mail.len(), 1, "{mail:?}");
    let (head, body) = mail[0].text.split_once("\r\n\r\n").unwrap();
    assert!(!head.lines().any(|line| line.starts_with("Bcc") || line.starts_with("X-Evil")), "{head}");
    assert!(!body.lines().any(|line| line.starts_with("Bcc:") || line.starts_with("X-Evil")), "{body}");
    assert!(!mail[0].text.contains('\u{1b}'));
    for address in ["a@acme.com\r\nRCPT TO:<evil@acme.com>", "a@acme.com> BODY=8BITMIME", "", "nobody"] {
        let error = sender.send(address, &parcel(&content)).await.unwrap_err();
        assert!(matches!(error, Error::Address(_)) && error.is_final(), "{error:?}");
    }
    assert_eq!(smtp.taken().len(), 1);
}

#[test]
fn a_url_says_how_its_server_is_talked_to() {
    let of = |url: &str| {
        let (name, sender) = ("mail".to_owned(), "ferry@acme.com".to_owned());
        let server = Server::of(&Mail { name, url: url.to_owned(), sender, user: None, password: None }).unwrap();
        (server.host, server.port, server.security)
    };
    let acme = "mail.acme.com".to_owned();
    assert_eq!(of("smtps://mail.acme.com"), (acme.clone(), 465, Security::Tls));
    assert_eq!(of("smtp://mail.acme.com"), (acme.clone(), 587, Security::StartTls));
    assert_eq!(of("smtp://mail.acme.com:2525"), (acme, 2525, Security::StartTls));
    assert_eq!(of("smtp://10.0.0.1:25"), ("10.0.0.1".to_owned(), 25, Security::StartTls));
    assert_eq!(of("smtp://127.0.0.1:1025"), ("127.0.0.1".to_owned(), 1025, Security::None));
    assert_eq!(of("smtp://localhost:1025"), ("localhost".to_owned(), 1025, Security::None));
    assert_eq!(of("smtp://[::1]:1025"), ("::1".to_owned(), 1025, Security::None));
    assert_eq!(of("smtps://127.0.0.1"), ("127.0.0.1".to_owned(), 465, Security::Tls));
    assert_eq!(of("smtp://127.0.0.1.evil.example").2, Security::StartTls);
}

#[test]
fn a_chain_is_told_of_run_by_run() {
    let mut content = content();
    content.chain = Some("All".to_owned());
    content.job = None;
    let mut failed = content.runs[0].clone();
    (failed.run, failed.status, failed.reasons) = ("20261126-0004".to_owned(), "failed".to_owned(), Vec::new());
    (failed.message, failed.error_file) = (Some("the service was away".to_owned()), None);
    content.message.clone_from(&failed.message);
    content.status = "failed".to_owned();
    content.runs.push(failed);
    let text = letter::text(&content, &[]);
    assert_eq!(letter::subject(&content), "[Ferry] All: Failed");
    assert!(text.contains("· run 20261126-0003 · Partial Success") && text.contains("· run 20261126-0004 · Failed"));
    assert_eq!(text.matches("the service was away").count(), 1, "{text}");
    assert!(text.contains("error file: /home/ferry/runs/20261126-0003/errors.csv\n"), "{text}");
}
