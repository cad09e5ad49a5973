//! Gzip members: how many there are, and what comes after them.

use std::io::{self, BufRead, Read};
use std::num::NonZeroUsize;

use flate2::bufread::GzDecoder;

use super::index::Index;
use super::inflate::{IndexedMember, Source};

/// What the gzip layer of a parcel is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GzipFacts {
    /// Members that hold data. Cloudera's validator reads only the first.
    pub data_members: u32,
    /// Members that hold none; every reader passes over them.
    pub empty_members: u32,
    /// Whether bytes that are not gzip follow the last member.
    pub trailing_bytes: bool,
}

/// Reads the data of all members, one after the other, and counts them.
pub(crate) struct GzipReader<R> {
    state: State<R>,
    facts: GzipFacts,
}

enum State<R> {
    /// The first member, with the help of an index.
    Indexed(Box<IndexedMember<R>>),
    Member {
        decoder: Box<GzDecoder<Source<R>>>,
        produced: bool,
    },
    /// Past the last member; what is left is not gzip.
    Done(Source<R>),
    /// Only while one state becomes the next.
    Moving,
}

impl<R: BufRead> GzipReader<R> {
    /// Reads in sequence.
    pub(crate) fn new(source: R) -> Self {
        Self {
            state: State::member(Source::new(source)),
            facts: GzipFacts::default(),
        }
    }

    /// Reads the first member on several threads, where the index is about it.
    ///
    /// # Errors
    ///
    /// What reading gives.
    pub(crate) fn indexed(source: R, index: Index, threads: NonZeroUsize) -> io::Result<Self> {
        let state = match IndexedMember::begin(Source::new(source), index, threads)? {
            Ok(member) => State::Indexed(Box::new(member)),
            Err(source) => State::member(source),
        };
        Ok(Self {
            state,
            facts: GzipFacts::default(),
        })
    }

    pub(crate) fn facts(&self) -> GzipFacts {
        self.facts
    }

    /// Gives back the compressed source, wherever it stands.
    pub(crate) fn into_source(self) -> R {
        let source = match self.state {
            State::Indexed(member) => member.into_source(),
            State::Member { decoder, .. } => decoder.into_inner(),
            State::Done(source) => source,
            State::Moving => unreachable!("a state is always put back"),
        };
        source.into_inner()
    }

    /// The present member is over: is there another?
    fn end_member(&mut self) -> io::Result<()> {
        let (mut source, produced) = match std::mem::replace(&mut self.state, State::Moving) {
            State::Indexed(member) => {
                let produced = member.produced();
                (member.into_source(), produced)
            }
            State::Member { decoder, produced } => (decoder.into_inner(), produced),
            State::Done(_) | State::Moving => unreachable!("only members end"),
        };
        if produced {
            self.facts.data_members += 1;
        } else {
            self.facts.empty_members += 1;
        }
        let next = source.fill_buf().map(|bytes| bytes.first().copied());
        self.state = match next {
            Ok(Some(0x1f)) => State::member(source),
            Ok(first) => {
                self.facts.trailing_bytes = first.is_some();
                State::Done(source)
            }
            Err(_) => State::Done(source),
        };
        next.map(|_| ())
    }
}

impl<R: BufRead> State<R> {
    fn member(source: Source<R>) -> Self {
        Self::Member {
            decoder: Box::new(GzDecoder::new(source)),
            produced: false,
        }
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match &mut self.state {
                State::Indexed(member) => member.read(buffer)?,
                State::Member { decoder, produced } => {
                    let read = decoder.read(buffer)?;
                    *produced |= read > 0;
                    read
                }
                State::Done(_) | State::Moving => return Ok(0),
            };
            if read > 0 {
                return Ok(read);
            }
            self.end_member()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(compressed: &[u8]) -> (io::Result<Vec<u8>>, GzipFacts) {
        let mut reader = GzipReader::new(compressed);
        let mut bytes = Vec::new();
        let result = reader.read_to_end(&mut bytes).map(|_| bytes);
        (result, reader.facts())
    }

    #[test]
    fn counts_members_with_and_without_data() {
        let (bytes, facts) = read(&[member(b"one"), member(b""), member(b"two")].concat());
        assert_eq!(bytes.unwrap(), b"onetwo");
        assert_eq!(
            facts,
            GzipFacts {
                data_members: 2,
                empty_members: 1,
                trailing_bytes: false
            }
        );
    }

    #[test]
    fn sees_bytes_after_the_last_member() {
        let (bytes, facts) = read(&[member(b"one"), b"junk".to_vec()].concat());
        assert_eq!(bytes.unwrap(), b"one");
        assert!(facts.trailing_bytes);
    }

    #[test]
    fn a_cut_or_changed_stream_is_an_error() {
        let whole = member(&[7; 4096]);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).0.is_err(), "cut at {end}");
        }
        let mut changed = whole.clone();
        let last_crc_byte = changed.len() - 5;
        changed[last_crc_byte] ^= 1;
        assert!(read(&changed).0.is_err());
    }
}
