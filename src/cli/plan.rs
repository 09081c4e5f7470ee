//! `ferry plan`: what a run would do and what it would cost, for people in 80 columns and for programs as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::output;
use super::output::{on_one_line, say};
use super::progress::listener;
use super::sample::sampled;
use super::start::Ended;
use super::table::{Paint, lines, number, wrapped};
use super::typed::typed;
use crate::app::run_places;
use crate::app::runs;
use crate::app::workspace::{Setting, Workspace};
use crate::model::outcome::Outcome;
use crate::run::cost::{Cost, Road};
use crate::run::plan::{Plan, Unwritten};
use crate::run::planning::Wanted;
use crate::run::report::Report;
use crate::run::undertaking::How;

/// Reasons that are shown with an example; the others are in the JSON and in the files.
const REASONS_AT_MOST: usize = 12;

/// What `ferry plan` is asked for.
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) how: &'a How,
    pub(super) sample: usize,
    pub(super) out: Option<&'a Path>,
}

pub(super) async fn plan(setting: &Setting, asked: &Asked<'_>, as_json: bool) -> Ended {
    // A folder that is not free is seen before anything is read.
    let outlet = match asked.out {
        Some(out) => Some(run_places::outlet(setting, out).await?),
        None => None,
    };
    let workspace = Workspace::ready(setting).await?;
    let wanted = Wanted { how: asked.how.clone(), sample: asked.sample, export: outlet.as_ref() };
    let (mut failed, mut total, paint) = (0, Total::default(), Paint::of_stdout());
    let show = |report: &Report, plan: &Plan| {
        failed += plan.counts.failed();
        total.add(plan);
        if as_json {
            say!("{}", json!({ "run": report.run, "job": report.job, "plan": plan }));
        } else {
            output::text(&for_people(report, plan, &apply(setting, report, plan), paint));
        }
    };
    runs::plan_all(&workspace, setting, asked.name, wanted, &listener(), show).await?;
    if !as_json {
        output::text(&total.for_people(paint));
        if let Some(out) = asked.out {
            let of_each = if total.plans > 1 { ", in a folder for each plan" } else { "" };
            say!("\n  changes.parquet, fields.parquet and summary.json are in {}{of_each}", out.display());
        }
    }
    Ok(u8::from(failed > 0))
}

/// What several plans cost together.
#[derive(Default)]
struct Total {
    plans: usize,
    by_api: BTreeMap<String, Cost>,
}

impl Total {
    fn add(&mut self, plan: &Plan) {
        self.plans += 1;
        let cost = &plan.cost;
        let all = self.by_api.entry(cost.api.clone()).or_insert_with(|| Cost {
            calls: 0,
            by_kind: BTreeMap::new(),
            minutes: 0,
            days: 0,
            roads: Vec::new(),
            ..cost.clone()
        });
        all.calls += cost.calls;
        all.minutes += cost.minutes;
        all.days = all.days.max(cost.days);
        cost.by_kind.iter().for_each(|(kind, calls)| *all.by_kind.entry(kind.clone()).or_default() += calls);
    }

    /// What a chain costs; of a single job it was said already.
    fn for_people(&self, paint: Paint) -> String {
        if self.plans < 2 {
            return String::new();
        }
        let title = format!("all {} plans of the chain", self.plans);
        let costs = self.by_api.values().filter(|one| one.calls > 0).map(|one| cost(one, paint));
        format!("\n{}\n{}", paint.bold(&title), costs.collect::<String>())
    }
}

/// The very command that loads a plan, from where the plan was asked for.
fn apply(setting: &Setting, report: &Report, plan: &Plan) -> String {
    let yes = if plan.asks.is_some() { " --yes" } else { "" };
    format!("{}{yes}", typed(setting, &format!("ferry apply {}", report.run)))
}

fn for_people(report: &Report, plan: &Plan, apply: &str, paint: Paint) -> String {
    let title = format!("{} · plan {} · nothing was written", report.job, report.run);
    let mut text = format!("\n{}\n\n", paint.bold(&title));
    text.push_str(&records(plan, paint));
    text.push_str(&rows(plan));
    text.push_str(&fields(plan, paint));
    text.push_str(&unwritten(plan, paint));
    text.push_str(&verified(plan));
    text.push_str(&cost(&plan.cost, paint));
    if !plan.sample.is_empty() {
        text.push_str(&format!("\n  {}\n", paint.dim("sample")));
        plan.sample.iter().for_each(|row| text.push_str(&sampled(row, &plan.after, paint)));
    }
    if let Some(asks) = &plan.asks {
        text.push_str(&format!("\n{}", wrapped(&format!("as it stands, {asks}"), "  ", "  ")));
    }
    if plan.waits > 0 {
        let words = format!(
            "{} rows wait for records that the earlier jobs of the chain insert: load those first, then plan this job again, or run the chain",
            number(plan.waits)
        );
        text.push_str(&format!("\n{}", wrapped(&words, "  ", "  ")));
    } else if plan.cost.calls > 0 || plan.counts.sent() > 0 {
        text.push_str(&format!("\n  {}\n    {}\n", paint.dim("to load exactly this"), paint.bold(apply)));
    } else {
        text.push_str("\n  there is nothing to load\n");
    }
    text
}

/// What is done with the records of each object.
fn records(plan: &Plan, paint: Paint) -> String {
    let has_deleted = plan.records.values().any(|r| r.deleted > 0);
    let mut header = vec!["records", "insert", "update"];
    header.extend(has_deleted.then_some("delete"));
    header.push("unchanged");
    let row = |(object, r): (&String, &crate::model::outcome::Records)| {
        let mut row = vec![on_one_line(object), number(r.inserted), number(r.updated)];
        row.extend(has_deleted.then(|| number(r.deleted)));
        row.push(number(r.unchanged));
        row
    };
    let rows: Vec<Vec<String>> = plan.records.iter().map(row).collect();
    paint.dim_first_line(&lines(&header, &rows))
}

/// Where each row that was read goes.
fn rows(plan: &Plan) -> String {
    let counts = &plan.counts;
    let all = [
        (Outcome::Inserted, "to insert"),
        (Outcome::Updated, "to update"),
        (Outcome::Deleted, "lost by the source"),
        (Outcome::Unchanged, "unchanged"),
        (Outcome::Filtered, "filtered"),
        (Outcome::Superseded, "superseded"),
        (Outcome::Rejected, "rejected"),
        (Outcome::Error, "in error"),
    ];
    let parts = all.into_iter().filter(|(outcome, _)| counts.of(*outcome) > 0);
    let parts: Vec<String> = parts.map(|(outcome, words)| format!("{} {words}", number(counts.of(outcome)))).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" = {}", parts.join(" + ")) };
    format!("\n{}", wrapped(&format!("{} rows read{parts}", number(counts.read)), "  ", "      "))
}

/// Which fields of the records to be updated change.
fn fields(plan: &Plan, paint: Paint) -> String {
    let mut rows = Vec::new();
    for (object, fields) in &plan.fields {
        let mut fields: Vec<(&String, &u64)> = fields.iter().collect();
        fields.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let named =
            fields.into_iter().map(|(field, n)| vec![on_one_line(&format!("{object}.\"{field}\"")), number(*n)]);
        rows.extend(named);
    }
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{}", paint.dim_first_line(&lines(&["fields that change", "records"], &rows)))
}

/// In what the target was not as it was known to be, where that was asked for.
fn verified(plan: &Plan) -> String {
    let Some(verified) = &plan.verified else { return String::new() };
    let mut text = String::from("\n");
    if verified.is_empty() {
        text.push_str("  verified: all of the target was read anyway; nothing is taken from earlier runs\n");
    }
    for one in verified {
        let object = on_one_line(&one.object);
        let line = if one.is_none() {
            format!("verified: {object} is what it was known to be ({} records)", number(one.records))
        } else {
            format!(
                "verified: {object} has drifted: of {} records {} were not known and {} are different, and {} that were known are \
                 not there ({}); the next run reads it whole",
                number(one.records),
                number(one.unknown),
                number(one.different),
                number(one.missing),
                one.first.join(", ")
            )
        };
        text.push_str(&wrapped(&line, "  ", "      "));
    }
    text
}

/// What is not written, by reason, with an example each.
fn unwritten(plan: &Plan, paint: Paint) -> String {
    if plan.unwritten.is_empty() {
        return String::new();
    }
    let mut text = format!("\n  {}\n", paint.dim("not written"));
    for one in plan.unwritten.iter().take(REASONS_AT_MOST) {
        text.push_str(&reason(one, paint));
    }
    let more = plan.unwritten.len().saturating_sub(REASONS_AT_MOST);
    if more > 0 {
        let rows: u64 = plan.unwritten.iter().skip(REASONS_AT_MOST).map(|one| one.rows).sum();
        text.push_str(&format!("  {} rows for {more} more reasons; --json has them\n", number(rows)));
    }
    text
}

fn reason(one: &Unwritten, paint: Paint) -> String {
    let rows = if one.rows == 1 { "row" } else { "rows" };
    let head = format!("{} {rows} {} · {} · {}", number(one.rows), word(one.outcome), one.code, one.script);
    let mut text = format!("  {}\n", paint.bold(&on_one_line(&head)));
    text.push_str(&wrapped(&on_one_line(&one.message), "    ", "    "));
    let example = &one.example;
    let value = example.value.as_ref().filter(|value| **value != example.source_key);
    let value = value.map(|value| format!(": '{}'", cut(value, 40))).unwrap_or_default();
    let words = format!("such as row {}, {}{value}", number(example.row.unsigned_abs()), cut(&example.source_key, 40));
    text.push_str(&paint.dim_lines(&wrapped(&words, "    ", "      ")));
    text
}

fn word(outcome: &str) -> &str {
    if outcome == Outcome::Error.text() { "in error" } else { outcome }
}

/// The beginning of a value, with its control characters shown.
pub(super) fn cut(value: &str, characters: usize) -> String {
    let value = on_one_line(value);
    if value.chars().count() <= characters {
        return value;
    }
    format!("{}…", value.chars().take(characters.saturating_sub(1)).collect::<String>())
}

/// What it costs, out of what is left today.
pub(super) fn cost(cost: &Cost, paint: Paint) -> String {
    if cost.via == "files" {
        let files = cost.by_kind.get("files").copied().unwrap_or_default();
        let first = format!("{} file{}, and no call", number(files), if files == 1 { "" } else { "s" });
        let mut text = format!("\n  {} {}\n", paint.dim("cost"), paint.bold(&first));
        let rest = "they are taken in when Gainsight's connector looks for them; the run waits until a read proves it";
        text.push_str(&wrapped(rest, "       ", "       "));
        text.push_str(&wrapped(&cost.roads.iter().map(road).collect::<Vec<_>>().join(" · "), "       ", "       "));
        return text;
    }
    if cost.calls == 0 {
        return format!("\n  {} no call\n", paint.dim("cost"));
    }
    let kinds: Vec<String> = cost.by_kind.iter().map(|(kind, calls)| format!("{kind} {}", number(*calls))).collect();
    let (calls, left, per_day) = (number(cost.calls), number(cost.left_today), number(cost.per_day));
    let of = match cost.api.as_str() {
        "object" => "calls",
        "bulk import" => "files",
        _ => "user calls",
    };
    let time = duration(cost.minutes);
    let first = if cost.fits_today() {
        format!("{calls} of {left} {of} left today; about {time}")
    } else {
        format!("{calls} {of}, and {left} are left today: it takes {} days, {time} of them calling", cost.days)
    };
    let mut text = format!("\n  {} {}\n", paint.dim("cost"), paint.bold(&first));
    let others =
        if cost.reserve > 0 { format!("; {} a day are left to others", number(cost.reserve)) } else { String::new() };
    text.push_str(&wrapped(&format!("{}; within {per_day} a day{others}", kinds.join(", ")), "       ", "       "));
    if cost.roads.iter().any(|road| road.via != cost.via && road.calls > 0) && is_worth_telling(cost) {
        text.push_str(&wrapped(&cost.roads.iter().map(road).collect::<Vec<_>>().join(" · "), "       ", "       "));
    }
    text
}

/// Few calls are made by the API, and nobody who did not ask has to think of another road.
fn is_worth_telling(cost: &Cost) -> bool {
    cost.is_auto || cost.via != "api" || cost.calls >= CALLS_WORTH_TELLING
}

/// From so many calls on the other road is shown too.
const CALLS_WORTH_TELLING: u64 = 100;

/// One road to the target, beside others.
fn road(road: &Road) -> String {
    let (word, of) = match road.via {
        "api" => ("API", "call"),
        "files" => ("FILES", "file"),
        _ => ("BULK", "file"),
    };
    let counted = |count: u64, what: &str| format!("{} {what}{}", number(count), if count == 1 { "" } else { "s" });
    if road.via == "files" {
        return format!("VIA {word} {}", counted(road.calls, of));
    }
    format!("VIA {word} {}, {}, {}", counted(road.calls, of), duration(road.minutes), counted(road.days, "day"))
}

/// A time in minutes, as people say it.
fn duration(minutes: u64) -> String {
    match minutes {
        0..120 => format!("{minutes} min"),
        _ => format!("{}.{} h", minutes / 60, minutes % 60 / 6),
    }
}
