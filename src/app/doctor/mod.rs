//! `doctor`: what a deployment needs, a finding for each thing that was looked at, with what to do.
//!
//! In: a setting. Out: findings. Nothing is changed, and one thing that is wrong keeps nobody from looking at the next: whoever
//! mends it wants all of it at once. Offline no service is asked.

mod home;
mod project;
mod services;
mod state;

use serde::Serialize;

use super::workspace::Setting;
use crate::store::state::State;

/// How something that was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and should be otherwise.
    Warn,
    /// Something does not work.
    Fail,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What: `disk`, `connection dynamics`.
    pub what: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// Looks at a deployment. What cannot be looked at is a finding too.
pub async fn examine(setting: &Setting) -> Vec<Finding> {
    let mut findings = home::findings(setting);
    match State::look(setting.place()) {
        Ok(Some(state)) => findings.extend(state::findings(setting, &state)),
        Ok(None) => {
            let found = format!("there is none yet in {}: nothing has run here", setting.place());
            findings.push(warn("state", &found, "run a job"));
        }
        Err(error) if setting.place().is_server() => {
            findings.push(fail("state", &error.to_string(), "mend that first: nothing runs without its state"));
        }
        Err(error) => findings.push(fail("state", &error.to_string(), "put a copy back with `ferry state restore`")),
    }
    findings.extend(runs(setting).await);
    findings.extend(project::findings(setting));
    if setting.offline {
        findings.push(ok("services", "not asked: --offline"));
    } else {
        findings.extend(services::findings(setting).await);
    }
    findings
}

/// The place of run folders, if it is not on this machine.
async fn runs(setting: &Setting) -> Option<Finding> {
    let bucket = setting.runs.as_ref()?;
    let url = bucket.url();
    if setting.offline {
        return Some(ok("runs", &format!("they lie in {url}, which is not asked: --offline")));
    }
    Some(match bucket.has_any().await {
        Ok(true) => ok("runs", &format!("they lie in {url}, which answers")),
        Ok(false) => ok("runs", &format!("{url} answers, and has none yet")),
        Err(error) => {
            fail("runs", &error.to_string(), "see that the bucket is there and the environment says how to sign in")
        }
    })
}

fn finding(what: &str, verdict: Verdict, found: &str, advice: Option<&str>) -> Finding {
    Finding { what: what.to_owned(), verdict, found: found.to_owned(), advice: advice.map(str::to_owned) }
}

fn ok(what: &str, found: &str) -> Finding {
    finding(what, Verdict::Ok, found, None)
}

fn warn(what: &str, found: &str, advice: &str) -> Finding {
    finding(what, Verdict::Warn, found, Some(advice))
}

fn fail(what: &str, found: &str, advice: &str) -> Finding {
    finding(what, Verdict::Fail, found, Some(advice))
}

/// What could not be looked at.
fn unseen(what: &str, error: &impl std::fmt::Display) -> Finding {
    fail(what, &format!("it cannot be looked at: {error}"), "mend that first")
}

/// So many of something: `1 chain`, `3 chains`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
