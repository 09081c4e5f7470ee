//! A certificate in the place of a secret: a token that the application signs itself, good for a few minutes.
//!
//! In: the certificate and its key as PEM. Out: a signed assertion. The key never leaves this machine.
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use super::error::Error;
use crate::model::clock::Clock;
use crate::model::secret::Secret;

/// How long an assertion is good, in seconds: documented are five to ten minutes.
const ASSERTION_SECONDS: i64 = 300;
/// Bytes of chance in an assertion's id.
const ID_BYTES: usize = 16;

/// A certificate with its private key.
pub struct Certificate {
    thumbprint: String,
    key: RsaKeyPair,
}

impl Certificate {
    /// Reads a certificate and its RSA key from one text of PEM.
    ///
    /// # Errors
    /// If one of the two is missing, or the key is none of RSA.
    pub fn read(pem: &Secret) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Certificate(what.to_owned());
        let text = pem.expose().as_bytes();
        let certificate = CertificateDer::from_pem_slice(text).map_err(|_| wrong("it holds no certificate"))?;
        let key = match PrivateKeyDer::from_pem_slice(text).map_err(|_| wrong("it holds no private key"))? {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(wrong("its private key is none of RSA")),
        };
        let key = key.map_err(|_| wrong("its private key is none of RSA with 2048 bits or more"))?;
        Ok(Self { thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.as_ref())), key })
    }

    /// An assertion that the application is who it says, for one token endpoint.
    pub(super) fn assertion(&self, client_id: &str, token_url: &str, clock: Clock) -> Result<String, Error> {
        let random = SystemRandom::new();
        let chance = || Error::Certificate("this machine gives no random numbers".to_owned());
        let id: [u8; ID_BYTES] = ring::rand::generate(&random).map_err(|_| chance())?.expose();
        let now = clock.now().timestamp();
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": token_url, "iss": client_id, "sub": client_id, "jti": URL_SAFE_NO_PAD.encode(id),
            "nbf": now, "iat": now, "exp": now + ASSERTION_SECONDS,
        });
        let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let done = self.key.sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature);
        done.map_err(|_| Error::Certificate("its key does not sign".to_owned()))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
