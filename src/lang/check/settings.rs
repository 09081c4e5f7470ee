//! `CREATE SETTINGS`, and `CREATE CONNECTION … TO SMTP`: what holds for the project as a whole.

use super::head::zone;
use crate::diagnostic::code::{CONNECTION, LITERAL_SECRET, NAME_TAKEN, REPEATED};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::{Setting, SettingValue, Statement};
use crate::lang::suggest::nearest;
use crate::model::settings::Settings;

/// The settings' names, each with what it takes.
const NAMES: [(&str, &str); 7] = [
    ("activities", "a length of time: 90d"),
    ("allowed_hosts", "a text: 'crm.acme.com, gainsight.acme.com'"),
    ("error_files", "a length of time: 30d"),
    ("notice_attach", "a size of up to 20 MiB as a text: '512 KiB', '1 MiB'; '0' for none"),
    ("staging", "a length of time: 7d"),
    ("time_zone", "a text: 'Europe/Berlin'"),
    ("webhook_key", "a secret: SECRET 'webhook/key'"),
];

/// The settings of a project: one statement at most.
pub(in crate::lang) fn check(statements: &[Statement], out: &mut Diagnostics) -> Settings {
    let mut made = Settings::default();
    let mut first: Option<Span> = None;
    for statement in statements {
        let Statement::Settings(written) = statement else { continue };
        if let Some(first) = first {
            let wrong = Diagnostic::error(NAME_TAKEN, written.span, "the project has settings already");
            out.push(wrong.related(first, "they are here").help("put all settings into one statement"));
            continue;
        }
        first = Some(written.span);
        let mut seen: Vec<String> = Vec::new();
        for setting in &written.settings {
            let name = setting.name.text.to_ascii_lowercase();
            if seen.contains(&name) {
                let message = format!("`{name}` is said twice");
                out.push(Diagnostic::error(REPEATED, setting.span, message).help("keep one of the two"));
            }
            take(&name, setting, &mut made, out);
            seen.push(name);
        }
    }
    made
}

fn take(name: &str, setting: &Setting, made: &mut Settings, out: &mut Diagnostics) {
    let Some((_, takes)) = NAMES.iter().find(|(n, _)| *n == name) else {
        let wrong = Diagnostic::error(CONNECTION, setting.name.span, format!("there is no setting `{name}`"));
        out.push(match nearest(name, NAMES.iter().map(|(n, _)| *n)) {
            Some(near) => wrong.label(format!("did you mean `{near}`?")),
            None => wrong.help(format!("settings are {}", NAMES.map(|(n, _)| n).join(", "))),
        });
        return;
    };
    match (name, &setting.value) {
        ("time_zone", SettingValue::Text(text)) => {
            if let Some(zone) = zone(text, out) {
                made.time_zone = zone;
            }
        }
        ("allowed_hosts", SettingValue::Text(text)) => {
            made.allowed_hosts = text.text.split(',').map(|host| host.trim().to_lowercase()).collect();
        }
        ("notice_attach", SettingValue::Text(text)) => match size(&text.text) {
            Some(bytes) => made.notice_attach_bytes = bytes,
            None => out.push(Diagnostic::error(CONNECTION, text.span, format!("`{name}` takes {takes}"))),
        },
        ("webhook_key", SettingValue::Secret(secret)) => made.webhook_key = Some(secret.text.clone()),
        ("webhook_key", SettingValue::Text(text)) => out.push(
            Diagnostic::error(LITERAL_SECRET, text.span, "a secret is a name here, never the value itself")
                .help("write webhook_key = SECRET 'some/name' and set it outside the script"),
        ),
        ("staging" | "error_files" | "activities", SettingValue::Length(length)) => match (name, length.seconds) {
            (_, None) => out.push(Diagnostic::error(CONNECTION, length.span, "this is too long a time")),
            ("staging", Some(seconds)) => made.staging_seconds = seconds,
            ("error_files", Some(seconds)) => made.error_files_seconds = seconds,
            (_, Some(seconds)) => made.activities_seconds = seconds,
        },
        _ => out.push(Diagnostic::error(CONNECTION, setting.span, format!("`{name}` takes {takes}"))),
    }
}

/// A size in bytes, as people write it: `512 KiB`, `1 MiB`, `0`. Mail servers take no more than some twenty megabytes.
fn size(text: &str) -> Option<u64> {
    const ATTACHED_AT_MOST: u64 = 20 << 20;
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "kib" | "kb" => 1 << 10,
        "mib" | "mb" => 1 << 20,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes <= ATTACHED_AT_MOST)
}
