//! `CREATE CONNECTION`: the URL, how to sign in, the limits.

use url::Url;

use crate::diagnostic::code::{CONNECTION, LITERAL_SECRET, REPEATED};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Sources;
use crate::lang::ast;
use crate::lang::suggest::nearest;
use crate::model::connection::{Auth, Connection, Limits, Service, is_loopback};

/// The checked connection; none if it cannot be used.
pub(in crate::lang) fn check(
    written: &ast::Connection,
    sources: &Sources,
    out: &mut Diagnostics,
) -> Option<Connection> {
    let service = if written.to_dynamics { Service::Dynamics } else { Service::Gainsight };
    let url = one(&written.url, "URL", written, out).and_then(|url| origin(url, out));
    let auth = one(&written.auth, "AUTH", written, out).and_then(|auth| sign_in(auth, service, out));
    let limits = limits(&written.limits, out);
    Some(Connection {
        name: written.name.text.clone(),
        label: written.label.as_ref().unwrap_or(&written.name).text.clone(),
        service,
        url: url?,
        auth: auth?,
        limits,
        company_resolution: written.company_resolution.as_ref().map(|parts| parts[3].text.clone()),
        person_resolution: written.person_resolution.iter().map(|f| f.field.text.clone()).collect(),
        place: sources.place(written.name.span),
    })
}

/// The one clause of its kind: none and several are mistakes.
fn one<'a, T>(clauses: &'a [T], word: &str, written: &ast::Connection, out: &mut Diagnostics) -> Option<&'a T> {
    match clauses {
        [clause] => Some(clause),
        [] => {
            let message = format!("connection {} has no {word}", written.name.text);
            out.push(Diagnostic::error(CONNECTION, written.name.span, message));
            None
        }
        [clause, ..] => {
            let message = format!("connection {} has several {word} clauses", written.name.text);
            out.push(Diagnostic::error(REPEATED, written.name.span, message).help("keep one of them"));
            Some(clause)
        }
    }
}

fn origin(written: &ast::Name, out: &mut Diagnostics) -> Option<String> {
    let wrong = |message: &str| Diagnostic::error(CONNECTION, written.span, message);
    let Ok(url) = Url::parse(&written.text) else {
        out.push(wrong("this is not a URL").help("write it like 'https://acme.crm.dynamics.com'"));
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

fn sign_in(written: &ast::Auth, service: Service, out: &mut Diagnostics) -> Option<Auth> {
    let (kind, names): (_, &[&str]) = match service {
        Service::Dynamics => ("client_credentials", &["tenant_id", "client_id", "client_secret"]),
        Service::Gainsight => ("access_key", &["key"]),
    };
    if !written.kind.text.eq_ignore_ascii_case(kind) {
        let message = format!("AUTH {} is not known for this service", written.kind.text);
        out.push(Diagnostic::error(CONNECTION, written.kind.span, message).help(format!("use AUTH {kind} (…)")));
        return None;
    }
    for (name, value, is_secret) in &written.settings {
        if !names.iter().any(|n| n.eq_ignore_ascii_case(&name.text)) {
            let message = format!("AUTH {kind} has no setting `{}`", name.text);
            out.push(Diagnostic::error(CONNECTION, name.span, message).help(format!("it has {}", names.join(", "))));
        } else if !is_secret {
            out.push(
                Diagnostic::error(LITERAL_SECRET, value.span, "a secret is a name here, never the value itself")
                    .help(format!("write {} = SECRET 'some/name' and set it outside the script", name.text)),
            );
        }
    }
    let mut found = names.iter().map(|wanted| {
        let setting = written.settings.iter().find(|(n, _, secret)| *secret && n.text.eq_ignore_ascii_case(wanted));
        if setting.is_none() && !written.settings.iter().any(|(n, _, _)| n.text.eq_ignore_ascii_case(wanted)) {
            let message = format!("AUTH {kind} lacks `{wanted}`");
            out.push(
                Diagnostic::error(CONNECTION, written.kind.span, message)
                    .help(format!("add {wanted} = SECRET 'some/name'")),
            );
        }
        setting.map(|(_, value, _)| value.text.clone())
    });
    let mut next = || found.next().flatten();
    Some(match service {
        Service::Dynamics => {
            let (tenant_id, client_id, client_secret) = (next(), next(), next());
            Auth::ClientCredentials { tenant_id: tenant_id?, client_id: client_id?, client_secret: client_secret? }
        }
        Service::Gainsight => Auth::AccessKey { key: next()? },
    })
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
