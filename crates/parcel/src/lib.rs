//! The Cloudera parcel format: build, read, validate, index and install.
//!
//! A **parcel** is a gzip-compressed tar of one directory `NAME-VERSION/` with its metadata in
//! `meta/`. Cloudera Manager distributes it, agents unpack it on every host under
//! `/opt/cloudera/parcels`, and a link `NAME` leads to the active version.
//!
//! ```text
//! directory --> Listing --> Tree --> Parcel (+ digests) --> manifest.json --> a root
//!               what is     proven   X.parcel, .sha,
//!               there       safe     .sha256
//!                  \___________ validate stands beside ___________/
//! ```
//!
//! The nouns, in the order of the flow:
//!
//! - [`ParcelName`] and its parts, and the [distro table](distro): what a parcel is called and which
//!   system it is for.
//! - [`Listing`]: the raw entries of a directory or an archive, hostile ones included, from one pass
//!   in which [observers](listing::Observer) look at the content.
//! - [`Tree`]: a listing proven safe by a [`Checker`].
//! - [`meta::Meta`]: the documents in `meta/`, one module each.
//! - [`Builder`] and [`archive`]: a tree becomes a [`Parcel`], the same bytes every time.
//! - [`repository`]: a folder of parcels and its `manifest.json`.
//! - [`install::Installer`]: a parcel becomes a directory under a root, or nothing changes.
//! - [`validate`]: what is wrong with any of these, as data.
//!
//! The crate knows nothing of conda, HTTP, Cloudera Manager, terminals, clocks and environment
//! variables.
//!
//! # A parcel from start to end
//!
//! ```
//! use parcel::install::Installer;
//! use parcel::progress::Silent;
//! use parcel::{Builder, repository};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (work, out, root) = (folder.path().join("work"), folder.path().join("out"), folder.path().join("root"));
//! # for directory in [&work, &out, &root] { std::fs::create_dir(directory)?; }
//!
//! // A directory as it should be on every host.
//! let directory = work.join("HELLO-1.0");
//! std::fs::create_dir_all(directory.join("meta"))?;
//! std::fs::write(directory.join("meta/env.sh"), "# sourced by Cloudera Manager\n")?;
//! std::fs::write(
//!     directory.join("meta/parcel.json"),
//!     r#"{
//!       "schema_version": 1, "name": "HELLO", "version": "1.0", "setActiveSymlink": true,
//!       "scripts": {"defines": "env.sh"}, "packages": [], "components": [],
//!       "users": {}, "groups": []
//!     }"#,
//! )?;
//!
//! // It becomes a parcel with side files; a wrong one would not be written.
//! let parcel = Builder::new(&directory, "HELLO-1.0-el8.parcel".parse()?).build(&out, &Silent)?;
//!
//! // The folder becomes a repository.
//! let manifest = repository::index(&out, &Silent)?;
//! assert_eq!(manifest.parcels[0].hash, parcel.digests.sha1);
//!
//! // And the parcel is installed, as an agent would.
//! let installed = Installer::new(&root).install(&parcel.path, &Silent)?;
//! assert!(installed.directory.ends_with("opt/cloudera/parcels/HELLO-1.0"));
//! assert!(root.join("opt/cloudera/parcels/HELLO/meta/parcel.json").exists());
//! # Ok(())
//! # }
//! ```

pub mod archive;
mod builder;
pub mod digest;
pub mod distro;
pub mod install;
pub mod listing;
pub mod meta;
mod name;
pub mod progress;
pub mod repository;
pub mod scratch;
mod tree;
pub mod validate;

pub use builder::{BuildError, Builder, Parcel, side_file};
pub use listing::Listing;
pub use name::{Distro, NameError, PARCEL_ENDING, ParcelName, Product, Version, split_directory};
pub use tree::{Admission, Checker, EntryKind, Problem, Tree, TreeError, TreePath};
