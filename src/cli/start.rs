//! From the command line to an exit code.

use super::output::{on_one_line, tell};
use super::plan::Asked;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;

use super::arguments::{Arguments, Common, ConnectionVerb, Loading, Verb};
use super::arguments_avatar::AvatarVerb;
use super::arguments_cluster::Planning;
use super::arguments_operations::{CursorVerb, ErrorsVerb};
use super::hardening::{allow_files, harden};
use super::home_place::HomePlace;
use super::{
    activity, approving, avatar, check, clean, cluster, company, connection, demo, describe, doctor, errors, explain,
    fmt, init, jobs, manual, notices, plan, preview, refresh, report, run, sandbox, schedule, secret, serve, state,
    test,
};
use crate::app::approving::is_paused;
use crate::app::clusters;
use crate::app::error::Error;
use crate::app::run_places;
use crate::app::workspace::{DRIFT_AFTER, Setting};
use crate::engine::elsewhere::Place;
use crate::files::location;
use crate::http::terms::MAX_WAIT;
use crate::http::{hosts, terms};
use crate::model::clock::Clock;
use crate::model::secret::Secret;
use crate::run::undertaking::How;
use crate::store::database::Server;

/// The stack of a thread that carries a plan out, in bytes.
const WORKER_STACK_BYTES: usize = 16 << 20;
/// Where the state is, if it is not in the home.
const STATE: &str = "FERRY_STATE";
/// The password of a server whose URL has none, as libpq takes it: <https://www.postgresql.org/docs/current/libpq-envars.html>.
const PASSWORD: &str = "PGPASSWORD";

/// How a verb ended, if nothing stopped it.
pub(super) type Ended = Result<u8, Error>;

/// Reads the arguments, carries the verb out, and says with which code to exit.
pub fn start(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    allow_files();
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(WORKER_STACK_BYTES).build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tell!("error: the runtime cannot be started: {error}");
                return 7;
            }
        };
    let json = arguments.common.json;
    match runtime.block_on(verb(arguments)) {
        Ok(code) => code,
        Err(Error::Text(text)) => {
            check::show(&text.0, &text.1, json, &[]);
            2
        }
        Err(error) => {
            tell!("error: {error}");
            error.exit_code()
        }
    }
}

async fn verb(arguments: Arguments) -> Ended {
    let common = arguments.common;
    let json = common.json;
    if let (Some(name), false) = (named(&common), matches!(arguments.verb, Verb::Jobs(_))) {
        return Err(Error::Usage(format!("--connection {name}: write it as NAME=URL")));
    }
    let setting = setting(&common, needs_secrets(&arguments.verb))?;
    if let (true, Some(word)) = (common.offline, asks_services(&arguments.verb)) {
        return Err(Error::Usage(format!("`ferry {word}` asks the services; leave out --offline")));
    }
    match arguments.verb {
        Verb::Init(arguments) => init::init(&setting, &arguments, json).await,
        Verb::Errors { verb: Some(ErrorsVerb::Unescape { file }), .. } => errors::unescape(&file),
        Verb::Errors { verb: Some(ErrorsVerb::List { job }), .. } => errors::list(&setting, job.as_deref(), json),
        Verb::Errors { verb: None, of } => errors::of_run(&setting, &of, json).await,
        Verb::Report(asked) => report::report(&setting, &asked, json).await,
        Verb::Secret { verb } => secret::secret(&setting.home, &verb, json),
        Verb::Demo(demo) => demo::demo(&demo, &common).await,
        Verb::Sandbox(sandbox) => sandbox::serve(&sandbox, &common).await,
        Verb::Check { paths } => check::check(&setting, &paths, json).await,
        Verb::Fmt { paths, check } => fmt::fmt(&setting, &paths, check, json),
        Verb::Test { paths } => test::test(&setting, &paths, json).await,
        Verb::Refresh => refresh::refresh(&setting, json).await,
        Verb::Describe { object } => {
            describe::describe(&Setting { anew: true, ..setting }, object.as_deref(), json).await
        }
        Verb::Preview { job, limit } => preview::preview(&setting, &job, limit, json).await,
        Verb::Explain { job } => explain::explain(&setting, &job, json).await,
        Verb::Plan { name, sample, full, verify, out, planning } => {
            let how = How { full, verify, ..How::default() };
            let asked = Asked { name: &name, how: &how, sample, out: out.as_deref() };
            plan::plan(&Setting { anew: true, place: place(&planning)?, ..setting }, &asked, json).await
        }
        Verb::Run { name, loading, anew, full, only, profile } => {
            let chosen = (!only.is_empty()).then_some(only);
            let how = How { anew, chosen, full, ..How::default() };
            run::run(&to_load(setting, &loading)?, &name, &how, profile, json).await
        }
        Verb::Apply { run, loading } => run::apply(&to_load(setting, &loading)?, &run, json).await,
        Verb::Serve(arguments) => {
            harden();
            serve::serve(setting, &arguments).await
        }
        Verb::Schedule(arguments) => schedule::schedule(&setting, &arguments, json),
        Verb::Approve { run } => approving::approve(&setting, &run, json),
        Verb::Pause { name } => approving::pause(&setting, &name, json),
        Verb::Resume { run: Some(name), .. } if is_paused(&setting, &name)? => approving::lift(&setting, &name, json),
        Verb::Resume { run, loading } => run::resume(&to_load(setting, &loading)?, run.as_deref(), json).await,
        Verb::Replay { run, code, loading } => run::replay(&to_load(setting, &loading)?, &run, &code, json).await,
        Verb::Cancel { run } => run::cancel(&setting, &run, json).await,
        Verb::Clean { older_than } => clean::clean(&setting, older_than, json).await,
        Verb::Company { account } => company::company(&setting, &account, json).await,
        Verb::Notices { verb } => notices::notices(&setting, verb.as_ref(), json).await,
        Verb::Avatar { verb } => avatar::avatar(&setting, &verb, json).await,
        Verb::Connection { verb } => connection::connection(&setting, &verb, json).await,
        Verb::Activity(asked) => activity::activity(&setting, &asked, json).await,
        Verb::Cluster { verb } => cluster::cluster(&setting, verb, json).await,
        Verb::Doctor => doctor::doctor(&setting, json).await,
        Verb::State { verb } => state::state(&setting, &verb, json),
        Verb::Cursor { verb: CursorVerb::Rewind { job } } => state::rewind(&setting, &job, json),
        Verb::Completions { shell } => manual::completions(shell),
        Verb::Man { verb } => manual::page(verb.as_deref()),
        Verb::Jobs(asked) => jobs::jobs(&setting, &asked, named(&common), json),
        Verb::Chain { verb } => jobs::chain(&setting, &verb, json),
    }
}

/// Whether the home's secrets are opened: whoever mends them must not need them, nor whoever asks no service.
fn needs_secrets(verb: &Verb) -> bool {
    !matches!(
        verb,
        Verb::Secret { .. }
            | Verb::Errors { .. }
            | Verb::Report(_)
            | Verb::Fmt { .. }
            | Verb::Activity(_)
            | Verb::Jobs(_)
            | Verb::Schedule(_)
            | Verb::Chain { .. }
            | Verb::State { .. }
            | Verb::Cursor { .. }
            | Verb::Completions { .. }
            | Verb::Man { .. }
            | Verb::Cancel { .. }
            | Verb::Approve { .. }
            | Verb::Pause { .. }
            | Verb::Clean { .. }
            | Verb::Cluster { .. }
            | Verb::Demo(_)
            | Verb::Sandbox(_)
    )
}

/// The word of a verb that reads from the services, beyond their schemas.
fn asks_services(verb: &Verb) -> Option<&'static str> {
    match verb {
        Verb::Refresh => Some("refresh"),
        Verb::Preview { .. } => Some("preview"),
        Verb::Plan { .. } => Some("plan"),
        Verb::Apply { .. } => Some("apply"),
        Verb::Run { .. } => Some("run"),
        Verb::Serve(_) => Some("serve"),
        Verb::Resume { .. } => Some("resume"),
        Verb::Replay { .. } => Some("replay"),
        Verb::Company { .. } => Some("company"),
        Verb::Avatar { verb: AvatarVerb::Associate { .. } } => Some("avatar associate"),
        Verb::Connection { verb: ConnectionVerb::Test { .. } } => Some("connection test"),
        Verb::Connection { verb: ConnectionVerb::Authorize { .. } } => Some("connection authorize"),
        Verb::Connection { verb: ConnectionVerb::Reauthorize { .. } } => Some("connection reauthorize"),
        _ => None,
    }
}

fn setting(common: &Common, needs_secrets: bool) -> Result<Setting, Error> {
    let HomePlace { folder, runs } = HomePlace::of(common)?;
    let secrets = secret::source(needs_secrets.then_some(folder.as_path()))?;
    let storage = storage();
    Ok(Setting {
        project: common.project.clone(),
        home: folder,
        runs: runs.map(|url| run_places::open("--home", &url, &storage)).transpose()?,
        server: server(common)?,
        environment: common.env.clone(),
        redirects: common.connection.iter().filter(|(_, url)| !url.is_empty()).cloned().collect(),
        offline: common.offline,
        authorities: authorities()?,
        storage,
        allowed_hosts: std::env::var(hosts::VARIABLE).map(|list| hosts::named(&list)).unwrap_or_default(),
        secrets,
        key_file: secret::key_file(),
        anew: false,
        consented: false,
        max_wait: MAX_WAIT,
        patience: common.wait.map(Duration::from_secs),
        drift_after: DRIFT_AFTER,
        is_attended: true,
        by: somebody(),
        place: None,
        clock: Clock::system(common.clock_scale),
    })
}

/// The server that has the state, if one is named. A password that others on this machine are not to see stands in the environment.
fn server(common: &Common) -> Result<Option<Server>, Error> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(url) = common.state.clone().or_else(|| set(STATE)) else { return Ok(None) };
    let password = set(PASSWORD).map(Secret::new);
    let server = Server::of(&Secret::new(url), password.as_ref(), authorities()?.as_deref());
    server.map(Some).map_err(|failure| Error::Usage(failure.to_string()))
}

/// The connection that was named without a place to lead to.
fn named(common: &Common) -> Option<&str> {
    common.connection.iter().find(|(_, url)| url.is_empty()).map(|(name, _)| name.as_str())
}

/// Who is at work, as the operating system calls them.
fn somebody() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    let name = named.map(|name| on_one_line(&name)).find(|name| !name.is_empty());
    name.unwrap_or_else(|| "unknown".to_owned())
}

/// The setting of a verb that loads.
fn to_load(setting: Setting, loading: &Loading) -> Result<Setting, Error> {
    let max_wait = Duration::from_secs(loading.max_wait);
    Ok(Setting { consented: loading.yes, max_wait, anew: true, place: place(&loading.planning)?, ..setting })
}

/// Where plans are made.
fn place(planning: &Planning) -> Result<Option<Place>, Error> {
    planning.cluster.as_deref().map(|url| clusters::place(url, planning.or_locally)).transpose()
}

/// What object stores are signed in to with.
fn storage() -> Arc<[(String, Secret)]> {
    let is_of_stores = |name: &str| location::VARIABLES.iter().any(|prefix| name.starts_with(prefix));
    let all =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    all.filter(|(name, _)| is_of_stores(name)).map(|(name, value)| (name, Secret::new(value))).collect()
}

/// The authorities that are trusted on this machine beside the public ones.
fn authorities() -> Result<Option<Arc<str>>, Error> {
    let Some(path) = std::env::var_os(terms::VARIABLE).filter(|path| !path.is_empty()) else { return Ok(None) };
    let unreadable = |error| Error::Usage(format!("{}={}: {error}", terms::VARIABLE, path.display()));
    Ok(Some(std::fs::read_to_string(&path).map_err(unreadable)?.into()))
}

/// Whether what goes to stderr is read by a person on a terminal.
pub(super) fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
