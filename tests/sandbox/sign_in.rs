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
    let cases: [(&'static str, Option<&str>, u16, &str, &str); 10] = [
        ("client_secret", Some("wrong"), 401, "invalid_client", "7000215"),
        ("client_id", Some("7b1bb5cf-5c5f-4b5b-8b5c-000000000000"), 400, "unauthorized_client", "700016"),
        ("scope", Some("user_impersonation"), 400, "invalid_scope", "70011"),
        ("scope", Some("https://elsewhere.example/.default"), 400, "invalid_resource", "500011"),
        ("scope", None, 400, "invalid_request", "900144"),
        ("grant_type", None, 400, "invalid_request", "900144"),
        ("client_secret", None, 400, "invalid_request", "900144"),
        ("grant_type", Some("password"), 400, "unsupported_grant_type", "70003"),
        ("client_assertion", Some("x"), 401, "invalid_client", "700027"),
        ("client_assertion", Some("e30.e30.AAAA"), 401, "invalid_client", "700027"),
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

async fn page(url: &str) -> (u16, Option<String>, String) {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = browser.get(url).send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let leads = headers.get("location").and_then(|to| to.to_str().ok()).map(str::to_owned);
    (status, leads, answer.text().await.unwrap())
}

#[tokio::test]
async fn a_code_is_good_once_for_its_address_and_its_verifier() {
    // The pair of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let client = Client::start().await;
    let (url, known) = (client.sandbox.dynamics_url(), client.sandbox.credentials());
    let query = format!(
        "client_id={}&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A8765&scope={url}/user_impersonation%20\
         offline_access&state=s%26t&code_challenge={CHALLENGE}&code_challenge_method=S256",
        known.client_id
    );
    let authorize = format!("{url}/organizations/oauth2/v2.0/authorize?{query}");
    let form = |code: &str, redirect: &str, verifier: &str| {
        let pairs = [("grant_type", "authorization_code"), ("client_id", &known.client_id), ("code", code)];
        let more = [("redirect_uri", redirect), ("code_verifier", verifier)];
        pairs.into_iter().chain(more).map(|(name, value)| (name, value.to_owned())).collect::<Vec<_>>()
    };
    let token = async |code: &str, redirect: &str, verifier: &str| {
        post_token(&client.sandbox, &client.http, "common", &form(code, redirect, verifier)).await
    };
    let code = async || {
        let (status, leads, _) = page(&authorize).await;
        assert_eq!(status, 302);
        let leads = url::Url::parse(&leads.unwrap()).unwrap();
        assert_eq!(leads.query_pairs().find(|(key, _)| key == "state").unwrap().1, "s&t");
        leads.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned()
    };
    let here = "http://localhost:8765";
    let good = code().await;
    let (status, body) = token(&good, here, VERIFIER).await;
    assert_eq!(status, 200, "{body}");
    assert!(body["refresh_token"].as_str().is_some_and(|token| token.len() > 100), "{body}");
    for (code, redirect, verifier, number) in [
        (good, here, VERIFIER, 54_005),
        (code().await, "http://localhost:1", VERIFIER, 50_011),
        (code().await, here, "guessed", 501_481),
        ("made-up".to_owned(), here, VERIFIER, 54_005),
    ] {
        let (status, body) = token(&code, redirect, verifier).await;
        assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()), "{body}");
        assert_eq!(body["error_codes"][0], number);
    }
    for (from, to) in [("localhost", "evil.example"), ("client_id=", "client_id=x"), ("organizations", "elsewhere")] {
        assert_eq!(page(&authorize.replacen(from, to, 1)).await.0, 400, "{to}");
    }
}

#[tokio::test]
async fn a_device_code_waits_for_its_person() {
    let client = Client::start().await;
    let (url, known) = (client.sandbox.dynamics_url(), client.sandbox.credentials());
    let tenant = &known.tenant_id;
    let body = format!("client_id={}&scope={url}/user_impersonation offline_access", known.client_id);
    let asked = client.http.post(format!("{url}/{tenant}/oauth2/v2.0/devicecode")).body(body);
    let (status, device) = answer(asked).await;
    assert_eq!((status, &device["interval"], &device["expires_in"]), (200, &5.into(), &900.into()), "{device}");
    let code = device["device_code"].as_str().unwrap().to_owned();
    let poll = async |code: &str| {
        let form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code".to_owned()),
            ("client_id", known.client_id.clone()),
            ("device_code", code.to_owned()),
        ];
        post_token(&client.sandbox, &client.http, tenant, &form).await
    };
    assert_eq!(poll(&code).await.1["error"], "authorization_pending");
    assert_eq!(poll("made-up").await.1["error"], "bad_verification_code");
    let entering = format!("{}?code=", device["verification_uri"].as_str().unwrap());
    assert_eq!(page(&format!("{entering}NONE")).await.0, 404);
    assert_eq!(page(&format!("{entering}{}", device["user_code"].as_str().unwrap())).await.0, 200);
    let (status, granted) = poll(&code).await;
    assert_eq!(status, 200, "{granted}");
    assert_eq!(poll(&code).await.1["error"], "bad_verification_code", "once");
    let refresh = |token: &str| {
        let pairs = [("grant_type", "refresh_token"), ("client_id", &known.client_id), ("refresh_token", token)];
        pairs.map(|(name, value)| (name, value.to_owned())).to_vec()
    };
    let first = granted["refresh_token"].as_str().unwrap();
    let (status, again) = post_token(&client.sandbox, &client.http, tenant, &refresh(first)).await;
    assert_eq!(status, 200, "{again}");
    assert_ne!(again["refresh_token"], granted["refresh_token"], "a new one comes with every token");
    let (status, wrong) = post_token(&client.sandbox, &client.http, tenant, &refresh("made-up")).await;
    assert_eq!((status, &wrong["error"]), (400, &"invalid_grant".into()));
}

#[tokio::test]
async fn discovery_names_the_endpoints() {
    let client = Client::start().await;
    let (url, tenant) = (client.sandbox.dynamics_url(), &client.sandbox.credentials().tenant_id);
    let (status, _, text) = page(&format!("{url}/{tenant}/v2.0/.well-known/openid-configuration")).await;
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 200);
    assert_eq!(found["token_endpoint"], format!("{url}/{tenant}/oauth2/v2.0/token"));
    assert_eq!(found["issuer"], format!("{url}/{tenant}/v2.0"));
    assert_eq!(page(&format!("{url}/elsewhere/v2.0/.well-known/openid-configuration")).await.0, 400);
    assert_eq!(page(&format!("{url}/{tenant}/oauth2/v2.0/token")).await.0, 405);
}

#[tokio::test]
async fn gainsight_gives_an_application_a_token() {
    let client = Client::start().await;
    let (url, known) = (client.sandbox.gainsight_url(), client.sandbox.credentials());
    let token = async |id: &str, secret: &str, body: &'static str| {
        let asked = client.http.post(format!("{url}/v1/users/m2m/oauth/token")).basic_auth(id, Some(secret));
        answer(asked.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    };
    let grant = "grant_type=client_credentials";
    let (id, secret) = (known.gainsight_client_id.as_str(), known.gainsight_client_secret.as_str());
    let (status, granted) = token(id, secret, grant).await;
    assert_eq!((status, &granted["expires_in"]), (200, &86_400.into()), "{granted}");
    for (id, secret, body) in [(id, "wrong", grant), ("wrong", secret, grant), (id, secret, "grant_type=password")] {
        assert_eq!(token(id, secret, body).await.0, 401, "{id} {body}");
    }
    let list = format!("{url}/v1/meta/services/objects/list");
    let bearer = granted["access_token"].as_str().unwrap();
    assert_eq!(answer(client.http.get(&list).bearer_auth(bearer)).await.0, 200);
    assert_eq!(answer(client.http.get(&list).bearer_auth("made-up")).await.0, 401);
    assert_eq!(
        answer(client.http.get(&list).bearer_auth(bearer).header("accesskey", "wrong")).await.0,
        401,
        "one of two"
    );
    for name in ["accesskey", "Accesskey", "AccessKey", "ACCESSKEY"] {
        assert_eq!(answer(client.http.get(&list).header(name, &known.access_key)).await.0, 200, "{name}");
    }
}
