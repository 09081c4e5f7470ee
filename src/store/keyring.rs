//! Secrets in the operating system's keyring: for desktops, where somebody has logged in.
//!
//! A machine without a session has none, and some keyrings answer late or never, so every question has an end. In: names
//! and values. Out: values again, or why the keyring cannot be used.

use std::sync::mpsc;
use std::time::Duration;

use keyring_core::{Entry, Error as KeyringError};

use super::error::{Error, Result};
use crate::model::secret::Secret;

/// The service under which all secrets are kept.
const SERVICE: &str = "ferry";
/// The longest that a keyring may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The secret of a name; none if the keyring has none.
///
/// # Errors
/// If there is no keyring, or it does not answer.
pub fn get(name: &str) -> Result<Option<Secret>> {
    match asked(name, |entry| entry.get_password()) {
        Ok(value) => Ok(Some(Secret::new(value))),
        Err(Failed::Keyring(KeyringError::NoEntry)) => Ok(None),
        Err(failed) => Err(failed.into()),
    }
}

/// Keeps a secret, over one of the same name.
///
/// # Errors
/// If there is no keyring, or it does not take it.
pub fn set(name: &str, value: &Secret) -> Result<()> {
    let value = Secret::new(value.expose().to_owned());
    Ok(asked(name, move |entry| entry.set_password(value.expose()))?)
}

/// Forgets a secret; false if there is none of that name.
///
/// # Errors
/// If there is no keyring, or it does not answer.
pub fn remove(name: &str) -> Result<bool> {
    match asked(name, |entry| entry.delete_credential()) {
        Ok(()) => Ok(true),
        Err(Failed::Keyring(KeyringError::NoEntry)) => Ok(false),
        Err(failed) => Err(failed.into()),
    }
}

enum Failed {
    Keyring(KeyringError),
    Late,
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        let reason = match failed {
            Failed::Keyring(error) => error.to_string(),
            Failed::Late => format!("it did not answer within {} seconds", PATIENCE.as_secs()),
        };
        Error::Secrets(format!("the operating system's keyring cannot be used: {reason}"))
    }
}

/// Asks on a thread of its own: a keyring may block, and may not be asked from within a runtime.
fn asked<T: Send + 'static>(
    name: &str,
    what: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
) -> std::result::Result<T, Failed> {
    let (tell, told) = mpsc::channel();
    let name = name.to_owned();
    std::thread::spawn(move || {
        let answer = open().and_then(|()| Entry::new(SERVICE, &name)).and_then(|entry| what(&entry));
        // Whoever asked may have given up.
        let _given_up = tell.send(answer);
    });
    match told.recv_timeout(PATIENCE) {
        Ok(answer) => answer.map_err(Failed::Keyring),
        Err(_) => Err(Failed::Late),
    }
}

/// Opens the system's keyring, where none is open yet.
fn open() -> keyring_core::Result<()> {
    if keyring_core::get_default_store().is_some() {
        return Ok(());
    }
    #[cfg(target_os = "macos")]
    let store = apple_native_keyring_store::keychain::Store::new()?;
    #[cfg(target_os = "windows")]
    let store = windows_native_keyring_store::Store::new()?;
    #[cfg(all(unix, not(target_os = "macos")))]
    let store = zbus_secret_service_keyring_store::Store::new()?;
    keyring_core::set_default_store(store);
    Ok(())
}
