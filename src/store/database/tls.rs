//! Whom a server's certificate may come from.

use std::sync::Arc;

use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::failure::{Failure, Why};

/// The public authorities, and those of a text in PEM.
pub(super) fn to_trust(authorities: Option<&str>) -> Result<MakeRustlsConnect, Failure> {
    let unusable = |why: String| Failure::of(Why::Unprotected, format!("the authorities cannot be used: {why}"));
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for one in CertificateDer::pem_slice_iter(authorities.unwrap_or_default().as_bytes()) {
        let one = one.map_err(|error| unusable(error.to_string()))?;
        roots.add(one).map_err(|error| unusable(error.to_string()))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
