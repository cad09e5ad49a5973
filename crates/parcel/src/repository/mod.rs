//! A repository: a folder of parcels with a `manifest.json`, as Cloudera Manager downloads from.

mod index;
mod manifest;

pub use index::{IndexError, index};
pub use manifest::{ManifestEntry, ManifestJson};
