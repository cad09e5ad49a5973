//! An installed environment, and what the later stages need to know of it.
//!
//! The promise of an [`Environment`]: the packages of a solution are in `root`, every path baked
//! into them is under `prefix`, and nothing in them tells where or when they were put together.

use std::path::{Path, PathBuf};

use rattler_conda_types::{PrefixRecord, RepoDataRecord};

/// An environment in its staging folder, baked for its final place.
#[derive(Clone, Debug)]
pub struct Environment {
    pub(crate) prefix: String,
    pub(crate) root: PathBuf,
    pub(crate) platform: &'static str,
    pub(crate) packages: Vec<Package>,
    pub(crate) python: Option<PythonVersion>,
    pub(crate) link_scripts: Vec<LinkScript>,
    pub(crate) clobbers: Vec<Clobber>,
}

impl Environment {
    /// Where the environment will live: an absolute path without a slash at the end.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where it is now.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The platform it is for, as conda names it.
    pub fn platform(&self) -> &'static str {
        self.platform
    }

    /// The packages in it, sorted by name.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The version of its Python; none when it has no Python.
    pub fn python(&self) -> Option<PythonVersion> {
        self.python
    }

    /// The scripts that packages wanted to run when they were installed, and that were not run.
    pub fn link_scripts(&self) -> &[LinkScript] {
        &self.link_scripts
    }

    /// The paths that more than one package wanted, sorted.
    pub fn clobbers(&self) -> &[Clobber] {
        &self.clobbers
    }
}

/// An installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package {
    /// Its name, in lower case.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What tells builds of one version apart.
    pub build: String,
    /// The platform it was built for, or `noarch`.
    pub subdir: String,
    /// Its licence, as it says itself.
    pub license: Option<String>,
    /// Where it came from; for a package of a folder channel a place that does not exist.
    pub url: String,
    /// The checksum of its archive, in hexadecimal.
    pub sha256: Option<String>,
}

impl From<&RepoDataRecord> for Package {
    fn from(record: &RepoDataRecord) -> Self {
        let package = &record.package_record;
        Self {
            name: package.name.as_normalized().to_owned(),
            version: package.version.to_string(),
            build: package.build.to_string(),
            subdir: package.subdir.clone(),
            license: package.license.clone(),
            url: record.url.to_string(),
            sha256: package.sha256.map(|digest| hex(&digest)),
        }
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(n.into(), 16).expect("half a byte is one digit");
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The version of a Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonVersion {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
}

impl PythonVersion {
    /// Finds Python among the packages of an environment.
    pub(crate) fn of(records: &[RepoDataRecord]) -> Option<Self> {
        let python = records
            .iter()
            .find(|r| r.package_record.name.as_normalized() == "python")?;
        let (major, minor) = python.package_record.version.version().as_major_minor()?;
        Some(Self { major, minor })
    }
}

impl std::fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A script of a package that conda would have run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkScript {
    /// The package.
    pub package: String,
    /// The script, relative to the environment.
    pub path: PathBuf,
}

impl LinkScript {
    /// Finds the scripts of a package that run before or after it is installed.
    pub(crate) fn of(record: &PrefixRecord) -> impl Iterator<Item = Self> {
        let package = record.name().as_normalized();
        let scripts = ["pre-link", "post-link"].map(|kind| format!("bin/.{package}-{kind}.sh"));
        scripts
            .into_iter()
            .map(PathBuf::from)
            .filter(|script| record.files.contains(script))
            .map(move |path| Self {
                package: package.to_owned(),
                path,
            })
    }
}

/// A path that more than one package wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clobber {
    /// The path, relative to the environment.
    pub path: PathBuf,
    /// The package whose file is there.
    pub winner: String,
    /// The packages whose file is not there, sorted.
    pub losers: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solution::tests::record;

    #[test]
    fn python_is_the_package_of_that_name() {
        let records = [
            record("numpy", "1.26.4", &[]),
            record("python", "3.11.9", &[]),
        ];
        assert_eq!(
            PythonVersion::of(&records),
            Some(PythonVersion {
                major: 3,
                minor: 11
            })
        );
        assert_eq!(PythonVersion::of(&records[..1]), None);
    }

    #[test]
    fn link_scripts_are_those_conda_would_run() {
        let mut record = PrefixRecord::from_repodata_record(record("a", "1", &[]), Vec::new());
        record.files = [
            "bin/.a-post-link.sh",
            "bin/.a-pre-unlink.sh",
            "bin/.b-post-link.sh",
            "share/.a-post-link.sh",
        ]
        .map(PathBuf::from)
        .to_vec();
        let found = LinkScript::of(&record).map(|s| s.path).collect::<Vec<_>>();
        assert_eq!(found, [PathBuf::from("bin/.a-post-link.sh")]);
    }
}
