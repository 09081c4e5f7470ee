//! The connections: everything that each needs, and what is left of today's calls.

use super::{Finding, counted, fail, ok, unseen, warn};
use crate::app::error::Error;
use crate::app::probes::{self, Check};
use crate::app::workspace::{Setting, Workspace, text_of};
use crate::gainsight::windows::Bucket;
use crate::model::connection::{Connection, Limits, Service};
use crate::store::state::State;

const DAY_MS: i64 = 86_400_000;
/// With less than this part of a day's calls somebody should look, in per cent.
const CALLS_PERCENT: u64 = 10;

pub(super) async fn findings(setting: &Setting) -> Vec<Finding> {
    let text = match text_of(setting) {
        Ok(text) => text,
        Err(error) => return vec![unseen("connections", &error)],
    };
    let mut all = Vec::new();
    let mut is_open = true;
    for connection in text.parsed.connections.values() {
        let tested = probes::test(setting, &connection.name).await;
        let found = tested.map_or_else(
            |error| vec![fail(&of(connection), &error.to_string(), "mend the connection")],
            |checks| tests(connection, &checks),
        );
        is_open &= found.iter().all(|one| one.verdict < super::Verdict::Fail);
        all.extend(found);
        if connection.service == Service::Gainsight {
            all.push(calls(connection, setting).unwrap_or_else(|error| unseen("calls", &error)));
        }
    }
    // What is wrong with a connection was said: every job would fail for it.
    if is_open && !text.parsed.diagnostics.has_errors() {
        all.push(checked(setting).await);
    }
    all
}

fn of(connection: &Connection) -> String {
    format!("connection {}", connection.name)
}

/// One finding where all is well, else one for each thing that is not.
fn tests(connection: &Connection, checks: &[Check]) -> Vec<Finding> {
    let what = of(connection);
    let wrong = checks.iter().filter(|check| !check.passed || check.warning);
    let wrong = wrong.map(|check| {
        let found = format!("{}: {}", check.what, check.found);
        let advice = format!("`ferry connection test {}` shows all of it", connection.name);
        if check.passed { warn(&what, &found, &advice) } else { fail(&what, &found, &advice) }
    });
    let wrong: Vec<Finding> = wrong.collect();
    if wrong.is_empty() { vec![ok(&what, &format!("{} passed", counted(checks.len(), "check")))] } else { wrong }
}

/// What is left of the calls of today, as far as this home has spent them.
fn calls(connection: &Connection, setting: &Setting) -> Result<Finding, Error> {
    let what = format!("calls of {}", connection.name);
    let Limits { calls_per_day, users_per_day, .. } = connection.limits;
    let Some(state) = State::look(setting.place())? else {
        return Ok(ok(&what, &format!("none of {calls_per_day} spent today")));
    };
    let tenant = state.connection(&connection.name)?.map(|known| known.identity).unwrap_or_default();
    let today = setting.clock.limits_now_ms() / DAY_MS;
    let (mut words, mut is_low) = (Vec::new(), false);
    let spent = state.spent(&tenant, DAY_MS)?;
    let apis = [(Bucket::Synchronous, calls_per_day, "calls"), (Bucket::Users, users_per_day, "calls for users")];
    for (api, limit, name) in apis {
        let limit = connection.limits.spendable(limit);
        let used =
            spent.iter().find(|(of, number, _)| of == api.word() && *number == today).map_or(0, |(_, _, calls)| *calls);
        let left = limit.saturating_sub(used);
        is_low |= u64::from(left) * 100 < u64::from(limit) * CALLS_PERCENT;
        words.push(format!("{left} of {limit} {name}"));
    }
    let found = format!("{} left today", words.join(", "));
    let advice = "runs stop where no call is left, and go on tomorrow; LOAD FIRST BY says what is written first";
    Ok(if is_low { warn(&what, &found, advice) } else { ok(&what, &found) })
}

/// The whole project against what the services say.
async fn checked(setting: &Setting) -> Finding {
    match Workspace::open(setting).await {
        Err(Error::Text(text)) => fail("check", &counted(text.0.tally().0, "mistake"), "`ferry check` shows them"),
        Err(error) => unseen("check", &error),
        Ok(workspace) => match workspace.diagnostics.tally() {
            (0, warnings) => {
                let jobs = counted(workspace.project.jobs.len(), "job");
                let chains = counted(workspace.project.chains.len(), "chain");
                let warnings = counted(warnings, "warning");
                ok("check", &format!("{jobs} and {chains} fit both services' schemas, {warnings}"))
            }
            (errors, _) => fail("check", &counted(errors, "mistake"), "`ferry check` shows them"),
        },
    }
}
