//! A notice as people read it: the subject and the text of a mail.
//!
//! Everything in it that comes from a script or a service is on one line and without control characters.

use crate::http::quoted::{cut, plain};
use crate::model::notice::{Content, Event, Part};
use crate::model::outcome::{Counts, Outcome, Status};

/// The longest message of a reason, in characters.
const MESSAGE_CHARACTERS: usize = 400;
/// Reasons that are shown of a run.
const REASONS_AT_MOST: usize = 20;
/// The longest name in a subject, in characters.
const NAME_CHARACTERS: usize = 120;

/// The subject: `[Ferry] Company Sync_Dynamics Connection: Partial Success`.
#[must_use]
pub fn subject(content: &Content) -> String {
    let name = cut(&plain(content.name()), NAME_CHARACTERS);
    format!("[Ferry] {name}: {}", status(&content.status, content.event))
}

/// The text. `attached` are the names of the files that go along.
#[must_use]
pub fn text(content: &Content, attached: &[&str]) -> String {
    let mut text = format!("{}: {}\n", plain(content.name()), status(&content.status, content.event));
    if content.event == Event::Test {
        text.push_str("\nNotices of Ferry arrive here. Somebody tried that; nothing ran.\n");
        return text;
    }
    let by = plain(&content.started_by);
    text.push_str(&format!(
        "Run {}, started by {by} at {}, ended at {}\n",
        content.run, content.started, content.ended
    ));
    if let Some(message) = &content.message {
        text.push_str(&format!("\n{}\n", plain(message)));
    }
    for part in &content.runs {
        let is_one = content.runs.len() == 1;
        if !is_one {
            let status = status(&part.status, content.event);
            text.push_str(&format!("\n{} · run {} · {status}\n", plain(&part.job), part.run));
            if let Some(message) = part.message.as_ref().filter(|message| content.message.as_ref() != Some(message)) {
                text.push_str(&format!("  {}\n", plain(message)));
            }
        } else {
            text.push('\n');
        }
        part_of(part, attached, &mut text);
    }
    if !content.next.is_empty() {
        text.push_str("\nWhat to do next:\n");
        content.next.iter().for_each(|next| text.push_str(&format!("  {}\n", plain(next))));
    }
    text
}

fn part_of(part: &Part, attached: &[&str], text: &mut String) {
    text.push_str(&format!("  rows: {}\n", counts(&part.counts)));
    for reason in part.reasons.iter().take(REASONS_AT_MOST) {
        let said = cut(&plain(&reason.message), MESSAGE_CHARACTERS);
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        text.push_str(&format!("  {} × {}, such as {}{said}\n", reason.rows, reason.code, plain(&reason.example)));
    }
    if part.reasons.len() > REASONS_AT_MOST {
        text.push_str(&format!("  and {} more reasons\n", part.reasons.len() - REASONS_AT_MOST));
    }
    if let Some(file) = &part.error_file {
        let name = file_name(part);
        let along = if attached.contains(&name.as_str()) { " (attached)" } else { "" };
        text.push_str(&format!("  error file: {}{along}\n", plain(&file.display().to_string())));
    }
}

/// The name under which a run's error file goes along.
#[must_use]
pub fn file_name(part: &Part) -> String {
    format!("errors-{}.csv", part.run)
}

fn status(word: &str, event: Event) -> String {
    match (event, Status::parse(word)) {
        (Event::Test, _) => "a test".to_owned(),
        (_, Some(status)) => status.text().to_owned(),
        (_, None) => plain(word),
    }
}

fn counts(counts: &Counts) -> String {
    let some = Outcome::ALL.into_iter().filter(|outcome| counts.of(*outcome) > 0);
    let some: Vec<String> = some.map(|outcome| format!("{} {}", counts.of(outcome), outcome.text())).collect();
    let read = format!("{} read", counts.read);
    if some.is_empty() { read } else { format!("{read}: {}", some.join(", ")) }
}
