//! The rules, one file per subject area. Each exposes one table; [`super::rules()`] joins them.

pub(super) mod alternatives;
pub(super) mod archive;
pub(super) mod content;
pub(super) mod document;
pub(super) mod entry;
pub(super) mod json;
pub(super) mod link;
pub(super) mod manifest;
pub(super) mod mode;
pub(super) mod name;
pub(super) mod parcel_json;
pub(super) mod permissions;
pub(super) mod relation;
pub(super) mod repository;
pub(super) mod script;
