//! `UPSERT INTO …`: which objects are written, and by which road records reach each.

use super::Context;
use crate::diagnostic::code::{TARGETS, UNKNOWN_CONNECTION, UNKNOWN_OBJECT};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{self, Name, ObjectName};
use crate::lang::suggest::nearest;
use crate::model::catalog::Object;
use crate::model::connection::Service;
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Route, Target};

/// How an object of Ferry's own catalog begins: the map between Dynamics users and Gainsight users.
pub(crate) const AVATAR_PREFIX: &str = "Avatar_";
/// The avatar's field that holds the Dynamics user's id.
pub(crate) const AVATAR_ID: &str = "Dynamics User Id";
/// The avatar's field that says whether the Dynamics user is enabled.
pub(crate) const AVATAR_ACTIVE: &str = "Active";

/// The targets; none in the place of one that is unknown (reported).
pub(super) fn check(names: &[ObjectName], context: &Context<'_>, out: &mut Diagnostics) -> Vec<Option<Target>> {
    let targets: Vec<Option<Target>> = names.iter().map(|n| one(n, context, out)).collect();
    let routes: Vec<Route> = targets.iter().flatten().map(|t| t.route).collect();
    let writable = matches!(
        routes[..],
        [Route::Object | Route::User | Route::Person]
            | [Route::User, Route::Avatar]
            | [Route::Person, Route::CompanyPerson]
    );
    if routes.len() == names.len() && !writable {
        let span = names.last().map_or_else(Default::default, |n| n.span);
        out.push(match routes[..] {
            [Route::CompanyPerson] => Diagnostic::error(TARGETS, span, "no call of Gainsight writes this object alone")
                .help("write UPSERT INTO gainsight.Person, gainsight.\"Company Person\""),
            [Route::Avatar] => Diagnostic::error(TARGETS, span, "an avatar is written beside its user")
                .help("write UPSERT INTO gainsight.User, gainsight.Avatar_…"),
            _ => Diagnostic::error(TARGETS, span, "no call of Gainsight writes these objects together")
                .help("a job writes one object; or User, Avatar_…; or Person, Company Person (in that order)"),
        });
    }
    targets
}

fn one(name: &ObjectName, context: &Context<'_>, out: &mut Diagnostics) -> Option<Target> {
    let connection = connection(&name.connection, Side::Target, context, out)?;
    if name.object.text.starts_with(AVATAR_PREFIX) {
        let object = avatar(&name.object.text);
        return Some(Target { connection, object, route: Route::Avatar });
    }
    let object = object(&connection, name, context, out)?.clone();
    let lower = object.name.to_lowercase();
    let route = match lower.as_str() {
        "gsuser" => Route::User,
        "person" => Route::Person,
        "company_person" => Route::CompanyPerson,
        "company" | "relationship" => Route::Object,
        _ if lower.ends_with("__gc") => Route::Object,
        _ => {
            let message = format!("Gainsight has no public call that writes {}", object.label);
            out.push(
                Diagnostic::error(TARGETS, name.span, message)
                    .help("it has for Company, Relationship, custom objects, User, Person and Company Person"),
            );
            return None;
        }
    };
    Some(Target { connection, object, route })
}

/// What a clause does with a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Target,
    Either,
}

/// The identifier of a connection that can be what the clause makes of it.
pub(super) fn connection(name: &Name, side: Side, context: &Context<'_>, out: &mut Diagnostics) -> Option<String> {
    let Some((key, found)) = context.connections.iter().find(|(k, _)| k.eq_ignore_ascii_case(&name.text)) else {
        if context.broken.contains(&name.text.to_lowercase()) {
            return None;
        }
        let wrong = Diagnostic::error(UNKNOWN_CONNECTION, name.span, format!("no connection is named `{}`", name.text));
        out.push(match nearest(&name.text, context.connections.keys().map(String::as_str)) {
            Some(near) => wrong.label(format!("did you mean `{near}`?")),
            None => wrong.help("declare it with CREATE CONNECTION"),
        });
        return None;
    };
    let is_fit = side == Side::Either || (side == Side::Source) == found.service.has_tables();
    if !is_fit {
        let is = found.service.name();
        let needed = if side == Side::Source { "reads from Dynamics or from files" } else { "writes to Gainsight" };
        let message = format!("`{}` leads to {is}, but this clause {needed}", name.text);
        out.push(Diagnostic::error(UNKNOWN_CONNECTION, name.span, message));
        return None;
    }
    Some(key.clone())
}

/// The connection that a lookup searches in: the job's own source, its own target, or files.
pub(super) fn searched(
    name: &Name,
    job: &ast::Job,
    context: &Context<'_>,
    out: &mut Diagnostics,
) -> Option<(String, Option<Service>)> {
    let found = context.connections.iter().find(|(key, _)| key.eq_ignore_ascii_case(&name.text));
    let service = found.map_or(Service::Gainsight, |(_, connection)| connection.service);
    let key = connection(name, Side::Either, context, out)?;
    let own = std::iter::once(&job.from.object.connection).chain(job.targets.iter().map(|t| &t.connection));
    let own: Vec<&str> = own.map(|n| n.text.as_str()).collect();
    if service == Service::Files || own.iter().any(|c| c.eq_ignore_ascii_case(&key)) {
        return Some((key, Some(service)));
    }
    let message = format!("a lookup searches the job's own connections or files, and `{}` is another", name.text);
    out.push(Diagnostic::error(UNKNOWN_CONNECTION, name.span, message).help(format!("these are {}", own.join(", "))));
    None
}

/// The object that a name stands for.
pub(in crate::lang) fn object<'a>(
    connection: &str,
    name: &ObjectName,
    context: &Context<'a>,
    out: &mut Diagnostics,
) -> Option<&'a Object> {
    let found = context.catalog.object(connection, &name.object.text);
    if found.is_none() {
        let message = format!("{} has no object \"{}\"", name.connection.text, name.object.text);
        let mut wrong = Diagnostic::error(UNKNOWN_OBJECT, name.object.span, message);
        let known = context.catalog.names.get(connection);
        let known = known.into_iter().flatten().flat_map(|o| [o.label.as_str(), o.name.as_str()]);
        match nearest(&name.object.text, known) {
            Some(near) if near.eq_ignore_ascii_case(&name.object.text) => {
                wrong = wrong.help("the snapshot knows its name, and not its fields: run `ferry refresh`");
            }
            Some(near) => wrong = wrong.label(format!("did you mean \"{near}\"?")),
            None => wrong = wrong.help("`ferry describe` lists what there is"),
        }
        out.push(wrong);
    }
    found
}

/// The avatar object: kept by Ferry itself, because no public call reads or writes Gainsight's own.
fn avatar(name: &str) -> Object {
    let field = |label: &str, kind, required| Field {
        name: label.to_owned(),
        label: label.to_owned(),
        kind,
        length: None,
        scale: 0,
        required,
        writable: true,
        choices: Vec::new(),
        targets: Vec::new(),
    };
    Object {
        name: name.to_owned(),
        label: name.to_owned(),
        set_name: name.to_owned(),
        primary_id: AVATAR_ID.to_owned(),
        tracks: false,
        is_of_files: false,
        fields: vec![field(AVATAR_ID, FieldKind::String, true), field(AVATAR_ACTIVE, FieldKind::Boolean, false)],
    }
}
