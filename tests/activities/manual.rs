//! `ferry man` and `ferry completions` are made from the arguments.

use std::process::Command;

fn ferry(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ferry")).args(arguments).env_clear().output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_shell_gets_its_completions_and_every_verb_its_page() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, err) = ferry(&["completions", shell]);
        assert!(code == Some(0) && err.is_empty() && out.contains("doctor"), "{shell}: {err}");
    }
    let (code, out, _) = ferry(&["man"]);
    assert!(code == Some(0) && out.contains(".TH ferry 1") && out.contains("doctor"), "{out}");
    let (code, out, _) = ferry(&["man", "activity"]);
    assert!(code == Some(0) && out.contains("ferry\\-activity") && out.contains("since"), "{out}");
    let (code, out, err) = ferry(&["man", "fly"]);
    assert!(code == Some(2) && out.is_empty() && err.contains("there is no verb fly; there are"), "{err}");
    assert_eq!(ferry(&["completions", "tcsh"]).0, Some(2));
}
