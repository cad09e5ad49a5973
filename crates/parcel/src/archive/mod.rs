//! The `.parcel` file: a gzip-compressed tar of one directory.
//!
//! [`write()`] makes one from a [`Tree`](crate::Tree), the same bytes every time; [`Reader`] streams
//! one, foreign and hostile ones included, holding nothing but the present entry.
//!
//! The archive is **one** gzip member with data: Cloudera's validator reads the first member only
//! and calls the rest a truncated archive.

mod block;
mod deflate;
mod gzip;
mod header;
mod index;
mod inflate;
mod pool;
mod read;
mod write;

pub use gzip::GzipFacts;
pub use read::{Damage, ReadError, Reader};
pub use write::{Epoch, Level, WriteError, WriteOptions, write};

/// More threads would not be faster, but take memory: each has a few blocks in flight.
const MOST_THREADS: std::num::NonZeroUsize = std::num::NonZeroUsize::new(16).unwrap();

/// As many threads as this machine has processors for us.
fn available_threads() -> std::num::NonZeroUsize {
    std::thread::available_parallelism()
        .map_or(std::num::NonZeroUsize::MIN, |n| n.min(MOST_THREADS))
}
