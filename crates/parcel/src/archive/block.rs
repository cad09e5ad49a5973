//! Blocks: pieces of the tar that are deflated alone, so that they can be deflated and inflated on
//! all cores, in any order, and kept between builds.
//!
//! A block ends with a full flush: the next one begins at a byte and looks back at nothing. Blocks
//! one after the other, an end and a checksum are one ordinary gzip member.

use std::hash::{BuildHasher, Hasher, RandomState};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// The header of our gzip members: no name, no time, no flags, an unknown system.
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// What a full flush ends with: the length, zero, of a stored block, and its complement.
const FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

/// An empty last block, which ends deflated data.
pub(super) const END: [u8; 2] = [3, 0];

/// Deflates one block after the other, each as if it were the first.
pub(super) struct Deflater {
    compress: Compress,
}

impl Deflater {
    pub(super) fn new(level: u32) -> Self {
        Self {
            compress: Compress::new(Compression::new(level), false),
        }
    }

    /// Deflates one block, up to and including its full flush.
    pub(super) fn deflate(&mut self, block: &[u8]) -> Vec<u8> {
        self.compress.reset();
        let mut out = Vec::with_capacity(block.len() / 2 + 1024);
        loop {
            let done = usize::try_from(self.compress.total_in()).expect("a block is in memory");
            self.compress
                .compress_vec(&block[done..], &mut out, FlushCompress::Full)
                .expect("deflating cannot fail while there is room");
            // The flush is complete only where it left room.
            if self.compress.total_in() == block.len() as u64 && out.len() < out.capacity() {
                return out;
            }
            out.reserve(block.len() / 4 + 1024);
        }
    }
}

/// Why a block is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotABlock;

/// Inflates blocks whose place was read from an index, believing nothing.
pub(super) struct Inflater {
    decompress: Decompress,
    /// Never the same in two processes; see [`Inflater::probe`].
    secret: RandomState,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            decompress: Decompress::new(false),
            secret: RandomState::new(),
        }
    }

    /// Inflates one block of exactly `unpacked_bytes`, and proves that a reader who knows no index
    /// would read the same.
    ///
    /// # Errors
    ///
    /// Where the bytes are not such a block. They may still be good deflated data.
    pub(super) fn inflate(
        &mut self,
        block: &[u8],
        unpacked_bytes: usize,
    ) -> Result<Vec<u8>, NotABlock> {
        let content = block.strip_suffix(&FLUSH).ok_or(NotABlock)?;
        self.decompress.reset(false);
        let mut out = Vec::with_capacity(unpacked_bytes + 1);
        self.feed(content, &mut out)?;
        if out.len() != unpacked_bytes {
            return Err(NotABlock);
        }
        self.probe()?;
        Ok(out)
    }

    /// Feeds all of the input; the output must fit into what is reserved.
    fn feed(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<Status, NotABlock> {
        loop {
            let before = (self.decompress.total_in(), self.decompress.total_out());
            let status = self
                .decompress
                .decompress_vec(input, out, FlushDecompress::Sync)
                .map_err(|_| NotABlock)?;
            let consumed = self.decompress.total_in() - before.0;
            let consumed = usize::try_from(consumed).map_err(|_| NotABlock)?;
            input = &input[consumed..];
            if input.is_empty() || status == Status::StreamEnd {
                return if input.is_empty() {
                    Ok(status)
                } else {
                    Err(NotABlock)
                };
            }
            if before == (self.decompress.total_in(), self.decompress.total_out()) {
                return Err(NotABlock);
            }
        }
    }

    /// Proves that the block ends with an empty stored block, so at a boundary and a whole byte.
    ///
    /// A hostile index could cut deflated data anywhere, and someone who goes on without the index
    /// would read something else. What precedes [`FLUSH`] must have left the decoder in wait for
    /// the length of a stored block; so in place of the empty one it gets one of unpredictable
    /// length and content, and an end. In any other state it would not give exactly that content
    /// back, and whoever made the file could not know it.
    fn probe(&mut self) -> Result<(), NotABlock> {
        let mut hasher = self.secret.build_hasher();
        hasher.write_u64(self.decompress.total_out());
        let secret = hasher.finish().to_le_bytes();
        let length = 8 + usize::from(secret[0] % 64);
        let content: Vec<u8> = secret.iter().copied().cycle().take(length).collect();
        let low = u8::try_from(length).expect("shorter than 72");
        let mut probe = vec![low, 0, !low, 0xff];
        probe.extend_from_slice(&content);
        probe.extend_from_slice(&END);
        let mut out = Vec::with_capacity(length + 1);
        let status = self.feed(&probe, &mut out)?;
        if status == Status::StreamEnd && out == content {
            Ok(())
        } else {
            Err(NotABlock)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::Crc;

    use super::*;

    fn member(blocks: &[&[u8]], level: u32) -> Vec<u8> {
        let mut deflater = Deflater::new(level);
        let mut member = HEADER.to_vec();
        let mut crc = Crc::new();
        for block in blocks {
            member.extend(deflater.deflate(block));
            crc.update(block);
        }
        member.extend(END);
        member.extend(crc.sum().to_le_bytes());
        member.extend(crc.amount().to_le_bytes());
        member
    }

    #[test]
    fn blocks_are_one_ordinary_member() {
        let noise = |n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes()[1];
        let noise: Vec<u8> = (0..300_000).map(noise).collect();
        for level in [1, 4, 6, 9] {
            let member = member(&[b"one", &noise, b"", &noise[..70_000]], level);
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(member.as_slice())
                .read_to_end(&mut read)
                .unwrap();
            assert_eq!(read, [b"one", noise.as_slice(), &noise[..70_000]].concat());
        }
    }

    #[test]
    fn a_block_does_not_depend_on_those_before_it() {
        let mut deflater = Deflater::new(6);
        let first = deflater.deflate(b"some text, some text");
        deflater.deflate(&vec![9; 100_000]);
        assert_eq!(deflater.deflate(b"some text, some text"), first);
    }

    #[test]
    fn a_block_inflates_alone_and_only_whole() {
        let text = b"a block of text, a block of text, a block of words".repeat(40);
        let block = Deflater::new(6).deflate(&text);
        let mut inflater = Inflater::new();
        assert_eq!(inflater.inflate(&block, text.len()), Ok(text.clone()));
        assert!(inflater.inflate(&block, text.len() - 1).is_err());
        assert!(inflater.inflate(&block, text.len() + 1).is_err());
        for end in 0..block.len() {
            assert!(
                inflater.inflate(&block[..end], text.len()).is_err(),
                "cut at {end}"
            );
        }
        assert_eq!(inflater.inflate(&block, text.len()), Ok(text));
    }

    #[test]
    fn a_stored_block_that_holds_the_mark_is_no_boundary() {
        // One stored block of 12 bytes that hold a mark in their middle.
        let mut data = vec![0, 12, 0, !12, 0xff];
        data.extend([1, 2, 3, 4]);
        data.extend(FLUSH);
        data.extend([5, 6, 7, 8]);
        let mut inflater = Inflater::new();
        for length in 0..=12 {
            assert!(inflater.inflate(&data[..13], length).is_err(), "{length}");
        }
    }
}
