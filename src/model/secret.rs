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

/// The environment variable that holds the secret of this name: `dynamics/tenant_id` → `FERRY_SECRET_DYNAMICS_TENANT_ID`.
#[must_use]
pub fn environment_variable(name: &str) -> String {
    let tail: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("FERRY_SECRET_{tail}")
}
