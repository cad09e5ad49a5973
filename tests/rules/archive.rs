//! Archives written by code, byte by byte where it must be: no tool and no version control keeps
//! what these hold.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

/// The metadata of the parcel that all of these are, unless they say otherwise.
pub(crate) const PARCEL_JSON: &str = r#"{
  "schema_version": 1,
  "name": "DEMO",
  "version": "1.0",
  "setActiveSymlink": true,
  "scripts": {"defines": "demo_env.sh"},
  "packages": [],
  "components": [{"name": "DEMO", "version": "1.0"}],
  "provides": [],
  "users": {},
  "groups": []
}
"#;

pub(crate) const FILE_NAME: &str = "DEMO-1.0-el8.parcel";

/// An archive in the making.
#[derive(Clone, Default)]
pub(crate) struct Archive {
    tar: Vec<u8>,
}

impl Archive {
    /// Nothing at all.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A good parcel, to which more can be added.
    pub(crate) fn good() -> Self {
        Self::new()
            .directory("DEMO-1.0/")
            .directory("DEMO-1.0/meta/")
            .file("DEMO-1.0/meta/parcel.json", PARCEL_JSON)
            .file("DEMO-1.0/meta/demo_env.sh", "export DEMO=1\n")
            .directory("DEMO-1.0/bin/")
            .entry(
                "DEMO-1.0/bin/demo",
                EntryType::Regular,
                0o755,
                None,
                b"#!/bin/sh\n",
            )
    }

    pub(crate) fn directory(self, name: &str) -> Self {
        self.entry(name, EntryType::Directory, 0o755, None, b"")
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(name, EntryType::Regular, 0o644, None, content.as_ref())
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(name, EntryType::Symlink, 0o777, Some(target), b"")
    }

    pub(crate) fn hard_link(self, name: &str, target: &str) -> Self {
        self.entry(name, EntryType::Link, 0o644, Some(target), b"")
    }

    /// An entry of any kind, its name written as it is given.
    pub(crate) fn entry(
        mut self,
        name: &str,
        kind: EntryType,
        mode: u32,
        link: Option<&str>,
        content: &[u8],
    ) -> Self {
        if name.len() > 100 {
            let text = [name.as_bytes(), b"\0"].concat();
            self = self.entry("././@LongLink", EntryType::GNULongName, 0o644, None, &text);
        }
        let mut header = header(name, kind, mode, content.len() as u64);
        if let Some(link) = link {
            fill(&mut header.as_old_mut().linkname, link);
            header.set_cksum();
        }
        self.tar.extend_from_slice(header.as_bytes());
        self.tar.extend_from_slice(content);
        self.tar.resize(self.tar.len().next_multiple_of(512), 0);
        self
    }

    /// The bytes of the tar, with its end.
    pub(crate) fn tar(&self) -> Vec<u8> {
        let mut tar = self.tar.clone();
        tar.resize(tar.len() + 1024, 0);
        tar
    }

    /// The bytes of the parcel.
    pub(crate) fn gzip(&self) -> Vec<u8> {
        gzip(&self.tar())
    }

    /// Writes the parcel into a folder.
    pub(crate) fn save(&self, folder: &Path) -> PathBuf {
        save(folder, FILE_NAME, &self.gzip())
    }
}

fn fill(field: &mut [u8], text: &str) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
}

/// A header whose name nobody cleans.
pub(crate) fn header(name: &str, kind: EntryType, mode: u32, size_bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(315_532_800);
    header.set_size(size_bytes);
    fill(&mut header.as_old_mut().name, name);
    header.set_cksum();
    header
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn save(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs_err::write(&path, bytes).unwrap();
    path
}
