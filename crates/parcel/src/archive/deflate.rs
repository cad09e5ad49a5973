//! Writes bytes as one gzip member of blocks, deflated on all cores, and the index behind it.
//!
//! Where blocks end is the caller's decision, so the bytes that come out depend on the bytes that
//! go in and on those decisions, never on the number of threads.

use std::io::{self, Write};
use std::num::NonZeroUsize;

use flate2::Crc;

use super::block::{Deflater, END, HEADER};
use super::index::{BlockSize, Index, MOST_BLOCK_BYTES};
use super::pool::Pool;

/// A block that was deflated.
struct Done {
    packed: Vec<u8>,
    unpacked_bytes: u32,
    crc: Crc,
}

/// Gathers blocks, has them deflated and writes them in order.
pub(super) struct BlockWriter<W> {
    out: W,
    current: Vec<u8>,
    pool: Pool<Vec<u8>, Done>,
    index: Index,
    crc: Crc,
    /// Blocks that were given to the pool.
    cut: u32,
}

impl<W: Write> BlockWriter<W> {
    /// Begins a member.
    ///
    /// # Errors
    ///
    /// What writing gives.
    pub(super) fn new(mut out: W, level: u32, threads: NonZeroUsize) -> io::Result<Self> {
        out.write_all(&HEADER)?;
        let pool = Pool::new(threads, || {
            let mut deflater = Deflater::new(level);
            move |block: Vec<u8>| {
                let mut crc = Crc::new();
                crc.update(&block);
                let unpacked_bytes =
                    u32::try_from(block.len()).expect("blocks are cut long before");
                Done {
                    packed: deflater.deflate(&block),
                    unpacked_bytes,
                    crc,
                }
            }
        });
        let index = Index::default();
        Ok(Self {
            out,
            current: Vec::new(),
            pool,
            index,
            crc: Crc::new(),
            cut: 0,
        })
    }

    /// How long the present block is so far, in bytes.
    pub(super) fn block_bytes(&self) -> usize {
        self.current.len()
    }

    /// Ends the present block, if there is anything in it.
    pub(super) fn cut(&mut self) -> io::Result<()> {
        if self.current.is_empty() {
            return Ok(());
        }
        if self.pool.is_full() {
            self.write_oldest()?;
        }
        let capacity = self.current.capacity();
        self.pool.push(std::mem::replace(
            &mut self.current,
            Vec::with_capacity(capacity),
        ));
        self.cut += 1;
        Ok(())
    }

    /// Ends the blocks that hold `meta/`.
    pub(super) fn end_meta(&mut self) -> io::Result<()> {
        self.cut()?;
        self.index.meta_blocks = self.cut;
        Ok(())
    }

    /// Writes the result of the oldest job; `false` where there is none.
    fn write_oldest(&mut self) -> io::Result<bool> {
        let Some(done) = self.pool.pop() else {
            return Ok(false);
        };
        self.out.write_all(&done.packed)?;
        self.crc.combine(&done.crc);
        let packed_bytes = u32::try_from(done.packed.len()).expect("blocks are cut long before");
        self.index.blocks.push(BlockSize {
            packed_bytes,
            unpacked_bytes: done.unpacked_bytes,
        });
        Ok(true)
    }

    /// Ends the member and writes the index behind it.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.cut()?;
        while self.write_oldest()? {}
        self.out.write_all(&END)?;
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        self.out.write_all(&self.index.to_members())?;
        Ok(self.out)
    }
}

impl<W: Write> Write for BlockWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Whoever forgets to cut must not fill the memory.
        let room = MOST_BLOCK_BYTES as usize - self.current.len();
        if room == 0 {
            self.cut()?;
        }
        let length = bytes.len().min(if room == 0 {
            MOST_BLOCK_BYTES as usize
        } else {
            room
        });
        self.current.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn pack(pieces: &[&[u8]], threads: usize) -> Vec<u8> {
        let threads = NonZeroUsize::new(threads).unwrap();
        let mut writer = BlockWriter::new(Vec::new(), 6, threads).unwrap();
        for piece in pieces {
            writer.write_all(piece).unwrap();
            writer.cut().unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn the_bytes_do_not_depend_on_the_number_of_threads() {
        let pieces: Vec<Vec<u8>> = (0..50usize)
            .map(|n| format!("{n} ").repeat(n * 900).into_bytes())
            .collect();
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let one = pack(&pieces, 1);
        assert_eq!(one, pack(&pieces, 2));
        assert_eq!(one, pack(&pieces, 7));
        let mut read = Vec::new();
        flate2::read::MultiGzDecoder::new(one.as_slice())
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, pieces.concat());
    }

    #[test]
    fn what_nobody_cuts_is_cut() {
        let packed = pack(&[&vec![0; 3 * MOST_BLOCK_BYTES as usize + 5]], 2);
        let index = Index::find(&mut io::Cursor::new(packed)).unwrap().unwrap();
        assert_eq!(index.blocks.len(), 4);
    }
}
