//! What `ferry secret` takes.

use clap::Subcommand;

/// What can be done with secrets.
#[derive(Debug, Subcommand)]
pub(super) enum SecretVerb {
    /// Keep one: typed without being shown, or from standard input.
    Set {
        /// Its name in scripts, such as dynamics/client_secret.
        name: String,
        /// Keep it in the operating system's keyring, not in the home.
        #[arg(long)]
        keyring: bool,
    },
    /// List the names.
    List,
    /// Forget one.
    Remove {
        /// Its name.
        name: String,
        /// Forget the one in the operating system's keyring.
        #[arg(long)]
        keyring: bool,
    },
}
