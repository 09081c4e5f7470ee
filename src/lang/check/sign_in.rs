//! `AUTH kind (setting = SECRET 'name', …)`: which kinds a service knows, and which settings each takes.
//!
//! In: the clause. Out: a way to sign in, in names of secrets. A value in the place of a name is a mistake of its own.

use std::collections::BTreeMap;

use crate::diagnostic::code::{CONNECTION, LITERAL_SECRET};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast;
use crate::model::connection::{Auth, Service};

/// A kind of sign-in, and the settings it takes.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) needed: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
}

const DYNAMICS: [Kind; 4] = [
    Kind { name: "client_credentials", needed: &["client_id", "client_secret"], optional: &["tenant_id"] },
    Kind { name: "certificate", needed: &["client_id", "certificate"], optional: &["tenant_id"] },
    Kind { name: "device_code", needed: &["client_id"], optional: &["tenant_id"] },
    Kind { name: "authorization_code", needed: &["client_id"], optional: &["tenant_id", "client_secret"] },
];
const GAINSIGHT: [Kind; 2] = [
    Kind { name: "access_key", needed: &["key"], optional: &[] },
    Kind { name: "m2m", needed: &["client_id", "client_secret"], optional: &[] },
];

/// Names of secrets by the setting they are for.
type Found = BTreeMap<&'static str, String>;

/// The checked clause; none if it cannot be used.
pub(super) fn sign_in(written: &ast::Auth, service: Service, out: &mut Diagnostics) -> Option<Auth> {
    // Of files nobody asks.
    let kinds: &[Kind] = if service == Service::Dynamics { &DYNAMICS } else { &GAINSIGHT };
    let (kind, mut found) = settings_of(written, kinds, out)?;
    let mut take = |name: &str| found.remove(name);
    let (tenant_id, client_id, client_secret) = (take("tenant_id"), take("client_id"), take("client_secret"));
    Some(match kind.name {
        "certificate" => Auth::Certificate { tenant_id, client_id: client_id?, certificate: take("certificate")? },
        "device_code" => Auth::DeviceCode { tenant_id, client_id: client_id? },
        "authorization_code" => Auth::AuthorizationCode { tenant_id, client_id: client_id?, client_secret },
        "access_key" => Auth::AccessKey { key: take("key")? },
        "m2m" => Auth::M2m { client_id: client_id?, client_secret: client_secret? },
        _ => Auth::ClientCredentials { tenant_id, client_id: client_id?, client_secret: client_secret? },
    })
}

/// Which of the kinds a clause is, with its settings; none if one is wrong or missing.
pub(super) fn settings_of<'k>(
    written: &ast::Auth,
    kinds: &'k [Kind],
    out: &mut Diagnostics,
) -> Option<(&'k Kind, Found)> {
    let Some(kind) = kinds.iter().find(|kind| written.kind.text.eq_ignore_ascii_case(kind.name)) else {
        let known: Vec<String> = kinds.iter().map(|kind| format!("{} (…)", kind.name)).collect();
        let message = format!("AUTH {} is not known for this service", written.kind.text);
        let help = format!("use AUTH {}", known.join(" or "));
        out.push(Diagnostic::error(CONNECTION, written.kind.span, message).help(help));
        return None;
    };
    let known: Vec<&'static str> = kind.needed.iter().chain(kind.optional).copied().collect();
    let mut found = Found::new();
    let mut said = Vec::new();
    for (name, value, is_secret) in &written.settings {
        let Some(setting) = known.iter().find(|known| known.eq_ignore_ascii_case(&name.text)) else {
            let message = format!("AUTH {} has no setting `{}`", kind.name, name.text);
            out.push(Diagnostic::error(CONNECTION, name.span, message).help(format!("it has {}", known.join(", "))));
            continue;
        };
        said.push(*setting);
        if *is_secret {
            found.insert(setting, value.text.clone());
        } else {
            out.push(
                Diagnostic::error(LITERAL_SECRET, value.span, "a secret is a name here, never the value itself")
                    .help(format!("write {} = SECRET 'some/name' and set it outside the script", name.text)),
            );
        }
    }
    for missing in kind.needed.iter().filter(|needed| !said.contains(needed)) {
        let message = format!("AUTH {} lacks `{missing}`", kind.name);
        let help = format!("add {missing} = SECRET 'some/name'");
        out.push(Diagnostic::error(CONNECTION, written.kind.span, message).help(help));
    }
    let is_whole = said.iter().all(|setting| found.contains_key(setting));
    (is_whole && kind.needed.iter().all(|needed| found.contains_key(needed))).then_some((kind, found))
}
