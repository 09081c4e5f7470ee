//! What an attacker or a broken service may try: each file is one rule, with a listener that plays the other side.

mod addresses;
mod authorities;
mod blocks;
pub mod canary;
mod filters;
mod formulas;
pub mod listener;
mod paths;
mod redirects;
mod size;
mod transport;
mod words;
