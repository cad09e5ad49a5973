//! The whole build in one call: recipe to environments to tree to metadata to parcels.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parcel::archive::{Epoch, Level, WriteOptions};
use parcel::listing::Needle;
use parcel::{Builder, Parcel};

use crate::progress::{ParcelSteps, Progress};
use crate::recipe::{Recipe, Row};
use crate::render::{self, StagedEnvironment};
use crate::stage::{Stage, StageError};
use crate::template::TemplateError;
use crate::trial::{self, TrialError};

/// Why a recipe did not become its parcels.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An environment could not be made.
    #[cfg(feature = "conda")]
    #[error(transparent)]
    Environment(#[from] Box<crate::environment::EnvironmentError>),
    /// A channel of the command line is not one.
    #[cfg(feature = "conda")]
    #[error(transparent)]
    Channel(#[from] conda_env::ChannelError),
    /// The lock could not be read or written.
    #[cfg(feature = "conda")]
    #[error(transparent)]
    Lock(#[from] conda_env::LockError),
    /// `--locked` without a lock.
    #[error("--locked needs a lock, and there is no {}", lock.display())]
    NoLock {
        /// The lock.
        lock: PathBuf,
    },
    /// The recipe has environments, and this program was built without them.
    #[error("this parcelctl was built without conda environments, and the recipe has some")]
    WithoutConda,
    /// The stage could not be filled.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A template could not be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A test of the recipe failed.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// The parcel could not be written, or would not be valid.
    #[error(transparent)]
    Parcel(#[from] Box<parcel::BuildError>),
}

impl BuildError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            #[cfg(feature = "conda")]
            Self::Environment(error) => error.hint(),
            #[cfg(feature = "conda")]
            Self::Channel(error) => error.hint(),
            #[cfg(feature = "conda")]
            Self::Lock(error) => error.hint(),
            Self::NoLock { .. } => Some("Build once without --locked; it writes the lock.".into()),
            Self::WithoutConda => Some("Use the parcelctl with conda.".into()),
            Self::Stage(_) => None,
            Self::Template(error) => error.hint(),
            Self::Trial(error) => error.hint(),
            Self::Parcel(error) => error.hint(),
        }
    }
}

/// How to build.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// Where the parcels go; must exist.
    pub out: PathBuf,
    /// Where the trees are staged; made where it is missing.
    pub work_directory: PathBuf,
    /// Where packages are kept between builds; made where it is missing.
    pub cache_directory: PathBuf,
    /// Channels that take the place of the recipe's; with these, its lock is not used.
    pub channels: Vec<String>,
    /// A lock that is not beside the recipe.
    pub lock: Option<PathBuf>,
    /// Refuse to solve.
    pub locked: bool,
    /// Use no network.
    pub offline: bool,
    /// The time that everything in the parcel carries; `None` takes the newest package's.
    pub epoch: Option<Epoch>,
    /// How hard to compress.
    pub level: Level,
    /// Folders to look for programs in, as `PATH` has them.
    pub search: Vec<PathBuf>,
}

/// What happened to the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockOutcome {
    /// The recipe has no environments.
    None,
    /// All came from this lock.
    Used(PathBuf),
    /// This lock was written.
    Written(PathBuf),
    /// Solved, but not written, and why.
    NotWritten(&'static str),
}

/// What a build made.
#[derive(Debug, Clone)]
pub struct Built {
    /// The parcels, in the order of the recipe's distros.
    pub parcels: Vec<Parcel>,
    /// What happened to the lock.
    pub lock: LockOutcome,
    /// What the recipe's author should know.
    pub warnings: Vec<String>,
}

/// Builds a recipe's parcels, one for each distro.
///
/// # Errors
///
/// [`BuildError`]; no unfinished file is left.
pub fn build(
    recipe: &Recipe,
    options: &BuildOptions,
    progress: &Arc<dyn Progress>,
) -> Result<Built, BuildError> {
    let environments = Environments::resolve(recipe, options, progress)?;
    let mut parcels = Vec::new();
    let mut warnings = Vec::new();
    for row in &recipe.rows {
        let stage = Stage::create(&options.work_directory, &recipe.directory())
            .map_err(StageError::from)?;
        let epoch = options
            .epoch
            .or(environments.epoch(row))
            .unwrap_or_default();
        let staged = environments.stage(row, &stage, epoch, &mut warnings)?;
        for file in &recipe.files {
            stage.copy(file, stage.top(), Err("."))?;
        }
        let name = recipe.parcel_name(&row.distro);
        render::render(recipe, &name, &staged, &stage)?;
        trial::run(recipe, &stage, &options.search)?;
        progress.message(&format!("Writing {name}"));
        let parcel = Builder::new(stage.top(), name)
            .options(WriteOptions {
                epoch,
                level: options.level,
            })
            .forbid(needles(stage.scratch(), &options.cache_directory))
            .build(&options.out, &ParcelSteps::new(progress))
            .map_err(Box::new)?;
        parcels.push(parcel);
    }
    let lock = environments.finish_lock()?;
    Ok(Built {
        parcels,
        lock,
        warnings,
    })
}

/// What must not be left in any file: places that only this machine has.
fn needles(scratch: &Path, cache: &Path) -> Vec<Needle> {
    let needle = |path: &Path, meaning: &str| Needle {
        bytes: path.as_os_str().as_encoded_bytes().to_vec(),
        meaning: meaning.to_owned(),
    };
    let cache = fs_err::canonicalize(cache).unwrap_or_else(|_| cache.to_owned());
    vec![
        needle(scratch, "the staging folder"),
        needle(&cache.join("pkgs"), "the package cache"),
    ]
}

#[cfg(feature = "conda")]
mod environments {
    use super::*;
    use crate::environment::{LOCK_FILE, Staged, Workshop, load_lock};
    use conda_env::{ChannelSource, Lock, Network, Solution, Store};

    /// The environments of all distros, decided before anything is staged.
    pub(super) struct Environments<'a> {
        workshop: Workshop<'a>,
        solutions: BTreeMap<(String, String), Solution>,
        lock_path: PathBuf,
        /// The lock as it was read; `None` where there was none or it is not used.
        lock: Option<Lock>,
        writes_lock: Result<(), &'static str>,
    }

    impl<'a> Environments<'a> {
        pub(super) fn resolve(
            recipe: &'a Recipe,
            options: &'a BuildOptions,
            progress: &Arc<dyn Progress>,
        ) -> Result<Self, BuildError> {
            let network = if options.offline {
                Network::Offline
            } else {
                Network::Online
            };
            let lock_path = options
                .lock
                .clone()
                .unwrap_or_else(|| recipe.folder.join(LOCK_FILE));
            // Other channels make the recipe's own lock meaningless.
            let uses_lock = options.channels.is_empty() || options.lock.is_some();
            let lock = if uses_lock {
                load_lock(&lock_path)?
            } else {
                None
            };
            if options.locked && lock.is_none() && !recipe.environments.is_empty() {
                return Err(BuildError::NoLock { lock: lock_path });
            }
            let workshop = Workshop {
                recipe,
                store: Store::new(&options.cache_directory, network),
                network,
                channels: ChannelSource::parse_list(&options.channels, Path::new("."))?,
                interpreters: &options.search,
                progress: Arc::clone(progress),
            };
            let mut solutions = BTreeMap::new();
            for row in &recipe.rows {
                for environment in &recipe.environments {
                    let lock = lock.as_ref().map(|lock| (lock, lock_path.as_path()));
                    let solution = workshop.resolve(environment, row, lock, options.locked)?;
                    solutions.insert((environment.name.clone(), row.distro.to_string()), solution);
                }
            }
            let writes_lock = if uses_lock {
                Ok(())
            } else {
                Err("--channel was given, so no lock was written")
            };
            Ok(Self {
                workshop,
                solutions,
                lock_path,
                lock,
                writes_lock,
            })
        }

        fn of_row(&self, row: &Row) -> impl Iterator<Item = &Solution> {
            let distro = row.distro.to_string();
            self.solutions
                .iter()
                .filter(move |((_, d), _)| *d == distro)
                .map(|(_, s)| s)
        }

        /// When the newest package of a row was made.
        pub(super) fn epoch(&self, row: &Row) -> Option<Epoch> {
            let newest = self
                .of_row(row)
                .filter_map(Solution::newest_timestamp)
                .max()?;
            u64::try_from(newest).ok().map(Epoch::from_seconds)
        }

        pub(super) fn stage(
            &self,
            row: &Row,
            stage: &Stage,
            epoch: Epoch,
            warnings: &mut Vec<String>,
        ) -> Result<Vec<StagedEnvironment>, BuildError> {
            let mut all = Vec::new();
            for environment in &self.workshop.recipe.environments {
                let key = (environment.name.clone(), row.distro.to_string());
                let solution = &self.solutions[&key];
                let staged = self
                    .workshop
                    .stage(environment, row, solution, stage, epoch)?;
                let Staged {
                    name,
                    at,
                    packages,
                    has_python,
                    warnings: own,
                } = staged;
                warnings.extend(own);
                let packages = packages
                    .into_iter()
                    .map(|p| (p.name, p.version, p.build))
                    .collect();
                all.push(StagedEnvironment {
                    name,
                    at,
                    packages,
                    has_python,
                });
            }
            Ok(all)
        }

        /// Writes the lock, where something was solved and it may be written.
        pub(super) fn finish_lock(&self) -> Result<LockOutcome, BuildError> {
            if self.solutions.is_empty() {
                return Ok(LockOutcome::None);
            }
            let mut lock = self.lock.clone().unwrap_or_else(Lock::new);
            let is_known = |lock: &Lock| {
                self.solutions
                    .keys()
                    .all(|(name, distro)| lock.get(name, distro).is_some())
            };
            if is_known(&lock) {
                return Ok(LockOutcome::Used(self.lock_path.clone()));
            }
            if let Err(reason) = self.writes_lock {
                return Ok(LockOutcome::NotWritten(reason));
            }
            for ((name, distro), solution) in &self.solutions {
                lock.set(name, distro, solution.clone());
            }
            match lock.save(&self.lock_path) {
                Ok(()) => Ok(LockOutcome::Written(self.lock_path.clone())),
                // Someone else's recipe may lie where we cannot write; the parcels are good.
                Err(conda_env::LockError::Io(error))
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::PermissionDenied
                            | std::io::ErrorKind::ReadOnlyFilesystem
                    ) =>
                {
                    Ok(LockOutcome::NotWritten(
                        "the recipe's folder cannot be written to",
                    ))
                }
                Err(error) => Err(error.into()),
            }
        }
    }

    impl From<crate::environment::EnvironmentError> for BuildError {
        fn from(error: crate::environment::EnvironmentError) -> Self {
            Self::Environment(Box::new(error))
        }
    }
}

#[cfg(not(feature = "conda"))]
mod environments {
    use super::*;

    /// There are none in this program.
    pub(super) struct Environments;

    impl Environments {
        pub(super) fn resolve(
            recipe: &Recipe,
            _: &BuildOptions,
            _: &Arc<dyn Progress>,
        ) -> Result<Self, BuildError> {
            if recipe.environments.is_empty() {
                Ok(Self)
            } else {
                Err(BuildError::WithoutConda)
            }
        }

        #[expect(clippy::unused_self, reason = "the same shape as with conda")]
        pub(super) fn epoch(&self, _: &Row) -> Option<Epoch> {
            None
        }

        #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as above")]
        pub(super) fn stage(
            &self,
            _: &Row,
            _: &Stage,
            _: Epoch,
            _: &mut [String],
        ) -> Result<Vec<StagedEnvironment>, BuildError> {
            Ok(Vec::new())
        }

        #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as above")]
        pub(super) fn finish_lock(&self) -> Result<LockOutcome, BuildError> {
            Ok(LockOutcome::None)
        }
    }
}

use environments::Environments;
