//! Notices: kept when a chain has ended, delivered by whoever is at work, tried again where they did not arrive.
//!
//! A notice never fails a run and never holds one up beyond a bound. In: a project's posts (mail connection, webhook key), the outbox of a
//! home. Out: notices on their way, and what became of them.

use std::time::Duration;

use chrono::SecondsFormat;
use futures::future::join_all;

use super::credentials::secret;
use super::error::Error;
use super::workspace::{Setting, text_of};
use crate::http::terms::Terms;
use crate::lang::project::{Parsed, Project};
use crate::model::connection::Mail;
use crate::model::notice::{Content, Event, VERSION};
use crate::model::outcome::{Counts, Status};
use crate::model::schedule::Address;
use crate::model::settings::Settings;
use crate::notice::error::Error as Undelivered;
use crate::notice::letter::file_name;
use crate::notice::mail::{Sender, Server};
use crate::notice::webhook::Hook;
use crate::notice::{Attached, Parcel, TIMEOUT};
use crate::run::report::Report;
use crate::run::telling::Telling;
use crate::store::error_rows::up_to;
use crate::store::notices::{Notice, Tried};
use crate::store::state::State;

/// How long after each failed try a notice is tried again. Behind the last one it is given up.
pub const TRIED_AGAIN_AFTER: [Duration; 5] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3_600),
    Duration::from_secs(6 * 3_600),
];
/// How long a command that has run something delivers notices at the most.
pub const AT_THE_END_OF_A_RUN: Duration = Duration::from_secs(10);
/// Notices that are delivered at once.
const DELIVERED_TOGETHER: u32 = 16;
/// Notices that are listed at the most.
const LISTED_AT_MOST: u32 = 100;

/// What a project has for notices.
#[derive(Debug, Clone, Default)]
pub struct Posts {
    mail: Option<Mail>,
    settings: Settings,
}

impl Posts {
    /// Those of a checked project.
    #[must_use]
    pub fn of(project: &Project) -> Self {
        Self { mail: project.mail.values().next().cloned(), settings: project.settings.clone() }
    }

    fn of_text(parsed: &Parsed) -> Self {
        Self { mail: parsed.mail.values().next().cloned(), settings: parsed.settings.clone() }
    }
}

/// What became of notices that were due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Addresses that they arrived at.
    pub arrived: Vec<String>,
    /// Addresses that are tried again, with why.
    pub later: Vec<(String, String)>,
    /// Addresses that are not tried again, with why.
    pub given_up: Vec<(String, String)>,
}

/// Delivers what is due, within a bound; whatever has no answer by then is tried again. Any process may, whoever holds the home.
///
/// # Errors
/// If the outbox cannot be read or written. A notice that does not arrive is no error.
pub async fn deliver_due(setting: &Setting, posts: &Posts, within: Duration) -> Result<Delivered, Error> {
    let place = setting.place();
    let now_ms = setting.clock.now().timestamp_millis();
    let mut delivered = Delivered::default();
    // Most of the time there is nothing to do, and looking takes no right to write.
    let due = State::look(&place)?.map(|state| state.due_notices(now_ms, DELIVERED_TOGETHER)).transpose()?;
    let due = due.unwrap_or_default();
    if due.is_empty() {
        return Ok(delivered);
    }
    let state = State::join(&place)?;
    let mut taken = Vec::new();
    for one in due {
        let wait = TRIED_AGAIN_AFTER.get(one.tries as usize).unwrap_or(&TRIED_AGAIN_AFTER[0]);
        let next_ms = now_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        if state.take_notice(&one, next_ms)? {
            taken.push(one);
        }
    }
    let courier = Courier { setting, posts };
    let tries = taken.iter().map(|one| async {
        let came = courier.deliver(one).await;
        let at = setting.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let tried = match &came {
            Ok(said) => Tried::Delivered(said),
            Err((why, true)) => Tried::GivenUp(why),
            Err((why, false)) => Tried::Later(why),
        };
        state.tried_notice(one.id, tried, &at)?;
        Ok::<_, Error>((one.address.clone(), came))
    });
    // Those that are cut off here have been taken, and are due again when their time has come.
    let Ok(came) = tokio::time::timeout(within, join_all(tries)).await else { return Ok(delivered) };
    for one in came {
        match one? {
            (address, Ok(_)) => delivered.arrived.push(address),
            (address, Err((why, true))) => delivered.given_up.push((address, why)),
            (address, Err((why, false))) => delivered.later.push((address, why)),
        }
    }
    Ok(delivered)
}

/// Keeps the notices of a chain whose runs have ended, by its own clauses. Its jobs' own are kept with their runs.
///
/// # Errors
/// If they cannot be kept.
pub fn chain_ended(
    state: &State,
    project: &Project,
    setting: &Setting,
    chain: &str,
    reports: &[Report],
) -> Result<(), Error> {
    let (Some(chain), Some(first)) = (project.chains.get(chain), reports.first()) else { return Ok(()) };
    let ended = setting.clock.now();
    let started = state.began(&first.run)?;
    let telling = Telling {
        notify: &chain.notify,
        chain: Some(&chain.name),
        by: &setting.by,
        goes_on: !setting.is_attended,
        started: &started.unwrap_or_else(|| ended.to_rfc3339_opts(SecondsFormat::Millis, true)),
        ended,
    };
    Ok(state.tell(&telling.notices(reports)?)?)
}

/// Keeps the notices of a run that nobody could begin, or that is not tried again: those of its job, and of its chain.
///
/// # Errors
/// If they cannot be kept.
pub fn run_given_up(state: &State, project: &Project, setting: &Setting, run: &str) -> Result<(), Error> {
    let Some((run, _)) = state.run(run)? else { return Ok(()) };
    let report: Option<Report> = run.report.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let Some(report) = report else { return Ok(()) };
    let reports = [report];
    if let Some(job) = project.jobs.get(&run.job) {
        let telling = Telling {
            notify: &job.notify,
            chain: None,
            by: run.by.as_deref().unwrap_or(&setting.by),
            goes_on: true,
            started: &run.started,
            ended: setting.clock.now(),
        };
        state.tell(&telling.notices(&reports)?)?;
    }
    run.chain.as_ref().map_or(Ok(()), |chain| chain_ended(state, project, setting, chain, &reports))
}

/// The newest notices of a home, newest first.
///
/// # Errors
/// If they cannot be read.
pub fn list(setting: &Setting) -> Result<Vec<Notice>, Error> {
    let state = State::look(setting.place())?;
    Ok(state.map(|state| state.notices(LISTED_AT_MOST)).transpose()?.unwrap_or_default())
}

/// Sends a notice to an address now, as a test; gives what the other side said.
///
/// # Errors
/// If it did not arrive, or the project has nothing that it could go out by.
pub async fn test(setting: &Setting, address: &str) -> Result<String, Error> {
    let posts = Posts::of_text(&text_of(setting)?.parsed);
    let at = setting.clock.now();
    let moment = at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let content = Content {
        version: VERSION,
        event: Event::Test,
        status: Status::Success.word().to_owned(),
        job: None,
        chain: None,
        run: format!("test-{}", at.timestamp_millis()),
        started_by: setting.by.clone(),
        started: moment.clone(),
        ended: moment,
        counts: Counts::default(),
        message: None,
        error_file: None,
        next: Vec::new(),
        runs: Vec::new(),
    };
    let parcel = Parcel { delivery: content.run.clone(), content: &content, attached: Vec::new() };
    let courier = Courier { setting, posts: &posts };
    courier.send(address, &parcel).await.map_err(|cause| Error::Notice { address: address.to_owned(), cause })
}

/// Delivers by what a project has.
struct Courier<'a> {
    setting: &'a Setting,
    posts: &'a Posts,
}

impl Courier<'_> {
    /// What the other side said; or why it did not arrive, and whether that is all.
    async fn deliver(&self, one: &Notice) -> Result<String, (String, bool)> {
        let tries = one.tries as usize;
        if tries > TRIED_AGAIN_AFTER.len() {
            return Err(("the last try broke off, and nobody knows whether it arrived".to_owned(), true));
        }
        let unreadable = |error: serde_json::Error| (format!("it cannot be read any more: {error}"), true);
        let content: Content = serde_json::from_str(&one.content).map_err(unreadable)?;
        let delivery = format!("{}.{}", one.run, one.id);
        let parcel = Parcel { delivery, content: &content, attached: self.attached(&content) };
        let sent = self.send(&one.address, &parcel).await;
        sent.map_err(|error| (error.to_string(), error.is_final() || tries == TRIED_AGAIN_AFTER.len()))
    }

    async fn send(&self, address: &str, parcel: &Parcel<'_>) -> Result<String, Undelivered> {
        let unable = |error: Error| Undelivered::Unable(error.to_string());
        let secret = |name: &String| secret(name, self.setting).map_err(unable);
        match Address::parse(address) {
            Address::Mail(to) => {
                let none = || {
                    Undelivered::Unable("the project has no mail connection (CREATE CONNECTION … TO SMTP)".to_owned())
                };
                let mail = self.posts.mail.as_ref().ok_or_else(none)?;
                let sign_in = match (&mail.user, &mail.password) {
                    (Some(user), Some(password)) => Some((secret(user)?, secret(password)?)),
                    _ => None,
                };
                let sender = Sender {
                    server: Server::of(mail)?,
                    from: mail.sender.clone(),
                    sign_in,
                    authorities: self.setting.authorities.clone(),
                    clock: self.setting.clock,
                };
                sender.send(&to, parcel).await
            }
            Address::Webhook(to) => {
                let none = || Undelivered::Unable("the project has no webhook_key (CREATE SETTINGS)".to_owned());
                let key = secret(self.posts.settings.webhook_key.as_ref().ok_or_else(none)?)?;
                let terms = Terms::new(TIMEOUT, self.setting.clock);
                let hook = Hook { key, terms: Terms { authorities: self.setting.authorities.clone(), ..terms } };
                hook.send(&to, parcel).await
            }
        }
    }

    /// The error files that go along, as long as all of them together are no larger than the setting says.
    fn attached(&self, content: &Content) -> Vec<Attached> {
        let mut left = self.posts.settings.notice_attach_bytes;
        let mut attached = Vec::new();
        for part in &content.runs {
            let Some(bytes) = part.error_file.as_deref().and_then(|file| up_to(file, left)) else { continue };
            left = left.saturating_sub(bytes.len() as u64);
            attached.push(Attached { name: file_name(part), bytes });
        }
        attached
    }
}
