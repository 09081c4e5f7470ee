//! `CREATE CONNECTION`: the URL, how to sign in, the limits.

use url::Url;

use super::files;
use super::sign_in::sign_in;
use crate::diagnostic::code::{CONNECTION, REPEATED};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::{Sources, Span};
use crate::lang::ast;
use crate::lang::suggest::nearest;
use crate::model::connection::{Auth, CompanyResolution, Connection, Limits, Service, is_loopback};

/// The checked connection; none if it cannot be used.
pub(in crate::lang) fn check(
    written: &ast::Connection,
    sources: &Sources,
    out: &mut Diagnostics,
) -> Option<Connection> {
    let service = match written.service {
        ast::Service::Dynamics => Service::Dynamics,
        ast::Service::Files => Service::Files,
        ast::Service::Gainsight | ast::Service::Smtp => Service::Gainsight,
    };
    if let Some(sender) = written.sender.first() {
        let message = "FROM names the sender of a mail connection (TO SMTP)";
        out.push(Diagnostic::error(CONNECTION, sender.span, message));
    }
    let url = one(&written.url, "URL", written, |url| url.span, out);
    let (url, auth, layout) = if service == Service::Files {
        let layout = files::check(written, out);
        (url.and_then(|url| files::location(url, out)), layout.is_some().then_some(Auth::Environment), layout)
    } else {
        files::none(written, out);
        let auth = one(&written.auth, "AUTH", written, |auth| auth.span, out);
        (url.and_then(|url| origin(url, out)), auth.and_then(|auth| sign_in(auth, service, out)), None)
    };
    let limits = limits(&written.limits, out);
    Some(Connection {
        name: written.name.text.clone(),
        label: written.label.as_ref().unwrap_or(&written.name).text.clone(),
        service,
        url: url?,
        auth: auth?,
        limits,
        files: layout,
        company_resolution: written.company_resolution.as_ref().map(|[_, connection, _, field]| CompanyResolution {
            connection: connection.text.clone(),
            field: field.text.clone(),
        }),
        person_resolution: written.person_resolution.iter().map(|f| f.field.text.clone()).collect(),
        place: sources.place(written.name.span),
    })
}

/// The one clause of its kind: none and several are mistakes.
pub(super) fn one<'a, T>(
    clauses: &'a [T],
    word: &str,
    written: &ast::Connection,
    place: impl Fn(&T) -> Span,
    out: &mut Diagnostics,
) -> Option<&'a T> {
    match clauses {
        [clause] => Some(clause),
        [] => {
            let message = format!("connection {} has no {word}", written.name.text);
            let example = match word {
                "URL" if written.service == ast::Service::Dynamics => "URL 'https://acme.crm.dynamics.com'",
                "URL" if written.service == ast::Service::Gainsight => "URL 'https://acme.gainsightcloud.com'",
                "URL" if written.service == ast::Service::Files => "URL 's3://bucket/folder'",
                "URL" => "URL 'smtps://mail.acme.com:465'",
                "FORMAT" => "FORMAT CSV",
                "FROM" => "FROM 'ferry@acme.com'",
                _ if written.service == ast::Service::Dynamics => "AUTH client_credentials (…)",
                _ => "AUTH access_key (key = SECRET 'some/name')",
            };
            out.push(Diagnostic::error(CONNECTION, written.name.span, message).help(format!("add {example}")));
            None
        }
        [clause, second, ..] => {
            let wrong = Diagnostic::error(REPEATED, place(second), format!("{word} is said twice"));
            out.push(wrong.related(place(clause), "it is said here").help("keep one of the two"));
            Some(clause)
        }
    }
}

fn origin(written: &ast::Name, out: &mut Diagnostics) -> Option<String> {
    let wrong = |message: &str| Diagnostic::error(CONNECTION, written.span, message);
    let Ok(url) = Url::parse(&written.text) else {
        let with_scheme = format!("https://{}", written.text);
        let is_host = written.text.contains('.') && Url::parse(&with_scheme).is_ok();
        let example = if is_host { &with_scheme } else { "https://acme.crm.dynamics.com" };
        out.push(wrong("this is not a URL").help(format!("write it like '{example}'")));
        return None;
    };
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if !secure || url.host().is_none() {
        out.push(wrong("a connection needs https").help("plain http is accepted for this machine (127.0.0.1) only"));
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() {
        out.push(wrong("a URL must not carry a user name or a password").help("sign in with AUTH and SECRET"));
        return None;
    }
    Some(url.origin().ascii_serialization())
}

fn limits(written: &[(ast::Name, ast::Name)], out: &mut Diagnostics) -> Limits {
    let mut limits = Limits::DEFAULT;
    for (name, value) in written {
        let lower = name.text.to_ascii_lowercase();
        let Some((known, least, most)) = Limits::NAMES.iter().find(|(n, _, _)| *n == lower) else {
            let mut wrong = Diagnostic::error(CONNECTION, name.span, format!("there is no limit `{}`", name.text));
            wrong = match nearest(&lower, Limits::NAMES.iter().map(|(n, _, _)| *n)) {
                Some(near) => wrong.label(format!("did you mean `{near}`?")),
                None => wrong.help(format!("limits are {}", Limits::NAMES.map(|(n, _, _)| n).join(", "))),
            };
            out.push(wrong);
            continue;
        };
        match value.text.parse::<u32>() {
            Ok(number) if (*least..=*most).contains(&number) => {
                limits.set(known, number);
            }
            _ => out.push(Diagnostic::error(
                CONNECTION,
                value.span,
                format!("`{known}` is a whole number from {least} to {most}"),
            )),
        }
    }
    limits
}
