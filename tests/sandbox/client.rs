//! A small client of both services, only for these tests.

use ferry::sandbox::{Options, Sandbox, start_with};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

/// A running sandbox with a token for it.
pub struct Client {
    pub sandbox: Sandbox,
    pub http: reqwest::Client,
    token: String,
}

impl Client {
    pub async fn start() -> Client {
        Client::with(Options { rows: 200, ..Options::default() }).await
    }

    pub async fn with(options: Options) -> Client {
        Client::with_faults(options, "").await
    }

    pub async fn with_faults(options: Options, rules: &str) -> Client {
        Client::of(start_with(options, rules).await.expect("the sandbox starts")).await
    }

    /// The same client with another token, as tokens end by the clock of the sandbox.
    pub async fn signed_in_again(self) -> Client {
        Client::of(self.sandbox).await
    }

    async fn of(sandbox: Sandbox) -> Client {
        let http = reqwest::Client::new();
        let form = token_form(&sandbox);
        let (status, body) = post_token(&sandbox, &http, &sandbox.credentials().tenant_id, &form).await;
        assert_eq!(status, 200, "{body}");
        Client { token: body["access_token"].as_str().expect("a token is given").to_owned(), sandbox, http }
    }

    pub fn dynamics(&self, path: &str) -> RequestBuilder {
        let url = format!("{}/api/data/v9.2/{path}", self.sandbox.dynamics_url());
        self.http.get(url).bearer_auth(&self.token)
    }

    /// A request to Dynamics by another method.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/data/v9.2/{path}", self.sandbox.dynamics_url());
        self.http.request(method, url).bearer_auth(&self.token)
    }

    /// A write to Dynamics, with the headers of a client that always sends them.
    pub fn write(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let request = self.request(method, path).header("OData-MaxVersion", "4.0").header("OData-Version", "4.0");
        request.header("Accept", "application/json").json(body)
    }

    pub fn link(&self, url: &str) -> RequestBuilder {
        self.http.get(url).bearer_auth(&self.token)
    }

    pub async fn read(&self, path: &str) -> (u16, Value) {
        answer(self.dynamics(path)).await
    }

    /// The error code and message of a refused read.
    pub async fn refused(&self, path: &str) -> (u16, String, String) {
        let (status, body) = self.read(path).await;
        let text = |name: &str| body["error"][name].as_str().unwrap_or("?").to_owned();
        (status, text("code"), text("message"))
    }

    pub async fn gainsight(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let key = &self.sandbox.credentials().access_key;
        let url = format!("{}{path}", self.sandbox.gainsight_url());
        let request = self.http.request(method, url).header("AccessKey", key);
        answer(if body.is_null() { request } else { request.json(&body) }).await
    }

    pub async fn insert(&self, object: &str, records: Value) -> (u16, Value) {
        self.gainsight(Method::POST, &format!("/v1/data/objects/{object}"), json!({"records": records})).await
    }

    pub async fn update(&self, object: &str, keys: &str, records: Value) -> (u16, Value) {
        let path = format!("/v1/data/objects/{object}?keys={keys}");
        self.gainsight(Method::PUT, &path, json!({"records": records})).await
    }

    pub async fn query(&self, object: &str, body: Value) -> (u16, Value) {
        self.gainsight(Method::POST, &format!("/v1/data/objects/query/{object}"), body).await
    }

    pub async fn person(&self, body: Value) -> (u16, Value) {
        self.gainsight(Method::PUT, "/v1/peoplemgmt/v1.0/people", body).await
    }
}

pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("the sandbox answers");
    let status = response.status().as_u16();
    let text = response.text().await.expect("the answer is text");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A form that gets a token.
pub fn token_form(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let credentials = sandbox.credentials();
    vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", credentials.client_id.clone()),
        ("client_secret", credentials.client_secret.clone()),
        ("scope", format!("{}/.default", sandbox.dynamics_url())),
    ]
}

pub async fn post_token(
    sandbox: &Sandbox,
    http: &reqwest::Client,
    tenant: &str,
    form: &[(&'static str, String)],
) -> (u16, Value) {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let url = format!("{}/{tenant}/oauth2/v2.0/token", sandbox.dynamics_url());
    answer(http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

/// A query string with its values encoded.
pub fn with_query(path: &str, options: &[(&str, &str)]) -> String {
    format!("{path}?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(options).finish())
}

/// The row of a table with that key.
pub fn row(sandbox: &Sandbox, table: &str, id: &str) -> Map<String, Value> {
    let rows = sandbox.table(table);
    rows.into_iter().find(|row| row[&format!("{table}id")] == id).expect("the row is there")
}

/// The records of an object with that value.
pub fn records(sandbox: &Sandbox, object: &str, field: &str, value: &str) -> Vec<Map<String, Value>> {
    sandbox.records(object).into_iter().filter(|record| record[field] == value).collect()
}
