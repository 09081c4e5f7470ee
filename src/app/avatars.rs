//! `avatar list`, `avatar show`: who is who, from the state; with names, as far as both services can be asked.
//!
//! In: a project's connections and the state of a home. Out: Dynamics users with the Gainsight users that they are or could be. A
//! service that does not answer costs the names and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::connections::{failed, not_revoked, same};
use super::error::Error;
use super::workspace::{Setting, connect, nothing_open, text_of};
use crate::dynamics::people::SystemUser;
use crate::gainsight::people::User;
use crate::lang::ast::Statement;
use crate::lang::project::Parsed;
use crate::model::connection::{Connection, Service};
use crate::run::services::Services;
use crate::store::associations::{Ambiguous, Association};
use crate::store::state::{State, Tenancy};
use crate::store::users::{KEY, PERSON};

/// A Dynamics user with what is known of who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Avatar {
    /// `Avatar_Dynamics`, `Avatar_<label>`: of which organisation it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The Dynamics user's id.
    pub dynamics_id: String,
    /// The full name in Dynamics, if it could be asked.
    pub name: Option<String>,
    /// The user name in Dynamics, if it could be asked.
    pub username: Option<String>,
    /// Whether the Dynamics user is enabled: as Dynamics says, else as the last run saw it.
    pub active: Option<bool>,
    /// `associated`, `ambiguous` or `dissociated`.
    pub status: &'static str,
    /// The Gainsight user that it is.
    pub user: Option<Candidate>,
    /// The Gainsight users that it could be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// The Gainsight user that it is not, as somebody said.
    pub not: Option<String>,
    /// Since when: RFC 3339, UTC.
    pub since: Option<String>,
    /// `key`, or the name of the person who settled it.
    pub settled_by: Option<String>,
}

/// A Gainsight user, as far as it could be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The GSID.
    pub gsid: String,
    /// The full name.
    pub name: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the user may sign in.
    pub active: Option<bool>,
    /// Another Dynamics user that it is already.
    pub is: Option<String>,
}

/// Who is who, and what could not be asked for names.
#[derive(Debug, Default)]
pub struct Listed {
    /// The users, by organisation and id.
    pub avatars: Vec<Avatar>,
    /// Why there are no names, if there are none.
    pub notices: Vec<String>,
}

/// Who is who: all, or those who could be one of several; of all connections, or of one.
///
/// # Errors
/// If the project or the state cannot be read, or there is no such connection.
pub async fn list(setting: &Setting, ambiguous: bool, of: Option<&str>) -> Result<Listed, Error> {
    let text = text_of(setting)?;
    let Some(state) = State::look(setting.place())? else { return Ok(Listed::default()) };
    let places = places(&text.parsed, &state, of)?;
    let mut listed = Listed::default();
    for place in &places {
        let known = Known::of(&state, &place.of, ambiguous)?;
        if known.is_empty() {
            continue;
        }
        let names = match names(setting, &text.parsed, place, &known).await {
            Ok(names) => names,
            Err(error) => {
                listed.notices.push(format!("{} is listed without names: {error}", place.kind));
                Names::default()
            }
        };
        listed.avatars.extend(known.avatars(&place.kind, &names));
    }
    Ok(listed)
}

/// One of them, by the id or the user name in Dynamics, or by the GSID or the user name in Gainsight.
///
/// # Errors
/// As [`list`], and if there is nobody of that name, or several.
pub async fn show(setting: &Setting, who: &str) -> Result<(Avatar, Vec<String>), Error> {
    let Listed { avatars, notices } = list(setting, false, None).await?;
    let wanted = normal(who);
    let is = |name: Option<&String>| name.is_some_and(|name| name.eq_ignore_ascii_case(&wanted));
    let by_id: Vec<&Avatar> = avatars.iter().filter(|one| one.dynamics_id.eq_ignore_ascii_case(&wanted)).collect();
    let by_name = || {
        let users = |one: &&Avatar| {
            let user = one.user.as_ref();
            is(one.username.as_ref())
                || is(user.map(|user| &user.gsid))
                || is(user.and_then(|user| user.username.as_ref()))
        };
        avatars.iter().filter(users).collect()
    };
    let found = if by_id.is_empty() { by_name() } else { by_id };
    match found[..] {
        [one] => Ok((one.clone(), notices)),
        [] => {
            let why = notices.first().map_or_else(String::new, |why| format!("; {why}"));
            Err(Error::Usage(format!(
                "the identity map has nobody called \"{who}\"{why}; `ferry avatar list` shows everybody"
            )))
        }
        _ => Err(Error::Usage(format!("several Dynamics users are called \"{who}\"; name one by its id"))),
    }
}

/// An id as the map has it: without braces, in small letters if it is one.
pub(super) fn normal(who: &str) -> String {
    let bare = who.trim().trim_matches(['{', '}']);
    if bare.contains('-') && !bare.contains('@') { bare.to_lowercase() } else { bare.to_owned() }
}

/// An organisation and a tenant whose users are mapped.
struct Place {
    kind: String,
    of: Tenancy,
    /// The connections that lead there.
    connections: (String, String),
}

/// The places that the state knows and the project's connections lead to, or those of one connection.
fn places(parsed: &Parsed, state: &State, of: Option<&str>) -> Result<Vec<Place>, Error> {
    let kept = state.connections()?;
    let identity = |name: &str| kept.iter().find(|one| one.name == name).map(|one| one.identity.as_str());
    if let Some(name) = of {
        named(parsed, Service::Dynamics, Some(name))?;
    }
    let mut all: BTreeSet<(String, String)> = BTreeSet::new();
    all.extend(state.associations()?.into_iter().map(|one| (one.of.organization, one.of.tenant)));
    all.extend(state.ambiguous()?.into_iter().map(|one| (one.of.organization, one.of.tenant)));
    let leads_to = |service: Service, to: &str| {
        let all = parsed.connections.values().filter(|one| one.service == service);
        all.filter(|one| identity(&one.name) == Some(to)).map(|one| one.name.clone()).next()
    };
    let mut places = Vec::new();
    for (organization, tenant) in all {
        let both = leads_to(Service::Dynamics, &organization).zip(leads_to(Service::Gainsight, &tenant));
        // What belongs to connections that the project has no more is not about its users.
        let Some(connections) = both else { continue };
        if of.is_none_or(|of| connections.0.eq_ignore_ascii_case(of)) {
            let kind = kind(parsed, &connections.0);
            places.push(Place { kind, of: Tenancy { organization, tenant }, connections });
        }
    }
    Ok(places)
}

/// What the avatars of a connection are called: as its jobs write it, else `Avatar_Dynamics` of the only one, and `Avatar_<label>`.
pub(super) fn kind(parsed: &Parsed, connection: &str) -> String {
    let written = parsed.statements.iter().find_map(|one| {
        let Statement::Job(job) = one else { return None };
        let is_its = job.from.object.connection.text.eq_ignore_ascii_case(connection);
        let target = job.targets.iter().map(|target| &target.object.text).find(|name| name.starts_with("Avatar_"));
        target.filter(|_| is_its).cloned()
    });
    let sources = || parsed.connections.values().filter(|one| one.service == Service::Dynamics);
    written.unwrap_or_else(|| match sources().find(|one| one.name == connection) {
        Some(one) if sources().count() > 1 => format!("Avatar_{}", one.label),
        _ => "Avatar_Dynamics".to_owned(),
    })
}

/// The connection of a name, or the only one of its service.
pub(super) fn named<'a>(parsed: &'a Parsed, service: Service, name: Option<&str>) -> Result<&'a Connection, Error> {
    let all: Vec<&Connection> = parsed.connections.values().filter(|one| one.service == service).collect();
    let found: Vec<&Connection> =
        all.iter().copied().filter(|one| name.is_none_or(|name| one.name.eq_ignore_ascii_case(name))).collect();
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let word = if service == Service::Dynamics { "Dynamics" } else { "Gainsight" };
    match found[..] {
        [one] => Ok(one),
        [] if names.is_empty() => Err(Error::Usage(format!("the project has no {word} connection"))),
        [] => Err(Error::Usage(format!(
            "{} is no {word} connection; there are {}",
            name.unwrap_or("it"),
            names.join(", ")
        ))),
        _ => Err(Error::Usage(format!(
            "the project has several {word} connections ({}); say --of which",
            names.join(", ")
        ))),
    }
}

/// What the state knows of a place.
struct Known {
    associated: Vec<Association>,
    ambiguous: Vec<Ambiguous>,
    owners: BTreeMap<String, String>,
}

impl Known {
    fn of(state: &State, of: &Tenancy, only_ambiguous: bool) -> Result<Self, Error> {
        let mut associated: Vec<Association> = state.associations()?.into_iter().filter(|one| one.of == *of).collect();
        let ambiguous = state.ambiguous()?.into_iter().filter(|one| one.of == *of).collect();
        let owners = associated.iter().filter_map(|one| Some((one.user_gsid.clone()?, one.source_id.clone())));
        let owners = owners.collect();
        if only_ambiguous {
            associated.clear();
        }
        Ok(Self { associated, ambiguous, owners })
    }

    fn is_empty(&self) -> bool {
        self.associated.is_empty() && self.ambiguous.is_empty()
    }

    fn avatars(&self, kind: &str, names: &Names) -> Vec<Avatar> {
        let several: BTreeMap<&str, &Ambiguous> =
            self.ambiguous.iter().map(|one| (one.source_id.as_str(), one)).collect();
        let known: BTreeMap<&str, &Association> =
            self.associated.iter().map(|one| (one.source_id.as_str(), one)).collect();
        let ids: BTreeSet<&str> = several.keys().chain(known.keys()).copied().collect();
        ids.into_iter()
            .map(|id| self.avatar(kind, id, known.get(id).copied(), several.get(id).copied(), names))
            .collect()
    }

    fn avatar(
        &self,
        kind: &str,
        id: &str,
        known: Option<&Association>,
        several: Option<&Ambiguous>,
        names: &Names,
    ) -> Avatar {
        let there = names.dynamics.get(id);
        let gsid = known.and_then(|one| one.user_gsid.as_ref());
        let by = known.and_then(|one| one.settled_by.as_deref()).filter(|_| several.is_none() || gsid.is_some());
        Avatar {
            kind: kind.to_owned(),
            dynamics_id: id.to_owned(),
            name: there.and_then(|user| user.name.clone()),
            username: there.and_then(|user| user.username.clone()),
            active: there.map(|user| !user.is_disabled).or(known.and_then(|one| one.active)),
            status: match (gsid, several) {
                (Some(_), _) => "associated",
                (None, Some(_)) => "ambiguous",
                (None, None) => "dissociated",
            },
            user: gsid.map(|gsid| self.candidate(id, gsid, names)),
            candidates: several
                .filter(|_| gsid.is_none())
                .map(|one| one.candidates.iter().map(|gsid| self.candidate(id, gsid, names)).collect())
                .unwrap_or_default(),
            not: known.and_then(|one| one.parted_gsid.clone()),
            since: known
                .and_then(|one| one.since.clone())
                .filter(|_| by.is_some())
                .or(several.map(|one| one.since.clone())),
            settled_by: by.map(|by| if by == KEY { by } else { by.strip_prefix(PERSON).unwrap_or(by) }.to_owned()),
        }
    }

    fn candidate(&self, id: &str, gsid: &str, names: &Names) -> Candidate {
        let is = self.owners.get(gsid).filter(|owner| *owner != id).cloned();
        candidate(gsid, names.gainsight.get(gsid), is)
    }
}

pub(super) fn candidate(gsid: &str, user: Option<&User>, is: Option<String>) -> Candidate {
    Candidate {
        gsid: gsid.to_owned(),
        name: user.and_then(|user| user.name.clone()),
        username: user.and_then(|user| user.username.clone()),
        email: user.and_then(|user| user.email.clone()),
        active: user.and_then(|user| user.is_active),
        is,
    }
}

/// Users of both services, by id and GSID.
#[derive(Default)]
struct Names {
    dynamics: BTreeMap<String, SystemUser>,
    gainsight: BTreeMap<String, User>,
}

async fn names(setting: &Setting, parsed: &Parsed, place: &Place, known: &Known) -> Result<Names, Error> {
    if setting.offline {
        return Ok(Names::default());
    }
    let (dynamics, gainsight) = &place.connections;
    let connections = (&parsed.connections[dynamics], &parsed.connections[gainsight]);
    let (services, _) = open(setting, connections).await?;
    let ids: BTreeSet<&String> = known
        .associated
        .iter()
        .map(|one| &one.source_id)
        .chain(known.ambiguous.iter().map(|one| &one.source_id))
        .collect();
    let gsids: BTreeSet<&String> = known
        .associated
        .iter()
        .filter_map(|one| one.user_gsid.as_ref())
        .chain(known.ambiguous.iter().flat_map(|one| &one.candidates))
        .collect();
    let all = |names: BTreeSet<&String>| -> Vec<String> { names.into_iter().cloned().collect() };
    let found = services.dynamics[dynamics].users(&all(ids)).await;
    let found = found.map_err(|cause| failed(connections.0, cause.into()))?;
    let users = services.gainsight[gainsight].users(&all(gsids)).await;
    let users = users.map_err(|cause| failed(connections.1, cause.into()))?;
    Ok(Names {
        dynamics: found.into_iter().map(|user| (user.id.to_lowercase(), user)).collect(),
        gainsight: users.into_iter().map(|user| (user.gsid.clone(), user)).collect(),
    })
}

/// Both connections, open and leading to where they led; and whose state that is.
pub(super) async fn open(setting: &Setting, of: (&Connection, &Connection)) -> Result<(Services, Tenancy), Error> {
    let mut services = nothing_open(setting);
    for one in [of.0, of.1] {
        not_revoked(&one.name, setting)?;
        connect(one, setting, &mut services).await?.map_err(|cause| failed(one, cause))?;
        let kept = State::look(setting.place())?;
        let kept = kept.map(|state| state.connection(&one.name)).transpose()?.flatten();
        same(one, &services, kept, setting)?;
    }
    let tenancy = Tenancy {
        organization: services.organizations.get(&of.0.name).cloned().unwrap_or_default(),
        tenant: services.tenants.get(&of.1.name).cloned().unwrap_or_default(),
    };
    Ok((services, tenancy))
}
