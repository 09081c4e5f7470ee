//! `ferry avatar`.

use serde_json::json;

use super::arguments_avatar::AvatarVerb;
use super::output;
use super::output::{on_one_line, say, tell};
use super::progress::listener;
use super::start::Ended;
use super::table::left;
use crate::app::associating::{Associate, Settled, associate, dissociate};
use crate::app::avatars::{Avatar, Candidate, list, show};
use crate::app::workspace::Setting;

pub(super) async fn avatar(setting: &Setting, verb: &AvatarVerb, as_json: bool) -> Ended {
    match verb {
        AvatarVerb::List { ambiguous, of } => {
            let listed = list(setting, *ambiguous, of.as_deref()).await?;
            listed.notices.iter().for_each(|notice| tell!("note: {notice}"));
            shown(&listed.avatars, *ambiguous, as_json);
        }
        AvatarVerb::Show { who } => {
            let (one, notices) = show(setting, who).await?;
            notices.iter().for_each(|notice| tell!("note: {notice}"));
            if as_json { say!("{}", json!(one)) } else { output::text(&in_full(&one)) }
        }
        AvatarVerb::Associate { who, user, takes_over, of } => {
            let one = Associate { who, user, of: of.as_deref(), takes_over: *takes_over };
            settled(&associate(setting, &one, &listener()).await?, as_json);
        }
        AvatarVerb::Dissociate { who, rematch } => {
            let one = dissociate(setting, who, *rematch, &listener()).await?;
            settled(&one, as_json);
            if !as_json && *rematch {
                tell!("the key of the job decides anew in its next run");
            } else if !as_json {
                tell!(
                    "no key joins the two again: `ferry avatar associate` says who it is, `--rematch` has the key decide"
                );
            }
        }
    }
    Ok(0)
}

fn shown(avatars: &[Avatar], ambiguous: bool, as_json: bool) {
    if as_json {
        return avatars.iter().for_each(|one| say!("{}", json!(one)));
    }
    if avatars.is_empty() {
        let nobody = "no user could be one of several, as far as the last runs found";
        return tell!("{}", if ambiguous { nobody } else { "the identity map is empty: no job has loaded users yet" });
    }
    let header = ["type", "Dynamics user", "name", "active", "Gainsight user", "name", "since", "settled by"];
    let rows = avatars.iter().map(|one| {
        let user = match (&one.user, one.candidates.len()) {
            (Some(user), _) => (user.gsid.clone(), named(user)),
            (None, 0) => ("none".to_owned(), format!("not {}", one.not.as_deref().unwrap_or("any"))),
            (None, several) => (format!("one of {several}"), String::new()),
        };
        let active = one.active.map_or("", |active| if active { "yes" } else { "no" });
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let name = one.name.clone().or(one.username.clone()).unwrap_or_default();
        let by = if one.status == "ambiguous" { "nobody yet".to_owned() } else { text(&one.settled_by) };
        let cells =
            [one.kind.clone(), one.dynamics_id.clone(), name, active.to_owned(), user.0, user.1, text(&one.since), by];
        cells.map(|cell| on_one_line(&cell)).to_vec()
    });
    output::text(&left(&header, &rows.collect::<Vec<_>>()));
    for one in avatars.iter().filter(|one| one.status == "ambiguous") {
        output::text(&choices(one));
    }
}

/// What a person can choose from, with the commands to type.
fn choices(one: &Avatar) -> String {
    let who = one.name.as_deref().unwrap_or(&one.dynamics_id);
    let mut text = format!("\n{} could be one of {}:\n", on_one_line(who), one.candidates.len());
    for user in &one.candidates {
        let taken = user.is.as_ref().map_or_else(String::new, |is| format!(" (is {is} already)"));
        let name = on_one_line(&named(user));
        text.push_str(&format!("  ferry avatar associate {} {}   {name}{taken}\n", one.dynamics_id, user.gsid));
    }
    text
}

fn in_full(one: &Avatar) -> String {
    let active = |active: Option<bool>| match active {
        Some(true) => "active",
        Some(false) => "not active",
        None => "",
    };
    let mut text = format!("{} · {}\n", one.kind, one.status);
    let mut line = |label: &str, parts: &[&str]| {
        let parts: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| on_one_line(part)).collect();
        if !parts.is_empty() {
            text.push_str(&format!("  {label:<15} {}\n", parts.join(" · ")));
        }
    };
    let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
    line("Dynamics user", &[&one.dynamics_id, &or_none(&one.name), &or_none(&one.username), active(one.active)]);
    if let Some(user) = &one.user {
        line("Gainsight user", &[&user.gsid, &named(user), active(user.active)]);
    }
    if let Some(not) = &one.not {
        line("is not", &[not]);
    }
    line("since", &[&or_none(&one.since)]);
    line("settled by", &[&or_none(&one.settled_by)]);
    if one.status == "ambiguous" { text + &choices(one) } else { text }
}

/// What a user is called, as far as that is known.
fn named(user: &Candidate) -> String {
    let parts = [&user.name, &user.username, &user.email];
    let mut parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    parts.dedup();
    let state = if user.active == Some(false) { " (not active)" } else { "" };
    format!("{}{state}", parts.join(", "))
}

fn settled(one: &Settled, as_json: bool) {
    let now = one.user.as_ref().map(|user| user.gsid.clone());
    if as_json {
        say!(
            "{}",
            json!({ "type": one.kind, "dynamics_id": one.dynamics_id, "before": one.before, "user": now,
                "taken_from": one.taken_from })
        );
        return;
    }
    let before = one.before.as_deref().unwrap_or("nobody");
    match &one.user {
        Some(user) if one.before.as_deref() == Some(&user.gsid) => {
            tell!("Dynamics user {} is {} ({}) already", one.dynamics_id, user.gsid, named(user));
        }
        Some(user) => {
            tell!(
                "Dynamics user {} is {} ({}) from the next run on; it was {before}",
                one.dynamics_id,
                user.gsid,
                named(user)
            );
        }
        None => tell!("Dynamics user {} is associated with nobody; it was {before}", one.dynamics_id),
    }
    if let Some(owner) = &one.taken_from {
        tell!("Dynamics user {owner} is associated with nobody now");
    }
}
