//! The real binary, from the outside: what a person types, and all that comes of it.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows tests, but not their helpers"
)]

mod determinism;
mod files;
mod help;
mod interruption;
mod mistakes;
mod output;
mod quickstart;
mod readme;
mod real;
mod reports;
mod solving;
mod support;
