//! Client assertions: a certificate in the place of a secret, held against the one that the application has.
//!
//! In: an assertion as a client posts it. Out: whether it is good, or Entra's refusal.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::Value;

use super::token::{Wrong, wrong};

/// Checks an assertion of an application for a token endpoint; `pem` is the certificate that it has, with its key.
pub(super) fn check(assertion: &str, pem: &str, client: &str, endpoint: &str, now: i64) -> Result<(), Wrong> {
    let bad = |text: &str| wrong(401, "invalid_client", 700_027, format!("AADSTS700027: {text}"));
    let malformed = || bad("Client assertion failed signature validation.");
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return Err(malformed()) };
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let value = |part: &str| bytes(part).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let (Some(head), Some(said), Some(signature)) = (value(header), value(claims), bytes(signature)) else {
        return Err(malformed());
    };
    let (certificate, key) = known(pem).ok_or_else(malformed)?;
    let new = thumbprint(&certificate);
    let old = URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate));
    // Some clients leave the padding on.
    let names = |name: &str, print: &str| head[name].as_str().is_some_and(|named| named.trim_end_matches('=') == print);
    if !names("x5t#S256", &new) && !names("x5t", &old) {
        return Err(bad(
            "The certificate with identifier used to sign the client assertion is not registered on application.",
        ));
    }
    let signed = format!("{header}.{claims}");
    let public = key.public_key().as_ref();
    let is_signed = match head["alg"].as_str() {
        Some("PS256") => {
            UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public).verify(signed.as_bytes(), &signature)
        }
        Some("RS256") => {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(signed.as_bytes(), &signature)
        }
        _ => return Err(malformed()),
    };
    if is_signed.is_err() {
        return Err(malformed());
    }
    let is_about_us = said["aud"] == endpoint && said["iss"] == client && said["sub"] == client;
    if !is_about_us || said["jti"].as_str().is_none_or(str::is_empty) {
        let text = "AADSTS50027: JWT token is invalid or malformed.";
        return Err(wrong(401, "invalid_client", 50_027, text));
    }
    // Seconds may have fractions. Five minutes either way, for clocks that are not quite right.
    let (from, until) = (said["nbf"].as_f64().unwrap_or(0.0), said["exp"].as_f64().unwrap_or(0.0));
    if ((now + 300) as f64) < from || (now - 300) as f64 >= until {
        let text = "AADSTS700024: Client assertion is not within its valid time range.";
        return Err(wrong(401, "invalid_client", 700_024, text));
    }
    Ok(())
}

/// The name of a certificate in the header of a token: the SHA-256 of its bytes.
pub(super) fn thumbprint(certificate: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate))
}

/// A certificate's bytes and its key.
pub(super) fn known(pem: &str) -> Option<(Vec<u8>, RsaKeyPair)> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).ok()?;
    Some((certificate.to_vec(), RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?))
}
