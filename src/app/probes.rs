//! `connection test`: what a connection needs to work, one check after the other.
//!
//! Checks go on after one that fails, as far as that makes sense: the administrator who mends things wants all of it at once.

use serde::Serialize;

use super::connections::{declared, failed, show};
use super::error::Error;
use super::workspace::{Setting, connect, nothing_open, text_of};
use crate::model::connection::{Auth, Connection, Limits, Service};
use crate::model::secret::environment_variable;
use crate::run::services::Services;

/// One check.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// Whether it is as it should be.
    pub passed: bool,
    /// What was found, or what to do.
    pub found: String,
}

/// Looks at everything that a connection needs.
///
/// # Errors
/// If there is no connection of that name, or the project or the state cannot be read. What does not work is a check.
pub async fn test(setting: &Setting, name: &str) -> Result<Vec<Check>, Error> {
    let text = text_of(setting)?;
    let connection = declared(&text.parsed, name)?.clone();
    let mut checks: Vec<Check> = connection.auth.secrets().iter().map(|secret| set(secret, setting)).collect();
    let kept = show(setting, name)?;
    let is_free = kept.status != "revoked";
    let found = if is_free { kept.status } else { "revoked; `ferry connection authorize` lifts that" };
    checks.push(check("right to use it", is_free, found));
    let mut services = nothing_open(setting);
    let opened = match connect(&connection, setting, &mut services).await {
        Ok(opened) => opened.map_err(|cause| failed(&connection, cause)),
        Err(error) => Err(error),
    };
    if let Err(error) = opened {
        checks.push(check("signing in", false, &error.to_string()));
        return Ok(checks);
    }
    let objects = text.parsed.objects_of(&connection.name);
    match connection.service {
        Service::Dynamics => dynamics(&connection, &services, kept.identity.as_deref(), &objects, &mut checks).await,
        Service::Gainsight => gainsight(&connection, &services, &objects, &mut checks).await,
    }
    Ok(checks)
}

async fn dynamics(
    connection: &Connection,
    services: &Services,
    kept: Option<&str>,
    tables: &[String],
    checks: &mut Vec<Check>,
) {
    let organization = services.organizations.get(&connection.name).map(String::as_str).unwrap_or_default();
    checks.push(check("signing in", true, &format!("organisation {organization}")));
    if let Some(kept) = kept {
        let is_same = kept == organization;
        let found = if is_same { "the one it was established with" } else { "another than it was established with" };
        checks.push(check("organisation", is_same, found));
    }
    let Some(client) = services.dynamics.get(&connection.name) else { return };
    for table in tables {
        match client.probe(table).await {
            Ok(probe) => {
                let tracking = if probe.tracks_changes { "change tracking is on" } else { "change tracking is off" };
                checks.push(check(&format!("reading {table}"), true, tracking));
            }
            Err(error) => checks.push(check(&format!("reading {table}"), false, &error.to_string())),
        }
    }
}

async fn gainsight(connection: &Connection, services: &Services, objects: &[String], checks: &mut Vec<Check>) {
    let Some(client) = services.gainsight.get(&connection.name) else { return };
    let is_key = matches!(connection.auth, Auth::AccessKey { .. });
    let sign_in = if is_key { "access key" } else { "signing in" };
    let names = match client.objects().await {
        Ok(names) => names,
        Err(error) => return checks.push(check(sign_in, false, &error.to_string())),
    };
    checks.push(check(sign_in, true, &format!("{} objects can be seen", names.len())));
    for object in objects {
        let is = |name: &str| name.eq_ignore_ascii_case(object);
        let is_there = names.iter().any(|n| is(&n.name) || is(&n.label));
        let found = if is_there { "it is there" } else { "the tenant has no such object, or the key may not see it" };
        checks.push(check(&format!("object {object}"), is_there, found));
    }
    let Limits { calls_per_minute, calls_per_day, batch_size, users_per_hour, reserve_percent, .. } = connection.limits;
    let found = format!(
        "{calls_per_minute} calls a minute, {calls_per_day} a day, {batch_size} records a call, {users_per_hour} calls an hour for users; \
         {reserve_percent} % of the calls are left to others"
    );
    checks.push(check("limits", true, &found));
}

fn set(secret: &str, setting: &Setting) -> Check {
    let is_set = (setting.secrets)(secret).is_some();
    let found = if is_set { "it is set".to_owned() } else { format!("set {}", environment_variable(secret)) };
    check(&format!("secret '{secret}'"), is_set, &found)
}

fn check(what: &str, passed: bool, found: &str) -> Check {
    Check { what: what.to_owned(), passed, found: found.to_owned() }
}
