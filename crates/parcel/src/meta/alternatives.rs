//! `meta/alternatives.json`: links in the system that activation makes.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::MetaFile;

/// The document: alternatives by their name, as `update-alternatives` knows them.
///
/// Name and destination must stay the same between versions of a parcel, else
/// `update-alternatives` refuses the second.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlternativesJson(pub IndexMap<String, Alternative>);

impl MetaFile for AlternativesJson {
    const NAME: &'static str = "alternatives.json";
}

/// One alternative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// The link in the system, absolute: `/usr/bin/python-ds`. A real file there is never replaced.
    pub destination: String,
    /// What it leads to, relative to the parcel; must exist.
    pub source: String,
    /// The highest priority wins. Cloudera uses 10, low on purpose.
    pub priority: i64,
    /// Whether the source is a directory.
    #[serde(rename = "isDirectory")]
    pub is_directory: bool,
}
