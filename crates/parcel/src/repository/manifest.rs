//! `manifest.json`: what a repository offers.
//!
//! Source of the fields: Cloudera's `make_manifest.py` and the descriptors of its validator. What
//! `make_manifest.py` does not copy from `parcel.json` (`provides`, `packages`) is not written.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Sha1Hex;
use crate::meta::{Component, ParcelJson};
use crate::name::ParcelName;

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestJson {
    /// When the repository last changed, in **milliseconds** since 1970.
    #[serde(rename = "lastUpdated")]
    pub last_updated_ms: u64,
    /// The parcels, sorted by their name.
    pub parcels: Vec<ManifestEntry>,
}

/// One parcel of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// The file name.
    #[serde(rename = "parcelName")]
    pub parcel_name: String,
    /// The SHA-1 of the file.
    pub hash: Sha1Hex,
    /// As in `parcel.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends: Option<String>,
    /// As in `parcel.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// As in `parcel.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<String>,
    /// As in `parcel.json`.
    pub components: Vec<Component>,
    /// As in `parcel.json`.
    #[serde(
        rename = "servicesRestartInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub services_restart_info: Option<Value>,
    /// The text of `meta/release-notes.txt`.
    #[serde(
        rename = "releaseNotes",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub release_notes: Option<String>,
}

impl ManifestEntry {
    /// What a manifest says of a parcel.
    pub fn new(
        name: &ParcelName,
        hash: Sha1Hex,
        parcel: ParcelJson,
        release_notes: Option<String>,
    ) -> Self {
        Self {
            parcel_name: name.file_name(),
            hash,
            depends: parcel.depends,
            replaces: parcel.replaces,
            conflicts: parcel.conflicts,
            components: parcel.components,
            services_restart_info: parcel.services_restart_info,
            release_notes,
        }
    }
}

impl ManifestJson {
    /// The document's name in a repository.
    pub const NAME: &'static str = "manifest.json";

    /// The document as text, with a line feed at the end.
    #[expect(clippy::missing_panics_doc, reason = "it never does")]
    pub fn to_text(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("a manifest holds nothing that JSON cannot");
        text.push('\n');
        text
    }
}
