//! What is there: the raw entries of a directory or an archive, in order, proven nothing.
//!
//! A [`Listing`] keeps names as bytes, duplicates, device nodes and links that lead anywhere, so
//! that a hostile archive can be described. It comes from **one** pass, in which
//! [observers](Observer) look at the content: documents are parsed, forbidden texts searched,
//! hashes computed. Content is never held; a few hundred bytes per entry are.
//!
//! [`crate::Tree`] is a listing that was proven safe.

mod archive;
mod directory;
mod elf;
mod observer;
mod scan;

use std::fmt::{self, Write as _};

pub use directory::ListingError;
pub(crate) use elf::parse_version;
pub use elf::{Elf, GlibcNeed};
pub use observer::{
    ContentHashes, DOCUMENT_LIMIT_BYTES, Document, Documents, Found, Needle, Needles, Observer,
    Observers,
};
pub use scan::{PathLeft, Scan, Shebang};

use crate::archive::{Damage, GzipFacts};
use crate::digest::Digests;

/// What kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RawKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A second name of a file that came earlier.
    HardLink,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A socket; only in directories, archives cannot hold one.
    Socket,
    /// A type of archive entry that is none of these, by its type byte.
    Other(u8),
}

impl fmt::Display for RawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("file"),
            Self::Directory => f.write_str("directory"),
            Self::Symlink => f.write_str("symbolic link"),
            Self::HardLink => f.write_str("hard link"),
            Self::CharacterDevice => f.write_str("character device"),
            Self::BlockDevice => f.write_str("block device"),
            Self::Fifo => f.write_str("named pipe"),
            Self::Socket => f.write_str("socket"),
            Self::Other(byte) => write!(f, "entry of type {:?}", char::from(*byte)),
        }
    }
}

/// One entry, as it stands in the archive or the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// The whole name, top directory included, as it is stored. Names of directories in archives
    /// usually end in a slash.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: RawKind,
    /// The permission bits, setuid and friends included (`0o7777`).
    pub mode: u32,
    /// The size of the content in bytes; 0 for all but files.
    pub size_bytes: u64,
    /// Where a link leads: the text of a symbolic link, the whole stored name for a hard link.
    pub link: Option<Vec<u8>>,
    /// Modification time in seconds since 1970.
    pub mtime: i64,
}

impl RawEntry {
    /// The name for people: bytes that are not UTF-8 or not printable are escaped.
    pub fn display_name(&self) -> String {
        display_bytes(&self.name)
    }
}

/// A stranger's name or text, for people: what is not UTF-8 or could steer a terminal is escaped.
pub fn display_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The raw entries of a directory or an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// All entries, in the order they were met.
    pub entries: Vec<RawEntry>,
    /// What an archive is made of; `None` for a directory.
    pub archive: Option<ArchiveFacts>,
}

/// What reading an archive told beside its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFacts {
    /// The compressed file.
    pub digests: Digests,
    /// Its gzip members.
    pub gzip: GzipFacts,
    /// What stopped the reading before the end, if anything did. The entries are those before it.
    pub damage: Option<Damage>,
    /// Bytes of tar that `meta/` ends at: how far a reader must go to know the metadata.
    pub meta_end_bytes: u64,
}

/// The most entries that anything keeps: five times the largest parcels known. A small hostile
/// archive must not fill the memory.
pub(crate) const MOST_ENTRIES: usize = 2_000_000;
/// The names of all entries together are kept up to here, for the same reason.
pub(crate) const MOST_NAME_BYTES: usize = 128 * 1024 * 1024;

impl Listing {
    /// The sum of the sizes of all files, in bytes.
    pub fn unpacked_bytes(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| entry.size_bytes)
            .fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_text_are_escaped() {
        assert_eq!(display_bytes(b"caf\xc3\xa9/\xff\n"), "caf\u{e9}/\\xff\\n");
    }
}
