//! What the crate `parcel` promises, shown over its public face: trees, archives made by us and by
//! others, hostile ones, installations that fail, large content.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows tests, but not their helpers"
)]

mod hostile;
mod index;
mod install;
mod large;
mod mutated;
mod peers;
mod round_trip;
mod scratch;
mod support;
