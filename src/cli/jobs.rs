//! `ferry jobs` and `ferry chain`.

use serde_json::{Value, json};

use super::activity::clock;
use super::arguments_operations::{ChainVerb, Jobs};
use super::output;
use super::output::{on_one_line, say, tell};
use super::plan::cut;
use super::spreadsheet;
use super::start::Ended;
use super::table::{COLUMNS, Paint, wrapped};
use crate::app::error::Error;
use crate::app::jobs::{self, ChainLine, Due, JobLine, Last};
use crate::app::workspace::Setting;
use crate::model::outcome::Status;

/// Columns in which the status of a last run is shown.
const STATUS: usize = 16;

pub(super) fn jobs(setting: &Setting, asked: &Jobs, connection: Option<&str>, as_json: bool) -> Ended {
    let listed = jobs::jobs(setting)?;
    if let Some(name) = connection.filter(|name| !listed.all.iter().any(|line| is_of(line, name))) {
        let mut known: Vec<&str> = listed.all.iter().map(|line| line.connection.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        return Err(Error::Usage(format!(
            "no job reads through the connection {name}; jobs read through {}",
            known.join(", ")
        )));
    }
    let lines: Vec<&JobLine> = listed.all.iter().filter(|line| is_wanted(line, asked, connection)).collect();
    if asked.csv {
        let header = [
            "job",
            "connection",
            "source",
            "destination",
            "last_status",
            "last_run",
            "last_run_on",
            "schedule_type",
            "schedule",
            "chains",
        ];
        spreadsheet::print(&header, &lines.iter().map(|line| csv_row(line)).collect::<Vec<_>>())?;
    } else if as_json {
        lines.iter().for_each(|line| say!("{}", for_programs(line)));
    } else {
        let paint = Paint::of_stdout();
        output::text(&lines.iter().map(|line| two_lines(line, paint)).collect::<String>());
    }
    if lines.is_empty() {
        tell!("no job is like that; the project has {}", listed.all.len());
    }
    mistakes(listed.mistakes);
    Ok(0)
}

fn is_of(line: &JobLine, connection: &str) -> bool {
    line.connection.eq_ignore_ascii_case(connection) || line.label.eq_ignore_ascii_case(connection)
}

fn is_wanted(line: &JobLine, asked: &Jobs, connection: Option<&str>) -> bool {
    let by_schedule = line.due != Due::OnDemand;
    let has = |text: &String| {
        let text = text.to_lowercase();
        let places = [&line.job, &line.source].into_iter().chain(&line.destination);
        places.into_iter().any(|place| place.to_lowercase().contains(&text))
    };
    let last = line.last.as_ref().map(|last| last.status);
    connection.is_none_or(|name| is_of(line, name))
        && asked.text.as_ref().is_none_or(has)
        && (asked.status.is_empty() || asked.status.iter().any(|one| one.0.contains(&last)))
        && (!asked.scheduled || by_schedule)
        && (!asked.on_demand || !by_schedule)
}

/// Which job, and how it last ended; then from where to where, and when.
fn two_lines(line: &JobLine, paint: Paint) -> String {
    let status = status(line.last.as_ref());
    let room = COLUMNS - 4 - STATUS.max(status.chars().count());
    let first = format!("  {:room$}  {status}", cut(&line.job, room));
    let is_bad = line.last.as_ref().is_some_and(|last| last.status != Status::Success);
    let first = if is_bad { paint.bold(&first) } else { first };
    let mut parts = vec![format!("{} → {}", line.source, line.destination.join(" + ")), line.label.clone()];
    parts.extend(line.last.as_ref().map(|last| clock(&last.on)));
    parts.push(due(&line.due));
    parts.extend(line.schedule.clone());
    let second = wrapped(&on_one_line(&parts.join(" · ")), "      ", "      ");
    format!("{first}\n{}", paint.dim_lines(&second))
}

fn status(last: Option<&Last>) -> String {
    last.map_or_else(|| "never ran".to_owned(), |last| last.status.text().to_owned())
}

/// When a job or a chain runs, as the list of jobs calls it.
fn due(due: &Due) -> String {
    match due {
        Due::Scheduled => "Scheduled".to_owned(),
        Due::OnDemand => "On demand".to_owned(),
        Due::WithChain(chain) => format!("with \"{}\"", on_one_line(chain)),
        Due::Silenced(chain) => format!("silenced by \"{}\"", on_one_line(chain)),
        Due::Paused => "paused".to_owned(),
    }
}

fn for_programs(line: &JobLine) -> Value {
    let mut value = json!(line);
    value["schedule_type"] = json!(due(&line.due));
    value
}

fn csv_row(line: &JobLine) -> Vec<String> {
    let last = |of: &dyn Fn(&Last) -> String| line.last.as_ref().map(of).unwrap_or_default();
    vec![
        line.job.clone(),
        line.label.clone(),
        line.source.clone(),
        line.destination.join(" + "),
        last(&|last| last.status.text().to_owned()),
        last(&|last| last.run.clone()),
        last(&|last| last.on.clone()),
        due(&line.due),
        line.schedule.clone().unwrap_or_default(),
        line.chains.join(", "),
    ]
}

pub(super) fn chain(setting: &Setting, verb: &ChainVerb, as_json: bool) -> Ended {
    let (chains, is_one) = match verb {
        ChainVerb::Show { name } => (vec![jobs::chain(setting, name)?], true),
        ChainVerb::List => {
            let listed = jobs::chains(setting)?;
            if listed.all.is_empty() {
                tell!("the project has no chains");
            }
            mistakes(listed.mistakes);
            (listed.all, false)
        }
    };
    if as_json {
        chains.iter().for_each(|chain| say!("{}", json!(chain)));
        return Ok(0);
    }
    let paint = Paint::of_stdout();
    for chain in &chains {
        output::text(&shown(chain, is_one, paint));
    }
    Ok(0)
}

/// A chain with its members; alone also who is told and what its author says.
fn shown(chain: &ChainLine, is_one: bool, paint: Paint) -> String {
    let mut when = due(&chain.due);
    if let Some(schedule) = &chain.schedule {
        when.push_str(&format!(" · {schedule}"));
    }
    let on_failure = if chain.on_failure == "stop" { "a failed job stops it" } else { "it goes on past a failed job" };
    let mut text = format!("{}\n", paint.bold(&on_one_line(&chain.chain)));
    text.push_str(&wrapped(&on_one_line(&format!("{when} · {on_failure}")), "  ", "    "));
    for (number, step) in chain.steps.iter().enumerate() {
        for (at, member) in step.iter().enumerate() {
            let step = if at == 0 { format!("{}.", number + 1) } else { String::new() };
            let status = if member.is_there { status(member.last.as_ref()) } else { "not in the project".to_owned() };
            let room = COLUMNS - 8 - STATUS.max(status.chars().count());
            text.push_str(&format!("  {step:>3} {:room$}  {status}\n", cut(&member.job, room)));
            if let (true, Some(last)) = (is_one, &member.last) {
                text.push_str(&format!("{}\n", paint.dim(&format!("      {} · run {}", clock(&last.on), last.run))));
            }
        }
    }
    if is_one {
        for notify in &chain.notify {
            text.push_str(&wrapped(&on_one_line(&format!("told: {notify}")), "  ", "    "));
        }
        if chain.notify.is_empty() {
            text.push_str("  told: nobody\n");
        }
        if let Some(comment) = &chain.comment {
            text.push_str(&wrapped(&on_one_line(comment), "  ", "  "));
        }
    }
    text
}

/// What cannot be read is not in a list, and whoever looks at it should know.
fn mistakes(mistakes: usize) {
    if mistakes > 0 {
        tell!("the project has {mistakes} mistakes, so something may be missing here; `ferry check` shows them");
    }
}
