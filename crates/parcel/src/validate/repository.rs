//! A repository folder as the rules see it: every parcel read once, every side file kept.

use std::collections::HashMap;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::context::Slot;
use super::document::{DocKind, Document};
use crate::digest::Digests;
use crate::listing::{Documents, Listing, ListingError, Observers};
use crate::name::PARCEL_ENDING;
use crate::progress::Progress;

/// What lies in a repository folder.
pub(crate) struct Folder {
    /// The parcels, by their names.
    pub(crate) parcels: Vec<ParcelFile>,
    /// The side files, by their names.
    pub(crate) sides: Vec<SideFile>,
}

/// A parcel in a repository.
pub(crate) struct ParcelFile {
    pub(crate) name: String,
    /// What was read of it, or why it could not be.
    pub(crate) content: Result<ParcelContent, String>,
}

/// What was read of a parcel.
pub(crate) struct ParcelContent {
    pub(crate) digests: Digests,
    /// What is wrong with the archive, if anything is.
    pub(crate) damage: Option<String>,
    /// Its `parcel.json`, where it has one that is JSON.
    pub(crate) parcel_json: Option<Document>,
}

/// The kinds of checksum files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SideKind {
    /// `.sha`: what Cloudera Manager reads in its own repository.
    Sha,
    /// `.sha1`: what Cloudera publishes.
    Sha1,
    /// `.sha256`: what Cloudera publishes since 6.
    Sha256,
}

impl SideKind {
    pub(crate) const ALL: [Self; 3] = [Self::Sha, Self::Sha1, Self::Sha256];

    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Sha => ".sha",
            Self::Sha1 => ".sha1",
            Self::Sha256 => ".sha256",
        }
    }

    /// How many hexadecimal digits it should hold.
    pub(crate) fn digits(self) -> usize {
        match self {
            Self::Sha | Self::Sha1 => 40,
            Self::Sha256 => 64,
        }
    }
}

/// A checksum file beside a parcel.
pub(crate) struct SideFile {
    pub(crate) name: String,
    /// The parcel it is for.
    pub(crate) parcel: String,
    pub(crate) kind: SideKind,
    /// Its text, as far as it could matter.
    pub(crate) text: String,
}

/// More than the longest line that `sha256sum` writes.
const SIDE_BYTES: u64 = 8192;

impl Folder {
    /// Reads a folder and, where there is one, its manifest.
    ///
    /// # Errors
    ///
    /// [`ListingError`] when the folder cannot be read. A parcel in it that cannot be is a finding.
    pub(crate) fn read(path: &Path, progress: &dyn Progress) -> Result<(Self, Slot), ListingError> {
        let mut names = fs_err::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<Result<Vec<_>, _>>()?;
        names.sort_unstable();
        let mut folder = Self {
            parcels: Vec::new(),
            sides: Vec::new(),
        };
        // One file under the names of several distros is read once.
        let mut seen: HashMap<(u64, u64), usize> = HashMap::new();
        for name in &names {
            let file = path.join(name);
            if name.ends_with(PARCEL_ENDING) {
                let inode = fs_err::metadata(&file)
                    .ok()
                    .map(|metadata| (metadata.dev(), metadata.ino()));
                let known = inode.and_then(|inode| seen.get(&inode).copied());
                let content = match known {
                    Some(index) => copy(&folder.parcels[index].content),
                    None => read_parcel(&file, progress),
                };
                if let Some(inode) = inode {
                    seen.entry(inode).or_insert(folder.parcels.len());
                }
                folder.parcels.push(ParcelFile {
                    name: name.clone(),
                    content,
                });
            } else if let Some((parcel, kind)) = side_of(name) {
                folder.sides.push(SideFile {
                    name: name.clone(),
                    parcel: parcel.to_owned(),
                    kind,
                    text: read_side(&file)?,
                });
            }
        }
        let manifest = path.join(DocKind::Manifest.file_name());
        let slot = match fs_err::symlink_metadata(&manifest) {
            Ok(_) => super::load(&manifest, DocKind::Manifest)?,
            Err(_) => Slot::Absent,
        };
        Ok((folder, slot))
    }

    /// A parcel by its file name.
    pub(crate) fn parcel(&self, name: &str) -> Option<&ParcelFile> {
        self.parcels.iter().find(|parcel| parcel.name == name)
    }
}

/// The parcel that a checksum file is for.
fn side_of(name: &str) -> Option<(&str, SideKind)> {
    SideKind::ALL.into_iter().find_map(|kind| {
        let parcel = name.strip_suffix(kind.ending())?;
        parcel.ends_with(PARCEL_ENDING).then_some((parcel, kind))
    })
}

fn read_parcel(path: &Path, progress: &dyn Progress) -> Result<ParcelContent, String> {
    let mut documents = Documents::default();
    let mut observers = Observers::new(vec![&mut documents]);
    let listing = Listing::of_archive(path, &mut observers, progress).map_err(|error| {
        // The path is in the finding already.
        match std::error::Error::source(&error) {
            Some(cause) => cause.to_string(),
            None => error.to_string(),
        }
    })?;
    let Some(archive) = listing.archive else {
        return Err("it is not an archive".to_owned());
    };
    let name = DocKind::ParcelJson.file_name();
    let parcel_json = documents
        .content(name)
        .map(|bytes| Document::read(DocKind::ParcelJson, format!("meta/{name}"), bytes))
        .filter(|document| document.parsed.root.is_some());
    Ok(ParcelContent {
        digests: archive.digests,
        damage: archive.damage.map(|damage| damage.to_string()),
        parcel_json,
    })
}

/// The same content under another name; its metadata was compared under the first.
fn copy(content: &Result<ParcelContent, String>) -> Result<ParcelContent, String> {
    let content = content.as_ref().map_err(Clone::clone)?;
    let parcel_json = content.parcel_json.as_ref().map(|document| {
        let bytes = document.parsed.text.as_bytes();
        Document::read(DocKind::ParcelJson, document.file.clone(), bytes)
    });
    Ok(ParcelContent {
        digests: content.digests.clone(),
        damage: content.damage.clone(),
        parcel_json,
    })
}

fn read_side(path: &Path) -> Result<String, ListingError> {
    if !fs_err::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(String::new());
    }
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(SIDE_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
