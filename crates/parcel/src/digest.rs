//! Checksums that fall out of reading and writing.
//!
//! Cloudera Manager checks a parcel by the SHA-1 of the compressed file (in `manifest.json` and in
//! the `.sha` side file); people check the SHA-256. Both are computed in the pass that moves the
//! bytes, so there is no checksum step that could be forgotten.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// A text that is not the hexadecimal form of a checksum of `expected` digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a checksum of {expected} hexadecimal digits", text.escape_debug())]
pub struct HexError {
    /// The text as given, cut to 80 characters.
    pub text: String,
    /// How many digits there should be.
    pub expected: usize,
}

macro_rules! hex_digest {
    ($(#[$doc:meta])* $type:ident, bytes = $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type([u8; $bytes]);

        impl $type {
            /// How many hexadecimal digits the checksum has.
            pub const DIGITS: usize = 2 * $bytes;

            /// The raw bytes.
            pub fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($type))
            }
        }

        impl FromStr for $type {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                let error =
                    || HexError { text: text.chars().take(80).collect(), expected: Self::DIGITS };
                if text.len() != Self::DIGITS || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(error());
                }
                let mut bytes = [0; $bytes];
                for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    let digits = std::str::from_utf8(digits).map_err(|_| error())?;
                    *byte = u8::from_str_radix(digits, 16).map_err(|_| error())?;
                }
                Ok(Self(bytes))
            }
        }

        impl TryFrom<String> for $type {
            type Error = HexError;

            fn try_from(text: String) -> Result<Self, HexError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(digest: $type) -> Self {
                digest.to_string()
            }
        }
    };
}

hex_digest! {
    /// A SHA-1, what Cloudera Manager checks a parcel by.
    Sha1Hex, bytes = 20
}
hex_digest! {
    /// A SHA-256, what people check a parcel by.
    Sha256Hex, bytes = 32
}

/// What is known of a stream of bytes once it has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// How many bytes passed.
    pub size_bytes: u64,
    /// Their SHA-1.
    pub sha1: Sha1Hex,
    /// Their SHA-256.
    pub sha256: Sha256Hex,
}

#[derive(Clone, Default)]
struct Hasher {
    size_bytes: u64,
    sha1: Sha1,
    sha256: Sha256,
}

impl Hasher {
    fn update(&mut self, bytes: &[u8]) {
        self.size_bytes += bytes.len() as u64;
        self.sha1.update(bytes);
        self.sha256.update(bytes);
    }

    fn finish(self) -> Digests {
        Digests {
            size_bytes: self.size_bytes,
            sha1: Sha1Hex(self.sha1.finalize().into()),
            sha256: Sha256Hex(self.sha256.finalize().into()),
        }
    }
}

impl From<Sha256> for Sha256Hex {
    fn from(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }
}

/// The SHA-256 of bytes in memory.
pub fn sha256(bytes: &[u8]) -> Sha256Hex {
    Sha256Hex(Sha256::digest(bytes).into())
}

/// Computes the checksums of a whole stream.
///
/// # Errors
///
/// What reading the stream gives.
pub fn of_reader(reader: impl Read) -> io::Result<Digests> {
    let mut reader = HashingReader::new(reader);
    io::copy(&mut reader, &mut io::sink())?;
    Ok(reader.finish().1)
}

/// A writer that computes the checksums of what the inner writer accepted.
pub struct HashingWriter<W> {
    inner: W,
    hasher: Hasher,
}

impl<W: Write> HashingWriter<W> {
    /// Wraps a writer.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Hasher::default(),
        }
    }

    /// Gives back the writer, and the checksums of all that was written.
    pub fn finish(self) -> (W, Digests) {
        (self.inner, self.hasher.finish())
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A reader that computes the checksums of what was read through it.
pub struct HashingReader<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> HashingReader<R> {
    /// Wraps a reader.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            hasher: Hasher::default(),
        }
    }

    /// Gives back the reader, and the checksums of all that was read.
    pub fn finish(self) -> (R, Digests) {
        (self.inner, self.hasher.finish())
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC_SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn reading_and_writing_give_the_published_test_vectors() {
        let read = of_reader(&b"abc"[..]).unwrap();
        let mut writer = HashingWriter::new(Vec::new());
        writer.write_all(b"abc").unwrap();
        let (bytes, written) = writer.finish();
        assert_eq!(bytes, b"abc");
        assert_eq!(read, written);
        assert_eq!(read.size_bytes, 3);
        assert_eq!(read.sha1.to_string(), ABC_SHA1);
        assert_eq!(read.sha256.to_string(), ABC_SHA256);
    }

    #[test]
    fn hexadecimal_reads_back_and_refuses_the_wrong_length() {
        let sha1: Sha1Hex = ABC_SHA1.parse().unwrap();
        assert_eq!(sha1.to_string(), ABC_SHA1);
        assert!(ABC_SHA256.parse::<Sha1Hex>().is_err());
        assert!(
            "g9993e364706816aba3e25717850c26c9cd0d89d"
                .parse::<Sha1Hex>()
                .is_err()
        );
        assert!("é".repeat(20).parse::<Sha1Hex>().is_err());
    }
}
