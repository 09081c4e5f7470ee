//! All tests of Ferry, in one binary: every link target links DataFusion, so there is one.

mod architecture;
mod corners;
mod language;
mod oracle;
mod road;
mod sandbox;
mod stage;
mod terminal;
