//! Notices on their way: a mail to a person, a signed message to a program.
//!
//! In: what a notice says and where it goes. Out: what the other side answered, or why it did not arrive, and whether it is worth another
//! try. It knows no outbox and no run: `app` keeps those. The sole home of the mail crate.

pub mod error;
pub mod letter;
pub mod mail;
pub mod webhook;

use std::time::Duration;

use crate::model::notice::Content;

/// How long one delivery may take as a whole.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// What is delivered.
#[derive(Debug, Clone)]
pub struct Parcel<'a> {
    /// By which the other side knows a notice that comes twice: letters, digits, `-` and `.`.
    pub delivery: String,
    /// What it says.
    pub content: &'a Content,
    /// Error files that go along; of mails only.
    pub attached: Vec<Attached>,
}

/// A file that goes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}
