//! The whole build in one call: recipe to environments to tree to metadata to parcels.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parcel::archive::{Epoch, Level, WriteOptions};
use parcel::listing::Needle;
use parcel::{Builder, Parcel};

use crate::environments::Environments;
use crate::progress::{ParcelSteps, Progress};
use crate::recipe::Recipe;
use crate::render;
use crate::stage::{Stage, StageError};
use crate::template::{Template, TemplateError};
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
    /// The folder that a lock should lie in is not there.
    #[error("--lock {} lies in a folder that does not exist", lock.display())]
    LockFolder {
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
            Self::Channel(error) => Some(
                error
                    .hint()
                    .unwrap_or_else(|| "--channel takes a name, a URL or a folder.".to_owned()),
            ),
            #[cfg(feature = "conda")]
            Self::Lock(error) => error.hint(),
            Self::NoLock { .. } => Some("Build once without --locked; it writes the lock.".into()),
            Self::LockFolder { .. } => Some("Make the folder, or give another file.".into()),
            Self::WithoutConda => Some("Use the parcelctl with conda.".into()),
            Self::Stage(error) => error.hint(),
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
    // Before the long work.
    Template::find(&recipe.defines_template, &recipe.folder)?;
    let environments = Environments::resolve(recipe, options, progress)?;
    let mut parcels = Vec::new();
    let mut warnings = Vec::new();
    for row in &recipe.rows {
        let stage = Stage::create(&options.work_directory, &recipe.directory())
            .map_err(StageError::from)?;
        // Nothing unpacks to less than it was packed to.
        parcel::scratch::ensure_room(stage.top(), environments.packed_bytes(row))
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
        let mut parcel = Builder::new(stage.top(), name)
            .options(WriteOptions {
                epoch,
                level: options.level,
                ..WriteOptions::default()
            })
            .forbid(needles(stage.scratch(), &options.cache_directory))
            .build(&options.out, &ParcelSteps::new(progress))
            .map_err(|error| Box::new(named(error, recipe)))?;
        parcel.report.path = recipe.directory().into();
        parcels.push(parcel);
    }
    let lock = environments.finish_lock()?;
    Ok(Built {
        parcels,
        lock,
        warnings,
    })
}

/// Findings are told of `NAME-VERSION`: nobody can look into the stage afterwards.
fn named(mut error: parcel::BuildError, recipe: &Recipe) -> parcel::BuildError {
    if let parcel::BuildError::Invalid { report } = &mut error {
        report.path = recipe.directory().into();
    }
    error
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
