//! Commands as somebody may type them: with the project and the home of the command that prints them.

use std::path::Path;

use crate::app::workspace::Setting;

/// A command with the options that lead to the same project and home.
pub(super) fn typed(setting: &Setting, words: &str) -> String {
    let mut command = words.to_owned();
    let mut home = "--home";
    if let Some(runs) = &setting.runs {
        command.push_str(&format!(" --home {}", quoted(runs.url().as_str())));
        home = "--local-home";
    }
    for (option, path, default) in [("--project", &setting.project, "."), (home, &setting.home, ".ferry")] {
        if path != Path::new(default) {
            command.push_str(&format!(" {option} {}", quoted(&path.display().to_string())));
        }
    }
    if let Some(server) = &setting.server {
        command.push_str(&format!(" --state {}", quoted(&server.to_string())));
    }
    if let Some(environment) = &setting.environment {
        command.push_str(&format!(" --env {}", quoted(environment)));
    }
    for (name, url) in &setting.redirects {
        command.push_str(&format!(" --connection {}", quoted(&format!("{name}={url}"))));
    }
    command
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
