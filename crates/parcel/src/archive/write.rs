//! Writes a tree as a parcel, the same bytes every time.
//!
//! What fixes the bytes: entries in the tree's order, `meta/` first, every directory explicit;
//! modes 0755 and 0644 only; owner and group 0 without names; one time for every entry; GNU long
//! names; no name and no time in the gzip header; one level; blocks that end where names and sizes
//! say, whatever the number of threads.

use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::deflate::BlockWriter;
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
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions {
    /// The time of every entry.
    pub epoch: Epoch,
    /// How hard to compress.
    pub level: Level,
    /// How many threads compress; the bytes do not depend on it.
    pub threads: NonZeroUsize,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            epoch: Epoch::default(),
            level: Level::default(),
            threads: super::available_threads(),
        }
    }
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
    let out =
        BlockWriter::new(hashing, options.level.0, options.threads).map_err(WriteError::Write)?;
    let mut writer = TreeWriter {
        out,
        top: tree.directory(),
        directory,
        epoch: options.epoch,
        progress,
        buffer: vec![0; 128 * 1024],
    };
    writer.entry(None, &EntryKind::Directory)?;
    let mut in_meta = true;
    for (path, kind) in tree.entries() {
        if in_meta && !path.is_meta() {
            in_meta = false;
            writer.out.end_meta().map_err(WriteError::Write)?;
        }
        writer.entry(Some(path), kind)?;
    }
    if in_meta {
        writer.out.end_meta().map_err(WriteError::Write)?;
    }
    let out = writer.finish().map_err(WriteError::Write)?;
    progress.end();
    Ok(out.finish())
}

/// Content of large files is cut into blocks of this many bytes, counted from its beginning, so
/// that what stands before a file does not matter to its blocks.
const BLOCK_BYTES: u64 = 1024 * 1024;
/// A block of small files is at least so long, unless a large file follows,
const LEAST_BYTES: usize = 512 * 1024;
/// ends behind one name in so many, as the name itself decides,
const NAMES: u32 = 8;
/// and is not much longer than this.
const MOST_BYTES: usize = 1536 * 1024;

/// Whether a block of small files may end behind this name. A file that is added or removed then
/// moves the ends of few blocks; most stay as they are and can be kept from the last build.
fn ends_block(name: &[u8]) -> bool {
    // FNV-1a: the same on every machine and in every version of this program.
    let hash = name.iter().fold(0x811c_9dc5_u32, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash >> 16) % NAMES == 0
}

struct TreeWriter<'a, W: Write> {
    out: BlockWriter<W>,
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
        let is_large = raw.size_bytes >= BLOCK_BYTES;
        if is_large {
            self.out.cut().map_err(WriteError::Write)?;
        }
        header::write_entry(&mut self.out, &raw).map_err(WriteError::Write)?;
        if let (Some(path), EntryKind::File { size_bytes, .. }) = (path, kind) {
            self.content(path, *size_bytes)?;
        }
        let length = self.out.block_bytes();
        let ends = length >= LEAST_BYTES && ends_block(&raw.name);
        if is_large || ends || length >= MOST_BYTES {
            self.out.cut().map_err(WriteError::Write)?;
        }
        Ok(())
    }

    /// A tar ends with two blocks of zeros.
    fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * header::BLOCK_BYTES])?;
        self.out.finish()
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
            // Never across the end of a block, so that blocks begin at the same bytes of the file
            // whatever stands before it.
            let to_end = BLOCK_BYTES - (size_bytes - left) % BLOCK_BYTES;
            let room = usize::try_from(to_end)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let read = match file.read(&mut self.buffer[..room]) {
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
            if left > 0 && (size_bytes - left).is_multiple_of(BLOCK_BYTES) {
                self.out.cut().map_err(WriteError::Write)?;
            }
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
