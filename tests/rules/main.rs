//! The rule book as a whole: verdicts beside the reference's, a pair of fixtures per rule, hostile
//! input, and the generated pages.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy knows tests, but not their helpers; numbers are printed for people"
)]

mod archive;
mod book;
mod conformance;
mod hostile;
mod made;
mod program;
mod replay;
mod twins;
