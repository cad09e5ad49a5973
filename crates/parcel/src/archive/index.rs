//! The index: where the blocks of a parcel are.
//!
//! It rides behind the data in gzip members that hold nothing: every reader tried passes over them
//! (Cloudera's validator, GNU gzip and tar, pigz, Python, Java). Their extra fields list how long
//! each block is, packed and unpacked; the last member is of a fixed size and says where they
//! begin, so that one who can seek finds them from the end.
//!
//! An index is a hint. Nothing is believed of it: see [`Inflater`](super::block::Inflater).

use std::io::{self, Read, Seek, SeekFrom};

use super::block::{END, HEADER};

/// How long a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockSize {
    pub(super) packed_bytes: u32,
    pub(super) unpacked_bytes: u32,
}

/// Where the blocks of a parcel are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Index {
    pub(super) blocks: Vec<BlockSize>,
    /// How many of the blocks hold `meta/`: they are the first.
    pub(super) meta_blocks: u32,
}

/// A gzip header that announces an extra field.
const HEADER_WITH_EXTRA: [u8; 10] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff];
/// The end of a member that holds nothing: its deflated data, checksum and size.
const NOTHING: [u8; 10] = [END[0], END[1], 0, 0, 0, 0, 0, 0, 0, 0];
/// The names of our extra fields: lists of blocks, and the one that says where they begin.
const LIST: [u8; 2] = *b"PX";
const FOOTER: [u8; 2] = *b"PF";
/// Ours, and its version.
const MAGIC: [u8; 8] = *b"parcel\0\x01";

/// Bytes of a record in a list.
const RECORD_BYTES: usize = 8;
/// As many records as one extra field holds.
const RECORDS: usize = (u16::MAX as usize - 4) / RECORD_BYTES;
/// Bytes of the last extra field's content: magic, size of the data member, blocks, blocks of meta.
const FOOTER_BYTES: usize = 8 + 8 + 4 + 4;
/// Bytes of the last member.
const FOOTER_MEMBER_BYTES: usize = member_bytes(FOOTER_BYTES);

/// No real parcel has more: 2 TiB in blocks of 1 MiB.
const MOST_BLOCKS: u32 = 2 * 1024 * 1024;
/// No block of ours is larger; keeps a hostile index from asking for memory.
pub(super) const MOST_BLOCK_BYTES: u32 = 8 * 1024 * 1024;

const fn member_bytes(content_bytes: usize) -> usize {
    HEADER_WITH_EXTRA.len() + 2 + 4 + content_bytes + NOTHING.len()
}

impl Index {
    /// The size of the member that holds the blocks.
    fn data_bytes(&self) -> u64 {
        let blocks: u64 = self
            .blocks
            .iter()
            .map(|block| u64::from(block.packed_bytes))
            .sum();
        HEADER.len() as u64 + blocks + END.len() as u64 + 8
    }

    /// The index as gzip members, to be written behind the data.
    pub(super) fn to_members(&self) -> Vec<u8> {
        let mut members = Vec::new();
        for blocks in self.blocks.chunks(RECORDS) {
            let records = blocks.iter().flat_map(|block| {
                let [packed, unpacked] = [block.packed_bytes, block.unpacked_bytes];
                [packed.to_le_bytes(), unpacked.to_le_bytes()].concat()
            });
            push_member(&mut members, LIST, &records.collect::<Vec<u8>>());
        }
        let count = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        let mut footer = MAGIC.to_vec();
        footer.extend(self.data_bytes().to_le_bytes());
        footer.extend(count.to_le_bytes());
        footer.extend(self.meta_blocks.to_le_bytes());
        push_member(&mut members, FOOTER, &footer);
        members
    }

    /// Looks for an index at the end of a file, and leaves the file at its beginning.
    ///
    /// # Errors
    ///
    /// When the file cannot be read. A wrong index is none.
    pub(super) fn find(file: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        let index = Self::look(file)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(index)
    }

    fn look(file: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        let file_bytes = file.seek(SeekFrom::End(0))?;
        let Some(footer_at) = file_bytes.checked_sub(FOOTER_MEMBER_BYTES as u64) else {
            return Ok(None);
        };
        let mut footer = [0; FOOTER_MEMBER_BYTES];
        file.seek(SeekFrom::Start(footer_at))?;
        file.read_exact(&mut footer)?;
        let Some(content) = member_content(&footer, FOOTER, FOOTER_BYTES) else {
            return Ok(None);
        };
        let Some((data_bytes, count, meta_blocks)) = parse_footer(content) else {
            return Ok(None);
        };
        let lists = list_bytes(count as usize);
        if count > MOST_BLOCKS || data_bytes.checked_add(lists as u64) != Some(footer_at) {
            return Ok(None);
        }
        let mut members = vec![0; lists];
        file.seek(SeekFrom::Start(data_bytes))?;
        file.read_exact(&mut members)?;
        let index = parse_lists(&members, count as usize).map(|blocks| Self {
            blocks,
            meta_blocks,
        });
        Ok(index.filter(|index| index.data_bytes() == data_bytes && meta_blocks <= count))
    }
}

fn push_member(members: &mut Vec<u8>, id: [u8; 2], content: &[u8]) {
    let length = |bytes: usize| {
        u16::try_from(bytes)
            .expect("lists are cut to fit")
            .to_le_bytes()
    };
    members.extend(HEADER_WITH_EXTRA);
    members.extend(length(content.len() + 4));
    members.extend(id);
    members.extend(length(content.len()));
    members.extend(content);
    members.extend(NOTHING);
}

/// The content of a member that is exactly ours.
fn member_content(member: &[u8], id: [u8; 2], content_bytes: usize) -> Option<&[u8]> {
    let rest = member.strip_prefix(&HEADER_WITH_EXTRA)?;
    let extra = u16::try_from(content_bytes + 4).ok()?.to_le_bytes();
    let rest = rest.strip_prefix(&extra)?.strip_prefix(&id)?;
    let rest = rest.strip_prefix(&u16::try_from(content_bytes).ok()?.to_le_bytes())?;
    let (content, end) = rest.split_at_checked(content_bytes)?;
    (end == NOTHING).then_some(content)
}

fn parse_footer(content: &[u8]) -> Option<(u64, u32, u32)> {
    let rest = content.strip_prefix(&MAGIC)?;
    let (data_bytes, rest) = rest.split_first_chunk()?;
    let (count, rest) = rest.split_first_chunk()?;
    let (meta_blocks, rest) = rest.split_first_chunk()?;
    rest.is_empty().then_some((
        u64::from_le_bytes(*data_bytes),
        u32::from_le_bytes(*count),
        u32::from_le_bytes(*meta_blocks),
    ))
}

/// The bytes of the members that list so many blocks.
fn list_bytes(count: usize) -> usize {
    let full = count / RECORDS * member_bytes(RECORDS * RECORD_BYTES);
    match count % RECORDS {
        0 => full,
        rest => full + member_bytes(rest * RECORD_BYTES),
    }
}

fn parse_lists(mut members: &[u8], count: usize) -> Option<Vec<BlockSize>> {
    let mut blocks = Vec::with_capacity(count);
    while blocks.len() < count {
        let records = RECORDS.min(count - blocks.len());
        let content_bytes = records * RECORD_BYTES;
        let (member, rest) = members.split_at_checked(member_bytes(content_bytes))?;
        members = rest;
        for record in member_content(member, LIST, content_bytes)?.chunks_exact(RECORD_BYTES) {
            let (packed, unpacked) = record.split_first_chunk()?;
            let block = BlockSize {
                packed_bytes: u32::from_le_bytes(*packed),
                unpacked_bytes: u32::from_le_bytes(*unpacked.first_chunk()?),
            };
            // Deflate never makes more than a few bytes more of what it cannot make smaller.
            let fits = block.unpacked_bytes <= MOST_BLOCK_BYTES
                && block.packed_bytes <= 2 * MOST_BLOCK_BYTES;
            blocks.push(fits.then_some(block)?);
        }
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn index(count: u32) -> Index {
        let block = |n| BlockSize {
            packed_bytes: 20 + n % 7,
            unpacked_bytes: 1000 + n,
        };
        Index {
            blocks: (0..count).map(block).collect(),
            meta_blocks: 1.min(count),
        }
    }

    fn file(index: &Index) -> Vec<u8> {
        let mut file = vec![7; usize::try_from(index.data_bytes()).unwrap()];
        file.extend(index.to_members());
        file
    }

    #[test]
    fn an_index_is_found_from_the_end() {
        for count in [0, 1, 5, 8190, 8191, 8192, 20_000] {
            let index = index(count);
            assert_eq!(
                Index::find(&mut Cursor::new(file(&index))).unwrap(),
                Some(index),
                "{count}"
            );
        }
    }

    #[test]
    fn the_members_hold_nothing_for_a_reader_of_gzip() {
        let mut read = Vec::new();
        let members = index(9000).to_members();
        flate2::read::MultiGzDecoder::new(members.as_slice())
            .read_to_end(&mut read)
            .unwrap();
        assert!(read.is_empty());
    }

    #[test]
    fn a_file_without_an_index_has_none() {
        for length in [0, 1, FOOTER_MEMBER_BYTES, 4096] {
            assert_eq!(
                Index::find(&mut Cursor::new(vec![0x1f; length])).unwrap(),
                None
            );
        }
    }

    #[test]
    fn whatever_byte_is_changed_the_index_is_gone_or_still_adds_up() {
        let index = index(3);
        let whole = file(&index);
        let begin = usize::try_from(index.data_bytes()).unwrap();
        for at in begin..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x41;
            if let Some(found) = Index::find(&mut Cursor::new(changed)).unwrap() {
                assert_eq!(found.data_bytes(), index.data_bytes());
            }
        }
    }
}
