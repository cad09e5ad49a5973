//! Environments: from the recipe's specs to staged prefixes.
//!
//! [`Workshop::resolve`] decides which packages an environment of a distro consists of, from the lock where
//! there is one; [`Workshop::stage`] installs them for their final prefix, adds the recipe's files and
//! compiles. The build machine is never asked what it is: only the distro's row counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use conda_env::{
    BytecodeError, ChannelError, ChannelSource, Compiler, EnvironmentSpec, InstallError, Installer,
    Interpreter, Lock, LockError, Solution, SolveError, Solver, SpecError, Store, Target,
    TargetError, Unsatisfied,
};
use parcel::archive::Epoch;

use crate::progress::{CondaTasks, Progress};
use crate::recipe::{EnvironmentRecipe, Recipe, Row};
use crate::stage::{Stage, StageError};

/// The lock of a recipe, beside `parcel.toml`.
pub const LOCK_FILE: &str = "parcel.lock";

/// Why an environment could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make environment \"{environment}\" for {distro}")]
pub struct EnvironmentError {
    /// The environment.
    pub environment: String,
    /// The distro.
    pub distro: String,
    /// What is wrong.
    #[source]
    pub problem: EnvironmentProblem,
}

/// What is wrong with an environment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentProblem {
    /// The spec cannot be read.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A channel that the recipe lists is not one.
    #[error("a channel of {} is not one", recipe.display())]
    Channel {
        /// The recipe's file.
        recipe: PathBuf,
        /// Why.
        #[source]
        cause: ChannelError,
    },
    /// The distro's row cannot be solved for.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// There is no set of packages.
    #[error(transparent)]
    Solve(#[from] Box<SolveError>),
    /// The packages could not be installed.
    #[error(transparent)]
    Install(#[from] Box<InstallError>),
    /// The sources could not be compiled.
    #[error(transparent)]
    Bytecode(#[from] BytecodeError),
    /// The recipe's files could not be added.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The lock has nothing for it, and may not be added to.
    #[error("{} has no entry for it", lock.display())]
    NotLocked {
        /// The lock.
        lock: PathBuf,
    },
    /// The lock does not answer the specs any more.
    #[error("{} is out of date: {} is not satisfied", lock.display(), spec.display())]
    OutOfDate {
        /// The lock.
        lock: PathBuf,
        /// The spec.
        spec: PathBuf,
        /// What is not answered.
        #[source]
        reason: Box<Unsatisfied>,
    },
}

impl EnvironmentProblem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Spec(error) => error.hint(),
            Self::Channel { cause, .. } => Some(cause.hint().unwrap_or_else(|| {
                "Folders are relative to the folder of parcel.toml.".to_owned()
            })),
            Self::Target(error) => error.hint(),
            Self::Solve(error) => error.hint(),
            Self::Install(error) => error.hint(),
            Self::Bytecode(BytecodeError::NoInterpreter { .. }) => Some(
                "Install that Python on this machine, or set compile-bytecode = false for the environment."
                    .to_owned(),
            ),
            Self::Bytecode(error) => error.hint(),
            Self::Stage(error) => error.hint(),
            Self::NotLocked { .. } => Some("Build without --locked to solve it.".to_owned()),
            Self::OutOfDate { lock, .. } => {
                Some(format!("Remove {} to solve anew.", lock.display()))
            }
        }
    }
}

impl EnvironmentError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.problem.hint()
    }
}

/// What the resolving and installing of environments needs to know.
pub(crate) struct Workshop<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) store: Store,
    /// Channels that take the place of all others.
    pub(crate) channels: Vec<ChannelSource>,
    /// Folders in which a `pythonX.Y` may be.
    pub(crate) interpreters: &'a [PathBuf],
    pub(crate) progress: Arc<dyn Progress>,
}

/// What an environment came to.
pub(crate) struct Staged {
    pub(crate) name: String,
    /// Where it is, relative to the parcel; empty at the top.
    pub(crate) at: String,
    pub(crate) packages: Vec<conda_env::Package>,
    pub(crate) has_python: bool,
    /// What its maker should know.
    pub(crate) warnings: Vec<String>,
}

impl Workshop<'_> {
    fn tasks(&self) -> Arc<dyn conda_env::progress::Progress> {
        Arc::new(CondaTasks(Arc::clone(&self.progress)))
    }

    /// The packages of an environment for a row: those of the lock where it has any, else solved.
    pub(crate) fn resolve(
        &self,
        environment: &EnvironmentRecipe,
        row: &Row,
        lock: Option<(&Lock, &Path)>,
        locked: bool,
    ) -> Result<Solution, Box<EnvironmentError>> {
        self.try_resolve(environment, row, lock, locked)
            .map_err(|problem| error(environment, row, problem))
    }

    fn try_resolve(
        &self,
        environment: &EnvironmentRecipe,
        row: &Row,
        lock: Option<(&Lock, &Path)>,
        locked: bool,
    ) -> Result<Solution, EnvironmentProblem> {
        let target = Target::new(&row.platform, &row.glibc)?;
        let spec = EnvironmentSpec::load(&environment.spec)?;
        if let Some((lock, path)) = lock {
            if let Some(solution) = lock.get(&environment.name, row.distro.as_str()) {
                solution
                    .satisfies(spec.specs(), &target)
                    .map_err(|reason| EnvironmentProblem::OutOfDate {
                        lock: path.to_owned(),
                        spec: environment.spec.clone(),
                        reason: Box::new(reason),
                    })?;
                return Ok(solution.clone());
            }
            if locked {
                return Err(EnvironmentProblem::NotLocked {
                    lock: path.to_owned(),
                });
            }
        }
        let channels = self.channels(&spec)?;
        self.progress
            .message(&format!("Solving {} for {}", environment.name, row.distro));
        let solver = Solver::new(&self.store).with_progress(self.tasks());
        Ok(solver
            .solve(spec.specs(), &channels, &target)
            .map_err(Box::new)?)
    }

    /// The channels of the command line, else of the spec, else of the recipe.
    fn channels(&self, spec: &EnvironmentSpec) -> Result<Vec<ChannelSource>, EnvironmentProblem> {
        if !self.channels.is_empty() {
            return Ok(self.channels.clone());
        }
        if !spec.channels().is_empty() {
            return Ok(spec.channels().to_vec());
        }
        ChannelSource::parse_list(&self.recipe.channels, &self.recipe.folder).map_err(|cause| {
            EnvironmentProblem::Channel {
                recipe: self.recipe.file.clone(),
                cause,
            }
        })
    }

    /// Installs an environment into the stage and finishes it.
    pub(crate) fn stage(
        &self,
        environment: &EnvironmentRecipe,
        row: &Row,
        solution: &Solution,
        stage: &Stage,
        epoch: Epoch,
    ) -> Result<Staged, Box<EnvironmentError>> {
        self.try_stage(environment, row, solution, stage, epoch)
            .map_err(|problem| error(environment, row, problem))
    }

    fn try_stage(
        &self,
        environment: &EnvironmentRecipe,
        row: &Row,
        solution: &Solution,
        stage: &Stage,
        epoch: Epoch,
    ) -> Result<Staged, EnvironmentProblem> {
        let at = environment
            .at
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let root = stage.top().join(&at);
        fs_err::create_dir_all(&root).map_err(StageError::from)?;
        self.progress.message(&format!(
            "Installing {} for {}",
            environment.name, row.distro
        ));
        let spec = EnvironmentSpec::load(&environment.spec)?;
        let installed = Installer::new(&self.store)
            .requesting(spec.specs())
            .with_progress(self.tasks())
            .install(solution, &root, &self.recipe.final_prefix(environment))
            .map_err(Box::new)?;
        let library = installed
            .python()
            .map(|python| root.join(format!("lib/python{python}")));
        let site_packages = library
            .as_ref()
            .map(|library| library.join("site-packages"));
        for file in &environment.files {
            let site_packages = site_packages.as_deref().ok_or(environment.name.as_str());
            stage.copy(file, &root, site_packages)?;
        }
        let mut warnings = warnings(&installed);
        if environment.compile_bytecode {
            let epoch = u32::try_from(epoch.seconds()).unwrap_or(u32::MAX);
            let compiled = Compiler::new(epoch)
                .searching(self.interpreters)
                .with_progress(self.tasks())
                .compile(&installed)?;
            if let Some(Interpreter::Machine(path)) = &compiled.interpreter {
                // Another patch level may compile to other bytes.
                warnings.push(format!(
                    "its own interpreter does not start here, so {} compiled its sources",
                    path.display()
                ));
            }
            if !compiled.skipped.is_empty() {
                let count = compiled.skipped.len();
                let first = compiled.skipped[0].display();
                warnings.push(format!(
                    "{count} Python sources do not compile, {first} first"
                ));
            }
        }
        if environment.protect {
            protect(stage, &at, library.as_deref())?;
        }
        let warnings = warnings
            .into_iter()
            .map(|warning| format!("environment \"{}\": {warning}", environment.name))
            .collect();
        Ok(Staged {
            name: environment.name.clone(),
            at,
            packages: installed.packages().to_vec(),
            has_python: installed.python().is_some(),
            warnings,
        })
    }
}

fn error(
    environment: &EnvironmentRecipe,
    row: &Row,
    problem: EnvironmentProblem,
) -> Box<EnvironmentError> {
    Box::new(EnvironmentError {
        environment: environment.name.clone(),
        distro: row.distro.to_string(),
        problem,
    })
}

fn warnings(installed: &conda_env::Environment) -> Vec<String> {
    let scripts = installed.link_scripts().iter().map(|script| {
        format!(
            "the link script of {} was not run: {}",
            script.package,
            script.path.display()
        )
    });
    let clobbers = installed.clobbers().iter().map(|clobber| {
        format!(
            "{} is in several packages; that of {} is used, not of {}",
            clobber.path.display(),
            clobber.winner,
            clobber.losers.join(", ")
        )
    });
    scripts.chain(clobbers).collect()
}

/// Makes conda and pip refuse to change an environment.
///
/// conda and mamba look for `conda-meta/frozen` (conda's CEP 22), pip for `EXTERNALLY-MANAGED`
/// beside the standard library (PEP 668).
fn protect(stage: &Stage, at: &str, library: Option<&Path>) -> Result<(), StageError> {
    const WHY: &str = "This environment is part of a Cloudera parcel and must not be changed. Build a new version of the parcel instead.";
    let frozen = serde_json::json!({ "message": WHY });
    stage.replace(
        Path::new(at).join("conda-meta/frozen"),
        &format!("{frozen}\n"),
    )?;
    match library {
        Some(library) => stage.replace(
            library.join("EXTERNALLY-MANAGED"),
            &format!("[externally-managed]\nError={WHY}\n"),
        ),
        None => Ok(()),
    }
}

/// Reads the lock that a build begins with.
pub(crate) fn load_lock(path: &Path) -> Result<Option<Lock>, LockError> {
    match Lock::load(path) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
