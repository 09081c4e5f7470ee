//! Secrets at rest: what is kept can be used and not be read, and whoever has not the key has nothing.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ferry::app::sandboxes::secrets;
use ferry::model::secret::Secret;
use ferry::store::secrets::Secrets;
use tempfile::TempDir;

use crate::stage::USERS;
use crate::terminal::Desk;

const VALUE: &str = "planted-SECRET-value";

fn kept(folder: &TempDir) -> (PathBuf, PathBuf) {
    let (home, key) = (folder.path().join("home"), folder.path().join("key"));
    Secrets::make_key(&key).unwrap();
    Secrets::open(&home, &key).unwrap().set("a/b", &Secret::new(VALUE.to_owned())).unwrap();
    (home, key)
}

fn why(found: Result<Secrets, ferry::store::error::Error>) -> String {
    found.err().map(|error| error.to_string()).unwrap_or_default()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_kept_comes_back_with_the_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let (home, key) = kept(&folder);
    let again = Secrets::open(&home, &key).unwrap();
    assert_eq!(again.get("a/b").unwrap().unwrap().expose(), VALUE);
    assert!(again.get("nobody").unwrap().is_none());
    assert_eq!(again.names().collect::<Vec<_>>(), ["a/b"]);
    let file = std::fs::read_to_string(home.join("secrets.json")).unwrap();
    assert!(file.contains("a/b") && !file.contains(VALUE), "{file}");
    assert_eq!((mode(&key), mode(&home.join("secrets.json")), mode(&home)), (0o600, 0o600, 0o700));
    let other = folder.path().join("other");
    Secrets::make_key(&other).unwrap();
    let refused = Secrets::open(&home, &other).unwrap().get("a/b").err().unwrap().to_string();
    assert!(refused.contains("cannot be decrypted") && !refused.contains(VALUE), "{refused}");
}

#[test]
fn a_value_cannot_be_put_under_another_name_or_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (home, key) = kept(&folder);
    let path = home.join("secrets.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("a/b", "c/d")).unwrap();
    assert!(Secrets::open(&home, &key).unwrap().get("c/d").is_err(), "its name belongs to it");
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let value = file["a/b"]["value"].as_str().unwrap();
    let first = if value.starts_with('A') { "B" } else { "A" };
    file["a/b"]["value"] = format!("{first}{}", &value[1..]).into();
    std::fs::write(&path, file.to_string()).unwrap();
    assert!(Secrets::open(&home, &key).unwrap().get("a/b").is_err());
    std::fs::write(&path, "{\"a/b\":{\"nonce\":\"AA==\",\"value\":\"AA==\"}}").unwrap();
    assert!(Secrets::open(&home, &key).unwrap().get("a/b").is_err());
    std::fs::write(&path, "no JSON").unwrap();
    assert!(why(Secrets::open(&home, &key)).contains("is no file of secrets"));
}

#[test]
fn a_key_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (home, key) = kept(&folder);
    assert!(Secrets::make_key(&key).is_err(), "a key is never written over");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(why(Secrets::open(&home, &key)).contains("others may read the key"));
    let short = folder.path().join("short");
    std::fs::write(&short, "c2hvcnQ=").unwrap();
    std::fs::set_permissions(&short, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(why(Secrets::open(&home, &short)).contains("holds no key of 32 bytes"));
    assert!(why(Secrets::open(&home, &folder.path().join("none"))).contains("cannot read"));
    let long = Secret::new("x".repeat((64 << 10) + 1));
    assert!(Secrets::open(&home, &folder.path().join("short")).is_err());
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Secrets::open(&home, &key).unwrap().set("long", &long).is_err());
}

/// `ferry secret set NAME` with the value on standard input.
fn set(desk: &Desk, name: &str, value: &str, key: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command.args(["secret", "set", name, "--home"]).arg(desk.home());
    command.env_clear().env("FERRY_SECRETS_KEY_FILE", key);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_its_secrets_from_the_file() {
    let mut desk = Desk::new().await;
    let key = desk.project().join("key");
    let known = secrets(desk.stage.sandbox.credentials());
    desk.forget_secrets();
    let (code, _, err) = desk.ferry(&["run", USERS]);
    assert!(code == 3 && err.contains("`ferry secret set dynamics/"), "{err}");
    let (code, _, err) = desk.ferry(&["secret", "list"]);
    assert!(code == 2 && err.contains("FERRY_SECRETS_KEY_FILE"), "{err}");
    assert!(set(&desk, "x", "  \n", &key).1.contains("an empty value is no secret"));
    assert!(!key.exists(), "no key is made for nothing");
    for (name, value) in &known {
        let (code, err) = set(&desk, name, &format!("{value}\n"), &key);
        assert!(code == 0 && !err.contains(value.as_str()), "{err}");
    }
    desk.set("FERRY_SECRETS_KEY_FILE", key.to_str().unwrap());
    let (code, out, err) = desk.ferry(&["secret", "list"]);
    assert_eq!((code, out.lines().count()), (0, 4), "{err}");
    assert_eq!(desk.ferry(&["run", USERS]).0, 1, "rows in the error file, and nothing else");
    let none = desk.project().join("none");
    desk.set("FERRY_SECRETS_KEY_FILE", none.to_str().unwrap());
    let (code, _, err) = desk.ferry(&["run", USERS]);
    assert!(code == 2 && err.contains("cannot read") && err.contains("none"), "{err}");
    let (code, err) = set(&desk, "x", "y", &none);
    assert!(code == 2 && err.contains("cannot read") && !none.exists(), "no second key: {err}");
    desk.set("FERRY_SECRETS_KEY_FILE", key.to_str().unwrap());
    desk.set("FERRY_SECRET_GAINSIGHT_ACCESS_KEY", "wrong");
    assert_eq!(desk.ferry(&["run", USERS]).0, 3, "the environment comes first");
    desk.set("FERRY_SECRET_GAINSIGHT_ACCESS_KEY", " ");
    assert_eq!(desk.ferry(&["run", USERS]).0, 1, "a variable that is set to nothing says nothing");
    let (code, _, err) = desk.ferry(&["secret", "remove", "nobody"]);
    assert!(code == 2 && err.contains("no secret is named 'nobody'"), "{err}");
    assert_eq!(desk.ferry(&["secret", "remove", "gainsight/access_key"]).0, 0);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let (code, _, err) = desk.ferry(&["check"]);
    assert!(code == 2 && err.contains("others may read the key"), "{err}");
    assert_eq!(desk.ferry(&["fmt", "--check"]).0, 0, "laying out asks no service and needs no secret");
    let folder = std::fs::read_dir(desk.home()).unwrap().map(|f| f.unwrap().path()).filter(|p| p.is_file());
    for file in folder {
        let bytes = std::fs::read(&file).unwrap();
        for (name, value) in known.iter().filter(|(_, value)| value.len() > 8) {
            let is_there = bytes.windows(value.len()).any(|w| w == value.as_bytes());
            assert!(!is_there, "{name} stands in {}", file.display());
        }
    }
}
