//! The documents in `meta/`, one module per document.
//!
//! These types are what this library *writes*, and what it reads from parcels that are valid.
//! Whether a stranger's document is right is [`crate::validate`]'s question.

mod alternatives;
mod parcel_json;
mod permissions;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use alternatives::{Alternative, AlternativesJson};
pub use parcel_json::{Component, Package, ParcelJson, Scripts, User};
pub use permissions::{Mode, ModeError, Permission, PermissionsJson};

use crate::listing::{Document, Documents};

/// Where release notes lie, below the parcel's directory.
pub const RELEASE_NOTES: &str = "meta/release-notes.txt";

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// The document is not there.
    #[error("{file} is missing")]
    Missing {
        /// The document's path.
        file: String,
    },
    /// The document is larger than any real one, and was not read.
    #[error("{file} has {size_bytes} bytes, too many to be read")]
    TooLarge {
        /// The document's path.
        file: String,
        /// Its size.
        size_bytes: u64,
    },
    /// The document is not the JSON it must be. The cause names line and column.
    #[error("{file} cannot be read")]
    Json {
        /// The document's path.
        file: String,
        /// What is wrong.
        #[source]
        cause: serde_json::Error,
    },
}

/// A JSON document in `meta/`.
pub trait MetaFile: Serialize + DeserializeOwned {
    /// The document's name in `meta/`.
    const NAME: &'static str;

    /// Reads the document from bytes.
    ///
    /// # Errors
    ///
    /// [`MetaError::Json`] with line and column.
    fn parse(bytes: &[u8]) -> Result<Self, MetaError> {
        serde_json::from_slice(bytes).map_err(|cause| MetaError::Json {
            file: Self::path(),
            cause,
        })
    }

    /// The document's path below the parcel's directory.
    fn path() -> String {
        format!("meta/{}", Self::NAME)
    }

    /// Picks the document from those that were met in a pass; `None` where it was not.
    ///
    /// # Errors
    ///
    /// [`MetaError`].
    fn from_documents(documents: &Documents) -> Result<Option<Self>, MetaError> {
        match documents.get(Self::NAME) {
            None => Ok(None),
            Some(Document::Content(bytes)) => Self::parse(bytes).map(Some),
            Some(&Document::TooLarge { size_bytes }) => Err(MetaError::TooLarge {
                file: Self::path(),
                size_bytes,
            }),
        }
    }

    /// The document as text: indented by two, keys in the order of the type, a line feed at the
    /// end.
    fn to_text(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("documents hold nothing that JSON cannot");
        text.push('\n');
        text
    }
}

/// The documents of one parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// `meta/parcel.json`.
    pub parcel: ParcelJson,
    /// `meta/alternatives.json`, where there is one.
    pub alternatives: Option<AlternativesJson>,
    /// `meta/permissions.json`, where there is one.
    pub permissions: Option<PermissionsJson>,
    /// `meta/release-notes.txt`, where there are any.
    pub release_notes: Option<String>,
}

impl Meta {
    /// Reads the documents that were met in a pass.
    ///
    /// # Errors
    ///
    /// [`MetaError::Missing`] without a `parcel.json`, [`MetaError::Json`] for a document that
    /// cannot be read.
    pub fn from_documents(documents: &Documents) -> Result<Self, MetaError> {
        let missing = || MetaError::Missing {
            file: ParcelJson::path(),
        };
        Ok(Self {
            parcel: ParcelJson::from_documents(documents)?.ok_or_else(missing)?,
            alternatives: AlternativesJson::from_documents(documents)?,
            permissions: PermissionsJson::from_documents(documents)?,
            release_notes: documents
                .content("release-notes.txt")
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
        })
    }
}
