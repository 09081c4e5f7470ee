//! Secrets at rest: a file of the home, each value encrypted by itself with a key that lies elsewhere.
//!
//! XChaCha20-Poly1305, a nonce of chance for each value, and the secret's name as associated data, so that no value can be put
//! under another name. Both files are their owner's alone. In: names and values. Out: values again, for whoever has the key.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{AeadCore, KeyInit, XChaCha20Poly1305, XNonce, aead::OsRng};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::{Error, Result, disk};
use super::home::{create_owned, owner_only};
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
        let kept = read(&path)?;
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
        let mut made = create_owned(key_file).map_err(disk("cannot create", key_file))?;
        made.write_all(key.as_bytes()).map_err(disk("cannot write", key_file))
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
        let sealed = Sealed { nonce: STANDARD.encode(nonce), value: STANDARD.encode(sealed) };
        self.kept = change(&self.path, |kept| {
            kept.insert(name.to_owned(), sealed);
        })?;
        Ok(())
    }

    /// Forgets a secret; false if there is none of that name.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn remove(&mut self, name: &str) -> Result<bool> {
        let mut was_there = false;
        self.kept = change(&self.path, |kept| was_there = kept.remove(name).is_some())?;
        Ok(was_there)
    }

    /// Forgets all secrets whose names begin so; that takes no key. Says whether there was one.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn forget(home: &Path, beginning: &str) -> Result<bool> {
        let path = file(home);
        if !path.exists() {
            return Ok(false);
        }
        let mut was_there = false;
        change(&path, |kept| {
            let before = kept.len();
            kept.retain(|name, _| !name.starts_with(beginning));
            was_there = kept.len() < before;
        })?;
        Ok(was_there)
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Sealed>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|_| Error::Secrets(format!("{} is no file of secrets", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(disk("cannot read", path)(error)),
    }
}

/// Changes what the file holds now, which may be more than was read before: one process at a time, and under a temporary name
/// first, so that the file is never half written.
fn change(path: &Path, how: impl FnOnce(&mut BTreeMap<String, Sealed>)) -> Result<BTreeMap<String, Sealed>> {
    if let Some(home) = path.parent().filter(|home| !home.exists()) {
        std::fs::create_dir_all(home).map_err(disk("cannot create", home))?;
        owner_only(home)?;
    }
    let lock_path = path.with_extension("lock");
    let lock = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
    let lock = lock.map_err(disk("cannot create", &lock_path))?;
    lock.lock().map_err(disk("cannot lock", &lock_path))?;
    let mut kept = read(path)?;
    how(&mut kept);
    let temporary = path.with_extension("new");
    let text = serde_json::to_vec_pretty(&kept).map_err(|e| Error::Secrets(e.to_string()))?;
    // What was left in its place, or planted there, is not written into.
    if temporary.symlink_metadata().is_ok() {
        std::fs::remove_file(&temporary).map_err(disk("cannot replace", &temporary))?;
    }
    let mut made = create_owned(&temporary).map_err(disk("cannot write", &temporary))?;
    made.write_all(&text).and_then(|()| made.sync_all()).map_err(disk("cannot write", &temporary))?;
    std::fs::rename(&temporary, path).map_err(disk("cannot write", path))?;
    Ok(kept)
}

pub(super) fn file(home: &Path) -> PathBuf {
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
