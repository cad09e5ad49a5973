//! What an installed directory was unpacked from.
//!
//! Receipts lie in `.parcelctl/` of the parcels directory; agents pass over names with a dot.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::digest::{Digests, Sha1Hex, Sha256Hex};

/// The receipt of one installed parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Receipt {
    sha1: Sha1Hex,
    sha256: Sha256Hex,
    size_bytes: u64,
}

impl Receipt {
    pub(super) fn new(digests: &Digests) -> Self {
        Self {
            sha1: digests.sha1,
            sha256: digests.sha256,
            size_bytes: digests.size_bytes,
        }
    }

    /// Where receipts lie.
    pub(super) fn directory(parcels: &Path) -> PathBuf {
        parcels.join(".parcelctl")
    }

    /// Where the receipt of a directory lies.
    pub(super) fn path(parcels: &Path, name: &str) -> PathBuf {
        Self::directory(parcels).join(format!("{name}.json"))
    }

    /// The receipt of a directory; `None` where there is none that can be understood.
    pub(super) fn load(parcels: &Path, name: &str) -> io::Result<Option<Self>> {
        match fs_err::read(Self::path(parcels, name)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the receipt to a file.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        fs_err::write(path, text)
    }
}
