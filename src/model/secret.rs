//! A secret value: it can be used, and it cannot be printed, compared, cloned into a log or written as JSON.

use zeroize::Zeroizing;

/// A secret. It has neither `Debug` nor `Display` of its value, and its memory is wiped when it goes.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret in.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Hands the value out, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Where a secret may be sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// An environment variable.
    Environment,
    /// The home's encrypted file.
    File,
    /// The operating system's keyring.
    Keyring,
}

impl Place {
    /// All, in the order in which they are asked.
    pub const ALL: [Self; 3] = [Self::Environment, Self::File, Self::Keyring];

    const SCHEMES: [(&'static str, Self); 3] =
        [("env:", Self::Environment), ("file:", Self::File), ("keyring:", Self::Keyring)];

    /// The one place that a name pins, if it does (`keyring:dynamics/client_secret`), and the name without that.
    #[must_use]
    pub fn pinned(name: &str) -> (Option<Self>, &str) {
        let found = Self::SCHEMES.iter().find_map(|(scheme, place)| Some((*place, name.strip_prefix(scheme)?)));
        found.map_or((None, name), |(place, bare)| (Some(place), bare))
    }
}

/// The environment variable that holds the secret of this name: `dynamics/tenant_id` → `FERRY_SECRET_DYNAMICS_TENANT_ID`.
#[must_use]
pub fn environment_variable(name: &str) -> String {
    let (_, bare) = Place::pinned(name);
    let tail: String =
        bare.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("FERRY_SECRET_{tail}")
}
