//! What stands between the name of a job or a chain and its `AS`: comment, order, schedule, notices, time zone.

use chrono::{NaiveDate, NaiveTime, Weekday};

use super::Context;
use super::chain::unknown_job;
use super::notify;
use crate::diagnostic::code::{LITERAL, REPEATED, SCHEDULE};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::{self, HeadClause, Name};
use crate::lang::suggest::nearest;
use crate::model::moment;
use crate::model::schedule::{CatchUp, Every, Notify, Schedule};
use crate::schedule::cron::Cron;

/// The checked head.
#[derive(Default)]
pub(in crate::lang) struct Head {
    pub(super) comment: Option<String>,
    pub(super) after: Vec<String>,
    pub(in crate::lang) schedule: Option<Schedule>,
    pub(super) notify: Vec<Notify>,
    pub(super) zone: Option<String>,
    pub(super) stop_on_failure: Option<bool>,
}

/// Checks the clauses of a head. What is wrong in it is left out.
pub(in crate::lang) fn check(clauses: &[HeadClause], context: &Context<'_>, out: &mut Diagnostics) -> Head {
    let mut head = Head::default();
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for clause in clauses {
        let (name, span) = match clause {
            HeadClause::Comment(text) => ("COMMENT", text.span),
            HeadClause::After(names) => ("AFTER", names.first().map_or_else(Span::default, |n| n.span)),
            HeadClause::Schedule(s) => ("SCHEDULE", s.span),
            HeadClause::Notify(n) => ("NOTIFY", n.span),
            HeadClause::TimeZone(zone) => ("TIME ZONE", zone.span),
            HeadClause::OnFailure { span, .. } => ("ON FAILURE", *span),
        };
        // Several notices are several people who are told of several things.
        if let Some((_, first)) = seen.iter().find(|(n, _)| *n == name && name != "NOTIFY") {
            let wrong = Diagnostic::error(REPEATED, span, format!("{name} is said twice"));
            out.push(wrong.related(*first, "it is said here").help("keep one of the two"));
        }
        seen.push((name, span));
        match clause {
            HeadClause::Comment(text) => head.comment = Some(text.text.clone()),
            HeadClause::After(names) => after(names, context, &mut head, out),
            HeadClause::Schedule(written) => head.schedule = schedule(written, context, out),
            HeadClause::Notify(written) => head.notify.extend(notify::check(written, context.posts, out)),
            HeadClause::TimeZone(name) => head.zone = zone(name, out),
            HeadClause::OnFailure { stop, .. } => head.stop_on_failure = Some(*stop),
        }
    }
    head
}

fn after(names: &[Name], context: &Context<'_>, head: &mut Head, out: &mut Diagnostics) {
    for name in names {
        if !context.jobs.contains(name.text.as_str()) {
            out.push(unknown_job(name, context.jobs));
        }
        head.after.push(name.text.clone());
    }
}

/// A time zone by its IANA name.
pub(super) fn zone(name: &Name, out: &mut Diagnostics) -> Option<String> {
    if let Some(zone) = moment::zone(&name.text) {
        return Some(zone.name().to_owned());
    }
    let wrong = Diagnostic::error(LITERAL, name.span, format!("there is no time zone '{}'", name.text));
    let is_distance = name.text.contains(['+', '-']) && name.text.contains(|c: char| c.is_ascii_digit());
    let near = nearest(&name.text, moment::zone_names()).filter(|_| !is_distance);
    out.push(match near {
        Some(near) => wrong.label(format!("did you mean '{near}'?")),
        None => wrong.help("write it like 'Europe/Berlin' or 'America/New_York'"),
    });
    None
}

fn schedule(written: &ast::Schedule, context: &Context<'_>, out: &mut Diagnostics) -> Option<Schedule> {
    let every = every(&written.every, out);
    let at: Vec<Option<NaiveTime>> = written.at.iter().map(|time| time_of_day(time, out)).collect();
    let zone = match &written.zone {
        Some(name) => zone(name, out),
        None => Some(context.settings.time_zone.clone()),
    };
    let from = written.from.as_ref().map(|day| date(day, out));
    let until = written.until.as_ref().map(|day| date(day, out));
    if let (Some(Some(from)), Some(Some(until)), Some(name)) = (from, until, &written.until)
        && until < from
    {
        let wrong = Diagnostic::error(SCHEDULE, name.span, "the schedule ends before it begins");
        out.push(wrong.help("UNTIL names the last day"));
    }
    let catch_up = match written.catch_up {
        None | Some(ast::CatchUp::One) => CatchUp::One,
        Some(ast::CatchUp::All) => CatchUp::All,
        Some(ast::CatchUp::None) => CatchUp::None,
    };
    Some(Schedule {
        every: every?,
        at: at.into_iter().collect::<Option<_>>()?,
        zone: zone?,
        from: from.map_or(Some(None), |day| day.map(Some))?,
        until: until.map_or(Some(None), |day| day.map(Some))?,
        catch_up,
    })
}

fn every(written: &ast::Every, out: &mut Diagnostics) -> Option<Every> {
    match written {
        ast::Every::Cron(line) => cron(line, out),
        ast::Every::Day => Some(Every::Day),
        ast::Every::Weekday => Some(Every::Weekday),
        ast::Every::Length(length) => {
            let seconds = length.seconds.filter(|s| (60..=31_622_400).contains(s));
            if seconds.is_none() {
                let message = "a schedule's pace is between a minute and a year";
                out.push(Diagnostic::error(SCHEDULE, length.span, message).help("such as EVERY 15m"));
            }
            seconds.map(Every::Seconds)
        }
        ast::Every::Month(day) => {
            let number = day.text.parse::<u32>().ok().filter(|n| (1..=31).contains(n));
            if number.is_none() {
                out.push(Diagnostic::error(SCHEDULE, day.span, "a month has the days 1 to 31"));
            }
            number.map(Every::DayOfMonth)
        }
        ast::Every::Days(names) => {
            let days: Vec<Option<Weekday>> = names.iter().map(|name| weekday(name, out)).collect();
            days.into_iter().collect::<Option<_>>().map(Every::Days)
        }
    }
}

fn weekday(name: &Name, out: &mut Diagnostics) -> Option<Weekday> {
    let day = name.text.parse().ok();
    if day.is_none() {
        let example = match name.text.to_ascii_uppercase().as_str() {
            "MONTH" => Some("EVERY MONTH ON DAY 1"),
            "WEEK" => Some("EVERY MONDAY"),
            "HOUR" => Some("EVERY 1h"),
            "MINUTE" => Some("EVERY 15m"),
            "YEAR" => Some("CRON '0 2 1 1 *'"),
            _ => None,
        };
        if let Some(example) = example {
            let message = format!("EVERY {} does not say when", name.text.to_ascii_uppercase());
            out.push(Diagnostic::error(SCHEDULE, name.span, message).help(format!("write {example}")));
            return None;
        }
        let wrong = Diagnostic::error(SCHEDULE, name.span, format!("`{}` is not a day of the week", name.text));
        let days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
        out.push(match nearest(&name.text, days.into_iter()) {
            Some(near) => wrong.label(format!("did you mean {near}?")),
            None => wrong.help("write DAY, WEEKDAY, MONTH ON DAY 1, or days such as MONDAY, FRIDAY"),
        });
    }
    day
}

/// A cron line, read by what runs it.
fn cron(line: &Name, out: &mut Diagnostics) -> Option<Every> {
    if let Err(wrong) = Cron::read(&line.text) {
        let diagnostic = Diagnostic::error(SCHEDULE, line.span, wrong.message);
        out.push(if let Some(help) = wrong.help { diagnostic.help(help) } else { diagnostic });
        return None;
    }
    let fields: Vec<&str> = line.text.split_whitespace().collect();
    Some(Every::Cron(fields.join(" ")))
}

fn time_of_day(time: &Name, out: &mut Diagnostics) -> Option<NaiveTime> {
    let read = NaiveTime::parse_from_str(&time.text, "%H:%M").ok();
    if read.is_none() {
        let message = format!("'{}' is not a time of day", time.text);
        out.push(Diagnostic::error(LITERAL, time.span, message).help("write it like '02:00'"));
    }
    read
}

fn date(day: &Name, out: &mut Diagnostics) -> Option<NaiveDate> {
    let read = moment::read_date(&day.text).and_then(moment::date);
    if read.is_none() {
        let message = format!("'{}' is not a date", day.text);
        out.push(Diagnostic::error(LITERAL, day.span, message).help("write it like '2026-01-31'"));
    }
    read
}
