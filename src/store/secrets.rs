//! Secrets at rest: a file of the home, each value encrypted by itself with a key that lies elsewhere.
//!
//! XChaCha20-Poly1305, a nonce of chance for each value, and the secret's name as associated data, so that no value can be put
//! under another name. Both files are their owner's alone. In: names and values. Out: values again, for whoever has the key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{AeadCore, KeyInit, XChaCha20Poly1305, XNonce, aead::OsRng};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::{Error, Result, disk};
use super::home::owner_only;
use crate::model::secret::Secret;

/// The longest value, in bytes: a certificate with its key is far below.
const VALUE_BYTES_AT_MOST: usize = 64 << 10;

/// The encrypted secrets of a home, with the key to them.
pub struct Secrets {
    path: PathBuf,
    cipher: XChaCha20Poly1305,
    kept: BTreeMap<String, Sealed>,
}

/// One value as the file has it, in base64.
#[derive(Clone, Serialize, Deserialize)]
struct Sealed {
    nonce: String,
    value: String,
}

impl Secrets {
    /// Opens the secrets of a home with the key in a file.
    ///
    /// # Errors
    /// If the key or the file cannot be used, or others than the owner may read the key.
    pub fn open(home: &Path, key_file: &Path) -> Result<Self> {
        if !key_file.exists() {
            let message = format!(
                "cannot read the key {}, which is not there; name the file it was made in, or put it back",
                key_file.display()
            );
            return Err(Error::Secrets(message));
        }
        let text = Zeroizing::new(std::fs::read_to_string(key_file).map_err(disk("cannot read", key_file))?);
        is_owners(key_file)?;
        let key = Zeroizing::new(STANDARD.decode(text.trim()).unwrap_or_default());
        let cipher = XChaCha20Poly1305::new_from_slice(&key)
            .map_err(|_| Error::Secrets(format!("{} holds no key of 32 bytes in base64", key_file.display())))?;
        let path = file(home);
        let kept = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|_| Error::Secrets(format!("{} is no file of secrets", path.display())))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(disk("cannot read", &path)(error)),
        };
        Ok(Self { path, cipher, kept })
    }

    /// Whether a home has a file of secrets, which is of no use without its key.
    #[must_use]
    pub fn are_kept(home: &Path) -> bool {
        file(home).exists()
    }

    /// Makes a key by chance and writes it into a new file.
    ///
    /// # Errors
    /// If the file is there already, or cannot be written.
    pub fn make_key(key_file: &Path) -> Result<()> {
        let key = Zeroizing::new(STANDARD.encode(XChaCha20Poly1305::generate_key(&mut OsRng)));
        let mut file = std::fs::OpenOptions::new();
        let made = file.write(true).create_new(true).open(key_file).map_err(disk("cannot create", key_file))?;
        owner_only(key_file)?;
        std::io::Write::write_all(&mut &made, key.as_bytes()).map_err(disk("cannot write", key_file))
    }

    /// The names of all secrets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kept.keys().map(String::as_str)
    }

    /// The secret of a name; none if it is not kept.
    ///
    /// # Errors
    /// If the key is another, or the file was tampered with.
    pub fn get(&self, name: &str) -> Result<Option<Secret>> {
        let Some(sealed) = self.kept.get(name) else { return Ok(None) };
        let unreadable = || {
            Error::Secrets(format!(
                "the secret '{name}' cannot be decrypted: the key is another one, or the file was changed"
            ))
        };
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| unreadable());
        let (nonce, value) = (bytes(&sealed.nonce)?, bytes(&sealed.value)?);
        if nonce.len() != 24 {
            return Err(unreadable());
        }
        let payload = Payload { msg: &value, aad: name.as_bytes() };
        let opened = self.cipher.decrypt(XNonce::from_slice(&nonce), payload).map_err(|_| unreadable())?;
        Ok(Some(Secret::new(String::from_utf8(opened).map_err(|_| unreadable())?)))
    }

    /// Keeps a secret, over one of the same name.
    ///
    /// # Errors
    /// If it is too long, or the file cannot be written.
    pub fn set(&mut self, name: &str, value: &Secret) -> Result<()> {
        if value.expose().len() > VALUE_BYTES_AT_MOST {
            return Err(Error::Secrets(format!("a secret has {VALUE_BYTES_AT_MOST} bytes at most")));
        }
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let payload = Payload { msg: value.expose().as_bytes(), aad: name.as_bytes() };
        let sealed = self.cipher.encrypt(&nonce, payload);
        let sealed = sealed.map_err(|_| Error::Secrets("the secret cannot be encrypted".to_owned()))?;
        self.kept.insert(name.to_owned(), Sealed { nonce: STANDARD.encode(nonce), value: STANDARD.encode(sealed) });
        self.write()
    }

    /// Forgets a secret; false if there is none of that name.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn remove(&mut self, name: &str) -> Result<bool> {
        let was_there = self.kept.remove(name).is_some();
        if was_there {
            self.write()?;
        }
        Ok(was_there)
    }

    /// Under a temporary name first, so that the file is never half written.
    fn write(&self) -> Result<()> {
        if let Some(home) = self.path.parent().filter(|home| !home.exists()) {
            std::fs::create_dir_all(home).map_err(disk("cannot create", home))?;
            owner_only(home)?;
        }
        let temporary = self.path.with_extension("new");
        let text = serde_json::to_vec_pretty(&self.kept).map_err(|e| Error::Secrets(e.to_string()))?;
        // What was left in its place, or planted there, is not written into.
        if temporary.symlink_metadata().is_ok() {
            std::fs::remove_file(&temporary).map_err(disk("cannot replace", &temporary))?;
        }
        let mut made = std::fs::File::create_new(&temporary).map_err(disk("cannot write", &temporary))?;
        owner_only(&temporary)?;
        std::io::Write::write_all(&mut made, &text).map_err(disk("cannot write", &temporary))?;
        std::fs::rename(&temporary, &self.path).map_err(disk("cannot write", &self.path))
    }
}

fn file(home: &Path) -> PathBuf {
    home.join("secrets.json")
}

/// A key that others may read is none.
#[cfg(unix)]
fn is_owners(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(disk("cannot read", path))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Error::Secrets(format!("others may read the key {path}; chmod 600 {path}, and make a new key if they did")))
}

#[cfg(not(unix))]
fn is_owners(_: &Path) -> Result<()> {
    Ok(())
}
