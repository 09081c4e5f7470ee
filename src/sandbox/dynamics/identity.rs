//! Who signed in: the person behind a token, the `id_token` that tells of him, and the key to check it with.
//!
//! Whether somebody may have one is decided in `token`. In: the rows, and what a person granted. Out: signed tokens, and the
//! set of keys.

use std::sync::PoisonError;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256};
use serde_json::{Value, json};

use super::super::assumptions::{APPLICATION_USER_NAME, TOKEN_LIFE_SECONDS};
use super::super::http::Reply;
use super::super::randomness::Chance;
use super::assertion::{known, thumbprint};
use super::row::Row;
use super::service::Dynamics;
use super::token::{self, Wrong};

/// A person as Entra knows him.
pub(super) struct Person {
    /// His user in Dataverse.
    pub(super) user: String,
    object_id: String,
    user_name: String,
    name: String,
}

impl Person {
    /// The sandbox's only person: the first user who is enabled and no application.
    pub(super) fn of(dynamics: &Dynamics) -> Self {
        let found = dynamics.schema.table("systemuser").and_then(|place| {
            let table = &dynamics.schema.tables[place];
            let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
            let text = |row: &Row, name: &str| row.plain(table.column(name)?);
            let is_person =
                |row: &Row| text(row, "isdisabled").as_deref() != Some("true") && text(row, "applicationid").is_none();
            let (id, row) = store.tables[place].rows.iter().find(|(_, row)| is_person(row))?;
            let object_id = text(row, "azureactivedirectoryobjectid");
            Some(Person {
                user: id.text(),
                object_id: object_id.unwrap_or_else(|| dynamics.object_id(&id.text())),
                user_name: text(row, "domainname").unwrap_or_default(),
                name: text(row, "fullname").unwrap_or_default(),
            })
        });
        found.unwrap_or_else(|| Person {
            user: dynamics.application_user.clone(),
            object_id: dynamics.object_id(&dynamics.application_user),
            user_name: String::new(),
            name: APPLICATION_USER_NAME.to_owned(),
        })
    }

    /// Which account in which tenant it is, for clients that keep tokens of several.
    pub(super) fn client_info(&self, dynamics: &Dynamics) -> String {
        let info = json!({"uid": self.object_id, "utid": dynamics.vault.credentials.tenant_id});
        URL_SAFE_NO_PAD.encode(info.to_string())
    }

    pub(super) fn id_token(&self, dynamics: &Dynamics, nonce: Option<&str>, now: i64) -> Result<String, Wrong> {
        let credentials = &dynamics.vault.credentials;
        let mut claims = json!({
            "ver": "2.0",
            "iss": issuer(dynamics),
            "sub": Chance::of_text(dynamics.seed, &format!("subject {}", self.object_id)).guid(),
            "aud": credentials.client_id,
            "exp": now + TOKEN_LIFE_SECONDS,
            "iat": now,
            "nbf": now,
            "name": self.name,
            "preferred_username": self.user_name,
            "oid": self.object_id,
            "tid": credentials.tenant_id,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        signed(&credentials.certificate, &claims).ok_or_else(|| token::missing("an id_token with this certificate"))
    }
}

/// Who gives out tokens of this tenant.
pub(super) fn issuer(dynamics: &Dynamics) -> String {
    format!("{}/{}/v2.0", dynamics.url(), dynamics.vault.credentials.tenant_id)
}

fn signed(pem: &str, claims: &Value) -> Option<String> {
    let (certificate, key) = known(pem)?;
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": thumbprint(&certificate)});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&header), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// `/discovery/v2.0/keys`: the one key there is.
pub(super) fn keys(dynamics: &Dynamics) -> Reply {
    let keys: Vec<Value> = key(&dynamics.vault.credentials.certificate).into_iter().collect();
    Reply::new(200, "application/json; charset=utf-8", json!({"keys": keys}).to_string())
}

fn key(pem: &str) -> Option<Value> {
    let (certificate, pair) = known(pem)?;
    let parts = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    Some(json!({
        "kty": "RSA",
        "use": "sig",
        "kid": thumbprint(&certificate),
        "n": URL_SAFE_NO_PAD.encode(parts.n),
        "e": URL_SAFE_NO_PAD.encode(parts.e),
        "x5c": [STANDARD.encode(certificate)],
    }))
}
