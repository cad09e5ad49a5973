//! Those who look at content while it passes.

use std::collections::BTreeMap;
use std::fmt;

use memchr::memmem;
use sha2::{Digest as _, Sha256};

use super::RawEntry;
use crate::digest::Sha256Hex;

/// Looks at the content of entries while a [`super::Listing`] is made.
pub trait Observer {
    /// A file begins. Returns whether this observer wants its content.
    fn begin(&mut self, entry: &RawEntry) -> bool;
    /// The next bytes of the file.
    fn chunk(&mut self, bytes: &[u8]);
    /// The file is over.
    fn end(&mut self);
}

/// The observers of one pass.
pub struct Observers<'a> {
    all: Vec<&'a mut dyn Observer>,
    /// Which of them want the present file.
    active: Vec<bool>,
}

impl<'a> Observers<'a> {
    /// Nobody looks.
    pub fn none() -> Self {
        Self::new(Vec::new())
    }

    /// These look.
    pub fn new(all: Vec<&'a mut dyn Observer>) -> Self {
        let active = vec![false; all.len()];
        Self { all, active }
    }

    /// A file begins; returns whether anyone wants its content.
    pub(crate) fn begin(&mut self, entry: &RawEntry) -> bool {
        for (active, observer) in self.active.iter_mut().zip(&mut self.all) {
            *active = observer.begin(entry);
        }
        self.active.contains(&true)
    }

    pub(crate) fn chunk(&mut self, bytes: &[u8]) {
        for (active, observer) in self.active.iter().zip(&mut self.all) {
            if *active {
                observer.chunk(bytes);
            }
        }
    }

    pub(crate) fn end(&mut self) {
        for (active, observer) in self.active.iter_mut().zip(&mut self.all) {
            if std::mem::take(active) {
                observer.end();
            }
        }
    }
}

/// The largest document that is kept whole: 16 MiB.
///
/// The largest `parcel.json` seen in public, with every package of CDH, is under 100 KiB; a
/// hostile one must not fill the memory.
pub const DOCUMENT_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// A file of `meta/`, kept whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// Its content.
    Content(Vec<u8>),
    /// It is larger than [`DOCUMENT_LIMIT_BYTES`] and was not kept.
    TooLarge {
        /// Its size.
        size_bytes: u64,
    },
}

/// All documents of a parcel together are kept up to here.
const TOTAL_LIMIT_BYTES: u64 = 4 * DOCUMENT_LIMIT_BYTES;

/// Keeps the files directly in `TOP/meta/`, by their name.
///
/// `TOP` is the directory of the first file that comes: an archive that holds another directory
/// beside it does not get to replace the metadata.
#[derive(Debug, Default)]
pub struct Documents {
    kept: BTreeMap<String, Document>,
    current: Option<(String, Vec<u8>)>,
    top: Option<Vec<u8>>,
    total_bytes: u64,
}

impl Documents {
    /// A document by its name in `meta/`, for example `parcel.json`.
    pub fn get(&self, name: &str) -> Option<&Document> {
        self.kept.get(name)
    }

    /// The content of a document that was there and not too large.
    pub fn content(&self, name: &str) -> Option<&[u8]> {
        match self.kept.get(name)? {
            Document::Content(bytes) => Some(bytes),
            Document::TooLarge { .. } => None,
        }
    }
}

/// A name without the `./` that some archives have before every one. Such an archive is wrong, but
/// its metadata can be looked at all the same.
fn without_dot(mut name: &[u8]) -> &[u8] {
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    name
}

/// The name of a file that lies directly in `TOP/meta/`.
fn document_name(name: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(without_dot(name)).ok()?;
    let mut parts = name.split('/');
    let (_top, meta, file) = (parts.next()?, parts.next()?, parts.next()?);
    (meta == "meta" && parts.next().is_none()).then_some(file)
}

impl Observer for Documents {
    fn begin(&mut self, entry: &RawEntry) -> bool {
        let entry_top = without_dot(&entry.name).split(|&byte| byte == b'/').next();
        let entry_top = entry_top.unwrap_or_default();
        if self.top.get_or_insert_with(|| entry_top.to_vec()) != entry_top {
            return false;
        }
        let Some(name) = document_name(&entry.name) else {
            return false;
        };
        let size_bytes = entry.size_bytes;
        self.total_bytes = self.total_bytes.saturating_add(size_bytes);
        if size_bytes > DOCUMENT_LIMIT_BYTES || self.total_bytes > TOTAL_LIMIT_BYTES {
            self.kept
                .insert(name.to_owned(), Document::TooLarge { size_bytes });
            return false;
        }
        self.current = Some((name.to_owned(), Vec::new()));
        true
    }

    fn chunk(&mut self, bytes: &[u8]) {
        if let Some((_, content)) = &mut self.current {
            content.extend_from_slice(bytes);
        }
    }

    fn end(&mut self) {
        if let Some((name, content)) = self.current.take() {
            self.kept.insert(name, Document::Content(content));
        }
    }
}

/// Computes the SHA-256 of every file, by its whole name.
#[derive(Default)]
pub struct ContentHashes {
    hashes: BTreeMap<Vec<u8>, Sha256Hex>,
    current: Option<(Vec<u8>, Sha256)>,
}

impl ContentHashes {
    /// The hash of a file's content.
    pub fn get(&self, name: &[u8]) -> Option<Sha256Hex> {
        self.hashes.get(name).copied()
    }
}

impl Observer for ContentHashes {
    fn begin(&mut self, entry: &RawEntry) -> bool {
        self.current = Some((entry.name.clone(), Sha256::new()));
        true
    }

    fn chunk(&mut self, bytes: &[u8]) {
        if let Some((_, hasher)) = &mut self.current {
            hasher.update(bytes);
        }
    }

    fn end(&mut self) {
        if let Some((name, hasher)) = self.current.take() {
            self.hashes.insert(name, Sha256Hex::from(hasher));
        }
    }
}

/// A text that must not occur in any file.
#[derive(Clone, PartialEq, Eq)]
pub struct Needle {
    /// The bytes that must not occur.
    pub bytes: Vec<u8>,
    /// What they are, for people: `the build folder`.
    pub meaning: String,
}

impl fmt::Debug for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Needle({}: {:?})",
            self.meaning,
            String::from_utf8_lossy(&self.bytes)
        )
    }
}

/// A needle that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The whole name of the file.
    pub name: Vec<u8>,
    /// How many bytes into the file the needle begins.
    pub offset: u64,
    /// Which one of the needles it was.
    pub needle: Needle,
}

/// Searches every file for texts that must not be there, such as paths of the build machine.
///
/// The first occurrence of each needle in a file is reported.
pub struct Needles {
    finders: Vec<(Needle, memmem::Finder<'static>)>,
    longest: usize,
    current: Vec<u8>,
    /// The end of the last chunk: a needle may lie across two.
    tail: Vec<u8>,
    tail_offset: u64,
    met: Vec<bool>,
    found: Vec<Found>,
}

impl Needles {
    /// Searches for these. An empty needle is ignored.
    pub fn new(needles: Vec<Needle>) -> Self {
        let finders: Vec<_> = needles
            .into_iter()
            .filter(|needle| !needle.bytes.is_empty())
            .map(|needle| {
                let finder = memmem::Finder::new(&needle.bytes).into_owned();
                (needle, finder)
            })
            .collect();
        Self {
            longest: finders
                .iter()
                .map(|(needle, _)| needle.bytes.len())
                .max()
                .unwrap_or(0),
            met: vec![false; finders.len()],
            finders,
            current: Vec::new(),
            tail: Vec::new(),
            tail_offset: 0,
            found: Vec::new(),
        }
    }

    /// What was found, in the order of the pass.
    pub fn found(&self) -> &[Found] {
        &self.found
    }
}

impl Observer for Needles {
    fn begin(&mut self, entry: &RawEntry) -> bool {
        self.current.clone_from(&entry.name);
        self.tail.clear();
        self.tail_offset = 0;
        self.met.fill(false);
        !self.finders.is_empty()
    }

    fn chunk(&mut self, bytes: &[u8]) {
        // The window is the end of what came before plus the new bytes, so that nothing is missed
        // at the seam. Chunks are large, so the copy is cheap beside the search.
        self.tail.extend_from_slice(bytes);
        for ((needle, finder), met) in self.finders.iter().zip(&mut self.met) {
            if *met {
                continue;
            }
            if let Some(position) = finder.find(&self.tail) {
                *met = true;
                self.found.push(Found {
                    name: self.current.clone(),
                    offset: self.tail_offset + position as u64,
                    needle: needle.clone(),
                });
            }
        }
        let keep = self.longest.saturating_sub(1).min(self.tail.len());
        let drop = self.tail.len() - keep;
        self.tail.drain(..drop);
        self.tail_offset += drop as u64;
    }

    fn end(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::RawKind;

    fn file(name: &str) -> RawEntry {
        RawEntry {
            name: name.into(),
            kind: RawKind::File,
            mode: 0o644,
            size_bytes: 0,
            link: None,
            mtime: 0,
        }
    }

    #[test]
    fn a_needle_across_two_chunks_is_found_at_its_place() {
        let needle = Needle {
            bytes: b"/build/me".to_vec(),
            meaning: "the build folder".into(),
        };
        for cut in 0..20 {
            let content = b"01234 /build/me rest";
            let mut needles = Needles::new(vec![needle.clone()]);
            assert!(needles.begin(&file("A-1/x")));
            needles.chunk(&content[..cut]);
            needles.chunk(&content[cut..]);
            needles.end();
            assert_eq!(needles.found().len(), 1, "cut at {cut}");
            assert_eq!(needles.found()[0].offset, 6, "cut at {cut}");
        }
    }

    #[test]
    fn only_files_directly_in_meta_are_documents() {
        assert_eq!(document_name(b"A-1/meta/parcel.json"), Some("parcel.json"));
        assert_eq!(document_name(b"A-1/meta/a/parcel.json"), None);
        assert_eq!(document_name(b"A-1/x/meta/parcel.json"), None);
        assert_eq!(document_name(b"meta/parcel.json"), None);
    }

    #[test]
    fn a_document_over_the_limit_is_not_kept() {
        let mut documents = Documents::default();
        let mut entry = file("A-1/meta/parcel.json");
        entry.size_bytes = DOCUMENT_LIMIT_BYTES + 1;
        assert!(!documents.begin(&entry));
        assert!(documents.content("parcel.json").is_none());
        assert!(matches!(
            documents.get("parcel.json"),
            Some(Document::TooLarge { .. })
        ));
    }
}
