//! How long work tells how far it is: the library speaks, the binary draws.

use std::io::{self, Read};

/// A step that takes long enough to be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Reading the files of a directory.
    Scan,
    /// Writing a parcel.
    Pack,
    /// Reading a parcel.
    Read,
    /// Unpacking a parcel under a root.
    Unpack,
}

/// Receives the progress of a step. Every method does nothing unless it is implemented.
pub trait Progress {
    /// A step begins; `total_bytes` is what it will count up to, where that is known.
    fn begin(&self, step: Step, total_bytes: Option<u64>) {
        let _ = (step, total_bytes);
    }

    /// So many bytes more are done.
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }

    /// The step is over.
    fn end(&self) {}
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}

/// A reader that tells how many bytes were read through it.
pub(crate) struct CountingReader<'a, R> {
    inner: R,
    progress: &'a dyn Progress,
}

impl<'a, R: Read> CountingReader<'a, R> {
    pub(crate) fn new(inner: R, progress: &'a dyn Progress) -> Self {
        Self { inner, progress }
    }
}

impl<R: Read> Read for CountingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}
