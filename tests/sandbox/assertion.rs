//! Client assertions as public clients write them: padded names of the certificate, and seconds with fractions.

use super::client::{Client, post_token};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

fn print(pem: &str, by: &'static Algorithm) -> String {
    URL_SAFE.encode(digest(by, &CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()))
}

fn signed(pem: &str, header: &Value, claims: &Value) -> String {
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    let random = SystemRandom::new();
    match header["alg"].as_str() {
        Some("PS256") => key.sign(&RSA_PSS_SHA256, &random, text.as_bytes(), &mut signature).unwrap(),
        _ => key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap(),
    }
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

struct Asking {
    client: Client,
    pem: String,
}

impl Asking {
    async fn start() -> Self {
        let client = Client::start().await;
        let pem = client.sandbox.credentials().certificate.clone();
        Asking { client, pem }
    }

    fn claims(&self) -> Value {
        let known = self.client.sandbox.credentials();
        let audience = format!("{}/{}/oauth2/v2.0/token", self.client.sandbox.dynamics_url(), known.tenant_id);
        json!({"aud": audience, "iss": known.client_id, "sub": known.client_id, "iat": now() - 1.5, "exp": now() + 600.25,
               "jti": "5c1cbb9c-1d3b-4a4e-9a5c-6a4a2c1cf0aa"})
    }

    async fn token(&self, header: &Value, claims: &Value) -> (u16, Value) {
        let known = self.client.sandbox.credentials();
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", known.client_id.clone()),
            ("scope", format!("{}/.default", self.client.sandbox.dynamics_url())),
            ("client_assertion_type", kind.to_owned()),
            ("client_assertion", signed(&self.pem, header, claims)),
        ];
        post_token(&self.client.sandbox, &self.client.http, &known.tenant_id, &form).await
    }
}

#[tokio::test]
async fn a_padded_name_of_the_certificate_is_the_certificates() {
    let asking = Asking::start().await;
    for header in [
        json!({"typ": "JWT", "alg": "PS256", "x5t#S256": print(&asking.pem, &SHA256)}),
        json!({"typ": "JWT", "alg": "RS256", "x5t": print(&asking.pem, &SHA1_FOR_LEGACY_USE_ONLY)}),
        json!({"typ": "JWT", "alg": "PS256", "x5t#S256": print(&asking.pem, &SHA256).trim_end_matches('=')}),
    ] {
        let (status, body) = asking.token(&header, &asking.claims()).await;
        assert_eq!((status, &body["token_type"]), (200, &json!("Bearer")), "{header}: {body}");
    }
}

#[tokio::test]
async fn another_certificate_or_another_time_is_refused() {
    let asking = Asking::start().await;
    let good = json!({"typ": "JWT", "alg": "PS256", "x5t#S256": print(&asking.pem, &SHA256)});
    let with = |name: &str, value: Value| {
        let mut claims = asking.claims();
        claims[name] = value;
        claims
    };
    let other = json!({"typ": "JWT", "alg": "PS256", "x5t#S256": URL_SAFE.encode(digest(&SHA256, b"another"))});
    let empty = json!({"typ": "JWT", "alg": "PS256", "x5t#S256": "="});
    let nameless = json!({"typ": "JWT", "alg": "PS256"});
    for (header, claims, code) in [
        (&other, asking.claims(), 700_027),
        (&empty, asking.claims(), 700_027),
        (&nameless, asking.claims(), 700_027),
        (&good, with("exp", json!(now() - 301.5)), 700_024),
        (&good, with("exp", json!("soon")), 700_024),
        (&good, with("exp", Value::Null), 700_024),
        (&good, with("nbf", json!(now() + 330.5)), 700_024),
        (&good, with("aud", json!("https://elsewhere.example/token")), 50_027),
        (&good, with("jti", Value::Null), 50_027),
    ] {
        let (status, body) = asking.token(header, &claims).await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")), "{header} {claims}");
        assert_eq!(body["error_codes"], json!([code]), "{header} {claims}");
    }
}
