//! Planted secrets: after everything that a user can do, and everything that can go wrong, no byte of them is anywhere.
//!
//! There is no verbose level and no log to turn on; `RUST_LOG` and `RUST_BACKTRACE` are set, and must change nothing.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ferry::dynamics::client::Credentials;
use ferry::http::client::{Answer, Request};
use ferry::model::secret::Secret;
use ferry::sandbox::Service;
use ferry::store::secrets::Secrets;

use crate::stage::{CHAIN, COMPANIES, PEOPLE, USERS};
use crate::terminal::Desk;

/// Does not compile if the type has the trait: `it` is then found twice. With `String` in place of `Secret` it does not.
macro_rules! has_not {
    ($type:ty: $($trait:path),+) => {
        $(const _: fn() = || {
            struct Has;
            trait Found<A> {
                fn it() {}
            }
            impl<T: ?Sized> Found<()> for T {}
            impl<T: ?Sized + $trait> Found<Has> for T {}
            let _ = <$type as Found<_>>::it;
        };)+
    };
}

has_not!(Secret: std::fmt::Debug, std::fmt::Display, serde::Serialize, Clone, PartialEq, AsRef<str>, ToString);
has_not!(Credentials: std::fmt::Debug, std::fmt::Display, serde::Serialize);
has_not!(Request: std::fmt::Debug, serde::Serialize);
has_not!(Answer: std::fmt::Debug, serde::Serialize);

/// A value that looks different in every form.
const ODD: &str = "pl\"ant\\ed+sécret/é &=%<never>";

/// The forms in which a value could stand somewhere, as bytes.
fn forms(value: &str) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![("raw".to_owned(), value.as_bytes().to_vec())];
    let json = serde_json::to_string(value).unwrap();
    forms.push(("JSON".to_owned(), json.as_bytes()[1..json.len() - 1].to_vec()));
    let ascii: String = json[1..json.len() - 1]
        .chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
        .collect();
    forms.push(("JSON in ASCII".to_owned(), ascii.into_bytes()));
    forms.push((
        "URL".to_owned(),
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().into_bytes(),
    ));
    let percent: String = value
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b == b'-' { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    forms.push(("percent".to_owned(), percent.into_bytes()));
    let hex: String = value.bytes().map(|b| format!("{b:02x}")).collect();
    forms.push(("hex".to_owned(), hex.to_uppercase().into_bytes()));
    forms.push(("hex".to_owned(), hex.into_bytes()));
    let debug = format!("{value:?}");
    forms.push(("Debug".to_owned(), debug.as_bytes()[1..debug.len() - 1].to_vec()));
    // Within a longer text a value begins at one of three places of a group; the letters at its ends depend on the rest.
    for before in 0..3 {
        let bytes = [&vec![b'x'; before][..], value.as_bytes()].concat();
        let whole = bytes.len() / 3 * 3;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&bytes[..whole]);
            forms.push(("base64".to_owned(), text.as_bytes()[if before == 0 { 0 } else { 4 }..].to_vec()));
        }
    }
    forms
}

pub fn found(bytes: &[u8], value: &str) -> Option<String> {
    forms(value).into_iter().find(|(_, form)| bytes.windows(form.len()).any(|w| w == form)).map(|(name, _)| name)
}

/// Every file below a folder, with its path in front of its bytes.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let bytes = [path.to_str().unwrap().as_bytes(), b"\n", &std::fs::read(&path).unwrap()].concat();
            all.push((path, bytes));
        }
    }
    all
}

#[test]
fn the_search_finds_what_is_there() {
    for value in [ODD, "Y3pD0a-plain-one", "0f6e2c9a-4d1b-4b7e-9c58-2f1f7c1f0a11"] {
        for (name, form) in forms(value) {
            let around = [b"something ", &form[..], b" else"].concat();
            assert!(found(&around, value).is_some(), "{name} of {value}");
        }
        for before in ["", "a", "ab"] {
            let text = STANDARD_NO_PAD.encode(format!("{before}{value}{before}"));
            assert_eq!(found(text.as_bytes(), value).as_deref(), Some("base64"), "{text}");
        }
        assert_eq!(found(b"nothing of the kind", value), None);
    }
}

/// What was said, verb by verb.
#[derive(Default)]
struct Said(Vec<(String, Vec<u8>)>);

impl Said {
    fn ferry(&mut self, desk: &Desk, faults: &[(Service, u16)], verb: &[&str]) -> i32 {
        for (service, status) in faults {
            desk.stage.sandbox.fail_next(*service, *status, 1, Some(0));
        }
        let (code, out, err) = desk.ferry(verb);
        self.0.push((verb.join(" "), format!("{out}\n{err}").into_bytes()));
        code
    }
}

/// Leaves the two secrets out of the environment.
fn from_the_file(desk: &mut Desk, key_file: &Path) {
    let credentials = desk.stage.sandbox.credentials().clone();
    desk.forget_secrets();
    desk.set("FERRY_SECRET_DYNAMICS_TENANT_ID", &credentials.tenant_id);
    desk.set("FERRY_SECRET_DYNAMICS_CLIENT_ID", &credentials.client_id);
    desk.set("FERRY_SECRETS_KEY_FILE", key_file.to_str().unwrap());
    desk.set("RUST_LOG", "trace");
    desk.set("RUST_BACKTRACE", "full");
}

/// Everything that a user does, and what can go wrong with it.
fn everything(desk: &mut Desk, said: &mut Said, key: &str, secret: &str, key_file: &Path) {
    for name in ["FERRY_SECRET_DYNAMICS_CLIENT_SECRET", "FERRY_SECRET_GAINSIGHT_ACCESS_KEY"] {
        let right = if name.contains("CLIENT") { secret } else { key };
        for wrong in [ODD, &format!("{ODD}\n"), &ODD.replace('é', "e"), &right[1..]] {
            desk.set(name, wrong);
            assert_ne!(said.ferry(desk, &[], &["run", USERS]), 0, "{name}");
            said.ferry(desk, &[], &["connection", "test", "dynamics", "--json"]);
            said.ferry(desk, &[], &["connection", "test", "gainsight"]);
        }
        desk.set(name, right);
    }
    // From here on they come from the encrypted file.
    from_the_file(desk, key_file);
    let (dynamics, gainsight) = (Service::Dynamics, Service::Gainsight);
    for (faults, verb) in [
        (&[][..], &["check", "--json"][..]),
        (&[], &["refresh"]),
        (&[], &["describe", "account"]),
        (&[], &["explain", COMPANIES]),
        (&[], &["preview", USERS, "--json"]),
        (&[], &["plan", USERS, "--sample", "5"]),
        (&[(Service::Entra, 400)], &["run", USERS]),
        (&[(Service::Entra, 503)], &["run", USERS]),
        (&[(dynamics, 401), (dynamics, 401)], &["run", USERS]),
        (&[(dynamics, 403)], &["run", USERS, "--json"]),
        (&[(dynamics, 429), (dynamics, 503)], &["run", USERS]),
        (&[(gainsight, 401)], &["run", USERS]),
        (&[(gainsight, 403)], &["run", COMPANIES, "--json"]),
        (&[(gainsight, 429), (gainsight, 503)], &["run", COMPANIES]),
        (&[(gainsight, 413)], &["connection", "test", "gainsight"]),
        (&[], &["run", CHAIN, "--json"]),
        (&[], &["run", PEOPLE]),
        (&[], &["connection", "authorize", "dynamics"]),
        (&[], &["connection", "list", "--json"]),
        (&[], &["company", "{1}"]),
        (&[], &["activity", "--json"]),
        (&[], &["secret", "list"]),
        (&[], &["test"]),
        (&[], &["--help"]),
    ] {
        said.ferry(desk, faults, verb);
    }
    desk.stage.sandbox.revoke_access_key();
    assert_eq!(said.ferry(desk, &[], &["run", USERS]), 3);
    desk.stage.sandbox.revoke_client_secret();
    assert_eq!(said.ferry(desk, &[], &["run", USERS]), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_said_or_kept() {
    let mut desk = Desk::new().await;
    let keys = tempfile::tempdir().unwrap();
    let (secret, access_key) = {
        let credentials = desk.stage.sandbox.credentials();
        (credentials.client_secret.clone(), credentials.access_key.clone())
    };
    // This file holds them on purpose, for a shell to read.
    std::fs::remove_file(desk.project().join("secrets.env")).unwrap();
    let key_file = keys.path().join("key");
    Secrets::make_key(&key_file).unwrap();
    let mut kept = Secrets::open(&desk.home(), &key_file).unwrap();
    for (name, value) in [("dynamics/client_secret", &secret), ("gainsight/access_key", &access_key)] {
        kept.set(name, &Secret::new(value.clone())).unwrap();
    }
    let mut said = Said::default();
    everything(&mut desk, &mut said, &access_key, &secret, &key_file);
    let reports = files(&desk.home()).iter().filter(|(path, _)| path.ends_with("errors.csv")).count();
    assert!(reports > 0 && said.0.len() > 40, "{reports} error files, {} verbs", said.0.len());
    for value in [secret.as_str(), access_key.as_str(), ODD] {
        for (verb, text) in &said.0 {
            assert_eq!(found(text, value), None, "`ferry {verb}` says {value}: {}", String::from_utf8_lossy(text));
        }
        for (path, bytes) in files(&desk.home()).iter().chain(&files(&desk.project())) {
            assert_eq!(found(bytes, value), None, "{value} stands in {}", path.display());
        }
    }
    let bearer = |bytes: &[u8]| bytes.windows(7).any(|w| w == b"Bearer ");
    assert!(!said.0.iter().any(|(_, text)| bearer(text)) && !files(&desk.home()).iter().any(|(_, b)| bearer(b)));
}
