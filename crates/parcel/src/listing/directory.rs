//! A listing of a directory on disk.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::{Listing, Observers, RawEntry, RawKind};
use crate::progress::{Progress, Step};

/// Why a directory or a parcel could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListingError {
    /// The disk said no. The error names the path.
    #[error("cannot read the content")]
    Io(#[from] io::Error),
    /// The directory has no name of its own (`/`, or a path that ends in `..`).
    #[error("{} has no name of its own", path.display())]
    Nameless {
        /// The directory.
        path: PathBuf,
    },
    /// What should be a directory or a file is something else.
    #[error("{} is not a {expected}", path.display())]
    WrongKind {
        /// The path.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
}

/// How much of a file is handed to the observers at once.
const CHUNK_BYTES: usize = 128 * 1024;

impl Listing {
    /// Lists a directory, its own name as the top of every entry, children sorted by their bytes.
    ///
    /// Symbolic links are not followed. Two names of one file (an inode) become a file and a hard
    /// link to it. Only files that an observer asks for are read.
    ///
    /// # Errors
    ///
    /// [`ListingError`] when the directory cannot be read.
    pub fn of_directory(
        directory: &Path,
        observers: &mut Observers<'_>,
        progress: &dyn Progress,
    ) -> Result<Self, ListingError> {
        let absolute = fs_err::canonicalize(directory)?;
        let top = absolute
            .file_name()
            .ok_or_else(|| ListingError::Nameless {
                path: directory.to_owned(),
            })?
            .as_bytes()
            .to_vec();
        if !fs_err::metadata(&absolute)?.is_dir() {
            return Err(ListingError::WrongKind {
                path: directory.to_owned(),
                expected: "directory",
            });
        }
        progress.begin(Step::Scan, None);
        let mut walk = Walk {
            entries: Vec::new(),
            seen: HashMap::new(),
            buffer: vec![0; CHUNK_BYTES],
            observers,
            progress,
        };
        walk.visit(&absolute, top)?;
        progress.end();
        Ok(Self {
            entries: walk.entries,
            archive: None,
        })
    }
}

struct Walk<'a, 'o> {
    entries: Vec<RawEntry>,
    /// Files with several names: device and inode, to the first name that was met.
    seen: HashMap<(u64, u64), Vec<u8>>,
    buffer: Vec<u8>,
    observers: &'a mut Observers<'o>,
    progress: &'a dyn Progress,
}

impl Walk<'_, '_> {
    fn visit(&mut self, top: &Path, top_name: Vec<u8>) -> Result<(), ListingError> {
        // An explicit stack: a hostile depth of folders must not become a depth of calls.
        let mut pending = vec![(top.to_owned(), top_name)];
        while let Some((path, name)) = pending.pop() {
            let metadata = fs_err::symlink_metadata(&path)?;
            let entry = self.entry(&path, name, &metadata)?;
            if entry.kind == RawKind::Directory {
                let mut children = fs_err::read_dir(&path)?
                    .map(|child| child.map(|child| child.file_name()))
                    .collect::<Result<Vec<_>, _>>()?;
                // Last first, because the stack gives them back in reverse.
                children.sort_unstable_by(|a, b| b.as_bytes().cmp(a.as_bytes()));
                pending.extend(children.into_iter().map(|child| {
                    let mut child_name = entry.name.clone();
                    child_name.push(b'/');
                    child_name.extend_from_slice(child.as_bytes());
                    (path.join(&child), child_name)
                }));
            }
            if entry.kind == RawKind::File {
                self.observe(&path, &entry)?;
            }
            self.entries.push(entry);
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: &Path,
        name: Vec<u8>,
        metadata: &Metadata,
    ) -> Result<RawEntry, ListingError> {
        let file_type = metadata.file_type();
        let mut link = None;
        let kind = if file_type.is_dir() {
            RawKind::Directory
        } else if file_type.is_symlink() {
            link = Some(fs_err::read_link(path)?.as_os_str().as_bytes().to_vec());
            RawKind::Symlink
        } else if file_type.is_file() {
            link = (metadata.nlink() > 1)
                .then(|| self.first_name(metadata, &name))
                .flatten();
            if link.is_some() {
                RawKind::HardLink
            } else {
                RawKind::File
            }
        } else if file_type.is_char_device() {
            RawKind::CharacterDevice
        } else if file_type.is_block_device() {
            RawKind::BlockDevice
        } else if file_type.is_fifo() {
            RawKind::Fifo
        } else {
            RawKind::Socket
        };
        Ok(RawEntry {
            name,
            kind,
            mode: metadata.mode() & 0o7777,
            size_bytes: if kind == RawKind::File {
                metadata.len()
            } else {
                0
            },
            link,
            mtime: metadata.mtime(),
        })
    }

    fn first_name(&mut self, metadata: &Metadata, name: &[u8]) -> Option<Vec<u8>> {
        let inode = (metadata.dev(), metadata.ino());
        let first = self.seen.get(&inode).cloned();
        if first.is_none() {
            self.seen.insert(inode, name.to_vec());
        }
        first
    }

    fn observe(&mut self, path: &Path, entry: &RawEntry) -> Result<(), ListingError> {
        if !self.observers.begin(entry) {
            return Ok(());
        }
        let mut file = fs_err::File::open(path)?;
        loop {
            let read = match file.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.observers.chunk(&self.buffer[..read]);
            self.progress.advance(read as u64);
        }
        self.observers.end();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn names(directory: &Path) -> Vec<String> {
        let listing = Listing::of_directory(directory, &mut Observers::none(), &Silent).unwrap();
        listing.entries.iter().map(RawEntry::display_name).collect()
    }

    #[test]
    fn lists_parents_before_children_in_the_order_of_their_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("A-1");
        fs_err::create_dir_all(top.join("b/c")).unwrap();
        fs_err::write(top.join("b/c/d"), "x").unwrap();
        fs_err::write(top.join("a"), "x").unwrap();
        fs_err::write(top.join("b.txt"), "x").unwrap();
        assert_eq!(
            names(&top),
            ["A-1", "A-1/a", "A-1/b", "A-1/b/c", "A-1/b/c/d", "A-1/b.txt"]
        );
    }

    #[test]
    fn a_second_name_of_a_file_is_a_hard_link_to_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("A-1");
        fs_err::create_dir(&top).unwrap();
        fs_err::write(top.join("z"), "x").unwrap();
        fs_err::hard_link(top.join("z"), top.join("a")).unwrap();
        let listing = Listing::of_directory(&top, &mut Observers::none(), &Silent).unwrap();
        assert_eq!(listing.entries[1].kind, RawKind::File);
        assert_eq!(listing.entries[2].kind, RawKind::HardLink);
        assert_eq!(listing.entries[2].link.as_deref(), Some(&b"A-1/a"[..]));
    }

    #[test]
    fn a_missing_directory_is_an_error_that_names_it() {
        let error =
            Listing::of_directory(Path::new("/nowhere/A-1"), &mut Observers::none(), &Silent)
                .unwrap_err();
        let ListingError::Io(cause) = error else {
            panic!("{error:?}")
        };
        assert!(cause.to_string().contains("/nowhere/A-1"), "{cause}");
    }
}
