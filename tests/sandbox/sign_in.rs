//! Tokens and the challenge.

use super::client::{Client, answer, post_token, token_form};
use serde_json::json;

async fn with(changes: &[(&'static str, Option<&str>)]) -> (u16, String, String) {
    let client = Client::start().await;
    let mut form = token_form(&client.sandbox);
    for (name, value) in changes {
        form.retain(|(other, _)| other != name);
        if let Some(value) = value {
            form.push((name, (*value).to_owned()));
        }
    }
    let tenant = client.sandbox.credentials().tenant_id.clone();
    let (status, body) = post_token(&client.sandbox, &client.http, &tenant, &form).await;
    (status, body["error"].as_str().expect("an error is named").to_owned(), body["error_codes"][0].to_string())
}

#[tokio::test]
async fn each_wrong_form_has_its_own_error() {
    let cases: [(&'static str, Option<&str>, u16, &str, &str); 9] = [
        ("client_secret", Some("wrong"), 401, "invalid_client", "7000215"),
        ("client_id", Some("7b1bb5cf-5c5f-4b5b-8b5c-000000000000"), 400, "unauthorized_client", "700016"),
        ("scope", Some("user_impersonation"), 400, "invalid_scope", "70011"),
        ("scope", Some("https://elsewhere.example/.default"), 400, "invalid_resource", "500011"),
        ("scope", None, 400, "invalid_request", "900144"),
        ("grant_type", None, 400, "invalid_request", "900144"),
        ("client_secret", None, 400, "invalid_request", "900144"),
        ("grant_type", Some("password"), 400, "unsupported_grant_type", "70003"),
        ("client_assertion", Some("x"), 501, "unsupported_by_sandbox", "0"),
    ];
    for (name, value, status, error, code) in cases {
        assert_eq!(with(&[(name, value)]).await, (status, error.to_owned(), code.to_owned()), "{name} {value:?}");
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_told() {
    let client = Client::start().await;
    let form = token_form(&client.sandbox);
    let (status, body) = post_token(&client.sandbox, &client.http, "nobody.example", &form).await;
    assert_eq!((status, &body["error_codes"]), (400, &json!([90002])));
}

#[tokio::test]
async fn a_revoked_secret_gets_no_token() {
    let client = Client::start().await;
    client.sandbox.revoke_client_secret();
    let form = token_form(&client.sandbox);
    let tenant = client.sandbox.credentials().tenant_id.clone();
    let (status, body) = post_token(&client.sandbox, &client.http, &tenant, &form).await;
    assert_eq!((status, body["error"].as_str()), (401, Some("invalid_client")));
}

#[tokio::test]
async fn id_and_secret_may_come_in_a_basic_header() {
    let client = Client::start().await;
    let credentials = client.sandbox.credentials();
    let url = format!("{}/{}/oauth2/v2.0/token", client.sandbox.dynamics_url(), credentials.tenant_id);
    let scope = format!("{}/.default", client.sandbox.dynamics_url());
    let body = format!("grant_type=client_credentials&scope={}", scope.replace(':', "%3A").replace('/', "%2F"));
    let request = client.http.post(url).basic_auth(&credentials.client_id, Some(&credentials.client_secret)).body(body);
    let (status, body) = answer(request).await;
    assert_eq!((status, &body["expires_in"], &body["token_type"]), (200, &json!(3599), &json!("Bearer")));
}

#[tokio::test]
async fn without_a_good_token_the_challenge_names_tenant_and_resource() {
    let client = Client::start().await;
    let url = client.sandbox.dynamics_url();
    let tenant = &client.sandbox.credentials().tenant_id;
    for token in ["", "not-a-token"] {
        let response = client.http.get(format!("{url}/api/data/v9.2/")).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 401);
        let expected = format!("Bearer authorization_uri={url}/{tenant}/oauth2/authorize, resource_id={url}/");
        assert_eq!(response.headers()["www-authenticate"], expected.as_str());
    }
}

#[tokio::test]
async fn who_am_i_answers_a_get_only() {
    let client = Client::start().await;
    let (status, body) = client.read("WhoAmI").await;
    assert_eq!((status, body["OrganizationId"].as_str()), (200, Some(client.sandbox.organization_id())));
    let url = client.dynamics("WhoAmI()").build().unwrap();
    let mut posted = url.try_clone().unwrap();
    *posted.method_mut() = reqwest::Method::POST;
    assert_eq!(client.http.execute(posted).await.unwrap().status(), 404);
}
