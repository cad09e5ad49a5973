//! A parcel becomes a directory under a root: a container image, a chroot, this host.
//!
//! The parcel is unpacked beside its place, in a scratch directory of the parcels directory;
//! checked while it streams (every entry by [`Checker`](crate::Checker), the whole by its checksum
//! and its `parcel.json`); and renamed only then. A failed installation leaves the root as it was.

mod place;
mod receipt;
mod unpack;

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub use place::PARCELS_DIRECTORY;
use place::{Link, Moves, Place};
use receipt::Receipt;

use crate::archive::Damage;
use crate::builder::side_file;
use crate::digest::{Digests, HexError, Sha1Hex, Sha256Hex};
use crate::listing::Documents;
use crate::meta::{Meta, MetaError, ParcelJson};
use crate::name::{NameError, Product};
use crate::progress::Progress;
use crate::scratch::{self, ScratchDirectory};
use crate::tree::{Tree, TreeError};

/// Why a parcel was not installed. The root is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The disk said no. The error names the path.
    #[error("cannot install into {}", directory.display())]
    Io {
        /// The parcels directory.
        directory: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The parcel could not be read.
    #[error("cannot read {}", parcel.display())]
    Read {
        /// The parcel.
        parcel: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The parcel is damaged.
    #[error("{} is damaged", parcel.display())]
    Damage {
        /// The parcel.
        parcel: PathBuf,
        /// How.
        #[source]
        cause: Damage,
    },
    /// The parcel holds an entry that is not safe to unpack.
    #[error("{} is not safe to unpack", parcel.display())]
    Unsafe {
        /// The parcel.
        parcel: PathBuf,
        /// The entry, and why.
        #[source]
        cause: TreeError,
    },
    /// The parcel's documents are missing or wrong.
    #[error("{} has no usable metadata", parcel.display())]
    Meta {
        /// The parcel.
        parcel: PathBuf,
        /// Why.
        #[source]
        cause: MetaError,
    },
    /// The parcel's directory is not called what its `parcel.json` says.
    #[error("the directory {directory} does not match name and version of parcel.json: {expected}")]
    Directory {
        /// The directory in the archive.
        directory: String,
        /// `NAME-VERSION` of `parcel.json`.
        expected: String,
    },
    /// The product of `parcel.json` is not a name that a directory can have.
    #[error("{} has no usable name", parcel.display())]
    Name {
        /// The parcel.
        parcel: PathBuf,
        /// Why.
        #[source]
        cause: NameError,
    },
    /// A side file does not hold a checksum.
    #[error("{} does not hold a checksum", path.display())]
    SideFile {
        /// The side file.
        path: PathBuf,
        /// What it holds.
        #[source]
        cause: HexError,
    },
    /// The parcel is not the one that its checksum says.
    #[error("{} does not match its checksum: expected {expected}, got {actual}", parcel.display())]
    Mismatch {
        /// The parcel.
        parcel: PathBuf,
        /// What it should be.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// The same version is there already, with other bytes or of unknown origin.
    #[error("{} is already there{}", directory.display(), if *known { " with other content" } else { "" })]
    Exists {
        /// The directory.
        directory: PathBuf,
        /// Whether it is known what it was installed from.
        known: bool,
    },
    /// A real file or directory stands where the active link should be.
    #[error("{} is not a link; the active link cannot be made", path.display())]
    LinkBlocked {
        /// The path.
        path: PathBuf,
    },
}

impl InstallError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some(
                "A version is immutable. Give the parcel a new version, or use --replace."
                    .to_owned(),
            ),
            Self::Mismatch { .. } => {
                Some("Copy the parcel again, together with its side files.".to_owned())
            }
            Self::Unsafe { cause, .. } => cause.hint(),
            Self::LinkBlocked { path } => Some(format!("Move {} away.", path.display())),
            _ => None,
        }
    }

    /// Whether the parcel, not the machine, is to blame.
    pub fn is_finding(&self) -> bool {
        !matches!(
            self,
            Self::Io { .. } | Self::Read { .. } | Self::LinkBlocked { .. }
        )
    }
}

/// Whether something that is there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replace {
    /// Never: a version is immutable.
    #[default]
    No,
    /// Yes, by the new bytes.
    Yes,
}

/// What an installation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The parcel's directory on the machine that installs, the root included.
    pub directory: PathBuf,
    /// The active link that leads to it, where the parcel asks for one.
    pub link: Option<PathBuf>,
    /// The parcel's name and version.
    pub meta: Meta,
    /// What was unpacked.
    pub digests: Digests,
    /// Whether a side file or a given checksum confirmed the parcel.
    pub verified: bool,
    /// Whether anything changed under the root.
    pub changed: bool,
}

/// Installs parcels under a root.
#[derive(Debug, Clone)]
pub struct Installer {
    root: PathBuf,
    parcels_directory: PathBuf,
    expected: Option<Sha256Hex>,
    replace: Replace,
    activate: bool,
}

impl Installer {
    /// Installs under `root`, `/` for this machine.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            parcels_directory: PathBuf::from(PARCELS_DIRECTORY),
            expected: None,
            replace: Replace::No,
            activate: true,
        }
    }

    /// Another parcels directory, absolute as seen from inside the root.
    pub fn parcels_directory(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.parcels_directory);
        self
    }

    /// The SHA-256 that the parcel must have, beside what its side files say.
    pub fn expect(mut self, sha256: Sha256Hex) -> Self {
        self.expected = Some(sha256);
        self
    }

    /// What to do with the same version with other bytes.
    pub fn replace(mut self, replace: Replace) -> Self {
        self.replace = replace;
        self
    }

    /// Whether to make the active link that the parcel asks for.
    pub fn activate(mut self, activate: bool) -> Self {
        self.activate = activate;
        self
    }

    /// Installs one parcel file.
    ///
    /// # Errors
    ///
    /// [`InstallError`]; then the root is as it was.
    pub fn install(
        &self,
        parcel: &Path,
        progress: &dyn Progress,
    ) -> Result<Installation, InstallError> {
        let expectation = self.expectation(parcel)?;
        let read = |cause| InstallError::Read {
            parcel: parcel.to_owned(),
            cause,
        };
        let compressed_bytes = fs_err::metadata(parcel).map_err(read)?.len();
        let (place, scratch) = self
            .begin(compressed_bytes)
            .map_err(|cause| io_error(&self.parcels_directory, cause))?;
        let parcels = place.path();
        let io = |cause| io_error(parcels, cause);
        let unpacked = unpack::unpack(parcel, scratch.path(), progress)?;
        expectation.check(parcel, &unpacked.digests)?;
        let meta = check_meta(parcel, &unpacked.documents, &unpacked.tree)?;

        let name = unpacked.tree.directory();
        let directory = parcels.join(name);
        let receipt = Receipt::new(&unpacked.digests);
        let _turn = place::turn(parcels).map_err(io)?;
        // One sync for all files: a directory that has its name survives a power cut whole. It may
        // take its time, in which a signal still ends this.
        place::sync(parcels).map_err(io)?;
        let mut moves = Moves::begin();
        let path = parcels.join(&meta.parcel.name);
        let link = (self.activate && meta.parcel.set_active_symlink).then_some(path);
        let beside = match &link {
            Some(path) => place::link(path, name, scratch.path()).map_err(io)?,
            None => Link::There,
        };
        let there = directory.symlink_metadata().is_ok();
        let known = Receipt::load(parcels, name).map_err(io)?.filter(|_| there);
        let mut changed = known.as_ref() != Some(&receipt);
        if changed {
            if there && self.replace == Replace::No {
                return Err(InstallError::Exists {
                    directory,
                    known: known.is_some(),
                });
            }
            put(parcels, name, scratch.path(), &receipt, &mut moves).map_err(io)?;
        }
        match (beside, &link) {
            (Link::Blocked, Some(path)) => {
                return Err(InstallError::LinkBlocked { path: path.clone() });
            }
            (Link::Beside(beside), Some(path)) => {
                moves.rename(&beside, path).map_err(io)?;
                changed = true;
            }
            _ => {}
        }
        moves.keep();
        Ok(Installation {
            directory,
            link,
            meta,
            digests: unpacked.digests,
            verified: expectation.is_some(),
            changed,
        })
    }

    /// Finds the place, and begins a directory in it. Nobody removes a place with something in it.
    fn begin(&self, needed_bytes: u64) -> io::Result<(Place, ScratchDirectory)> {
        let root = fs_err::canonicalize(&self.root)?;
        place::again_if_missing(|| {
            let place = place::prepare(&root, &self.parcels_directory)?;
            // Nothing unpacks to less than it was packed to.
            scratch::ensure_room(place.path(), needed_bytes)?;
            let scratch = ScratchDirectory::create_in(place.path())?;
            Ok((place, scratch))
        })
    }

    /// Reads what the side files say before any work is done.
    fn expectation(&self, parcel: &Path) -> Result<Expectation, InstallError> {
        let sha1 = read_side_file::<Sha1Hex>(&side_file(parcel, "sha"))?;
        let sha256 = read_side_file::<Sha256Hex>(&side_file(parcel, "sha256"))?;
        Ok(Expectation {
            sha1,
            sha256: [sha256, self.expected],
        })
    }
}

/// Gives the unpacked directory its place; what was there stays in the scratch directory.
fn put(
    parcels: &Path,
    name: &str,
    scratch: &Path,
    receipt: &Receipt,
    moves: &mut Moves,
) -> io::Result<()> {
    // All that needs room on the disk comes first; what follows only changes names.
    let (new_receipt, old_receipt) = (scratch.join(".receipt"), scratch.join(".old-receipt"));
    receipt.save(&new_receipt)?;
    place::sync_file(&new_receipt)?;
    let (new, directory) = (scratch.join(name), parcels.join(name));
    // A receipt must never speak of other bytes than those that are there, wherever this stops:
    // without its directory it says nothing, and a directory without one is of unknown origin.
    let kept = Receipt::path(parcels, name);
    if kept.symlink_metadata().is_ok() {
        moves.rename(&kept, &old_receipt)?;
    }
    if directory.symlink_metadata().is_ok() {
        moves.exchange(&new, &directory)?;
        moves.rename(&new_receipt, &kept)?;
    } else {
        moves.rename(&new_receipt, &kept)?;
        moves.rename(&new, &directory)?;
    }
    place::sync(parcels)
}

fn io_error(directory: &Path, cause: io::Error) -> InstallError {
    InstallError::Io {
        directory: directory.to_owned(),
        cause,
    }
}

/// The checksums that a parcel must have.
struct Expectation {
    sha1: Option<Sha1Hex>,
    sha256: [Option<Sha256Hex>; 2],
}

impl Expectation {
    fn is_some(&self) -> bool {
        self.sha1.is_some() || self.sha256.iter().any(Option::is_some)
    }

    fn check(&self, parcel: &Path, digests: &Digests) -> Result<(), InstallError> {
        let mismatch = |expected: String, actual: String| InstallError::Mismatch {
            parcel: parcel.to_owned(),
            expected,
            actual,
        };
        if let Some(expected) = self.sha1.filter(|&sha1| sha1 != digests.sha1) {
            return Err(mismatch(expected.to_string(), digests.sha1.to_string()));
        }
        for expected in self.sha256.into_iter().flatten() {
            if expected != digests.sha256 {
                return Err(mismatch(expected.to_string(), digests.sha256.to_string()));
            }
        }
        Ok(())
    }
}

/// Reads a checksum from a side file; `None` where there is none. Some tools write the file's name
/// behind the checksum, as `sha1sum` prints it.
fn read_side_file<T: std::str::FromStr<Err = HexError>>(
    path: &Path,
) -> Result<Option<T>, InstallError> {
    let text = match fs_err::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => {
            return Err(InstallError::Read {
                parcel: path.to_owned(),
                cause,
            });
        }
    };
    let first = text.split_whitespace().next().unwrap_or_default();
    first
        .parse()
        .map(Some)
        .map_err(|cause| InstallError::SideFile {
            path: path.to_owned(),
            cause,
        })
}

fn check_meta(parcel: &Path, documents: &Documents, tree: &Tree) -> Result<Meta, InstallError> {
    let meta = Meta::from_documents(documents).map_err(|cause| InstallError::Meta {
        parcel: parcel.to_owned(),
        cause,
    })?;
    let ParcelJson { name, version, .. } = &meta.parcel;
    // The active link has this name. Other names that are only unwise are not refused here.
    let unusable = |cause: &NameError| {
        matches!(cause, NameError::Empty { .. } | NameError::Hidden { .. })
            || name.contains(['/', '\0'])
    };
    if let Some(cause) = name.parse::<Product>().err().filter(unusable) {
        return Err(InstallError::Name {
            parcel: parcel.to_owned(),
            cause,
        });
    }
    let expected = format!("{name}-{version}");
    if tree.directory().as_bytes() != std::ffi::OsStr::new(&expected).as_bytes() {
        return Err(InstallError::Directory {
            directory: tree.directory().to_owned(),
            expected,
        });
    }
    Ok(meta)
}
