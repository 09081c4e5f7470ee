//! `CREATE CONNECTION … TO SMTP`: where notices go out.

use std::collections::BTreeMap;

use url::Url;

use super::connection::one;
use super::notify::is_mail_address;
use super::sign_in::{Kind, settings_of};
use crate::diagnostic::code::{CONNECTION, NAME_TAKEN};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast;
use crate::model::connection::Mail;

/// How Ferry signs in to a mail server.
const PASSWORD: [Kind; 1] = [Kind { name: "password", needed: &["user", "password"], optional: &[] }];

/// The checked mail connection; none if it cannot be used.
pub(in crate::lang) fn check(written: &ast::Connection, out: &mut Diagnostics) -> Option<Mail> {
    let url = one(&written.url, "URL", written, |url| url.span, out).and_then(|name| {
        let url = Url::parse(&name.text).ok().filter(|url| url.host().is_some() && url.password().is_none());
        let is_mail = url.as_ref().is_some_and(|u| matches!(u.scheme(), "smtps" | "smtp") && u.username().is_empty());
        if !is_mail {
            out.push(
                Diagnostic::error(CONNECTION, name.span, "this is not the URL of a mail server")
                    .help("write it like 'smtps://mail.acme.com:465' (TLS) or 'smtp://mail.acme.com:587' (STARTTLS, which the server must offer)")
                    .help("sign in with AUTH password (user = SECRET 'mail/user', password = SECRET 'mail/password')"),
            );
        }
        url.filter(|_| is_mail)
    });
    let sender = one(&written.sender, "FROM", written, |sender| sender.span, out).and_then(|name| {
        let is_address = is_mail_address(&name.text);
        if !is_address {
            let message = format!("'{}' is not an e-mail address", name.text);
            out.push(Diagnostic::error(CONNECTION, name.span, message));
        }
        is_address.then(|| name.text.clone())
    });
    let mut secrets = match written.auth.first() {
        Some(auth) => settings_of(auth, &PASSWORD, out)?.1,
        None => BTreeMap::new(),
    };
    let (user, password) = (secrets.remove("user"), secrets.remove("password"));
    Some(Mail { name: written.name.text.clone(), url: url?.to_string(), sender: sender?, user, password })
}

/// Notices go out by one server: a second one would be used or not, and nobody could tell.
pub(in crate::lang) fn one_at_most(statements: &[ast::Statement], out: &mut Diagnostics) {
    let mut first: Option<&ast::Connection> = None;
    for statement in statements {
        let ast::Statement::Connection(written) = statement else { continue };
        if written.service != ast::Service::Smtp {
            continue;
        }
        let Some(first) = first.replace(written) else { continue };
        // The same name twice is told of anyway.
        if !first.name.text.eq_ignore_ascii_case(&written.name.text) {
            let wrong =
                Diagnostic::error(NAME_TAKEN, written.name.span, "notices go out by one mail server, and there is one");
            out.push(
                wrong
                    .related(first.name.span, "it is here")
                    .help("keep one of the two; --env chooses between environments"),
            );
        }
    }
}
