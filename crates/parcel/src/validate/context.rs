//! All that is known of a subject when the rules run.

use std::path::Path;

use super::document::{DocKind, Document};
use super::index::Index;
use super::relation::Relations;
use super::report::SubjectKind;
use super::repository::Folder;
use crate::listing::{Document as Kept, Documents, Listing, Scan};
use crate::name::{PARCEL_ENDING, ParcelName};

/// What became of a document of the subject.
pub(crate) enum Slot {
    /// It is not there.
    Absent,
    /// It is larger than can be looked at.
    TooLarge {
        size_bytes: u64,
    },
    Met(Document),
}

/// The three parts of a file name, before anyone asks whether they are good ones.
pub(crate) struct FileName {
    pub(crate) whole: String,
    /// Product, version and distro; `None` where the name cannot be split.
    pub(crate) parts: Option<(String, String, String)>,
}

impl FileName {
    pub(crate) fn of(whole: &str) -> Self {
        let parts = whole.strip_suffix(PARCEL_ENDING).and_then(|stem| {
            let (product, rest) = stem.split_once('-')?;
            let (version, distro) = rest.rsplit_once('-')?;
            let parts = [product, version, distro];
            let full = parts.iter().all(|part| !part.is_empty());
            full.then(|| (product.to_owned(), version.to_owned(), distro.to_owned()))
        });
        Self {
            whole: whole.to_owned(),
            parts,
        }
    }
}

/// All that is known of a subject.
pub(crate) struct Context<'a> {
    /// The entries of a parcel or a directory.
    pub(crate) listing: Option<&'a Listing>,
    pub(crate) index: Option<Index<'a>>,
    /// What the content showed.
    pub(crate) scan: Option<&'a Scan>,
    /// The file's name, of a parcel.
    pub(crate) file_name: Option<FileName>,
    /// The texts in `meta/` that are not JSON.
    pub(crate) texts: Option<&'a Documents>,
    /// A repository.
    pub(crate) folder: Option<&'a Folder>,
    /// The expressions of `parcel.json` or of the manifest's entries.
    slots: [Slot; 4],
}

impl<'a> Context<'a> {
    /// Nothing is known yet.
    pub(crate) fn empty() -> Self {
        Self {
            listing: None,
            index: None,
            scan: None,
            file_name: None,
            texts: None,
            folder: None,
            slots: [Slot::Absent, Slot::Absent, Slot::Absent, Slot::Absent],
        }
    }

    /// A document alone.
    pub(crate) fn of_document(document: Slot, kind: DocKind) -> Self {
        let mut context = Self::empty();
        *context.slot_mut(kind) = document;
        context
    }

    /// A repository.
    pub(crate) fn of_folder(folder: &'a Folder, manifest: Slot) -> Self {
        let mut context = Self::of_document(manifest, DocKind::Manifest);
        context.folder = Some(folder);
        context
    }

    /// A parcel or a directory.
    pub(crate) fn of_content(
        listing: &'a Listing,
        kind: SubjectKind,
        path: &Path,
        name: Option<&ParcelName>,
        documents: &'a Documents,
        scan: &'a Scan,
    ) -> Self {
        let mut context = Self::empty();
        context.file_name = match (name, kind) {
            (Some(name), _) => Some(FileName::of(&name.file_name())),
            (None, SubjectKind::Parcel) => path
                .file_name()
                .map(|name| FileName::of(&name.to_string_lossy())),
            _ => None,
        };
        for kind in [
            DocKind::ParcelJson,
            DocKind::Alternatives,
            DocKind::Permissions,
        ] {
            let file = format!("meta/{}", kind.file_name());
            *context.slot_mut(kind) = match documents.get(kind.file_name()) {
                None => Slot::Absent,
                Some(Kept::TooLarge { size_bytes }) => Slot::TooLarge {
                    size_bytes: *size_bytes,
                },
                Some(Kept::Content(bytes)) => Slot::Met(Document::read(kind, file, bytes)),
            };
        }
        context.listing = Some(listing);
        context.index = Some(Index::of(listing));
        context.texts = Some(documents);
        context.scan = Some(scan);
        context
    }

    fn slot_mut(&mut self, kind: DocKind) -> &mut Slot {
        &mut self.slots[kind as usize]
    }

    /// What became of a document.
    pub(crate) fn slot(&self, kind: DocKind) -> &Slot {
        &self.slots[kind as usize]
    }

    /// A document that is JSON, whatever else is wrong with it.
    pub(crate) fn document(&self, kind: DocKind) -> Option<&Document> {
        match self.slot(kind) {
            Slot::Met(document) if document.parsed.root.is_some() => Some(document),
            _ => None,
        }
    }

    /// All documents that were met, JSON or not.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Document> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Met(document) => Some(document),
            _ => None,
        })
    }

    /// Whether a document is there but cannot be used.
    pub(crate) fn is_broken(&self, kind: DocKind) -> bool {
        !matches!(self.slot(kind), Slot::Absent) && self.document(kind).is_none()
    }

    /// `parcel.json`.
    pub(crate) fn parcel_json(&self) -> Option<&Document> {
        self.document(DocKind::ParcelJson)
    }

    /// The distro suffix of the file's name.
    pub(crate) fn distro(&self) -> Option<&str> {
        let (_, _, distro) = self.file_name.as_ref()?.parts.as_ref()?;
        Some(distro)
    }

    /// The expressions of all documents.
    pub(crate) fn relations(&self) -> Vec<Relations<'_>> {
        Relations::of(self)
    }
}
