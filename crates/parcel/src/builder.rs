//! A directory becomes a parcel with its side files.
//!
//! In: a directory `NAME-VERSION` with `meta/`, as it should be on every host. Out: `X.parcel`,
//! `X.parcel.sha` (SHA-1, for Cloudera Manager) and `X.parcel.sha256` (for people). The rules of
//! [`crate::validate`] are run first, in the pass that lists the directory; a parcel that would not
//! pass them is not written.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::archive::{self, WriteError, WriteOptions};
use crate::digest::{self, Digests};
use crate::listing::{Found, Listing, ListingError, Needle, Needles, Observers};
use crate::meta::{Meta, MetaError};
use crate::name::ParcelName;
use crate::progress::Progress;
use crate::scratch::ScratchFile;
use crate::tree::{Tree, TreeError};
use crate::validate::{Inspection, Level, Policy, SubjectKind, SubjectReport};

/// Why a parcel was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The directory could not be read.
    #[error("cannot look through {}", directory.display())]
    Listing {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        cause: ListingError,
    },
    /// The parcel would not be valid; nothing was written.
    #[error("{} would not be a valid parcel", report.path.display())]
    Invalid {
        /// What is wrong.
        report: SubjectReport,
    },
    /// A path of the build machine was left in a file; nothing was written.
    #[error("{} of the parcel's files still hold a path of the build machine", found.len())]
    Leftover {
        /// Where, and which.
        found: Vec<Found>,
    },
    /// The content is not safe to unpack.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A document in `meta/` could not be read.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// The archive could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file could not be put into the output directory.
    #[error("cannot write to {}", directory.display())]
    Output {
        /// The output directory.
        directory: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl BuildError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Tree(error) => error.hint(),
            Self::Leftover { .. } => Some(
                "A program on the cluster would look for a folder that is only here. Report it to the package's maintainer, or leave the file out."
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// A parcel that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Where it is.
    pub path: PathBuf,
    /// Its name.
    pub name: ParcelName,
    /// Its checksums and size.
    pub digests: Digests,
    /// Its documents.
    pub meta: Meta,
    /// How many entries it has, the top directory not counted.
    pub entries: usize,
    /// The size of its files, in bytes.
    pub unpacked_bytes: u64,
    /// What the rules said, short of errors.
    pub report: SubjectReport,
    /// Whether another parcel with this name, but other content, was there and is gone.
    pub replaced: bool,
}

/// Builds one parcel from a directory.
///
/// ```
/// use parcel::{Builder, progress::Silent};
///
/// # let folder = tempfile::tempdir()?;
/// # let directory = folder.path().join("HELLO-1.0");
/// # std::fs::create_dir_all(directory.join("meta"))?;
/// # std::fs::write(directory.join("meta/env.sh"), "")?;
/// # std::fs::write(directory.join("meta/parcel.json"), r#"{"schema_version": 1, "name": "HELLO",
/// #   "version": "1.0", "setActiveSymlink": true, "scripts": {"defines": "env.sh"},
/// #   "packages": [], "components": [], "users": {}, "groups": []}"#)?;
/// let parcel = Builder::new(&directory, "HELLO-1.0-el8.parcel".parse()?)
///     .build(folder.path(), &Silent)?;
/// assert!(parcel.path.ends_with("HELLO-1.0-el8.parcel"));
/// assert_eq!(
///     std::fs::read_to_string(folder.path().join("HELLO-1.0-el8.parcel.sha"))?,
///     format!("{}\n", parcel.digests.sha1),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    directory: PathBuf,
    name: ParcelName,
    options: WriteOptions,
    policy: Policy,
    forbidden: Vec<Needle>,
}

/// How severe the rules are for what we build ourselves.
///
/// A setuid bit does not survive the tar; in a stranger's parcel that is a warning, but whoever
/// stages one wants it to be there on the hosts, so a build does not go on without a word in
/// `permissions.json`.
fn gate() -> Policy {
    let mut policy = Policy::default();
    policy
        .set("undeclared-setuid", Level::Error)
        .expect("the rule exists");
    policy
}

impl Builder {
    /// Builds `name` from `directory`, whose own name must be `NAME-VERSION`.
    pub fn new(directory: &Path, name: ParcelName) -> Self {
        Self {
            directory: directory.to_owned(),
            name,
            options: WriteOptions::default(),
            policy: gate(),
            forbidden: Vec::new(),
        }
    }

    /// How to write.
    pub fn options(mut self, options: WriteOptions) -> Self {
        self.options = options;
        self
    }

    /// How severe each rule is.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Texts that must not occur in any file, such as paths of the build machine.
    pub fn forbid(mut self, needles: Vec<Needle>) -> Self {
        self.forbidden = needles;
        self
    }

    /// Writes the parcel and its side files into a directory that exists.
    ///
    /// # Errors
    ///
    /// [`BuildError`]; then nothing was written.
    pub fn build(&self, out: &Path, progress: &dyn Progress) -> Result<Parcel, BuildError> {
        let mut inspection = Inspection::default();
        let mut needles = Needles::new(self.forbidden.clone());
        let listing = {
            let mut all = inspection.observers();
            all.push(&mut needles);
            Listing::of_directory(&self.directory, &mut Observers::new(all), progress).map_err(
                |cause| BuildError::Listing {
                    directory: self.directory.clone(),
                    cause,
                },
            )?
        };
        let report = inspection.judge(
            &listing,
            SubjectKind::Directory,
            &self.directory,
            Some(&self.name),
            &self.policy,
        );
        if !report.passes() {
            return Err(BuildError::Invalid { report });
        }
        if !needles.found().is_empty() {
            return Err(BuildError::Leftover {
                found: needles.found().to_vec(),
            });
        }
        let meta = Meta::from_documents(inspection.documents())?;
        let tree = Tree::try_from(&listing)?;
        let (path, digests, replaced) = self.write(&tree, out, progress)?;
        Ok(Parcel {
            path,
            name: self.name.clone(),
            digests,
            meta,
            entries: tree.len(),
            unpacked_bytes: tree.unpacked_bytes(),
            report,
            replaced,
        })
    }

    fn write(
        &self,
        tree: &Tree,
        out: &Path,
        progress: &dyn Progress,
    ) -> Result<(PathBuf, Digests, bool), BuildError> {
        let output = |cause| BuildError::Output {
            directory: out.to_owned(),
            cause,
        };
        let path = out.join(self.name.file_name());
        let file = ScratchFile::create_in(out).map_err(output)?;
        let (file, digests) = archive::write(tree, &self.directory, self.options, file, progress)?;
        // All is on the disk before anything changes its name: a full disk leaves the old files.
        file.sync().map_err(output)?;
        let side = |ending, digest: String| {
            let mut file = ScratchFile::create_in(out)?;
            writeln!(file, "{digest}")?;
            file.sync()?;
            Ok((file, side_file(&path, ending)))
        };
        let sides = [
            side("sha256", digests.sha256.to_string()).map_err(output)?,
            side("sha", digests.sha1.to_string()).map_err(output)?,
        ];
        let replaced = match fs_err::File::open(&path) {
            Ok(old) => digest::of_reader(old).map_err(output)? != digests,
            Err(_) => false,
        };
        // Side files of a parcel that had this name are wrong from the moment this one appears.
        for (_, side) in sides.iter().rev() {
            match fs_err::remove_file(side) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(output(error)),
                _ => {}
            }
        }
        file.finish(&path).map_err(output)?;
        for (file, side) in sides {
            file.finish(&side).map_err(output)?;
        }
        Ok((path, digests, replaced))
    }
}

/// The path of a side file: `X.parcel.sha`.
pub fn side_file(parcel: &Path, ending: &str) -> PathBuf {
    let mut name = parcel.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
