//! Unpacks a parcel into an empty directory, entry by entry.
//!
//! Nothing is ever written through a link: every entry goes through the [`Checker`] first, which
//! refuses names below anything but a directory, and links are made last, when all files are
//! there.

use std::collections::BTreeMap;
use std::fs::{File, FileTimes, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::{InstallError, io_error};
use crate::archive::{ReadError, Reader};
use crate::digest::Digests;
use crate::listing::{Documents, Observers, RawEntry};
use crate::progress::{Progress, Step};
use crate::tree::{Admission, Checker, EntryKind, Tree};

/// What was unpacked.
pub(super) struct Unpacked {
    pub(super) tree: Tree,
    pub(super) digests: Digests,
    pub(super) documents: Documents,
}

/// Unpacks `parcel` into `target`, which is empty and ours alone.
pub(super) fn unpack(
    parcel: &Path,
    target: &Path,
    progress: &dyn Progress,
) -> Result<Unpacked, InstallError> {
    let read = |cause| InstallError::Read {
        parcel: parcel.to_owned(),
        cause,
    };
    let metadata = fs_err::metadata(parcel).map_err(read)?;
    if !metadata.is_file() {
        let cause = io::Error::new(io::ErrorKind::InvalidInput, "not a file");
        return Err(read(cause));
    }
    let file: File = fs_err::File::open(parcel).map_err(read)?.into();
    progress.begin(Step::Unpack, Some(metadata.len()));
    let mut unpacking = Unpacking {
        parcel,
        target,
        checker: Checker::default(),
        documents: Documents::default(),
        directories: BTreeMap::new(),
        symlinks: Vec::new(),
        buffer: vec![0; 128 * 1024],
    };
    let mut reader = Reader::open(file, progress).map_err(read)?;
    while let Some(entry) = reader
        .next_entry()
        .map_err(|error| unpacking.error(error))?
    {
        unpacking.entry(&entry, &mut reader)?;
    }
    reader
        .read_to_end()
        .map_err(|error| unpacking.error(error))?;
    let (digests, _) = reader.finish().map_err(read)?;
    let (tree, documents) = unpacking.finish()?;
    progress.end();
    Ok(Unpacked {
        tree,
        digests,
        documents,
    })
}

struct Unpacking<'a> {
    parcel: &'a Path,
    target: &'a Path,
    checker: Checker,
    documents: Documents,
    /// Modes and times of directories, set last: a directory without write permission could not be
    /// filled, and filling it changes its time. Sorted, so that what holds comes before what is
    /// held.
    directories: BTreeMap<PathBuf, (u32, i64)>,
    symlinks: Vec<(PathBuf, Vec<u8>)>,
    buffer: Vec<u8>,
}

impl Unpacking<'_> {
    fn entry<R: Read>(
        &mut self,
        entry: &RawEntry,
        reader: &mut Reader<R>,
    ) -> Result<(), InstallError> {
        let admission = self
            .checker
            .admit(entry)
            .map_err(|cause| self.unsafe_entry(cause))?;
        let top = self
            .target
            .join(self.checker.directory().unwrap_or_default());
        let (path, kind) = match admission {
            Admission::Top => {
                fs_err::create_dir_all(&top).map_err(|cause| self.io(cause))?;
                self.directories.insert(top, (entry.mode, entry.mtime));
                return Ok(());
            }
            Admission::Entry(path, kind) => (top.join(path.as_path()), kind),
        };
        if let Some(parent) = path
            .parent()
            .filter(|parent| !self.directories.contains_key(*parent))
        {
            // An archive need not name the directories that it fills.
            fs_err::create_dir_all(parent).map_err(|cause| self.io(cause))?;
            for implied in parent.ancestors().take_while(|path| path.starts_with(&top)) {
                self.directories
                    .entry(implied.to_owned())
                    .or_insert((0o755, entry.mtime));
            }
        }
        match kind {
            EntryKind::Directory => {
                fs_err::create_dir_all(&path).map_err(|cause| self.io(cause))?;
                self.directories.insert(path, (entry.mode, entry.mtime));
                Ok(())
            }
            EntryKind::File { .. } => self.file(&path, entry, reader),
            EntryKind::Symlink { target } => {
                self.symlinks.push((path, target.into_vec()));
                Ok(())
            }
            EntryKind::HardLink { target } => {
                fs_err::hard_link(top.join(target.as_path()), &path).map_err(|cause| self.io(cause))
            }
        }
    }

    fn file<R: Read>(
        &mut self,
        path: &Path,
        entry: &RawEntry,
        reader: &mut Reader<R>,
    ) -> Result<(), InstallError> {
        let mut open = File::options();
        // The checker let no name pass twice, so whatever is there is not ours.
        open.write(true).create_new(true).mode(0o600);
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut file = open.open(path).map_err(|error| self.io(named(error)))?;
        let mut observers = Observers::new(vec![&mut self.documents]);
        let observed = observers.begin(entry);
        loop {
            let read = reader
                .read_content(&mut self.buffer)
                .map_err(|error| read_error(self.parcel, error))?;
            if read == 0 {
                break;
            }
            let bytes = &self.buffer[..read];
            if observed {
                observers.chunk(bytes);
            }
            file.write_all(bytes)
                .map_err(|error| io_error(self.target, named(error)))?;
        }
        if observed {
            observers.end();
        }
        file.set_permissions(Permissions::from_mode(entry.mode & 0o777))
            .and_then(|()| file.set_times(times(entry.mtime)))
            .map_err(|error| self.io(named(error)))
    }

    /// Makes the links, then gives directories their modes and times, innermost first.
    fn finish(self) -> Result<(Tree, Documents), InstallError> {
        let io = |cause| io_error(self.target, cause);
        for (path, target) in &self.symlinks {
            symlink(std::ffi::OsStr::from_bytes(target), path).map_err(io)?;
        }
        let tree = self
            .checker
            .finish()
            .map_err(|cause| InstallError::Unsafe {
                parcel: self.parcel.to_owned(),
                cause,
            })?;
        for (path, (mode, mtime)) in self.directories.iter().rev() {
            let directory: File = fs_err::File::open(path).map_err(io)?.into();
            // Owners must be able to remove what they installed.
            let mode = mode & 0o777 | 0o700;
            directory
                .set_permissions(Permissions::from_mode(mode))
                .map_err(io)?;
            directory.set_times(times(*mtime)).map_err(io)?;
        }
        Ok((tree, self.documents))
    }

    fn error(&self, error: ReadError) -> InstallError {
        read_error(self.parcel, error)
    }

    fn unsafe_entry(&self, cause: crate::tree::TreeError) -> InstallError {
        InstallError::Unsafe {
            parcel: self.parcel.to_owned(),
            cause,
        }
    }

    fn io(&self, cause: io::Error) -> InstallError {
        io_error(self.target, cause)
    }
}

fn read_error(parcel: &Path, error: ReadError) -> InstallError {
    let parcel = parcel.to_owned();
    match error {
        ReadError::Io(cause) => InstallError::Read { parcel, cause },
        ReadError::Damage(cause) => InstallError::Damage { parcel, cause },
    }
}

fn times(mtime: i64) -> FileTimes {
    let modified = UNIX_EPOCH + Duration::from_secs(u64::try_from(mtime).unwrap_or(0));
    FileTimes::new().set_modified(modified)
}
