//! `ferry secret`.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::arguments_secret::SecretVerb;
use super::output::{say, tell};
use super::start::Ended;
use crate::app::error::Error;
use crate::model::secret::{Place, Secret, environment_variable};
use crate::store::keyring;
use crate::store::secrets::Secrets;

/// Where the file with the key is named.
const KEY_FILE: &str = "FERRY_SECRETS_KEY_FILE";

pub(super) fn secret(home: &Path, verb: &SecretVerb, as_json: bool) -> Ended {
    if let Some(ended) = in_keyring(verb)? {
        return Ok(ended);
    }
    let Some(key_file) = key_file() else {
        let message = format!(
            "secrets are kept encrypted; set {KEY_FILE} to the file of the key, which is made if it is not there, or use \
             --keyring"
        );
        return Err(Error::Usage(message));
    };
    match verb {
        SecretVerb::Set { name, .. } => {
            let value = asked(name)?;
            // A second key would leave what is kept under the first one unreadable.
            if !key_file.exists() && !Secrets::are_kept(home) {
                Secrets::make_key(&key_file)?;
                tell!(
                    "{} holds a new key: whoever has it can read the secrets, and without it nobody can",
                    key_file.display()
                );
            }
            Secrets::open(home, &key_file)?.set(name, &value)?;
            tell!("'{name}' is kept; scripts write SECRET '{name}'");
        }
        SecretVerb::List => {
            let kept = Secrets::open(home, &key_file)?;
            for name in kept.names() {
                let is_hidden = std::env::var_os(environment_variable(name)).is_some();
                if as_json {
                    say!("{}", json!({ "name": name, "environment": is_hidden }));
                } else {
                    let hidden = if is_hidden { "  (the environment has it too, and comes first)" } else { "" };
                    say!("{name}{hidden}");
                }
            }
        }
        SecretVerb::Remove { name, .. } => {
            if !Secrets::open(home, &key_file)?.remove(name)? {
                return Err(Error::Usage(format!("no secret is named '{name}'; `ferry secret list` shows them")));
            }
            tell!("'{name}' is forgotten");
        }
    }
    Ok(0)
}

/// What goes to the operating system's keyring in place of the home's file.
fn in_keyring(verb: &SecretVerb) -> Result<Option<u8>, Error> {
    match verb {
        SecretVerb::Set { name, keyring: true } => {
            keyring::set(name, &asked(name)?)?;
            tell!("'{name}' is in the keyring; scripts write SECRET '{name}'");
        }
        SecretVerb::Remove { name, keyring: true } => {
            if !keyring::remove(name)? {
                return Err(Error::Usage(format!("the keyring has no secret '{name}' of ferry's")));
            }
            tell!("'{name}' is forgotten");
        }
        _ => return Ok(None),
    }
    Ok(Some(0))
}

/// Where secrets come from: the environment first, then the encrypted file of a home, if a key is named, then the operating
/// system's keyring; or the one place that a name pins.
///
/// # Errors
/// If a key is named and it or the file cannot be used. A key that is not there yet is none where nothing is kept.
pub(super) fn source(home: Option<&Path>) -> Result<crate::app::workspace::Secrets, Error> {
    let mut kept = BTreeMap::new();
    let is_to_be_there = |key: &PathBuf| key.exists() || home.is_some_and(Secrets::are_kept);
    if let (Some(home), Some(key_file)) = (home, key_file().filter(is_to_be_there)) {
        let file = Secrets::open(home, &key_file)?;
        for name in file.names() {
            kept.extend(file.get(name)?.map(|value| (name.to_owned(), value)));
        }
    }
    let asked = Mutex::new(Keyring::default());
    Ok(Arc::new(move |written| {
        let (pinned, name) = Place::pinned(written);
        let places = Place::ALL.into_iter().filter(|place| pinned.is_none_or(|pinned| pinned == *place));
        places.into_iter().find_map(|place| match place {
            Place::Environment => from_environment(name),
            Place::File => kept.get(name).map(|value| Secret::new(value.expose().to_owned())),
            Place::Keyring => asked.lock().unwrap_or_else(PoisonError::into_inner).get(name),
        })
    }))
}

/// Where a secret is not given, many systems set its variable to nothing.
fn from_environment(name: &str) -> Option<Secret> {
    let value = std::env::var(environment_variable(name)).ok()?;
    (!value.trim().is_empty()).then(|| Secret::new(value.trim().to_owned()))
}

/// The keyring, asked once for each secret, and no more once it could not be used.
#[derive(Default)]
struct Keyring {
    known: BTreeMap<String, Option<Secret>>,
    is_away: bool,
}

impl Keyring {
    fn get(&mut self, name: &str) -> Option<Secret> {
        if !self.known.contains_key(name) && !self.is_away {
            match keyring::get(name) {
                Ok(found) => drop(self.known.insert(name.to_owned(), found)),
                // Most machines without a desktop have none: then the secret is not set, which says enough.
                Err(_) => self.is_away = true,
            }
        }
        self.known.get(name)?.as_ref().map(|value| Secret::new(value.expose().to_owned()))
    }
}

/// The file with the key to the encrypted secrets, if one is named.
pub(super) fn key_file() -> Option<PathBuf> {
    std::env::var_os(KEY_FILE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The value: typed without being shown, or from standard input. Blanks around it are no part of it.
fn asked(name: &str) -> Result<Secret, Error> {
    let read = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Value of '{name}' (not shown): "))
    } else {
        let mut text = String::new();
        std::io::stdin().take(1 << 20).read_to_string(&mut text).map(|_| text)
    };
    let value = read.map_err(|error| Error::Usage(format!("the value cannot be read: {error}")))?;
    if value.trim().is_empty() {
        return Err(Error::Usage("an empty value is no secret".to_owned()));
    }
    Ok(Secret::new(value.trim().to_owned()))
}
