//! The daemon: what it begins and when, what it waits for, and that nothing is lost when it stops.

mod asked;
mod counted;
mod definitions;
mod logged;
mod posted;
mod process;
mod stopping;
mod times;
mod traced;
mod waiting;
mod watched;
