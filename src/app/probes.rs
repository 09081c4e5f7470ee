//! `connection test`: what a connection needs to work, one check after the other.
//!
//! Checks go on after one that fails, as far as that makes sense: the administrator who mends things wants all of it at once.

use chrono::DateTime;
use serde::Serialize;

use super::connections::{Known, declared, failed, show};
use super::error::Error;
use super::workspace::{Setting, connect, nothing_open, text_of};
use crate::dynamics::privileges::{Depth, Rights};
use crate::model::connection::{Auth, Connection, Limits, Service};
use crate::model::secret::environment_variable;
use crate::run::services::{CLOCKS_APART_SECONDS, Services};

/// How old an access key should become, in days.
const KEY_DAYS_AT_MOST: i64 = 180;

/// One check.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// Whether it is as it should be, or works all the same.
    pub passed: bool,
    /// Whether it works and should be otherwise.
    pub warning: bool,
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
        Service::Files => files(&connection, &services, &objects, &mut checks).await,
        Service::Gainsight => gainsight(&connection, &services, &objects, &mut checks).await,
    }
    if let Auth::AccessKey { .. } = connection.auth {
        checks.extend(age(&kept, setting));
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
    checks.push(clock(client.seconds_ahead()));
    let privileges = client.privileges().await;
    if let Err(error) = &privileges {
        checks.push(warning("rights", &format!("they cannot be told: {error}")));
    }
    for table in tables {
        match client.probe(table).await {
            Ok(probe) => {
                let tracking = if probe.tracks_changes { "change tracking is on" } else { "change tracking is off" };
                checks.push(check(&format!("reading {table}"), true, tracking));
            }
            Err(error) => checks.push(check(&format!("reading {table}"), false, &error.to_string())),
        }
        if let Ok(privileges) = &privileges {
            checks.push(rights(table, client.rights(table, privileges).await));
        }
    }
}

async fn files(connection: &Connection, services: &Services, tables: &[String], checks: &mut Vec<Check>) {
    let Some(client) = services.files.get(&connection.name) else { return };
    match client.tables().await {
        Ok(names) => checks.push(check("reading", true, &format!("{} tables can be seen", names.len()))),
        Err(error) => return checks.push(check("reading", false, &error.to_string())),
    }
    for table in tables {
        let (passed, found) = match client.describe(table).await {
            Ok(object) => (true, format!("{} columns", object.fields.len())),
            Err(error) => (false, error.to_string()),
        };
        checks.push(check(&format!("reading {table}"), passed, &found));
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
    checks.push(clock(client.seconds_ahead()));
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

/// What an application may do with a table, and what it had better not.
fn rights(table: &str, rights: Result<Rights, crate::dynamics::error::Error>) -> Check {
    let what = format!("rights on {table}");
    match rights {
        Err(error) => warning(&what, &format!("they cannot be told: {error}")),
        Ok(Rights { read: None, .. }) => check(&what, false, "no role lets it read this table"),
        Ok(Rights { read: Some(Depth::Part), .. }) => check(
            &what,
            false,
            "it reads a part of the rows only, and Dynamics does not say which are left out; give it level Organization",
        ),
        Ok(Rights { more, .. }) if !more.is_empty() => {
            let found = format!(
                "it may also {}: Ferry only reads; `ferry connection role` prints what is needed",
                more.join(", ")
            );
            warning(&what, &found)
        }
        Ok(_) => check(&what, true, "it reads all rows, and nothing else"),
    }
}

/// An access key opens the whole tenant and never ends, so it is changed from time to time.
fn age(kept: &Known, setting: &Setting) -> Option<Check> {
    let since = DateTime::parse_from_rfc3339(kept.since.as_deref()?).ok()?;
    let days = (setting.clock.now() - since.to_utc()).num_days();
    let found = format!("in use for {days} days");
    Some(if days > KEY_DAYS_AT_MOST {
        let advice = "make a new one in Gainsight, set it, and `ferry connection reauthorize`";
        warning("age of the access key", &format!("{found}, of {KEY_DAYS_AT_MOST} at the most; {advice}"))
    } else {
        check("age of the access key", true, &found)
    })
}

/// The service's clock beside ours: signing in may fail by that, and the times of runs are ours.
fn clock(ahead: i64) -> Check {
    if ahead.abs() <= CLOCKS_APART_SECONDS {
        return check("clock", true, "the service's is within a minute of this machine's");
    }
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    let apart = ahead.abs();
    warning("clock", &format!("the service's is {apart} s {way} this machine's; set the one that is wrong"))
}

fn check(what: &str, passed: bool, found: &str) -> Check {
    Check { what: what.to_owned(), passed, warning: false, found: found.to_owned() }
}

fn warning(what: &str, found: &str) -> Check {
    Check { warning: true, ..check(what, true, found) }
}
