//! Redirects are not followed, and links only at home: a recording host hears nothing.

use std::time::Duration;

use ferry::gainsight::sent::Fields;
use ferry::gainsight::write::Batch;
use ferry::http::client::Client;
use ferry::http::terms::Terms;
use ferry::model::clock::Clock;
use serde_json::json;

use super::listener::{Listener, accounts, reply, send};
use crate::generated::dice::Dice;

/// Links that the random test makes.
const LINKS: usize = 100_000;
const STATUSES: [&str; 5] = ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"];

fn leading_to(recorder: &Listener, status: &str) -> Vec<u8> {
    reply(status, &[("location", &format!("{}/stolen", recorder.url()))], b"")
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamics_is_not_followed_to_another_host() {
    for status in STATUSES {
        let recorder = Listener::recorder();
        let answer = leading_to(&recorder, status);
        let organization = Listener::organization(move |_, stream| send(stream, &answer));
        let dynamics = organization.dynamics();
        let said = dynamics.who_am_i().await.err().unwrap().to_string();
        assert!(said.contains("redirect") && said.contains(&recorder.url()), "{status}: {said}");
        assert!(dynamics.probe("account").await.is_err());
        assert_eq!(recorder.heard(), [""; 0], "{status}");
        assert!(organization.heard().iter().all(|asked| !asked.contains("/stolen")), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_secret_is_not_carried_along() {
    for status in STATUSES {
        let recorder = Listener::recorder();
        let answer = leading_to(&recorder, status);
        let organization = Listener::start(move |asked, stream| {
            let host = asked.lines().find_map(|l| l.strip_prefix("host: ")).unwrap();
            let challenge = format!("Bearer authorization_uri=http://{host}/tenant/oauth2/authorize");
            let challenge = reply("401 Unauthorized", &[("www-authenticate", &challenge)], b"");
            send(stream, if asked.starts_with("POST") { &answer } else { &challenge });
        });
        assert!(organization.dynamics().who_am_i().await.is_err(), "{status}");
        assert!(organization.heard().iter().any(|asked| asked.contains("the-secret")), "the test asks for a token");
        assert_eq!(recorder.heard(), [""; 0], "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gainsight_is_not_followed_to_another_host() {
    for status in STATUSES {
        let recorder = Listener::recorder();
        let answer = leading_to(&recorder, status);
        let tenant = Listener::start(move |_, stream| send(stream, &answer));
        let gainsight = tenant.gainsight();
        let said = gainsight.objects().await.err().unwrap().to_string();
        assert!(said.contains("redirect"), "{status}: {said}");
        let record = json!({ "Gsid": "1", "Name": "a row" });
        let fields = Fields::of(record.as_object().unwrap());
        let records = [(&fields, None)];
        for batch in [Batch::InsertObject("company".to_owned()), Batch::UpdateObject("company".to_owned())] {
            let said = gainsight.write(&batch, &records).await.err().unwrap().to_string();
            assert!(said.contains("redirect") && !said.contains("may have been carried out"), "{status}: {said}");
        }
        assert!(tenant.heard().iter().any(|asked| asked.contains("accesskey: the-key")), "the key goes to its tenant");
        assert_eq!(recorder.heard(), [""; 0], "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_link_that_leads_away_ends_the_read() {
    let recorder = Listener::recorder();
    let (away, port) = (recorder.url(), recorder.port());
    let links = [
        format!("{away}/api/data/v9.2/accounts"),
        format!("//127.0.0.1:{port}/api/data/v9.2/accounts"),
        format!("\\\\127.0.0.1:{port}\\api\\data\\v9.2\\accounts"),
        format!("/\\127.0.0.1:{port}/api/data/v9.2/accounts"),
        format!("HTTP://127.0.0.1:{port}/api/data/v9.2/accounts"),
        format!("http://LOCALHOST:{port}/api/data/v9.2/accounts"),
        format!("http:127.0.0.1:{port}/api/data/v9.2/accounts"),
        format!("http://127.1:{port}/api/data/v9.2/accounts"),
        format!("http://[::1]:{port}/api/data/v9.2/accounts"),
        format!("http://127.0.0.1:OWN@127.0.0.1:{port}/api/data/v9.2/accounts"),
        format!("http://127.0.0.1:OWN\\@127.0.0.1:{port}/api/data/v9.2/accounts"),
        "http://someone@127.0.0.1:OWN/api/data/v9.2/accounts".to_owned(),
        "http://some:one@127.0.0.1:OWN/api/data/v9.2/accounts".to_owned(),
        "https://127.0.0.1:OWN/api/data/v9.2/accounts".to_owned(),
        "http://①②⑦.⓪.⓪.①/api/data/v9.2/accounts".to_owned(),
        "http://bücher.example/api/data/v9.2/accounts".to_owned(),
        "http://127.0.0.1:OWN/elsewhere".to_owned(),
        "/elsewhere".to_owned(),
        "../../../elsewhere".to_owned(),
        "/api/data/../elsewhere".to_owned(),
        "/api/data/v9.2/..\\..\\..\\elsewhere".to_owned(),
        "/api/data/%2e%2e/%2E%2e/elsewhere".to_owned(),
        "/api/data/..%2f..%2felsewhere".to_owned(),
        "/api/data/..%5celsewhere".to_owned(),
        "/api/database/accounts".to_owned(),
        "file:///etc/passwd".to_owned(),
        "javascript:alert(1)".to_owned(),
    ];
    for link in links {
        let sent = link.clone();
        let organization = Listener::organization(move |asked, stream| {
            let host = asked.lines().find_map(|l| l.strip_prefix("host: ")).unwrap();
            let link = sent.replace("127.0.0.1:OWN", host);
            let page = json!({ "value": [{ "accountid": "a" }], "@odata.nextLink": link });
            send(stream, &reply("200 OK", &[], page.to_string().as_bytes()));
        });
        let dynamics = organization.dynamics();
        let said = dynamics.read(accounts()).unwrap().next().await.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(said.contains("a link leads from") || said.contains("is not a URL"), "{link}: {said}");
        assert_eq!(organization.heard().len(), 3, "{link}: a challenge, a token, one page");
        assert_eq!(recorder.heard(), [""; 0], "{link}");
    }
}

#[test]
fn whatever_link_is_accepted_leads_home() {
    let client = Client::new("http://127.0.0.1:8080", &Terms::new(Duration::from_secs(1), Clock::system(1.0))).unwrap();
    let page = client.url("/api/data/v9.2/accounts?$select=name").unwrap();
    let mut dice = Dice::of(4);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..LINKS {
        let link = link(&mut dice);
        let Ok(url) = client.own_link(&link, &page, "/api/data/") else {
            refused += 1;
            continue;
        };
        accepted += 1;
        // Naively: what is sent begins with these letters, and no server can read a way up out of the rest.
        let rest = url.as_str().strip_prefix("http://127.0.0.1:8080/api/data/");
        let rest = rest.unwrap_or_else(|| panic!("{link:?} became {url}"));
        let path = rest.split(['?', '#']).next().unwrap().to_lowercase();
        let path = path.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").replace('\\', "/");
        assert!(path.split('/').all(|segment| segment != ".."), "{link:?} became {url}");
    }
    assert!(accepted > 1_000 && refused > 50_000, "{accepted} accepted, {refused} refused");
}

/// A link of pieces that belong together more or less, with a letter changed now and then.
fn link(dice: &mut Dice) -> String {
    let schemes = ["http:", "http:", "HTTP:", "https:", "", "", "file:", "ws:"];
    let slashes = ["//", "//", "//", "/", "\\\\", "/\\", "///", ""];
    let users = ["", "", "", "", "me@", "a:b@", "@", "127.0.0.1:8080@", "127.0.0.1%40", "127.0.0.1:8080\\@"];
    let hosts = [
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "LOCALHOST",
        "[::1]",
        "127.0.0.1.",
        "127.0.0.1.evil.example",
        "evil.example",
        "ｅvil.example",
        "xn--bcher-kva.example",
        "①27.0.0.1",
        "",
    ];
    let ports = [":8080", ":8080", ":8080", ":08080", "", ":80", ":8081", ":8080:80"];
    let roots =
        ["/api/data/", "/api/data/", "/api/data/", "/api/data", "/API/data/", "\\api\\data\\", "/api//data/", "/"];
    let parts = [
        "v9.2",
        "accounts",
        "..",
        ".",
        "%2e%2e",
        "..%2f",
        "%5c..",
        "%2F..",
        "..\\..",
        "a@evil.example",
        "%00",
        "",
        ";",
        "%252e",
    ];
    let ends = ["", "?$skiptoken=%3Ccookie%3E", "?to=//evil.example", "#//evil.example", "?a=..\\..", "\t\n", " "];
    let mut link = String::new();
    if dice.maybe(70) {
        for piece in [dice.pick(&schemes), dice.pick(&slashes), dice.pick(&users), dice.pick(&hosts), dice.pick(&ports)]
        {
            link.push_str(piece);
        }
    }
    link.push_str(dice.pick(&roots));
    let count = dice.below(5);
    let path: Vec<&str> = (0..count).map(|_| dice.pick(&parts)).collect();
    link.push_str(&path.join(dice.pick(&["/", "/", "\\", "//"])));
    link.push_str(dice.pick(&ends));
    if dice.maybe(20) && !link.is_empty() {
        let at = dice.below(link.chars().count());
        let odd = ['\0', '\t', '\n', '/', '\\', '@', ':', '.', '%', '\u{202e}', '\u{3002}', '\u{ff0f}', 'é'];
        link = link.chars().enumerate().map(|(i, c)| if i == at { dice.pick(&odd) } else { c }).collect();
    }
    link
}
