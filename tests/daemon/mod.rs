//! The daemon: what it begins and when, what it waits for, and that nothing is lost when it stops.

mod definitions;
mod stopping;
mod times;
mod waiting;
mod watched;
