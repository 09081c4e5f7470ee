//! `CREATE CONNECTION … TO SMTP`: where notices go out.

use std::collections::BTreeMap;

use url::Url;

use super::connection::one;
use super::sign_in::{Kind, settings_of};
use crate::diagnostic::code::CONNECTION;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast;
use crate::model::connection::{Mail, is_loopback};

/// How Ferry signs in to a mail server.
const PASSWORD: [Kind; 1] = [Kind { name: "password", needed: &["user", "password"], optional: &[] }];

/// The checked mail connection; none if it cannot be used.
pub(in crate::lang) fn check(written: &ast::Connection, out: &mut Diagnostics) -> Option<Mail> {
    let url = one(&written.url, "URL", written, |url| url.span, out).and_then(|name| {
        let url = Url::parse(&name.text).ok().filter(|url| url.host().is_some() && url.password().is_none());
        let secure = url.as_ref().is_some_and(|u| u.scheme() == "smtps" || (u.scheme() == "smtp" && is_loopback(u)));
        if !secure {
            out.push(
                Diagnostic::error(CONNECTION, name.span, "a mail connection needs smtps")
                    .help("write it like 'smtps://mail.acme.com:465'"),
            );
        }
        url.filter(|_| secure)
    });
    let sender = one(&written.sender, "FROM", written, |sender| sender.span, out).and_then(|name| {
        let is_address = name.text.contains('@') && !name.text.contains(['\r', '\n', ',']);
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
