//! The Dynamics port: who is let in, and the headers every reply carries.
//!
//! Which request goes where is decided in `route`. In: a request. Out: its reply, or the challenge to sign in.

use super::super::assumptions::PARALLELISM_HINT;
use super::super::calls::Service;
use super::super::faults::Fault;
use super::super::http::{Answering, Ask, Reply};
use super::errors::{self, Refusal};
use super::service::Dynamics;
use super::{disturbance, entra, route, token};

impl Answering for Dynamics {
    fn service(&self, ask: &Ask) -> Service {
        if entra::endpoint(&ask.path).is_some() { Service::Entra } else { Service::Dynamics }
    }

    fn answer(&self, ask: &Ask) -> Reply {
        if let Some(endpoint) = entra::endpoint(&ask.path) {
            return entra::answer(self, &endpoint, ask);
        }
        if !ask.path.starts_with("/api/data/") {
            return stamp(self, Refusal::segment(&ask.path).reply());
        }
        let Some(caller) = caller(self, ask) else { return stamp(self, challenge(self)) };
        let mut reply = route::answer(self, ask, &caller).unwrap_or_else(|refusal| refusal.reply());
        reply.write = ask.method != "GET";
        disturbance::after(self, ask, &mut reply);
        stamp(self, reply)
    }

    fn fail(&self, ask: &Ask, fault: &Fault) -> Reply {
        match (entra::endpoint(&ask.path), fault.status) {
            (Some(_), _) => token::fault(fault),
            (None, 401) => stamp(self, challenge(self)),
            (None, _) => stamp(self, errors::fault(fault)),
        }
    }
}

/// The user who asks: a person's, or the application's own.
fn caller(dynamics: &Dynamics, ask: &Ask) -> Option<String> {
    let bearer = ask.header("authorization")?.strip_prefix("Bearer ")?;
    dynamics.tokens.holder(bearer, dynamics.clock.now_ms())
}

/// The 401 that tells a client where to sign in.
fn challenge(dynamics: &Dynamics) -> Reply {
    let (url, tenant) = (dynamics.url(), &dynamics.vault.credentials.tenant_id);
    let where_to = format!("Bearer authorization_uri={url}/{tenant}/oauth2/authorize, resource_id={url}/");
    Reply::new(401, "text/plain", "").with("www-authenticate", where_to)
}

fn stamp(dynamics: &Dynamics, reply: Reply) -> Reply {
    let id = dynamics.request_id();
    reply
        .with("x-ms-service-request-id", id.clone())
        .with("req_id", id)
        .with("x-ms-dop-hint", PARALLELISM_HINT.to_string())
}
