//! `ferry schedule`.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;

use super::arguments_schedule::Schedule;
use super::output::{self, say, tell};
use super::start::Ended;
use super::table::{COLUMNS, left, number, wrapped};
use crate::app::upcoming::{self, Coming, Outlook, Scheduled};
use crate::app::workspace::Setting;
use crate::model::moment;
use crate::model::schedule::Verdict;
use crate::store::slots::Kept;

/// What stands in a line of the table beside the name.
const BESIDE_THE_NAME: usize = 52;

pub(super) fn schedule(setting: &Setting, arguments: &Schedule, as_json: bool) -> Ended {
    let name = arguments.name.as_deref();
    if arguments.missed {
        return missed(&upcoming::passed_over(setting, name)?, as_json);
    }
    let outlook = upcoming::outlook(setting, name, arguments.next)?;
    if as_json {
        for_programs(&outlook);
        return Ok(0);
    }
    if outlook.scheduled.is_empty() {
        tell!("nothing has a schedule; `SCHEDULE EVERY DAY AT '02:00'` stands before the AS of a job or a chain");
        return Ok(0);
    }
    if !outlook.coming.is_empty() {
        let rows: Vec<Vec<String>> = outlook.coming.iter().map(|one| row(one, outlook.now)).collect();
        output::text(&left(&["due", "in its zone", "in", "job or chain"], &rows));
        say!();
    }
    for one in &outlook.scheduled {
        output::text(&standing(one));
    }
    Ok(0)
}

fn row(one: &Coming, now: DateTime<Utc>) -> Vec<String> {
    let shown = moment::zone(&one.zone).map_or_else(String::new, |zone| {
        let shown = one.at.with_timezone(&zone);
        let format = if shown.format("%S").to_string() == "00" { "%a %H:%M %Z" } else { "%a %H:%M:%S %Z" };
        shown.format(format).to_string()
    });
    vec![utc(one.at), shown, length(one.at - now), cut(&one.name, COLUMNS - BESIDE_THE_NAME)]
}

/// A job or a chain, its schedule, and why it is not followed if it is not.
fn standing(one: &Scheduled) -> String {
    let entry = &one.entry;
    let mut text = wrapped(&format!("{} ({})", entry.name, entry.kind.word()), "  ", "      ");
    text.push_str(&wrapped(&entry.schedule.to_string(), "    ", "      "));
    let mut add = |line: String| text.push_str(&wrapped(&line, "    ", "      "));
    if !entry.silenced_by.is_empty() {
        let chains: Vec<String> = entry.silenced_by.iter().map(|chain| format!("\"{chain}\"")).collect();
        add(format!("silenced by the chain {}, which runs it by a schedule of its own", chains.join(" and ")));
    }
    if let Some((at, by)) = &one.paused {
        add(format!("paused since {at} by {by}; `ferry resume \"{}\"` ends that", entry.name));
    }
    if one.has_ended {
        add("ended: it has no time to come".to_owned());
    }
    text
}

fn missed(kept: &[Kept], as_json: bool) -> Ended {
    if as_json {
        for one in kept {
            say!(
                "{}",
                json!({ "name": one.name, "at": utc(one.slot.at), "verdict": one.slot.verdict.word(),
                    "more": one.slot.more, "decided": one.decided, "has_run": one.has_run })
            );
        }
        return Ok(0);
    }
    if kept.is_empty() {
        tell!("nothing was missed");
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = kept.iter().map(|one| vec![utc(one.slot.at), what(one), one.name.clone()]).collect();
    output::text(&left(&["was due", "what became of it", "job or chain"], &rows));
    Ok(0)
}

fn what(one: &Kept) -> String {
    let word = match one.slot.verdict {
        Verdict::Missed => "missed",
        Verdict::Overlapped => "skipped: still running",
        Verdict::Begun | Verdict::MadeUp => "has no run yet",
    };
    if one.slot.more > 0 { format!("{word}, and {} before", number(one.slot.more)) } else { word.to_owned() }
}

fn for_programs(outlook: &Outlook) {
    for one in &outlook.coming {
        let zoned = moment::zone(&one.zone).map(|zone| one.at.with_timezone(&zone).to_rfc3339());
        say!(
            "{}",
            json!({ "due": utc(one.at), "in_zone": zoned, "zone": one.zone, "in_seconds": (one.at - outlook.now).num_seconds(),
                "name": one.name, "kind": one.kind.word() })
        );
    }
    for one in &outlook.scheduled {
        let paused = one.paused.as_ref().map(|(at, by)| json!({ "at": at, "by": by }));
        say!(
            "{}",
            json!({ "name": one.entry.name, "kind": one.entry.kind.word(), "schedule": one.entry.schedule.to_string(),
                "next": one.next.map(utc), "silenced_by": one.entry.silenced_by, "paused": paused, "has_ended": one.has_ended })
        );
    }
}

fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A length of time in its two largest units.
fn length(of: TimeDelta) -> String {
    let seconds = of.num_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// A name that fits; the list below has it whole.
fn cut(name: &str, at_most: usize) -> String {
    if name.chars().count() <= at_most {
        return name.to_owned();
    }
    name.chars().take(at_most - 1).chain(['…']).collect()
}
