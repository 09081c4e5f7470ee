//! M2M OAuth: a token for an application of the tenant, in the place of the access key.
//!
//! In: a token request, or a call with a token. Out: a token, or whether the call's is good.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::super::assumptions::APPLICATION_TOKEN_LIFE_SECONDS;
use super::super::http::{Ask, Reply};
use super::envelope::unauthorized;
use super::service::Gainsight;

/// Where tokens are given.
pub(super) const TOKEN_PATH: &str = "/v1/users/m2m/oauth/token";

pub(super) fn token(gainsight: &Gainsight, ask: &Ask, request: &str) -> Reply {
    let is_grant = url::form_urlencoded::parse(&ask.body)
        .any(|(name, value)| name == "grant_type" && value == "client_credentials");
    let is_known = pair(ask).is_some_and(|(id, secret)| gainsight.vault.opens_gainsight_tokens(&id, &secret));
    if ask.method != "POST" || !is_grant || !is_known {
        return unauthorized(request);
    }
    let until_ms = gainsight.clock.now_ms() + APPLICATION_TOKEN_LIFE_SECONDS * 1000;
    let token = gainsight.tokens.give(&gainsight.vault.credentials.gainsight_client_id, until_ms);
    let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": APPLICATION_TOKEN_LIFE_SECONDS});
    Reply::new(200, "application/json", body.to_string())
}

/// Whether a call carries a token that is good. A call carries one of the two, so the key is not asked for.
pub(super) fn is_signed_in(gainsight: &Gainsight, ask: &Ask) -> bool {
    let token = ask.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let has_key = ask.header("accesskey").is_some();
    !has_key && token.is_some_and(|token| gainsight.tokens.holder(token, gainsight.clock.now_ms()).is_some())
}

fn pair(ask: &Ask) -> Option<(String, String)> {
    let encoded = ask.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}
