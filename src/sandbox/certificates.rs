//! Certificates for `--tls`: an authority of this sandbox, and a certificate by it for the addresses of this machine.
//!
//! Both are made anew at each start; nobody else can know their keys. In: nothing. Out: what a server needs, and the authority
//! as PEM for clients to trust.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::options::Error;

/// The names that a client may call the sandbox by.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What both ports need to speak TLS.
pub(in crate::sandbox) struct Certificates {
    pub(in crate::sandbox) acceptor: TlsAcceptor,
    /// The authority, as PEM.
    pub(in crate::sandbox) authority: String,
}

pub(in crate::sandbox) fn make() -> Result<Certificates, Error> {
    let wrong = |error: rcgen::Error| Error::Certificate(error.to_string());
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Ferry sandbox authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(wrong)?).map_err(wrong)?;
    let mut leaf = CertificateParams::new(NAMES.map(str::to_owned)).map_err(wrong)?;
    leaf.distinguished_name.push(DnType::CommonName, "Ferry sandbox");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().map_err(wrong)?;
    let certificate = leaf.signed_by(&key, &issuer).map_err(wrong)?;
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let unusable = |error: tokio_rustls::rustls::Error| Error::Certificate(error.to_string());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .map_err(unusable)?;
    Ok(Certificates { acceptor: TlsAcceptor::from(Arc::new(config)), authority: issuer.pem() })
}
