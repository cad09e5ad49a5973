//! Reads a gzip member whose blocks an index lists, inflating them on all cores.
//!
//! What comes out is what a reader without the index would get: each block is proven to be one
//! before a byte of it is given out. From the first that is not, and behind the last, the member
//! is read on in sequence, with what came before as its window.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::block::{HEADER, Inflater, NotABlock};
use super::index::{BlockSize, Index};
use super::pool::Pool;

/// How far deflated data looks back.
const WINDOW_BYTES: usize = 32 * 1024;

/// A block's packed bytes and how many it unpacks to.
type Packed = (Arc<Vec<u8>>, usize);
type Inflated = Result<(Vec<u8>, Crc), NotABlock>;

/// A buffered source into which bytes can be put back.
pub(super) struct Source<R> {
    returned: io::Cursor<Vec<u8>>,
    inner: R,
}

impl<R: BufRead> Source<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            returned: io::Cursor::default(),
            inner,
        }
    }

    fn has_returned(&self) -> bool {
        self.returned.position() < self.returned.get_ref().len() as u64
    }

    /// Puts bytes back, before whatever would be read next.
    fn put_back(&mut self, mut bytes: Vec<u8>) {
        let _ = self.returned.read_to_end(&mut bytes);
        self.returned = io::Cursor::new(bytes);
    }

    /// What was wrapped; bytes that were put back are lost.
    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    /// Reads up to `length` bytes, fewer only at the end.
    fn read_up_to(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length);
        self.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl<R: BufRead> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.has_returned() {
            self.returned.read(buffer)
        } else {
            self.inner.read(buffer)
        }
    }
}

impl<R: BufRead> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.has_returned() {
            self.returned.fill_buf()
        } else {
            self.inner.fill_buf()
        }
    }

    fn consume(&mut self, amount: usize) {
        if self.has_returned() {
            self.returned.consume(amount);
        } else {
            self.inner.consume(amount);
        }
    }
}

/// Reads one member with the help of an index.
pub(super) struct IndexedMember<R> {
    source: Source<R>,
    /// Blocks that were not given to the pool yet.
    ahead: VecDeque<BlockSize>,
    /// The packed bytes of those that were, to go on from if they are not blocks.
    packed: VecDeque<Arc<Vec<u8>>>,
    pool: Option<Pool<Packed, Inflated>>,
    /// The present block, and how much of it was given out.
    current: Vec<u8>,
    at: usize,
    /// The last bytes that were given out.
    window: Vec<u8>,
    crc: Crc,
    tail: Option<Box<Decompress>>,
    ended: bool,
}

impl<R: BufRead> IndexedMember<R> {
    /// Begins a member; gives the source back, untouched, where the index cannot be about it.
    ///
    /// # Errors
    ///
    /// What reading gives.
    pub(super) fn begin(
        mut source: Source<R>,
        index: Index,
        threads: NonZeroUsize,
    ) -> io::Result<Result<Self, Source<R>>> {
        let header = source.read_up_to(HEADER.len())?;
        if header != HEADER {
            source.put_back(header);
            return Ok(Err(source));
        }
        let pool = Pool::new(threads, || {
            let mut inflater = Inflater::new();
            move |(packed, unpacked_bytes): Packed| {
                let bytes = inflater.inflate(&packed, unpacked_bytes)?;
                let mut crc = Crc::new();
                crc.update(&bytes);
                Ok((bytes, crc))
            }
        });
        Ok(Ok(Self {
            source,
            ahead: index.blocks.into(),
            packed: VecDeque::new(),
            pool: Some(pool),
            current: Vec::new(),
            at: 0,
            window: Vec::new(),
            crc: Crc::new(),
            tail: None,
            ended: false,
        }))
    }

    /// Whether the member held any data. Known at its end.
    pub(super) fn produced(&self) -> bool {
        self.crc.amount() > 0 || !self.window.is_empty()
    }

    /// Gives back the source; behind the member, once that has ended.
    pub(super) fn into_source(self) -> Source<R> {
        self.source
    }

    /// Makes the next block the present one; `false` where blocks are of no more help.
    fn next_block(&mut self) -> io::Result<bool> {
        let Some(pool) = &mut self.pool else {
            return Ok(false);
        };
        while !pool.is_full() {
            let Some(size) = self.ahead.pop_front() else {
                break;
            };
            let packed = Arc::new(self.source.read_up_to(size.packed_bytes as usize)?);
            self.packed.push_back(Arc::clone(&packed));
            pool.push((packed, size.unpacked_bytes as usize));
        }
        if let Some(Ok((bytes, crc))) = pool.pop() {
            self.packed.pop_front();
            self.crc.combine(&crc);
            self.remember(&bytes);
            self.current = bytes;
            self.at = 0;
            return Ok(true);
        }
        // All were read, or one is not a block: what was read ahead is read again, in sequence.
        self.pool = None;
        let unread: Vec<u8> = self
            .packed
            .drain(..)
            .flat_map(|packed| packed.to_vec())
            .collect();
        self.source.put_back(unread);
        self.ahead.clear();
        let mut tail = Box::new(Decompress::new(false));
        if !self.window.is_empty() {
            tail.set_dictionary(&self.window)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        self.tail = Some(tail);
        Ok(false)
    }

    fn remember(&mut self, bytes: &[u8]) {
        let keep = WINDOW_BYTES
            .saturating_sub(bytes.len())
            .min(self.window.len());
        self.window.drain(..self.window.len() - keep);
        self.window
            .extend_from_slice(&bytes[bytes.len().saturating_sub(WINDOW_BYTES)..]);
    }

    /// Reads on in sequence.
    fn read_tail(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let tail = self.tail.as_mut().expect("blocks were given up");
        loop {
            let input = self.source.fill_buf()?;
            let at_end = input.is_empty();
            let before = (tail.total_in(), tail.total_out());
            let flush = if at_end {
                FlushDecompress::Finish
            } else {
                FlushDecompress::None
            };
            let status = tail
                .decompress(input, buffer, flush)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error));
            let consumed = usize::try_from(tail.total_in() - before.0).unwrap_or(usize::MAX);
            self.source.consume(consumed);
            let read = usize::try_from(tail.total_out() - before.1).unwrap_or(usize::MAX);
            let status = status?;
            self.crc.update(&buffer[..read]);
            if status == Status::StreamEnd {
                self.check_trailer()?;
                self.ended = true;
                return Ok(read);
            }
            if read > 0 {
                return Ok(read);
            }
            if at_end {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn check_trailer(&mut self) -> io::Result<()> {
        let trailer = self.source.read_up_to(8)?;
        let (crc, size) = (
            self.crc.sum().to_le_bytes(),
            self.crc.amount().to_le_bytes(),
        );
        match trailer.len() {
            8 if trailer == [crc, size].concat() => Ok(()),
            8 => {
                let message = "the data does not match its checksum";
                Err(io::Error::new(io::ErrorKind::InvalidInput, message))
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl<R: BufRead> Read for IndexedMember<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.ended || buffer.is_empty() {
                return Ok(0);
            }
            if self.at < self.current.len() {
                let length = buffer.len().min(self.current.len() - self.at);
                buffer[..length].copy_from_slice(&self.current[self.at..self.at + length]);
                self.at += length;
                return Ok(length);
            }
            if self.tail.is_some() {
                return self.read_tail(buffer);
            }
            self.next_block()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::deflate::BlockWriter;
    use super::*;

    const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

    fn text() -> Vec<u8> {
        (0..60_000u32)
            .flat_map(|n| format!("{} ", n.wrapping_mul(n) % 9973).into_bytes())
            .collect()
    }

    fn pack(text: &[u8]) -> (Vec<u8>, Index) {
        let mut writer = BlockWriter::new(Vec::new(), 6, TWO).unwrap();
        for block in text.chunks(20_000) {
            writer.write_all(block).unwrap();
            writer.cut().unwrap();
        }
        let packed = writer.finish().unwrap();
        let index = Index::find(&mut io::Cursor::new(&packed)).unwrap().unwrap();
        (packed, index)
    }

    fn read(packed: &[u8], index: Index) -> io::Result<Vec<u8>> {
        let member = IndexedMember::begin(Source::new(packed), index, TWO)?;
        let Ok(mut member) = member else {
            panic!("the header is ours")
        };
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn blocks_give_what_was_written() {
        let text = text();
        let (packed, index) = pack(&text);
        assert!(index.blocks.len() > 10);
        assert_eq!(read(&packed, index).unwrap(), text);
    }

    #[test]
    fn an_index_that_lies_costs_only_time() {
        let text = text();
        let (packed, index) = pack(&text);
        for block in 0..index.blocks.len() {
            let mut lies = index.clone();
            lies.blocks[block].packed_bytes -= 1;
            assert_eq!(read(&packed, lies).unwrap(), text, "block {block} shorter");
            let mut lies = index.clone();
            lies.blocks[block].packed_bytes += 9;
            assert_eq!(read(&packed, lies).unwrap(), text, "block {block} longer");
            let mut lies = index.clone();
            lies.blocks[block].unpacked_bytes += 1;
            assert_eq!(
                read(&packed, lies).unwrap(),
                text,
                "block {block} with more in it"
            );
            let mut lies = index.clone();
            lies.blocks.truncate(block);
            assert_eq!(read(&packed, lies).unwrap(), text, "only {block} blocks");
        }
        let mut lies = index;
        lies.blocks.extend(
            [BlockSize {
                packed_bytes: 40,
                unpacked_bytes: 40,
            }; 3],
        );
        assert_eq!(read(&packed, lies).unwrap(), text, "more blocks");
    }

    #[test]
    fn an_index_is_no_help_with_another_compressors_data_and_no_harm() {
        let text = text();
        let mut encoder = flate2::GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(&text).unwrap();
        let mut packed = encoder.finish().unwrap();
        packed[..10].copy_from_slice(&HEADER);
        let (_, index) = pack(&text);
        assert_eq!(read(&packed, index).unwrap(), text);
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_an_error() {
        let text = &text()[..70_000];
        let (packed, index) = pack(text);
        let data = packed.len() - index.to_members().len();
        // The last byte of the deflated data is padding but for two bits.
        let padding = data - 9;
        let places = (HEADER.len()..data).step_by(131).chain(data - 12..data);
        for at in places.filter(|&at| at != padding) {
            assert!(read(&packed[..at], index.clone()).is_err(), "cut at {at}");
            let mut changed = packed.clone();
            changed[at] ^= 0x10;
            match read(&changed, index.clone()) {
                Err(_) => {}
                Ok(bytes) => panic!("byte {at} changed, {} bytes read", bytes.len()),
            }
        }
    }
}
