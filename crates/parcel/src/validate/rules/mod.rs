//! The rules, one file per subject area. Each exposes one table; [`super::rules`] joins them.

pub(super) mod alternatives;
pub(super) mod document;
pub(super) mod json;
pub(super) mod name;
pub(super) mod parcel_json;
pub(super) mod permissions;
pub(super) mod relation;
