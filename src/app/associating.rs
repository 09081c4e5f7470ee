//! `avatar associate`, `avatar dissociate`: a person settles who is who.
//!
//! What a person says stands above every key, until somebody says otherwise: an association is consulted before the key, and a user
//! whom somebody parted from a Dynamics user is not joined to it again by a key. In: a Dynamics user and a Gainsight user, who are
//! looked up live. Out: the map, with an update activity. A run takes the map when it begins.

use chrono::SecondsFormat;

use super::avatars::{Candidate, candidate, kind, named, normal, open};
use super::connections::failed;
use super::error::Error;
use super::held::Held;
use super::workspace::{Setting, text_of};
use crate::lang::project::Parsed;
use crate::model::connection::{Connection, Service};
use crate::run::progress::Progress;
use crate::store::associations::{Association, Said};
use crate::store::state::{State, Tenancy};
use crate::store::updates::Update;

/// What was settled.
#[derive(Debug)]
pub struct Settled {
    /// `Avatar_Dynamics`, `Avatar_<label>`.
    pub kind: String,
    /// The Dynamics user's id.
    pub dynamics_id: String,
    /// The Gainsight user that it was.
    pub before: Option<String>,
    /// The Gainsight user that it is now.
    pub user: Option<Candidate>,
    /// The Dynamics user that the Gainsight user was before.
    pub taken_from: Option<String>,
}

/// How a Dynamics user is associated.
#[derive(Debug, Clone, Copy)]
pub struct Associate<'a> {
    /// Its id, or its user name.
    pub who: &'a str,
    /// The Gainsight user: its GSID, or its user name.
    pub user: &'a str,
    /// The Dynamics connection, where the project has several.
    pub of: Option<&'a str>,
    /// Whether the Gainsight user may be taken from another Dynamics user.
    pub takes_over: bool,
}

/// Associates a Dynamics user with a Gainsight user.
///
/// # Errors
/// If either is not there, the Gainsight user is another Dynamics user, or another process has the home.
pub async fn associate(setting: &Setting, one: &Associate<'_>, progress: &Progress) -> Result<Settled, Error> {
    let text = text_of(setting)?;
    let connections = both(&text.parsed, one.of, setting, one.who)?;
    let (services, of) = open(setting, connections).await?;
    let dynamics = &services.dynamics[&connections.0.name];
    let said = |cause: crate::dynamics::error::Error| failed(connections.0, cause.into());
    let mut found = dynamics.users(&[normal(one.who)]).await.map_err(said)?;
    if found.is_empty() {
        found = dynamics.users_named(one.who).await.map_err(said)?;
    }
    let nobody = |who: &str, service: &str, by: &str| {
        Error::Usage(format!("{service} has no user \"{who}\"; name one by {by} or by user name"))
    };
    let [person] = &found[..] else { return Err(nobody(one.who, "Dynamics", "id")) };
    let id = person.id.to_lowercase();
    let gainsight = &services.gainsight[&connections.1.name];
    let said = |cause: crate::gainsight::error::Error| failed(connections.1, cause.into());
    let mut users = gainsight.users(&[one.user.to_owned()]).await.map_err(said)?;
    if users.is_empty() {
        users = gainsight.users_named(one.user).await.map_err(said)?;
    }
    let [user] = &users[..] else { return Err(nobody(one.user, "Gainsight", "GSID")) };
    let Held { home: _home, state } = Held::take(setting, progress).await?;
    let before = state.association(&of, &id)?;
    let owner = state.owner(&of, &user.gsid)?.filter(|owner| owner.source_id != id);
    if let Some(owner) = owner.as_ref().filter(|_| !one.takes_over) {
        return Err(Error::Usage(format!(
            "Gainsight user {} is Dynamics user {} already; `ferry avatar associate {id} {} --move` takes it over",
            user.gsid, owner.source_id, user.gsid
        )));
    }
    let kind = kind(&text.parsed, &connections.0.name);
    let was = before.as_ref().and_then(|one| one.user_gsid.clone());
    if was.as_deref() != Some(&user.gsid) {
        let mut all = Vec::new();
        if let Some(owner) = &owner {
            let update = update(setting, &kind, &owner.source_id, "dissociated", owner.user_gsid.as_deref(), None);
            let parted = owner.user_gsid.as_deref();
            all.push(Said { source_id: &owner.source_id, user_gsid: None, parted_gsid: parted, update });
        }
        let update = update(setting, &kind, &id, "associated", was.as_deref(), Some(&user.gsid));
        // Whom it is no more, it is not by its key either.
        let earlier = before.as_ref().and_then(|one| one.parted_gsid.as_deref()).filter(|gsid| *gsid != user.gsid);
        let parted_gsid = was.as_deref().or(earlier);
        all.push(Said { source_id: &id, user_gsid: Some(&user.gsid), parted_gsid, update });
        state.settle_user(&of, &all)?;
    }
    let user = candidate(&user.gsid, Some(user), None);
    Ok(Settled { kind, dynamics_id: id, before: was, user: Some(user), taken_from: owner.map(|owner| owner.source_id) })
}

/// Parts a Dynamics user from the Gainsight user that it is. No key joins the two again, unless `rematch` says that the key decides anew.
/// It asks no service.
///
/// # Errors
/// If the map does not have it, or another process has the home.
pub async fn dissociate(setting: &Setting, who: &str, rematch: bool, progress: &Progress) -> Result<Settled, Error> {
    let text = text_of(setting)?;
    let id = normal(who);
    let Held { home: _home, state } = Held::take(setting, progress).await?;
    let kept = state.connections()?;
    let leads_to =
        |to: &str| kept.iter().any(|one| one.identity == to && text.parsed.connections.contains_key(&one.name));
    let is_its = |one: &Association| one.source_id == id && leads_to(&one.of.organization) && leads_to(&one.of.tenant);
    let Some(known) = state.associations()?.into_iter().find(is_its) else {
        let help = "`ferry avatar list` shows everybody, with the ids";
        return Err(Error::Usage(format!("the identity map has no Dynamics user {id}; {help}")));
    };
    let was = known.user_gsid.clone();
    let connection = connection_of(&text.parsed, &state, &known.of)?;
    let kind = connection.map_or_else(|| format!("Avatar_{}", known.of.organization), |name| kind(&text.parsed, &name));
    if was.is_none() && (!rematch || known.parted_gsid.is_none()) {
        return Err(Error::Usage(format!("Dynamics user {id} is not associated with anybody")));
    }
    let parted_gsid = was.as_deref().or(known.parted_gsid.as_deref()).filter(|_| !rematch);
    let action = if rematch { "left to its key" } else { "dissociated" };
    let update = update(setting, &kind, &id, action, was.as_deref(), None);
    state.settle_user(&known.of, &[Said { source_id: &id, user_gsid: None, parted_gsid, update }])?;
    Ok(Settled { kind, dynamics_id: id, before: was, user: None, taken_from: None })
}

/// The two connections between which users are mapped: those that are named, or the only ones, or those of the place that knows the user.
fn both<'a>(
    parsed: &'a Parsed,
    of: Option<&str>,
    setting: &Setting,
    who: &str,
) -> Result<(&'a Connection, &'a Connection), Error> {
    let known = match (of, State::look(setting.place())?) {
        (None, Some(state)) => {
            let mut places = state.associations()?.into_iter().map(|one| (one.source_id, one.of)).collect::<Vec<_>>();
            places.extend(state.ambiguous()?.into_iter().map(|one| (one.source_id, one.of)));
            let mut of_it = places.into_iter().filter(|(id, _)| *id == normal(who)).map(|(_, of)| of);
            let name = of_it.next().map(|of| connection_of(parsed, &state, &of)).transpose()?.flatten();
            name.filter(|_| of_it.next().is_none())
        }
        _ => None,
    };
    let dynamics = named(parsed, Service::Dynamics, of.or(known.as_deref()))?;
    Ok((dynamics, named(parsed, Service::Gainsight, None)?))
}

/// The Dynamics connection that leads to an organisation.
fn connection_of(parsed: &Parsed, state: &State, of: &Tenancy) -> Result<Option<String>, Error> {
    let kept = state.connections()?;
    let is_its = |one: &&crate::store::connections::Established| one.identity == of.organization;
    let name = kept.iter().filter(is_its).find(|one| parsed.connections.contains_key(&one.name));
    Ok(name.map(|one| one.name.clone()))
}

fn update(setting: &Setting, kind: &str, id: &str, action: &str, before: Option<&str>, after: Option<&str>) -> Update {
    Update {
        at: setting.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true),
        by: setting.by.clone(),
        kind: "avatar".to_owned(),
        name: format!("{kind} {id}"),
        action: action.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    }
}
