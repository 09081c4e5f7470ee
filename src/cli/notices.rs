//! `ferry notices`, and what a command that ran something says of its notices.

use chrono::{DateTime, SecondsFormat};
use clap::Subcommand;
use serde_json::{Value, json};

use super::output;
use super::output::{on_one_line, say, tell};
use super::start::Ended;
use super::table::left;
use crate::app::notices::{AT_THE_END_OF_A_RUN, Posts, deliver_due, list, test};
use crate::app::workspace::{Setting, Workspace};
use crate::store::notices::Notice;

/// What can be done with notices, beside listing them.
#[derive(Debug, Subcommand)]
pub(super) enum NoticesVerb {
    /// Send a notice to an e-mail address or a webhook now, and say what the other side answers.
    Test {
        /// The address, such as revops@acme.com or https://hooks.acme.com/ferry.
        address: String,
    },
}

pub(super) async fn notices(setting: &Setting, verb: Option<&NoticesVerb>, as_json: bool) -> Ended {
    match verb {
        Some(NoticesVerb::Test { address }) => {
            let said = test(setting, address).await?;
            if as_json {
                say!("{}", json!({ "address": address, "answer": said }));
            } else {
                tell!("a notice was taken at {address}: {said}");
            }
        }
        None => shown(&list(setting)?, as_json),
    }
    Ok(0)
}

/// Delivers what is due once something has run. Whether that succeeds changes nothing about the run.
pub(super) async fn deliver(setting: &Setting, workspace: &Workspace) {
    match deliver_due(setting, &Posts::of(&workspace.project), AT_THE_END_OF_A_RUN).await {
        Err(error) => tell!("note: notices cannot be delivered: {error}"),
        Ok(delivered) => {
            let failed =
                delivered.later.iter().map(|one| (one, "it is tried again by `ferry serve`, or after the next run"));
            let given_up = delivered.given_up.iter().map(|one| (one, "it is not tried again"));
            for ((address, why), then) in failed.chain(given_up) {
                tell!("note: the notice to {address} did not arrive: {why}; {then} (`ferry notices`)");
            }
        }
    }
}

fn shown(all: &[Notice], as_json: bool) {
    if as_json {
        return all.iter().for_each(|one| say!("{}", for_programs(one)));
    }
    if all.is_empty() {
        return tell!("no notice was ever due: NOTIFY in a job or a chain says who is told");
    }
    let rows = all.iter().map(|one| {
        let next = if one.state == "due" { moment(one.next_ms) } else { String::new() };
        let cells = [
            one.id.to_string(),
            one.at.clone(),
            one.run.clone(),
            one.event.clone(),
            one.address.clone(),
            one.state.replace('_', " "),
            one.tries.to_string(),
            next,
            one.message.clone().unwrap_or_default(),
        ];
        cells.map(|cell| on_one_line(&cell)).to_vec()
    });
    let header = ["notice", "at", "run", "about", "address", "state", "tries", "next try", "answer"];
    output::text(&left(&header, &rows.collect::<Vec<_>>()));
}

fn for_programs(one: &Notice) -> Value {
    let content: Value = serde_json::from_str(&one.content).unwrap_or_default();
    json!({ "notice": one.id, "at": one.at, "run": one.run, "about": one.event, "address": one.address, "state": one.state,
        "tries": one.tries, "next": (one.state == "due").then(|| moment(one.next_ms)), "answer": one.message, "content": content })
}

fn moment(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}
