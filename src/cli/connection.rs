//! `ferry connection`.

use serde_json::json;

use super::arguments::ConnectionVerb;
use super::output::{self, say, tell};
use super::start::Ended;
use super::table::left;
use crate::app::connections::{self, Known};
use crate::app::probes::{self, Check};
use crate::app::roles::{self, Privilege};
use crate::app::workspace::Setting;
use crate::dynamics::sign_in::Prompt;

pub(super) async fn connection(setting: &Setting, verb: &ConnectionVerb, as_json: bool) -> Ended {
    match verb {
        ConnectionVerb::List => list(&connections::list(setting)?, as_json),
        ConnectionVerb::Show { name } => show(&connections::show(setting, name)?, as_json),
        ConnectionVerb::Test { name } => return test(setting, name, as_json).await,
        ConnectionVerb::Role { name } => role(name, &roles::role(setting, name).await?, as_json),
        ConnectionVerb::Authorize { name } | ConnectionVerb::Reauthorize { name } => {
            let known = connections::authorize(setting, name, &prompt).await?;
            show(&known, as_json);
        }
        ConnectionVerb::Revoke { name } => {
            let known = connections::revoke(setting, name)?;
            show(&known, as_json);
            tell!("Its jobs do not run until `ferry connection authorize {}`.", known.name);
            tell!("Nothing was changed at the service: to take the consent back there, {}.", consent(known.service));
        }
        ConnectionVerb::Delete { name } => {
            connections::delete(setting, name)?;
            tell!("What this home knew of `{name}` is gone; remove its CREATE CONNECTION statement too.");
        }
    }
    Ok(0)
}

/// What a person has to do to sign in; talk, as stdout is data.
fn prompt(prompt: &Prompt) {
    match prompt {
        Prompt::Code { url, code } => {
            tell!("To sign in, open {url} on any device and enter the code {code}");
            tell!("Waiting until that is done (Ctrl-C ends it).");
        }
        Prompt::Browser { url } => {
            tell!("To sign in, open this address in a browser on this machine:\n{url}");
            tell!("Waiting until that is done (Ctrl-C ends it).");
        }
    }
}

fn consent(service: &str) -> &'static str {
    if service == "Dynamics" {
        "delete the client secret of the application in Entra, or disable its application user"
    } else {
        "make a new access key in Gainsight, which ends the old one"
    }
}

fn list(all: &[Known], as_json: bool) {
    if as_json {
        all.iter().for_each(|known| say!("{}", json!(known)));
        return;
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|known| {
            let jobs = known.jobs.len().to_string();
            let cells = [&known.name, &known.label, known.service, &known.url, known.status, &jobs];
            cells.map(str::to_owned).to_vec()
        })
        .collect();
    output::text(&left(&["connection", "label", "service", "URL", "status", "jobs"], &rows));
}

fn show(known: &Known, as_json: bool) {
    if as_json {
        say!("{}", json!(known));
        return;
    }
    say!("{} · {} · {}", known.label, known.service, known.status);
    say!("  URL        {}", known.url);
    let identity = if known.service == "Dynamics" { "organisation" } else { "tenant" };
    if let (Some(found), Some(since)) = (&known.identity, &known.since) {
        say!("  {identity:<10} {found}, since {since}");
    }
    let jobs = if known.jobs.is_empty() { "none".to_owned() } else { known.jobs.join(", ") };
    say!("  jobs       {jobs}");
}

fn role(name: &str, privileges: &[Privilege], as_json: bool) {
    if as_json {
        privileges.iter().for_each(|privilege| say!("{}", json!(privilege)));
        return;
    }
    let rows: Vec<Vec<String>> = privileges
        .iter()
        .map(|p| vec![p.label.clone(), p.table.clone(), p.privilege.into(), p.level.into(), p.jobs.join(", ")])
        .collect();
    output::text(&left(&["table", "name", "privilege", "level", "for"], &rows));
    tell!("Make a security role with these and nothing else, and give it to the application user of `{name}`.");
    tell!("With a level below Organization Dynamics leaves rows out without saying so.");
}

async fn test(setting: &Setting, name: &str, as_json: bool) -> Ended {
    let checks = probes::test(setting, name).await?;
    for check in &checks {
        if as_json {
            say!("{}", json!(check));
        } else {
            let verdict = match check {
                Check { passed: false, .. } => "FAILED ",
                Check { warning: true, .. } => "WARNING",
                _ => "ok     ",
            };
            say!("{verdict} {:<33} {}", check.what, output::on_one_line(&check.found));
        }
    }
    Ok(if checks.iter().all(|check| check.passed) { 0 } else { 3 })
}
