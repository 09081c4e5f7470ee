//! What a person's scopes bring: a refresh token, an `id_token` and a user of his own.

use super::client::{Client, answer, post_token, token_form};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

const HERE: &str = "http://localhost:8765";

/// A person's answer of the token endpoint, for these scopes behind the organisation's.
async fn sign_in(client: &Client, scopes: &str, more: &str) -> Value {
    let (url, known) = (client.sandbox.dynamics_url(), client.sandbox.credentials());
    let scope = format!("{url}/user_impersonation {scopes}").replace(' ', "%20");
    let query = format!("client_id={}&response_type=code&redirect_uri={HERE}&scope={scope}{more}", known.client_id);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sent = browser.get(format!("{url}/organizations/oauth2/v2.0/authorize?{query}")).send().await.unwrap();
    let leads = url::Url::parse(sent.headers()["location"].to_str().unwrap()).unwrap();
    let code = leads.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
    let form = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", known.client_id.clone()),
        ("code", code),
        ("redirect_uri", HERE.to_owned()),
        ("client_info", "1".to_owned()),
    ];
    let (status, body) = post_token(&client.sandbox, &client.http, &known.tenant_id, &form).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn refreshed(client: &Client, token: &Value, scope: &str) -> Value {
    let form = vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.sandbox.credentials().client_id.clone()),
        ("refresh_token", token.as_str().unwrap().to_owned()),
        ("scope", format!("{}/user_impersonation {scope}", client.sandbox.dynamics_url())),
    ];
    let (status, body) = post_token(&client.sandbox, &client.http, "organizations", &form).await;
    assert_eq!(status, 200, "{body}");
    body
}

fn part(token: &str, place: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(place).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_refresh_token_comes_only_with_offline_access() {
    let client = Client::start().await;
    for scopes in ["", "openid profile", "offline_accesses"] {
        let body = sign_in(&client, scopes, "").await;
        assert!(body["refresh_token"].is_null(), "{scopes}: {body}");
        assert_eq!(body["id_token"].is_null(), scopes != "openid profile", "{scopes}: {body}");
    }
    let first = sign_in(&client, "offline_access", "").await;
    let again = refreshed(&client, &first["refresh_token"], "openid offline_access").await;
    assert!(again["refresh_token"].is_string() && again["refresh_token"] != first["refresh_token"]);
    assert!(again["id_token"].is_null(), "a refresh brings what was granted, not what is asked for: {again}");
    let more = refreshed(&client, &again["refresh_token"], "").await;
    assert!(more["refresh_token"].is_string(), "offline_access was granted once and for all: {more}");
}

#[tokio::test]
async fn a_device_code_keeps_its_scopes() {
    let client = Client::start().await;
    let (url, known) = (client.sandbox.dynamics_url(), client.sandbox.credentials());
    for (scopes, wanted) in [("", false), (" openid offline_access", true)] {
        let body = format!("client_id={}&scope={url}/user_impersonation{scopes}", known.client_id);
        let asked = client.http.post(format!("{url}/common/oauth2/v2.0/devicecode")).body(body);
        let (_, device) = answer(asked).await;
        let page = format!("{url}/devicelogin?code={}", device["user_code"].as_str().unwrap());
        assert_eq!(answer(client.http.get(page)).await.0, 200);
        let form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code".to_owned()),
            ("client_id", known.client_id.clone()),
            ("device_code", device["device_code"].as_str().unwrap().to_owned()),
        ];
        let (_, body) = post_token(&client.sandbox, &client.http, "common", &form).await;
        assert_eq!((body["refresh_token"].is_string(), body["id_token"].is_string()), (wanted, wanted), "{body}");
        assert!(body["client_info"].is_null(), "nobody asked for it");
    }
}

#[tokio::test]
async fn an_application_has_no_token_of_every_tenant() {
    let client = Client::start().await;
    for tenant in ["common", "organizations", "consumers"] {
        let (status, body) = post_token(&client.sandbox, &client.http, tenant, &token_form(&client.sandbox)).await;
        assert_eq!(
            (status, &body["error"], &body["error_codes"]),
            (400, &json!("invalid_request"), &json!([9_001_023]))
        );
    }
    let tenant = client.sandbox.credentials().tenant_id.clone();
    let mut form = token_form(&client.sandbox);
    form.push(("client_info", "1".to_owned()));
    let (status, body) = post_token(&client.sandbox, &client.http, &tenant, &form).await;
    assert_eq!(status, 200);
    assert!(["refresh_token", "id_token", "client_info", "scope"].iter().all(|name| body[name].is_null()), "{body}");
}

#[tokio::test]
async fn an_id_token_is_signed_by_a_key_that_discovery_names() {
    let client = Client::start().await;
    let (url, known) = (client.sandbox.dynamics_url(), client.sandbox.credentials());
    let body = sign_in(&client, "openid profile offline_access", "&nonce=n-0S6").await;
    let token = body["id_token"].as_str().unwrap();
    let discovery = format!("{url}/{}/v2.0/.well-known/openid-configuration", known.tenant_id);
    let (_, discovered) = answer(client.http.get(discovery)).await;
    let (status, keys) = answer(client.http.get(discovered["jwks_uri"].as_str().unwrap())).await;
    assert_eq!((status, keys["keys"].as_array().unwrap().len()), (200, 1));
    let key = &keys["keys"][0];
    assert_eq!((&part(token, 0)["alg"], &part(token, 0)["kid"]), (&json!("RS256"), &key["kid"]));
    let bytes = |value: &Value| URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap();
    let public = RsaPublicKeyComponents { n: bytes(&key["n"]), e: bytes(&key["e"]) };
    let (text, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).unwrap();
    assert!(public.verify(&RSA_PKCS1_2048_8192_SHA256, b"another text", &signature).is_err());

    let claims = part(token, 1);
    assert_eq!(claims["iss"], discovered["issuer"]);
    assert_eq!((&claims["aud"], &claims["tid"]), (&json!(known.client_id), &json!(known.tenant_id)));
    assert_eq!(claims["nonce"], "n-0S6");
    assert!(claims["nbf"] == claims["iat"] && claims["exp"].as_i64() > claims["iat"].as_i64(), "{claims}");
    assert!(["sub", "oid", "preferred_username", "name"].iter().all(|name| claims[name].is_string()), "{claims}");
    let info = URL_SAFE_NO_PAD.decode(body["client_info"].as_str().unwrap()).unwrap();
    let info: Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info, json!({"uid": claims["oid"], "utid": known.tenant_id}));
    let later = refreshed(&client, &body["refresh_token"], "openid").await;
    assert!(part(later["id_token"].as_str().unwrap(), 1)["nonce"].is_null(), "the nonce was the sign-in's");
    assert_eq!(answer(client.http.get(format!("{url}/elsewhere/discovery/v2.0/keys"))).await.0, 400);
}

#[tokio::test]
async fn a_person_is_a_user_of_his_own() {
    let client = Client::start().await;
    let url = client.sandbox.dynamics_url();
    let body = sign_in(&client, "openid", "").await;
    let token = body["access_token"].as_str().unwrap();
    let own = |method: Method, path: &str| {
        client.http.request(method, format!("{url}/api/data/v9.2/{path}")).bearer_auth(token)
    };
    let (_, person) = answer(own(Method::GET, "WhoAmI")).await;
    let (_, application) = client.read("WhoAmI").await;
    assert_ne!(person["UserId"], application["UserId"]);
    let users = client.sandbox.table("systemuser");
    let first = users.iter().find(|user| user["isdisabled"] == false).unwrap();
    assert_eq!(person["UserId"], first["systemuserid"]);
    assert_eq!(part(body["id_token"].as_str().unwrap(), 1)["name"], first["fullname"]);
    // What he writes is his, also within a batch.
    let made = own(Method::POST, "accounts").header("Prefer", "return=representation").json(&json!({"name": "Mine"}));
    assert_eq!(answer(made).await.1["_ownerid_value"], person["UserId"]);
    let batch = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
                 GET /api/data/v9.2/WhoAmI HTTP/1.1\r\n\r\n--b--\r\n";
    let sent = own(Method::POST, "$batch").header("Content-Type", "multipart/mixed; boundary=b").body(batch);
    let text = answer(sent).await.1.as_str().unwrap().to_owned();
    assert!(text.contains(person["UserId"].as_str().unwrap()), "{text}");
    let privileges = |user: &Value| {
        let user = user.as_str().unwrap();
        own(Method::GET, &format!("systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"))
    };
    assert_eq!(answer(privileges(&person["UserId"])).await.0, 200);
    assert_eq!(answer(privileges(&application["UserId"])).await.0, 501);
}

#[tokio::test]
async fn an_application_is_a_user_that_no_list_shows() {
    let client = Client::start().await;
    let (_, me) = client.read("WhoAmI").await;
    let id = me["UserId"].as_str().unwrap();
    let (status, user) = client.read(&format!("systemusers({id})")).await;
    assert_eq!((status, &user["fullname"]), (200, &json!("# Ferry sandbox")));
    assert_eq!(user["applicationid"], client.sandbox.credentials().client_id.as_str());
    assert_eq!((&user["isdisabled"], &user["accessmode"]), (&json!(false), &json!(4)));
    assert!(user["internalemailaddress"].is_null());
    let (_, listed) = client.read(&format!("systemusers?$filter=systemuserid eq {id}")).await;
    assert_eq!(listed["value"], json!([]));
    assert!(client.sandbox.table("systemuser").iter().all(|user| user["systemuserid"] != id));
    // Lookups lead to it, and rows may name it.
    let bound = json!({"name": "Owned", "preferredsystemuserid@odata.bind": format!("/systemusers({id})")});
    let made = client.write(Method::POST, "accounts?$select=name&$expand=owninguser($select=fullname)", &bound);
    let (status, made) = answer(made.header("Prefer", "return=representation")).await;
    assert_eq!((status, &made["owninguser"]["systemuserid"]), (201, &me["UserId"]), "{made}");
    let path = format!("accounts({})?$select=_ownerid_value", made["accountid"].as_str().unwrap());
    let (_, row) = answer(client.dynamics(&path).header("Prefer", "odata.include-annotations=\"*\"")).await;
    assert_eq!(row["_ownerid_value@OData.Community.Display.V1.FormattedValue"], "# Ferry sandbox");
    assert_eq!(client.request(Method::DELETE, &format!("systemusers({id})")).send().await.unwrap().status(), 404);
    let nobody = id.replace(&id[..8], "00000000");
    assert_eq!(client.read(&format!("systemusers({nobody})")).await.0, 404);
}
