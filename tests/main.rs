//! All tests of Ferry, in one binary: every link target links DataFusion, so there is one.

#![allow(clippy::unwrap_used, clippy::panic)] // A test that cannot go on fails.

mod architecture;
mod corners;
mod language;
mod oracle;
mod requests;
mod road;
mod sandbox;
mod stage;
mod stored_forms;
mod terminal;
