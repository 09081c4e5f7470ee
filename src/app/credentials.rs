//! From the names of secrets in a connection to what signs in.
//!
//! In: a connection and where secrets come from. Out: credentials for the clients. What a person's sign-in leaves behind lies
//! among the encrypted secrets of the home, under a name of its own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::error::Error;
use super::workspace::Setting;
use crate::dynamics;
use crate::dynamics::client::{Certificate, Credentials, Proof, RefreshToken};
use crate::dynamics::sign_in::{Application, Prompt, Way, sign_in};
use crate::gainsight::client::Access;
use crate::http::hosts;
use crate::model::connection::{Auth, Connection, is_loopback};
use crate::model::secret::{Secret, environment_variable};
use crate::store::secrets::Secrets;

/// Tells a person what to do to sign in.
pub type Tell = dyn Fn(&Prompt) + Send + Sync;

/// What signs in to an organisation; a certificate that cannot be used is the connection's failure, not the project's.
pub(super) fn of_dynamics(
    connection: &Connection,
    setting: &Setting,
) -> Result<Result<Credentials, dynamics::error::Error>, Error> {
    let get = |name: &String| secret(name, setting);
    let optional = |name: &Option<String>| name.as_ref().map(get).transpose();
    let (tenant, client_id, proof) = match &connection.auth {
        Auth::ClientCredentials { tenant_id, client_id, client_secret } => {
            (tenant_id, client_id, Proof::Secret(get(client_secret)?))
        }
        Auth::Certificate { tenant_id, client_id, certificate } => match Certificate::read(&get(certificate)?) {
            Ok(certificate) => (tenant_id, client_id, Proof::Certificate(Box::new(certificate))),
            Err(error) => return Ok(Err(error)),
        },
        Auth::DeviceCode { tenant_id, client_id } => {
            (tenant_id, client_id, Proof::Person(Arc::new(kept(connection, setting)?), None))
        }
        Auth::AuthorizationCode { tenant_id, client_id, client_secret } => {
            let proof = Proof::Person(Arc::new(kept(connection, setting)?), optional(client_secret)?);
            (tenant_id, client_id, proof)
        }
        Auth::AccessKey { .. } | Auth::M2m { .. } | Auth::Environment => return Err(other_service(connection)),
    };
    Ok(Ok(Credentials { tenant_id: optional(tenant)?, client_id: get(client_id)?, proof }))
}

/// What signs in to a tenant.
pub(super) fn of_gainsight(connection: &Connection, setting: &Setting) -> Result<Access, Error> {
    let get = |name: &String| secret(name, setting);
    match &connection.auth {
        Auth::AccessKey { key } => Ok(Access::Key(get(key)?)),
        Auth::M2m { client_id, client_secret } => Ok(Access::application(get(client_id)?, get(client_secret)?)),
        _ => Err(other_service(connection)),
    }
}

/// Lets a person sign in, where a connection asks for one. What that leaves is not kept yet: who it is has to be looked at.
pub(super) async fn sign_a_person_in(
    connection: &Connection,
    setting: &Setting,
    tell: &Tell,
) -> Result<Result<Option<SignedIn>, dynamics::error::Error>, Error> {
    let (way, tenant, id, own) = match &connection.auth {
        Auth::DeviceCode { tenant_id, client_id } => (Way::Code, tenant_id, client_id, &None),
        Auth::AuthorizationCode { tenant_id, client_id, client_secret } => {
            (Way::Browser, tenant_id, client_id, client_secret)
        }
        _ => return Ok(Ok(None)),
    };
    let optional = |name: &Option<String>| name.as_ref().map(|name| secret(name, setting)).transpose();
    let (tenant, id, own) = (optional(tenant)?, secret(id, setting)?, optional(own)?);
    let application = Application { tenant_id: tenant.as_ref(), client_id: &id, client_secret: own.as_ref() };
    let kept = kept(connection, setting)?;
    // Where the token cannot be kept nobody need sign in.
    kept.open().map_err(store)?;
    if let Err(error) = hosts::admit(connection, &setting.allowed_hosts) {
        return Ok(Err(error.into()));
    }
    let token = sign_in(&connection.url, &application, way, &setting.terms(connection), tell).await;
    Ok(token.map(|token| {
        let token = Arc::new(Held(Mutex::new(token)));
        let proof = Proof::Person(Arc::clone(&token) as _, own);
        Some(SignedIn { credentials: Credentials { tenant_id: tenant, client_id: id, proof }, token, kept })
    }))
}

/// A person who has just signed in.
pub(super) struct SignedIn {
    /// What signs in for him now.
    pub(super) credentials: Credentials,
    token: Arc<Held>,
    kept: Kept,
}

/// What is left of a sign-in, to be kept for runs.
pub(super) struct ToKeep {
    token: Arc<Held>,
    kept: Kept,
}

impl SignedIn {
    /// What signs in, and what is to be kept if it is the right organisation.
    pub(super) fn split(self) -> (Credentials, ToKeep) {
        (self.credentials, ToKeep { token: self.token, kept: self.kept })
    }
}

impl ToKeep {
    pub(super) fn keep(&self) -> Result<(), Error> {
        let token = self.token.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut secrets = self.kept.open()?;
        Ok(secrets.set(&self.kept.name, &token)?)
    }
}

/// A refresh token in memory.
struct Held(Mutex<Secret>);

impl RefreshToken for Held {
    fn get(&self) -> Result<Option<Secret>, String> {
        let token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(Secret::new(token.expose().to_owned())))
    }

    fn keep(&self, token: &Secret) -> Result<(), String> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Secret::new(token.expose().to_owned());
        Ok(())
    }
}

/// Forgets the sign-ins of a person, wherever the connection led; that takes no key. Says whether there was one.
pub(super) fn sign_out(connection: &str, setting: &Setting) -> Result<bool, Error> {
    Ok(Secrets::forget(&setting.home, &format!("{REFRESH_TOKENS}{connection}/"))?)
}

pub(super) fn secret(name: &str, setting: &Setting) -> Result<Secret, Error> {
    let missing = || Error::Secret { name: name.to_owned(), variable: environment_variable(name) };
    (setting.secrets)(name).ok_or_else(missing)
}

fn other_service(connection: &Connection) -> Error {
    Error::Usage(format!("connection `{}` signs in to the other service", connection.name))
}

/// The refresh token of one connection, among the encrypted secrets of a home.
struct Kept {
    home: PathBuf,
    key_file: PathBuf,
    name: String,
}

fn kept(connection: &Connection, setting: &Setting) -> Result<Kept, Error> {
    let Some(key_file) = setting.key_file.clone() else {
        let message = format!(
            "connection `{}` keeps the sign-in of a person, encrypted; set FERRY_SECRETS_KEY_FILE to the file of the key, \
             which is made if it is not there",
            connection.name
        );
        return Err(Error::Usage(message));
    };
    Ok(Kept { home: setting.home.clone(), key_file, name: name_of(connection) })
}

/// The names of refresh tokens begin so.
const REFRESH_TOKENS: &str = "ferry/refresh_token/";

/// A token is good where it was given: it is never sent to another host, and a sandbox's not mixed with a real one.
fn name_of(connection: &Connection) -> String {
    let url = Url::parse(&connection.url).ok();
    let host = match &url {
        Some(url) if is_loopback(url) => "loopback",
        Some(url) => url.host_str().unwrap_or_default(),
        None => "",
    };
    format!("{REFRESH_TOKENS}{}/{host}", connection.name)
}

impl Kept {
    /// The secrets of the home; with a new key, if there is none and nothing that it would not open.
    fn open(&self) -> Result<Secrets, crate::store::error::Error> {
        if !self.key_file.exists() && !Secrets::are_kept(&self.home) {
            Secrets::make_key(&self.key_file)?;
        }
        Secrets::open(&self.home, &self.key_file)
    }
}

impl RefreshToken for Kept {
    fn get(&self) -> Result<Option<Secret>, String> {
        if !self.key_file.exists() && !Secrets::are_kept(&self.home) {
            return Ok(None);
        }
        self.open().and_then(|secrets| secrets.get(&self.name)).map_err(|error| error.to_string())
    }

    fn keep(&self, token: &Secret) -> Result<(), String> {
        self.open().and_then(|mut secrets| secrets.set(&self.name, token)).map_err(|error| error.to_string())
    }
}

fn store(error: crate::store::error::Error) -> Error {
    error.into()
}
