//! The secrets that open a sandbox, and whether they still do.
//!
//! Nothing here checks a request; the two services ask. In: the seed, and a test that revokes. Out: the credentials.

use std::sync::atomic::{AtomicBool, Ordering};

use super::randomness::{Chance, Stream};

/// What a client must present to the two services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The Entra tenant.
    pub tenant_id: String,
    /// The registered application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its certificate with the key to it, as PEM. It is the same in every sandbox and opens nothing else.
    pub certificate: String,
    /// The Gainsight access key.
    pub access_key: String,
    /// An application of the Gainsight tenant.
    pub gainsight_client_id: String,
    /// Its secret.
    pub gainsight_client_secret: String,
}

/// The credentials of one sandbox with what a test revoked of them.
pub(in crate::sandbox) struct Vault {
    pub(in crate::sandbox) credentials: Credentials,
    access_key_valid: AtomicBool,
    client_secret_valid: AtomicBool,
}

impl Vault {
    pub(in crate::sandbox) fn new(seed: u64) -> Self {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut chance = Chance::new(seed, Stream::Credentials);
        let credentials = Credentials {
            tenant_id: chance.guid(),
            client_id: chance.guid(),
            client_secret: chance.letters(40, ALPHABET),
            certificate: include_str!("certificate.pem").to_owned(),
            access_key: chance.guid(),
            gainsight_client_id: chance.guid(),
            gainsight_client_secret: chance.letters(40, ALPHABET),
        };
        Vault { credentials, access_key_valid: AtomicBool::new(true), client_secret_valid: AtomicBool::new(true) }
    }

    pub(in crate::sandbox) fn opens_gainsight(&self, key: &str) -> bool {
        self.access_key_valid.load(Ordering::SeqCst) && key == self.credentials.access_key
    }

    pub(in crate::sandbox) fn opens_entra(&self, secret: &str) -> bool {
        self.client_secret_valid.load(Ordering::SeqCst) && secret == self.credentials.client_secret
    }

    pub(in crate::sandbox) fn opens_gainsight_tokens(&self, id: &str, secret: &str) -> bool {
        id == self.credentials.gainsight_client_id && secret == self.credentials.gainsight_client_secret
    }

    pub(in crate::sandbox) fn set_access_key_valid(&self, valid: bool) {
        self.access_key_valid.store(valid, Ordering::SeqCst);
    }

    pub(in crate::sandbox) fn revoke_client_secret(&self) {
        self.client_secret_valid.store(false, Ordering::SeqCst);
    }
}
