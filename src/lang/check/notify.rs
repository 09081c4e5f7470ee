//! `NOTIFY`: who is told, and whether the project has what a notice goes out by.

use url::{Host, Url};

use super::Posts;
use crate::diagnostic::code::SCHEDULE;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{self, Name};
use crate::model::connection::is_loopback;
use crate::model::schedule::{Address, Notify};

/// The checked clause; none if nobody can be told.
pub(super) fn check(written: &ast::Notify, posts: Posts, out: &mut Diagnostics) -> Option<Notify> {
    let to: Vec<Option<Address>> = written.to.iter().map(|name| address(name, out)).collect();
    let to: Vec<Address> = to.into_iter().collect::<Option<_>>()?;
    let first = |is: fn(&Address) -> bool| written.to.iter().zip(&to).find(|(_, to)| is(to)).map(|(name, _)| name.span);
    if let (Some(span), false) = (first(|to| matches!(to, Address::Mail(_))), posts.has_mail) {
        out.push(
            Diagnostic::error(SCHEDULE, span, "the project has no mail server that a notice could go out by").help(
                "write CREATE CONNECTION mail TO SMTP URL 'smtps://mail.acme.com:465' AUTH password (user = SECRET 'mail/user', password = \
                 SECRET 'mail/password') FROM 'ferry@acme.com'",
            ),
        );
    }
    if let (Some(span), false) = (first(|to| matches!(to, Address::Webhook(_))), posts.has_key) {
        let message =
            "the project has no key that signs messages, so whoever gets one could not tell that it is Ferry's";
        out.push(
            Diagnostic::error(SCHEDULE, span, message)
                .help("write CREATE SETTINGS (webhook_key = SECRET 'webhook/key'), and give the receiver the same key"),
        );
    }
    let on = |word: &str| written.events.iter().any(|event| event.text == word);
    Some(Notify { to, on_success: on("SUCCESS"), on_partial: on("PARTIAL"), on_failure: on("FAILURE") })
}

/// Whether a text is one e-mail address, and nothing that a header could be broken with.
pub(super) fn is_mail_address(text: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"".contains(c);
    let parts: Vec<&str> = text.split('@').collect();
    matches!(parts[..], [who, host] if !who.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.'))
        && text.chars().all(is_plain)
}

fn address(name: &Name, out: &mut Diagnostics) -> Option<Address> {
    if name.text.contains("://") {
        let wrong = |message: &str, help: &str| Diagnostic::error(SCHEDULE, name.span, message).help(help);
        let example = "write it like 'https://hooks.acme.com/ferry'";
        let url =
            Url::parse(&name.text).ok().filter(|url| url.host().is_some() && !name.text.contains(char::is_control));
        let Some(url) = url.filter(|url| matches!(url.scheme(), "https" | "http")) else {
            out.push(wrong("this is neither an e-mail address nor the URL of a webhook", example));
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() {
            out.push(wrong(
                "a URL must not carry a user name or a password",
                "the receiver knows Ferry by the signature",
            ));
            return None;
        }
        let is_here = is_loopback(&url);
        if url.scheme() == "http" && !is_here {
            out.push(wrong("a webhook needs https", "plain http is accepted for this machine (127.0.0.1) only"));
            return None;
        }
        if !is_here && !matches!(url.host(), Some(Host::Domain(_))) {
            out.push(wrong("a webhook leads to a name, not to an address", example));
            return None;
        }
        return Some(Address::Webhook(url.to_string()));
    }
    if !is_mail_address(&name.text) {
        let message = format!("'{}' is not an e-mail address", name.text);
        let mut wrong = Diagnostic::error(SCHEDULE, name.span, message).help("one address in each pair of quotes");
        if name.text.contains('/') {
            wrong = wrong.help("a webhook begins with https://");
        }
        out.push(wrong);
        return None;
    }
    Some(Address::Mail(name.text.clone()))
}
