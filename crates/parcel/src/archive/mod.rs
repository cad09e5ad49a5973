//! The `.parcel` file: a gzip-compressed tar of one directory.
//!
//! [`write`] makes one from a [`Tree`](crate::Tree), the same bytes every time; [`Reader`] streams
//! one, foreign and hostile ones included, holding nothing but the present entry.
//!
//! The archive is **one** gzip member with data: Cloudera's validator reads the first member only
//! and calls the rest a truncated archive.

mod gzip;
mod header;
mod read;
mod write;

pub use gzip::GzipFacts;
pub use read::{Damage, ReadError, Reader};
pub use write::{Epoch, Level, WriteError, WriteOptions, write};
