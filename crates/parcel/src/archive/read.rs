//! Streams a parcel, whoever wrote it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use super::available_threads;
use super::gzip::{GzipFacts, GzipReader};
use super::header::{self, BLOCK_BYTES};
use super::index::Index;
use crate::digest::{Digests, HashingReader};
use crate::listing::{RawEntry, RawKind};
use crate::progress::{CountingReader, Progress};

/// What keeps an archive from being read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// The file does not begin as gzip does.
    #[error("not gzip: the file begins with {start}")]
    NotGzip {
        /// What it begins with, for people.
        start: String,
    },
    /// The file ends in the middle.
    #[error("the file is cut off after {unpacked_bytes} unpacked bytes")]
    Truncated {
        /// How far reading came.
        unpacked_bytes: u64,
    },
    /// The compressed data is wrong, or does not match its checksum.
    #[error("the compressed data is damaged after {unpacked_bytes} unpacked bytes: {reason}")]
    Corrupt {
        /// How far reading came.
        unpacked_bytes: u64,
        /// What the decoder said.
        reason: String,
    },
    /// Something is not a tar header where one should be.
    #[error("not a tar header at unpacked byte {offset}")]
    Header {
        /// Where it should be.
        offset: u64,
    },
    /// An extended header or long name is larger than any real one.
    #[error("a name or extended header of {size_bytes} bytes at unpacked byte {offset}")]
    Oversized {
        /// Where it is.
        offset: u64,
        /// How large it says it is.
        size_bytes: u64,
    },
    /// More entries than a reader can be asked to remember.
    #[error("more than {most} entries")]
    TooManyEntries {
        /// How many are the most.
        most: usize,
    },
    /// Much data follows the end of the archive.
    #[error("data follows the end of the archive at unpacked byte {offset}")]
    AfterEnd {
        /// Where the archive ended.
        offset: u64,
    },
}

/// Why reading a parcel stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The disk or the network failed.
    #[error("cannot read the parcel")]
    Io(#[source] io::Error),
    /// The parcel is not what a parcel must be.
    #[error("the parcel is damaged: {0}")]
    Damage(Damage),
}

/// Long names and extended headers over this are an attack, not a name.
const EXTENSION_LIMIT_BYTES: u64 = 64 * 1024;
/// Tar pads its end to a multiple of 10 KiB; more than this after the end is something else.
const END_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// Streams the entries of a parcel, in order, and their content.
///
/// The checksums of the compressed file come out at the end of the same pass.
pub struct Reader<R> {
    stream: GzipReader<BufReader<HashingReader<R>>>,
    position: u64,
    /// Content of the present entry that was not read yet.
    content_left: u64,
    /// Zeros after it.
    padding_left: usize,
    ended: bool,
    /// What the first bytes of the file already told.
    refused: Option<Damage>,
}

/// Names that come before the entry they belong to.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size_bytes: Option<u64>,
    /// Whether the content is a map of a sparse file and its parts, not the file.
    sparse: bool,
}

/// What is read is hashed first, so that the checksums are those of the compressed file.
fn buffered<R: Read>(source: R) -> BufReader<HashingReader<R>> {
    BufReader::with_capacity(256 * 1024, HashingReader::new(source))
}

impl<'a> Reader<CountingReader<'a, File>> {
    /// Reads a parcel file, on all cores where it has an index.
    pub(crate) fn open(mut file: File, progress: &'a dyn Progress) -> io::Result<Self> {
        let mut start = Vec::new();
        file.by_ref().take(4).read_to_end(&mut start)?;
        file.rewind()?;
        let index = Index::find(&mut file)?;
        let source = buffered(CountingReader::new(file, progress));
        let stream = match index {
            Some(index) => GzipReader::indexed(source, index, available_threads())?,
            None => GzipReader::new(source),
        };
        Ok(Self {
            refused: early_damage(&start),
            ..Self::of_stream(stream)
        })
    }
}

impl<R: Read> Reader<R> {
    /// Reads a parcel from its first byte.
    pub fn new(source: R) -> Self {
        Self::of_stream(GzipReader::new(buffered(source)))
    }

    fn of_stream(stream: GzipReader<BufReader<HashingReader<R>>>) -> Self {
        Self {
            stream,
            position: 0,
            content_left: 0,
            padding_left: 0,
            ended: false,
            refused: None,
        }
    }

    /// How many bytes of tar were read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next entry; what is left of the content of the one before is passed over.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn next_entry(&mut self) -> Result<Option<RawEntry>, ReadError> {
        if let Some(damage) = self.refused.take() {
            return Err(ReadError::Damage(damage));
        }
        let mut extensions = Extensions::default();
        loop {
            self.skip_content()?;
            if self.ended {
                return Ok(None);
            }
            let offset = self.position;
            let mut block = [0; BLOCK_BYTES];
            self.read_exactly(&mut block)?;
            if block.iter().all(|&byte| byte == 0) {
                self.ended = true;
                return Ok(None);
            }
            let decoded =
                header::decode(&block).ok_or(ReadError::Damage(Damage::Header { offset }))?;
            self.content_left = decoded.content_bytes;
            self.padding_left = header::padding(decoded.content_bytes);
            match decoded.type_flag {
                b'L' => extensions.name = Some(self.extension(offset)?),
                b'K' => extensions.link = Some(self.extension(offset)?),
                b'x' => {
                    let records = self.extension(offset)?;
                    extensions
                        .apply_pax(&records)
                        .ok_or(ReadError::Damage(Damage::Header { offset }))?;
                }
                // Applies to all that follows. Comments are harmless; a name or a size for all
                // entries is not, because readers differ in what they make of it.
                b'g' => {
                    let mut global = Extensions::default();
                    let records = self.extension(offset)?;
                    let understood = global.apply_pax(&records).is_some();
                    if !understood || !global.is_empty() {
                        return Err(ReadError::Damage(Damage::Header { offset }));
                    }
                }
                // The map of a sparse file goes on in blocks of its own, which no size counts.
                b'S' => {
                    let mut more = block[header::SPARSE_MORE_AT] != 0;
                    while more {
                        self.read_exactly(&mut block)?;
                        more = block[header::SPARSE_STILL_MORE_AT] != 0;
                    }
                    return Ok(Some(self.complete(decoded.entry, extensions)));
                }
                _ => return Ok(Some(self.complete(decoded.entry, extensions))),
            }
        }
    }

    /// Puts long names and sizes into the entry they were meant for.
    fn complete(&mut self, mut entry: RawEntry, extensions: Extensions) -> RawEntry {
        if let Some(name) = extensions.name {
            entry.name = name;
        }
        if let (Some(link), Some(_)) = (extensions.link, &entry.link) {
            entry.link = Some(link);
        }
        if extensions.sparse && entry.kind == RawKind::File {
            entry.kind = RawKind::Other(b'S');
            entry.size_bytes = 0;
        }
        if let (Some(size_bytes), RawKind::File | RawKind::Other(_)) =
            (extensions.size_bytes, entry.kind)
        {
            self.content_left = size_bytes;
            self.padding_left = header::padding(size_bytes);
            if entry.kind == RawKind::File {
                entry.size_bytes = size_bytes;
            }
        }
        // Before POSIX, a directory was a file whose name ends in a slash. Only the whole name can
        // tell: a long one is cut at any byte in the header.
        if entry.kind == RawKind::File && entry.name.ends_with(b"/") {
            entry.kind = RawKind::Directory;
            entry.size_bytes = 0;
        }
        entry
    }

    /// Reads more of the present entry's content; 0 at its end.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let most = usize::try_from(self.content_left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.read_some(&mut buffer[..most])?;
        if read == 0 {
            return Err(ReadError::Damage(Damage::Truncated {
                unpacked_bytes: self.position,
            }));
        }
        self.content_left -= read as u64;
        Ok(read)
    }

    /// Bytes of tar at which the present entry ends, padding included.
    pub(crate) fn entry_end(&self) -> u64 {
        self.position
            .saturating_add(self.content_left)
            .saturating_add(self.padding_left as u64)
    }

    /// Reads to the end of the data, so that its checksum is checked. Entries that were not read
    /// are passed over.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn read_to_end(&mut self) -> Result<(), ReadError> {
        while self.next_entry()?.is_some() {}
        let offset = self.position;
        let mut buffer = vec![0; 64 * 1024];
        let mut after_end = false;
        // To the very end even so: what follows may be nothing but damage, which the checksum shows.
        loop {
            let read = self.read_some(&mut buffer)?;
            if read == 0 {
                break;
            }
            let is_data = buffer[..read].iter().any(|&byte| byte != 0);
            after_end |= is_data || self.position - offset > END_LIMIT_BYTES;
        }
        if after_end {
            return Err(ReadError::Damage(Damage::AfterEnd { offset }));
        }
        Ok(())
    }

    /// Reads the rest of the compressed file without looking at it, and gives its checksums. What
    /// is told of its members is what was met so far.
    ///
    /// # Errors
    ///
    /// What reading the file gives.
    pub fn finish(self) -> io::Result<(Digests, GzipFacts)> {
        let facts = self.stream.facts();
        let mut source = self.stream.into_source();
        io::copy(&mut source, &mut io::sink())?;
        Ok((source.into_inner().finish().1, facts))
    }

    /// The whole content of the present entry, which must be short.
    fn extension(&mut self, offset: u64) -> Result<Vec<u8>, ReadError> {
        let size_bytes = self.content_left;
        if size_bytes > EXTENSION_LIMIT_BYTES {
            return Err(ReadError::Damage(Damage::Oversized { offset, size_bytes }));
        }
        let mut content = vec![0; usize::try_from(size_bytes).unwrap_or_default()];
        self.content_left = 0;
        self.read_exactly(&mut content)?;
        // GNU tar ends a long name with NUL; pax records end with a line feed.
        while content.last() == Some(&0) {
            content.pop();
        }
        Ok(content)
    }

    fn skip_content(&mut self) -> Result<(), ReadError> {
        let mut buffer = [0; 8192];
        while self.read_content(&mut buffer)? > 0 {}
        let padding = std::mem::take(&mut self.padding_left);
        self.read_exactly(&mut buffer[..padding])
    }

    fn read_exactly(&mut self, mut buffer: &mut [u8]) -> Result<(), ReadError> {
        while !buffer.is_empty() {
            let read = self.read_some(buffer)?;
            if read == 0 {
                return Err(ReadError::Damage(Damage::Truncated {
                    unpacked_bytes: self.position,
                }));
            }
            buffer = &mut buffer[read..];
        }
        Ok(())
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let unpacked_bytes = self.position;
        loop {
            match self.stream.read(buffer) {
                Ok(read) => {
                    self.position += read as u64;
                    return Ok(read);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::UnexpectedEof => {
                        return Err(ReadError::Damage(Damage::Truncated { unpacked_bytes }));
                    }
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                        let reason = error.to_string();
                        return Err(ReadError::Damage(Damage::Corrupt {
                            unpacked_bytes,
                            reason,
                        }));
                    }
                    _ => return Err(ReadError::Io(error)),
                },
            }
        }
    }
}

impl Extensions {
    /// Takes what matters from pax records; `None` where they are not records.
    ///
    /// A record is `LENGTH KEY=VALUE` and a line feed, and its length counts all of it: a value may
    /// hold line feeds of its own.
    fn apply_pax(&mut self, mut records: &[u8]) -> Option<()> {
        while !records.is_empty() {
            let blank = records.iter().position(|&byte| byte == b' ')?;
            let length: usize = std::str::from_utf8(&records[..blank]).ok()?.parse().ok()?;
            let (record, rest) = records.split_at_checked(length)?;
            let record = record.get(blank + 1..)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|&byte| byte == b'=')?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => {
                    let size_bytes = std::str::from_utf8(value).ok()?.parse().ok()?;
                    self.size_bytes = Some(size_bytes).filter(|&size| size <= header::MOST_BYTES);
                    self.size_bytes?;
                }
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
            records = rest;
        }
        Some(())
    }

    /// Whether nothing was said about an entry.
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.link.is_none() && self.size_bytes.is_none() && !self.sparse
    }
}

/// What the first bytes already tell.
fn early_damage(start: &[u8]) -> Option<Damage> {
    let not_gzip = |start: &str| {
        Some(Damage::NotGzip {
            start: start.to_owned(),
        })
    };
    match start {
        [] => Some(Damage::Empty),
        [0x1f, 0x8b, ..] => None,
        [b'B', b'Z', b'h', ..] => not_gzip("bzip2 data"),
        [0xfd, b'7', b'z', b'X'] => not_gzip("xz data"),
        [0x28, 0xb5, 0x2f, 0xfd] => not_gzip("zstd data"),
        [b'P', b'K', ..] => not_gzip("zip data"),
        [b'<', ..] => not_gzip("\"<\", as a web page does"),
        other => not_gzip(&format!("{other:02x?}")),
    }
}
