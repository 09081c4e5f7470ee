//! Notices: what they say, how they go out, and what becomes of those that do not arrive.

mod desk;
mod mails;
mod outbox;
mod runs;
pub mod smtp;
mod webhooks;
