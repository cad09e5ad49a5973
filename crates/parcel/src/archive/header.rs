//! Tar headers: one block of 512 bytes before each entry.
//!
//! Names too long for a header are written the GNU way (an entry of type `L` or `K` before it),
//! which every reader that parcels meet understands: Python 2's `tarfile` in old agents, GNU tar
//! and Cloudera's validator. Sizes past 8 GiB are written in GNU's base-256 form.

use std::io::{self, Write};

use tar::{EntryType, Header};

use crate::listing::{RawEntry, RawKind};

pub(super) const BLOCK_BYTES: usize = 512;

/// No file is larger, and sums with a size up to here do not overflow.
pub(super) const MOST_BYTES: u64 = i64::MAX as u64;

/// Where the header of a sparse file in GNU's old form says that a block of its map follows.
pub(super) const SPARSE_MORE_AT: usize = 482;
/// Where such a block says that another one follows.
pub(super) const SPARSE_STILL_MORE_AT: usize = 504;

/// What GNU tar calls the entry that carries a long name.
const LONG_NAME: &[u8] = b"././@LongLink";

/// Bytes of zeros that fill the last block of content of this size.
pub(super) fn padding(size_bytes: u64) -> usize {
    let over = size_bytes % BLOCK_BYTES as u64;
    usize::try_from((BLOCK_BYTES as u64 - over) % BLOCK_BYTES as u64)
        .expect("padding is shorter than a block")
}

/// Writes the header of an entry, long names before it. Content and padding are the caller's.
pub(super) fn write_entry(out: &mut impl Write, entry: &RawEntry) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(match entry.kind {
        RawKind::Directory => EntryType::Directory,
        RawKind::Symlink => EntryType::Symlink,
        RawKind::HardLink => EntryType::Link,
        _ => EntryType::Regular,
    });
    header.set_mode(entry.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(entry.mtime).unwrap_or(0));
    header.set_size(entry.size_bytes);
    if let Some(link) = &entry.link {
        write_long(out, b'K', link)?;
        fill(&mut header.as_old_mut().linkname, link);
    }
    write_long(out, b'L', &entry.name)?;
    fill(&mut header.as_old_mut().name, &entry.name);
    header.set_cksum();
    out.write_all(header.as_bytes())
}

/// Writes the entry that carries a name which does not fit into its field.
fn write_long(out: &mut impl Write, kind: u8, text: &[u8]) -> io::Result<()> {
    if text.len() <= Header::new_gnu().as_old().name.len() {
        return Ok(());
    }
    // The content is the name and a NUL, as GNU tar writes it.
    let size_bytes = text.len() as u64 + 1;
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::new(kind));
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size_bytes);
    fill(&mut header.as_old_mut().name, LONG_NAME);
    header.set_cksum();
    out.write_all(header.as_bytes())?;
    out.write_all(text)?;
    out.write_all(&[0; BLOCK_BYTES + 1][..=padding(size_bytes)])
}

/// Copies as much of a text as the field holds.
fn fill(field: &mut [u8], text: &[u8]) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text[..length]);
}

/// What a header block says, before long names are applied.
pub(super) struct Decoded {
    pub(super) entry: RawEntry,
    pub(super) type_flag: u8,
    /// How many bytes of content follow in the archive.
    pub(super) content_bytes: u64,
}

/// Reads a header block; `None` where it is not one.
pub(super) fn decode(block: &[u8; BLOCK_BYTES]) -> Option<Decoded> {
    let header = Header::from_byte_slice(block);
    // The checksum counts its own field as blanks.
    let sum: u32 = block[..148]
        .iter()
        .chain(&[b' '; 8])
        .chain(&block[156..])
        .map(|&b| u32::from(b))
        .sum();
    if header.cksum().ok()? != sum {
        return None;
    }
    let type_flag = header.as_old().linkflag[0];
    let name = header.path_bytes().into_owned();
    let kind = match type_flag {
        0 | b'0' | b'7' => RawKind::File,
        b'1' => RawKind::HardLink,
        b'2' => RawKind::Symlink,
        b'3' => RawKind::CharacterDevice,
        b'4' => RawKind::BlockDevice,
        b'5' => RawKind::Directory,
        b'6' => RawKind::Fifo,
        other => RawKind::Other(other),
    };
    // Some writers give a link the size of what it leads to, yet no content follows.
    let content_bytes = match kind {
        RawKind::File | RawKind::Other(_) => header
            .entry_size()
            .ok()
            .filter(|&size_bytes| size_bytes <= MOST_BYTES)?,
        _ => 0,
    };
    let is_link = matches!(kind, RawKind::HardLink | RawKind::Symlink);
    let link = is_link.then(|| header.link_name_bytes().unwrap_or_default().into_owned());
    let entry = RawEntry {
        name,
        kind,
        mode: header.mode().ok()? & 0o7777,
        size_bytes: if kind == RawKind::File {
            content_bytes
        } else {
            0
        },
        link,
        mtime: header
            .mtime()
            .map_or(0, |mtime| i64::try_from(mtime).unwrap_or(i64::MAX)),
    };
    Some(Decoded {
        entry,
        type_flag,
        content_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_past_eight_gibibytes_read_back() {
        let entry = RawEntry {
            name: b"A-1/big".to_vec(),
            kind: RawKind::File,
            mode: 0o644,
            size_bytes: 9 << 30,
            link: None,
            mtime: 315_532_800,
        };
        let mut block = Vec::new();
        write_entry(&mut block, &entry).unwrap();
        let decoded = decode(&block.try_into().unwrap()).unwrap();
        assert_eq!(decoded.entry, entry);
        assert_eq!(decoded.content_bytes, 9 << 30);
    }

    #[test]
    fn padding_fills_the_last_block() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
