//! `ferry activity`.

use super::output;
use super::output::{say, tell};
use serde_json::{Value, json};

use super::run::for_people;
use super::start::Ended;
use super::table::{lines, number};
use crate::app::activity::{self, Shown};
use crate::app::workspace::Setting;
use crate::model::outcome::{Counts, Status};
use crate::run::report::Report;
use crate::store::ledger::{Phase, Tally};
use crate::store::runs::{Run, Stage};
use crate::store::standing::Standing;

pub(super) fn list(setting: &Setting, as_json: bool) -> Ended {
    let runs = activity::list(setting)?;
    if as_json {
        runs.iter().for_each(|run| say!("{}", for_programs(run, &[])));
        return Ok(0);
    }
    if runs.is_empty() {
        tell!("{} has no runs yet", setting.home.display());
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            let counts = report(run).map(|r| r.counts);
            let is_plan = run.status == Status::Planned.word();
            let count = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
            vec![
                run.id.clone(),
                run.job.clone(),
                status(run).to_owned(),
                run.started.clone(),
                count(counts.map(|c| c.read)),
                count(counts.filter(|_| !is_plan).map(|c| c.sent())),
                count(counts.map(|c| c.failed())),
            ]
        })
        .collect();
    output::text(&lines(&["run", "job", "status", "started", "read", "written", "failed"], &rows));
    Ok(0)
}

pub(super) fn show(setting: &Setting, id: &str, as_json: bool) -> Ended {
    let Shown { run, stages, standing } = activity::show(setting, id)?;
    if as_json {
        let mut value = for_programs(&run, &stages);
        if let Some(standing) = &standing {
            value["standing"] = json!({ "phase": standing.phase.word(), "read": standing.read,
                "written": standing.tally.written, "failed": standing.tally.failed, "without_answer": standing.tally.open,
                "calls": standing.calls.0, "calls_without_answer": standing.calls.1 });
        }
        say!("{}", value);
        return Ok(0);
    }
    match report(&run) {
        Some(report) => output::text(&for_people(&report)),
        None => say!("\n{} · run {} · {}", run.job, run.id, status(&run)),
    }
    if let Some(chain) = &run.chain {
        say!("  part of the chain {chain}");
    }
    say!("  started {}, ended {}", run.started, run.ended.as_deref().unwrap_or("never: it was interrupted"));
    if let Some(standing) = &standing {
        output::text(&stands(&run, standing));
    }
    let rows: Vec<Vec<String>> = stages
        .iter()
        .map(|s| vec![s.name.clone(), s.started.clone(), format!("{:.2} s", s.seconds), s.rows.to_string()])
        .collect();
    output::text(&lines(&["stage", "started", "took", "rows"], &rows));
    Ok(0)
}

/// How a run stands that is not at its end, and what can be done with it.
fn stands(run: &Run, standing: &Standing) -> String {
    let mut text = match standing.phase {
        Phase::Extracting => format!("  it was reading: {} rows of the source are kept\n", number(standing.read)),
        Phase::Extracted => {
            format!("  everything is read, {} rows of the source; it was planning\n", number(standing.read))
        }
        Phase::Loading | Phase::Ended | Phase::Planning => {
            let planned: Option<Counts> = standing.planned.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let of = planned.map_or_else(String::new, |c| format!(" of {}", number(c.sent())));
            let Tally { written, failed, open } = standing.tally;
            format!(
                "  it was loading: {}{of} rows are written, {} failed, {} were sent and have no answer\n",
                number(written),
                number(failed),
                number(open)
            )
        }
    };
    if run.status != Status::Running.word() {
        let id = &run.id;
        text.push_str(&format!(
            "  `ferry resume {id}`, or the next run of the job, goes on with it; `ferry cancel {id}` gives it up\n"
        ));
    }
    text
}

fn report(run: &Run) -> Option<Report> {
    serde_json::from_str(run.report.as_ref()?).ok()
}

fn status(run: &Run) -> &'static str {
    Status::parse(&run.status).map_or("?", Status::text)
}

fn for_programs(run: &Run, stages: &[Stage]) -> Value {
    let stages: Vec<Value> = stages
        .iter()
        .map(|s| json!({ "name": s.name, "started": s.started, "seconds": s.seconds, "rows": s.rows }))
        .collect();
    let mut value = match report(run) {
        Some(report) => json!(report),
        None => json!({ "run": run.id, "job": run.job, "status": run.status }),
    };
    value["chain"] = json!(run.chain);
    value["started"] = json!(run.started);
    value["ended"] = json!(run.ended);
    if !stages.is_empty() {
        value["stages"] = json!(stages);
    }
    value
}
