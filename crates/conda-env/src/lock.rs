//! The packages found for every environment and system, in a file.
//!
//! `parcel.lock` is rattler's lock (readable YAML). An environment in it is named
//! `ENVIRONMENT@DISTRO`; packages that several of them share are written once. Packages of folder
//! channels are written relative to the lock's folder, so a recipe can be moved together with its
//! channel. A lock is read as what it is: a file somebody may have edited.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rattler_conda_types::{RepoDataRecord, Subdir};
use rattler_lock::{LockFile, ParseCondaLockError, PlatformData, PlatformName};

use crate::solution::Solution;

mod location;

use location::{read_channel, read_package, write_channel, write_package};

/// The solutions of a recipe, by environment and distribution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    solutions: BTreeMap<(String, String), Solution>,
}

/// Why a lock cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(io::Error),
    /// The file is not a lock.
    #[error("{place} is not a lock", place = At(path, *line))]
    Syntax {
        /// The lock.
        path: PathBuf,
        /// The line, from 1, when it is known.
        line: Option<usize>,
        /// What is wrong.
        source: Box<ParseCondaLockError>,
    },
    /// An environment is not named `ENVIRONMENT@DISTRO`, or is not for exactly one platform.
    #[error("environment `{name}` of {lock} is not one of ours", lock = path.display())]
    Environment {
        /// The lock.
        path: PathBuf,
        /// The name of the environment.
        name: String,
    },
    /// A package is neither a `.conda` nor a `.tar.bz2`.
    #[error("`{package}` of {lock} is not a conda package", lock = path.display())]
    NotConda {
        /// The lock.
        path: PathBuf,
        /// Where the package is.
        package: String,
    },
    /// A package from the network has no checksum.
    #[error("{package} has no sha256")]
    NoSha256 {
        /// The package.
        package: String,
    },
    /// The address of a package, or of a channel, cannot be used.
    #[error("`{location}` of {lock} is not an address of packages", lock = path.display())]
    Location {
        /// The lock.
        path: PathBuf,
        /// The address.
        location: String,
    },
    /// The path of a folder channel is not UTF-8 and cannot be written.
    #[error("the path of channel {channel} is not UTF-8", channel = channel.display())]
    NotUtf8 {
        /// The folder.
        channel: PathBuf,
    },
}

/// A file, and its line where one is known.
struct At<'a>(&'a Path, Option<usize>);

impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.display())?;
        self.1.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

impl LockError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax { .. }
            | Self::Environment { .. }
            | Self::NotConda { .. }
            | Self::Location { .. } => Some("delete it and build again; that writes it anew".to_owned()),
            Self::NoSha256 { .. } => Some(
                "what comes over the network must have a checksum; the index of the channel has to \
                 be rebuilt with one"
                    .to_owned(),
            ),
            Self::Io(_) | Self::NotUtf8 { .. } => None,
        }
    }
}

impl Lock {
    /// Makes an empty lock.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts in the solution of an environment for a distribution, replacing the one that is there.
    ///
    /// An address has one content. Where another environment has the same address with another
    /// checksum, the channel has changed since; that environment gets the new one too.
    pub fn set(&mut self, environment: &str, distro: &str, solution: Solution) {
        let new = solution
            .records()
            .iter()
            .map(|r| (&r.url, r))
            .collect::<BTreeMap<_, _>>();
        for other in self.solutions.values_mut() {
            if other
                .records()
                .iter()
                .any(|r| new.get(&r.url).is_some_and(|n| *n != r))
            {
                let current = |r: &RepoDataRecord| {
                    new.get(&r.url)
                        .map_or_else(|| r.clone(), |n| RepoDataRecord::clone(n))
                };
                let records = other.records().iter().map(current).collect();
                *other = Solution::new(other.subdir(), other.channels().to_vec(), records);
            }
        }
        self.solutions
            .insert((environment.to_owned(), distro.to_owned()), solution);
    }

    /// The solution of an environment for a distribution.
    pub fn get(&self, environment: &str, distro: &str) -> Option<&Solution> {
        self.solutions
            .get(&(environment.to_owned(), distro.to_owned()))
    }

    /// What is locked: environment, distribution and solution, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Solution)> {
        self.solutions
            .iter()
            .map(|((e, d), s)| (e.as_str(), d.as_str(), s))
    }

    /// Reads a lock.
    ///
    /// # Errors
    ///
    /// [`LockError::Io`] when there is none (ask [`LockError::is_not_found`]); the others when
    /// it is not one that [`Lock::save`] would write.
    pub fn load(path: &Path) -> Result<Self, LockError> {
        let text = fs_err::read_to_string(path).map_err(LockError::Io)?;
        Self::parse(&text, path, &folder_of(path)?)
    }

    /// Writes the lock: complete or not at all, and the same text for the same content.
    ///
    /// # Errors
    ///
    /// [`LockError::Io`], [`LockError::NoSha256`] and [`LockError::NotUtf8`].
    pub fn save(&self, path: &Path) -> Result<(), LockError> {
        let folder = folder_of(path)?;
        let text = self.render(&folder)?;
        let mut file = tempfile::Builder::new()
            .prefix(".parcel.lock.")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(&folder)
            .map_err(LockError::Io)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.as_file().sync_all())
            .and_then(|()| file.persist(path).map_err(|e| e.error).map(drop))
            .map_err(|error| {
                let text = format!("cannot write {}: {error}", path.display());
                LockError::Io(io::Error::new(error.kind(), text))
            })
    }

    /// Reads the text of a lock that is in `folder`, an absolute path.
    fn parse(text: &str, path: &Path, folder: &Path) -> Result<Self, LockError> {
        let file =
            LockFile::from_str_with_base_directory(text, Some(folder)).map_err(|source| {
                let line = match &source {
                    ParseCondaLockError::ParseError(error) => error.location().map(|at| at.line()),
                    _ => None,
                };
                LockError::Syntax {
                    path: path.to_owned(),
                    line,
                    source: Box::new(source),
                }
            })?;
        let mut solutions = BTreeMap::new();
        for (name, environment) in file.environments() {
            let not_ours = || LockError::Environment {
                path: path.to_owned(),
                name: name.to_owned(),
            };
            let (env, distro) = name.rsplit_once('@').ok_or_else(not_ours)?;
            let mut platforms = environment.platforms();
            let (Some(platform), None) = (platforms.next(), platforms.next()) else {
                return Err(not_ours());
            };
            let bad = |location: &str| LockError::Location {
                path: path.to_owned(),
                location: location.to_owned(),
            };
            let channels = environment
                .channels()
                .iter()
                .map(|c| read_channel(&c.url, folder).ok_or_else(|| bad(&c.url)))
                .collect::<Result<Vec<_>, _>>()?;
            let records = environment
                .packages(platform)
                .into_iter()
                .flatten()
                .map(|package| read_package(package, path, folder))
                .collect::<Result<Vec<_>, _>>()?;
            let solution = Solution::new(platform.subdir(), channels, records);
            solutions.insert((env.to_owned(), distro.to_owned()), solution);
        }
        Ok(Self { solutions })
    }

    /// The text of the lock for a file in `folder`, an absolute path.
    fn render(&self, folder: &Path) -> Result<String, LockError> {
        let platforms = self
            .solutions
            .values()
            .map(|s| (s.platform(), s.subdir()))
            .collect::<BTreeMap<_, Subdir>>();
        let platforms = platforms.into_values().map(|subdir| PlatformData {
            name: PlatformName::from(&subdir),
            subdir,
            virtual_packages: Vec::new(),
        });
        let mut builder = LockFile::builder()
            .with_platforms(platforms.collect())
            .expect("the platforms are those of a map, each once");
        for ((environment, distro), solution) in &self.solutions {
            let name = format!("{environment}@{distro}");
            let channels = solution
                .channels()
                .iter()
                .map(|channel| write_channel(channel, folder))
                .collect::<Result<Vec<_>, _>>()?;
            builder.set_channels(&name, channels);
            builder
                .add_environment_platform(&name, solution.platform())
                .expect("the platform was added above");
            for record in solution.records() {
                let package = write_package(record, folder)?;
                // Two packages at one address, which only an edited lock can bring about.
                builder
                    .add_conda_package(&name, solution.platform(), package)
                    .map_err(|_| LockError::Location {
                        path: folder.join("parcel.lock"),
                        location: record.url.to_string(),
                    })?;
            }
        }
        builder.finish().render_to_string().map_err(LockError::Io)
    }
}

impl LockError {
    /// Tells whether there is no lock at all.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// What a solution is after it has been locked and read back. A lock leaves out what can be
/// derived, so this is not always the same; and both must give the same build.
pub(crate) fn as_locked(solution: &Solution) -> Result<Solution, LockError> {
    let root = Path::new("/");
    let mut lock = Lock::new();
    lock.set("solution", "here", solution.clone());
    let lock = Lock::parse(&lock.render(root)?, Path::new("parcel.lock"), root)?;
    Ok(lock
        .get("solution", "here")
        .expect("it was put in above")
        .clone())
}

/// The real path of the folder a lock is in.
fn folder_of(path: &Path) -> Result<PathBuf, LockError> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs_err::canonicalize(folder).map_err(LockError::Io)
}

#[cfg(test)]
mod tests;
