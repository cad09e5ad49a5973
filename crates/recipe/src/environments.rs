//! The environments of all distros of a recipe: decided before anything is staged, then staged row
//! by row, and locked at the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conda_env::{ChannelSource, Lock, LockError, Network, Solution, Store};
use parcel::archive::Epoch;

use crate::build::{BuildError, BuildOptions, LockOutcome};
use crate::environment::{LOCK_FILE, Staged, Workshop, load_lock};
use crate::progress::Progress;
use crate::recipe::{Recipe, Row};
use crate::render::StagedEnvironment;
use crate::stage::Stage;

/// The environments of all distros, decided before anything is staged.
pub(crate) struct Environments<'a> {
    workshop: Workshop<'a>,
    solutions: BTreeMap<(String, String), Solution>,
    lock_path: PathBuf,
    /// The lock as it was read; `None` where there was none or it is not used.
    lock: Option<Lock>,
    writes_lock: Result<(), &'static str>,
}

impl<'a> Environments<'a> {
    pub(crate) fn resolve(
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
        if let Some(folder) = options.lock.as_ref().and_then(|lock| lock.parent())
            && !folder.as_os_str().is_empty()
            && !folder.is_dir()
        {
            return Err(BuildError::LockFolder { lock: lock_path });
        }
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
            channels: ChannelSource::parse_list(&options.channels, Path::new(""))?,
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
    pub(crate) fn epoch(&self, row: &Row) -> Option<Epoch> {
        let newest = self
            .of_row(row)
            .filter_map(Solution::newest_timestamp)
            .max()?;
        u64::try_from(newest).ok().map(Epoch::from_seconds)
    }

    /// The size of a row's packages as they come from a channel.
    pub(crate) fn packed_bytes(&self, row: &Row) -> u64 {
        let records = self.of_row(row).flat_map(Solution::records);
        records
            .filter_map(|record| record.package_record.size)
            .sum()
    }

    pub(crate) fn stage(
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
    pub(crate) fn finish_lock(&self) -> Result<LockOutcome, BuildError> {
        if self.solutions.is_empty() {
            return Ok(LockOutcome::None);
        }
        let mut lock = self.lock.clone().unwrap_or_default();
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
            Err(LockError::Io(error))
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
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
