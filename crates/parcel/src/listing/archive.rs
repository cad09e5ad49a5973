//! A listing of a parcel file.

use std::io::Read;
use std::path::Path;

use super::{
    ArchiveFacts, Listing, ListingError, MOST_ENTRIES, MOST_NAME_BYTES, Observers, RawEntry,
    RawKind,
};
use crate::archive::{Damage, ReadError, Reader};
use crate::progress::{Progress, Step};

/// How much of a file is handed to the observers at once.
const CHUNK_BYTES: usize = 128 * 1024;

impl Listing {
    /// Lists a parcel file in one pass. Damage is part of the listing, not an error.
    ///
    /// # Errors
    ///
    /// [`ListingError`] when the file cannot be read at all.
    pub fn of_archive(
        path: &Path,
        observers: &mut Observers<'_>,
        progress: &dyn Progress,
    ) -> Result<Self, ListingError> {
        // Before opening: a named pipe would block for ever.
        let metadata = fs_err::metadata(path)?;
        if !metadata.is_file() {
            return Err(ListingError::WrongKind {
                path: path.to_owned(),
                expected: "file",
            });
        }
        let file = fs_err::File::open(path)?;
        progress.begin(Step::Read, Some(metadata.len()));
        let mut reader = Reader::open(file.into(), progress)?;
        let mut pass = Pass::default();
        let damage = match pass
            .run(&mut reader, observers)
            .and_then(|()| reader.read_to_end())
        {
            Ok(()) => None,
            Err(ReadError::Damage(damage)) => Some(damage),
            Err(ReadError::Io(error)) => return Err(error.into()),
        };
        let (digests, gzip) = reader.finish()?;
        progress.end();
        let meta_end_bytes = pass.meta_end_bytes;
        let archive = Some(ArchiveFacts {
            digests,
            gzip,
            damage,
            meta_end_bytes,
        });
        Ok(Self {
            entries: pass.entries,
            archive,
        })
    }
}

/// One pass over the entries of an archive.
#[derive(Default)]
struct Pass {
    entries: Vec<RawEntry>,
    name_bytes: usize,
    meta_end_bytes: u64,
}

impl Pass {
    fn run<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        observers: &mut Observers<'_>,
    ) -> Result<(), ReadError> {
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Some(entry) = reader.next_entry()? {
            self.name_bytes += entry.name.len() + entry.link.as_ref().map_or(0, Vec::len);
            if self.entries.len() >= MOST_ENTRIES || self.name_bytes > MOST_NAME_BYTES {
                return Err(ReadError::Damage(Damage::TooManyEntries {
                    most: MOST_ENTRIES,
                }));
            }
            if entry.name.split(|&byte| byte == b'/').nth(1) == Some(b"meta") {
                self.meta_end_bytes = reader.entry_end();
            }
            if entry.kind == RawKind::File && observers.begin(&entry) {
                loop {
                    let read = reader.read_content(&mut buffer)?;
                    if read == 0 {
                        break;
                    }
                    observers.chunk(&buffer[..read]);
                }
                observers.end();
            }
            self.entries.push(entry);
        }
        Ok(())
    }
}
