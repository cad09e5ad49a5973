//! Reads every parcel of a folder and writes `manifest.json`.

use std::io;
use std::path::{Path, PathBuf};

use super::{ManifestEntry, ManifestJson};
use crate::archive::Damage;
use crate::listing::{Documents, Listing, ListingError, Observers, RawEntry};
use crate::meta::{Meta, MetaError, MetaFile as _, ParcelJson};
use crate::name::{NameError, PARCEL_ENDING, ParcelName};
use crate::progress::Progress;
use crate::scratch;

/// Why a repository could not be indexed. The old manifest stays as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The folder could not be read or written. The error names the path.
    #[error("cannot index {}", directory.display())]
    Io {
        /// The folder.
        directory: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file ends in `.parcel`, but is not named like one.
    #[error("{} is not named like a parcel", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: NameError,
    },
    /// A parcel could not be read.
    #[error("cannot read {}", path.display())]
    Listing {
        /// The parcel.
        path: PathBuf,
        /// Why.
        #[source]
        cause: ListingError,
    },
    /// A parcel is damaged.
    #[error("{} is damaged", path.display())]
    Damage {
        /// The parcel.
        path: PathBuf,
        /// How.
        #[source]
        cause: Damage,
    },
    /// A parcel does not hold the directory that its file name says.
    #[error("{} does not hold {expected}", path.display())]
    Directory {
        /// The parcel.
        path: PathBuf,
        /// What should be in it.
        expected: String,
    },
    /// A parcel's documents are missing or wrong.
    #[error("{} has no usable metadata", path.display())]
    Meta {
        /// The parcel.
        path: PathBuf,
        /// Why.
        #[source]
        cause: MetaError,
    },
}

impl IndexError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Name { cause, .. } => cause.hint(),
            Self::Damage { path, .. } | Self::Directory { path, .. } | Self::Meta { path, .. } => {
                Some(format!(
                    "See all that is wrong with it: parcelctl validate {}",
                    path.display()
                ))
            }
            _ => None,
        }
    }
}

/// Writes `manifest.json` for the parcels in a folder and returns it.
///
/// `lastUpdated` is the newest modification time of the parcels, so that the same folder gives the
/// same manifest.
///
/// # Errors
///
/// [`IndexError`]; the first parcel that is wrong stops it.
pub fn index(directory: &Path, progress: &dyn Progress) -> Result<ManifestJson, IndexError> {
    let io_error = |cause| IndexError::Io {
        directory: directory.to_owned(),
        cause,
    };
    let mut last_updated_ms = 0;
    let mut parcels = Vec::new();
    for path in parcels_in(directory).map_err(io_error)? {
        let modified = fs_err::metadata(&path).and_then(|metadata| metadata.modified());
        let since_1970 = modified
            .map_err(io_error)?
            .duration_since(std::time::UNIX_EPOCH);
        let modified_ms = since_1970.map_or(0, |duration| duration.as_millis());
        last_updated_ms = last_updated_ms.max(u64::try_from(modified_ms).unwrap_or(u64::MAX));
        parcels.push(entry(&path, progress)?);
    }
    parcels.sort_by(|a, b| a.parcel_name.cmp(&b.parcel_name));
    let manifest = ManifestJson {
        last_updated_ms,
        parcels,
    };
    scratch::write_file(
        &directory.join(ManifestJson::NAME),
        manifest.to_text().as_bytes(),
    )
    .map_err(io_error)?;
    Ok(manifest)
}

/// The parcels of a folder, sorted by name. Links to parcels count: one file often serves several
/// distros.
fn parcels_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if name.ends_with(PARCEL_ENDING.as_bytes()) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn entry(path: &Path, progress: &dyn Progress) -> Result<ManifestEntry, IndexError> {
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let name: ParcelName = file_name.parse().map_err(|cause| IndexError::Name {
        path: path.to_owned(),
        cause,
    })?;
    let mut documents = Documents::default();
    let listing = Listing::of_archive(path, &mut Observers::new(vec![&mut documents]), progress)
        .map_err(|cause| IndexError::Listing {
            path: path.to_owned(),
            cause,
        })?;
    let facts = listing.archive.expect("a listing of an archive has facts");
    if let Some(cause) = facts.damage {
        return Err(IndexError::Damage {
            path: path.to_owned(),
            cause,
        });
    }
    let meta = Meta::from_documents(&documents).map_err(|cause| IndexError::Meta {
        path: path.to_owned(),
        cause,
    })?;
    // A manifest offers a parcel under its file name, and hosts look for that directory.
    let expected = format!("{}/{}", name.directory(), ParcelJson::path());
    let is_there = |entry: &RawEntry| entry.name == expected.as_bytes();
    if !listing.entries.iter().any(is_there) {
        return Err(IndexError::Directory {
            path: path.to_owned(),
            expected,
        });
    }
    Ok(ManifestEntry::new(
        &name,
        facts.digests.sha1,
        meta.parcel,
        meta.release_notes,
    ))
}
