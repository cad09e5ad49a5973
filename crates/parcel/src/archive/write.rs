//! Writes a tree as a parcel, the same bytes every time.
//!
//! What fixes the bytes: entries in the tree's order, `meta/` first, every directory explicit;
//! modes 0755 and 0644 only; owner and group 0 without names; one time for every entry; GNU long
//! names; no name and no time in the gzip header; one level.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use super::header;
use crate::digest::{Digests, HashingWriter};
use crate::listing::{RawEntry, RawKind};
use crate::progress::{Progress, Step};
use crate::tree::{EntryKind, Tree, TreePath};

/// The time that every entry of a parcel carries, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// 1980-01-01, the first time that every archive format in use can express.
    pub const DEFAULT: Self = Self(315_532_800);

    /// So many seconds since 1970, cut to what the time field of a tar header holds in octal.
    pub fn from_seconds(seconds: u64) -> Self {
        Self(seconds.min(0o777_7777_7777))
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

impl Default for Epoch {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How hard to compress: 1 (fast) to 9 (small).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(u32);

impl Level {
    /// Level 6, what `gzip` does when it is told nothing.
    pub const DEFAULT: Self = Self(6);

    /// A level from 1 to 9; `None` for any other number.
    pub fn new(level: u32) -> Option<Self> {
        (1..=9).contains(&level).then_some(Self(level))
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How to write a parcel.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions {
    /// The time of every entry.
    pub epoch: Epoch,
    /// How hard to compress.
    pub level: Level,
}

/// Why a parcel could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A file of the tree could not be read. The error names it.
    #[error("cannot read a file of the tree")]
    Read(#[source] io::Error),
    /// A file is not what it was when the tree was made.
    #[error("{} changed while it was packed", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The parcel could not be written.
    #[error("cannot write the parcel")]
    Write(#[source] io::Error),
}

/// Writes a tree whose content lies in `directory` as a parcel, and gives back the checksums of
/// what was written.
///
/// The directory on disk may have another name than the tree's: `out/stage` can become `A-1.0`.
///
/// # Errors
///
/// [`WriteError`].
pub fn write<W: Write>(
    tree: &Tree,
    directory: &Path,
    options: WriteOptions,
    out: W,
    progress: &dyn Progress,
) -> Result<(W, Digests), WriteError> {
    progress.begin(Step::Pack, Some(tree.unpacked_bytes()));
    let hashing = HashingWriter::new(out);
    let gzip = GzBuilder::new()
        .mtime(0)
        .write(hashing, Compression::new(options.level.0));
    let mut writer = TreeWriter {
        out: io::BufWriter::with_capacity(256 * 1024, gzip),
        top: tree.directory(),
        directory,
        epoch: options.epoch,
        progress,
        buffer: vec![0; 128 * 1024],
    };
    writer.entry(None, &EntryKind::Directory)?;
    for (path, kind) in tree.entries() {
        writer.entry(Some(path), kind)?;
    }
    // A tar ends with two blocks of zeros.
    writer
        .out
        .write_all(&[0; 2 * header::BLOCK_BYTES])
        .map_err(WriteError::Write)?;
    let gzip = writer
        .out
        .into_inner()
        .map_err(|error| WriteError::Write(error.into_error()))?;
    let (out, digests) = gzip.finish().map_err(WriteError::Write)?.finish();
    progress.end();
    Ok((out, digests))
}

struct TreeWriter<'a, W: Write> {
    out: io::BufWriter<W>,
    top: &'a str,
    directory: &'a Path,
    epoch: Epoch,
    progress: &'a dyn Progress,
    buffer: Vec<u8>,
}

impl<W: Write> TreeWriter<'_, W> {
    fn entry(&mut self, path: Option<&TreePath>, kind: &EntryKind) -> Result<(), WriteError> {
        let mut raw = RawEntry {
            name: self.name(path),
            kind: RawKind::File,
            mode: 0o644,
            size_bytes: 0,
            link: None,
            mtime: i64::try_from(self.epoch.0).expect("an epoch fits the time field of a header"),
        };
        match kind {
            EntryKind::Directory => {
                raw.kind = RawKind::Directory;
                raw.mode = 0o755;
                raw.name.push(b'/');
            }
            EntryKind::File {
                size_bytes,
                executable,
            } => {
                raw.size_bytes = *size_bytes;
                raw.mode = if *executable { 0o755 } else { 0o644 };
            }
            EntryKind::Symlink { target } => {
                raw.kind = RawKind::Symlink;
                // What the kernel says of every link.
                raw.mode = 0o777;
                raw.link = Some(target.to_vec());
            }
            EntryKind::HardLink { target } => {
                raw.kind = RawKind::HardLink;
                raw.link = Some(self.name(Some(target)));
            }
        }
        header::write_entry(&mut self.out, &raw).map_err(WriteError::Write)?;
        match (path, kind) {
            (Some(path), EntryKind::File { size_bytes, .. }) => self.content(path, *size_bytes),
            _ => Ok(()),
        }
    }

    fn name(&self, path: Option<&TreePath>) -> Vec<u8> {
        let mut name = self.top.as_bytes().to_vec();
        if let Some(path) = path {
            name.push(b'/');
            name.extend_from_slice(path.as_bytes());
        }
        name
    }

    fn content(&mut self, path: &TreePath, size_bytes: u64) -> Result<(), WriteError> {
        let path = self.directory.join(path.as_path());
        let mut file: File = fs_err::File::open(&path).map_err(WriteError::Read)?.into();
        let mut left = size_bytes;
        loop {
            let read = match file.read(&mut self.buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let named =
                        io::Error::new(error.kind(), format!("{}: {error}", path.display()));
                    return Err(WriteError::Read(named));
                }
            };
            if read == 0 {
                break;
            }
            // The size already stands in the header, so a file that grew must not go on.
            left = left
                .checked_sub(read as u64)
                .ok_or_else(|| WriteError::Changed { path: path.clone() })?;
            self.out
                .write_all(&self.buffer[..read])
                .map_err(WriteError::Write)?;
            self.progress.advance(read as u64);
        }
        if left > 0 {
            return Err(WriteError::Changed { path });
        }
        self.out
            .write_all(&[0; header::BLOCK_BYTES][..header::padding(size_bytes)])
            .map_err(WriteError::Write)
    }
}
