//! Secrets in the operating system's keyring: found last, pinned by name, and never waited for without end.

use std::io::Write;
use std::process::Stdio;

use ferry::model::secret::{Place, Secret, environment_variable};
use ferry::store::keyring;

use crate::stage::USERS;
use crate::terminal::{Desk, ended};

#[test]
fn what_is_kept_in_a_keyring_is_found_and_forgotten() {
    keyring_core::set_default_store(keyring_core::mock::Store::new().expect("a keyring of this test's own"));
    let read = |name: &str| keyring::get(name).expect("it answers").map(|secret| secret.expose().to_owned());
    assert_eq!(read("dynamics/client_secret"), None);
    keyring::set("dynamics/client_secret", &Secret::new("first".to_owned())).expect("it is kept");
    keyring::set("dynamics/client_secret", &Secret::new("second".to_owned())).expect("it is kept");
    assert_eq!(read("dynamics/client_secret").as_deref(), Some("second"));
    assert_eq!(read("dynamics/client_id"), None);
    assert!(keyring::remove("dynamics/client_secret").expect("it answers"));
    assert!(!keyring::remove("dynamics/client_secret").expect("it answers"));
    assert_eq!(read("dynamics/client_secret"), None);
}

#[test]
fn a_name_may_pin_the_place() {
    for (name, place, bare) in [
        ("dynamics/tenant_id", None, "dynamics/tenant_id"),
        ("env:dynamics/tenant_id", Some(Place::Environment), "dynamics/tenant_id"),
        ("file:a", Some(Place::File), "a"),
        ("keyring:a", Some(Place::Keyring), "a"),
        ("vault:a", None, "vault:a"),
        ("Keyring:a", None, "Keyring:a"),
    ] {
        assert_eq!(Place::pinned(name), (place, bare));
    }
    assert_eq!(environment_variable("env:a/b"), "FERRY_SECRET_A_B");
}

fn set(desk: &Desk, bus: &str) -> (i32, String, String) {
    let mut child =
        desk.begin_with(&["secret", "set", "x", "--keyring"], Stdio::piped(), &[("DBUS_SESSION_BUS_ADDRESS", bus)]);
    child.stdin.take().expect("its input").write_all(b"planted-value\n").expect("it reads");
    ended(child.wait_with_output().expect("it ends"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_keyring_says_so() {
    let mut desk = Desk::new().await;
    let (code, out, err) = set(&desk, "unix:path=/nonexistent/bus");
    assert!(code == 2 && err.contains("the operating system's keyring cannot be used"), "{err}");
    assert!(!format!("{out}{err}").contains("planted-value"));
    desk.set("FERRY_SECRET_GAINSIGHT_ACCESS_KEY", "");
    desk.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let (code, _, err) = desk.ferry(&["run", USERS]);
    assert!(code == 3 && err.contains("'gainsight/access_key' is not set"), "{err}");
    let text = std::fs::read_to_string(desk.project().join("connections.ferry")).expect("the connections");
    desk.write("connections.ferry", &text.replace("'dynamics/client_secret'", "'keyring:dynamics/client_secret'"));
    let (code, _, err) = desk.ferry(&["check"]);
    assert!(
        code == 3 && err.contains("'keyring:dynamics/client_secret' is not set"),
        "the variable is not looked at: {err}"
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_never_answers_is_not_waited_for() {
    let desk = Desk::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bus");
    let _silent = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let (code, _, err) = set(&desk, &format!("unix:path={}", path.display()));
    assert!(code == 2 && err.contains("did not answer within 5 seconds"), "{err}");
}
