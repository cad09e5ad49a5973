//! A [`Solution`] in, an [`Environment`] out.
//!
//! rattler fetches the packages into the cache, checks them, and writes their files with the final
//! prefix in place of each placeholder. What it leaves behind of the build machine is scrubbed
//! before anyone sees the environment. Nothing of a package is run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rattler::install::{InstallError as LinkError, InstallerError, LinkFileError, LinkOptions};
use rattler::package_cache::PackageCache;
use rattler_conda_types::package::PathsJson;
use rattler_conda_types::{MatchSpec, RepoDataRecord};

use crate::environment::{Clobber, Environment, LinkScript, Package, PythonVersion};
use crate::progress::{Packages, Progress, Silent};
use crate::scrub::scrub;
use crate::solution::Solution;
use crate::store::{CONCURRENT_REQUESTS, Network, Store, run};

/// Puts solutions into folders.
pub struct Installer {
    store: Store,
    requested: Vec<MatchSpec>,
    progress: Arc<dyn Progress>,
}

/// Why an environment could not be installed. The staging folder is then in no defined state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The final prefix is not an absolute, plain path.
    #[error("`{prefix}` cannot be the place of an environment")]
    Prefix {
        /// The prefix.
        prefix: String,
    },
    /// There is an environment in the staging folder.
    #[error("there is already an environment in {stage}", stage = stage.display())]
    NotEmpty {
        /// The staging folder.
        stage: PathBuf,
    },
    /// The final prefix does not fit into a compiled file.
    #[error(
        "the prefix {prefix} is too long for {package}: it has {length} characters and {path} has \
         room for {maximum}",
        length = prefix.len(), path = path.display()
    )]
    PrefixTooLong {
        /// The prefix.
        prefix: String,
        /// The package.
        package: String,
        /// The file of the package.
        path: PathBuf,
        /// The longest prefix that fits, in bytes.
        maximum: usize,
    },
    /// Packages are not in the cache, and the network may not be used.
    #[error("{count} of the packages are not in the cache: {names}", count = packages.len(),
        names = packages.join(", "))]
    NotCached {
        /// The packages.
        packages: Vec<String>,
    },
    /// A package could not be brought into the cache.
    #[error("cannot fetch {package} from {url}")]
    Fetch {
        /// The package.
        package: String,
        /// Where it should be.
        url: String,
        /// Why.
        source: Box<InstallerError>,
    },
    /// A package could not be written into the staging folder.
    #[error("cannot install into {stage}", stage = stage.display())]
    Link {
        /// The staging folder.
        stage: PathBuf,
        /// Why.
        source: Box<InstallerError>,
    },
    /// The cache folder cannot be used.
    #[error("cannot use the cache folder {cache}", cache = cache.display())]
    Cache {
        /// The cache folder.
        cache: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The environment could not be cleaned.
    #[error("cannot clean up the environment in {stage}", stage = stage.display())]
    Scrub {
        /// The staging folder.
        stage: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The threads that install could not be started.
    #[error("cannot start the threads that install")]
    Runtime(#[source] io::Error),
    /// The HTTP client could not be made.
    #[error("cannot prepare to use the network")]
    Client(#[source] reqwest::Error),
}

impl InstallError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Prefix { .. } => Some("use an absolute path without `..`".to_owned()),
            Self::PrefixTooLong { maximum, .. } => Some(format!(
                "conda packages are built for prefixes of up to a certain length; shorten the name \
                 or the version so that the whole path has at most {maximum} characters"
            )),
            Self::NotCached { .. } => Some(
                "run once without --offline, or take the packages from a folder channel".to_owned(),
            ),
            Self::Fetch { .. } => Some(
                "check the address and the proxy; a checksum that does not match means that the \
                 package was replaced since it was locked"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl Installer {
    /// Makes an installer that takes packages through a store.
    pub fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            requested: Vec::new(),
            progress: Arc::new(Silent),
        }
    }

    /// Notes in the environment which packages were asked for and not only needed by others.
    pub fn requesting(mut self, specs: &[MatchSpec]) -> Self {
        self.requested = specs.to_vec();
        for spec in &mut self.requested {
            // Part of the note's text, and a path on this machine.
            if spec
                .channel
                .as_ref()
                .is_some_and(|c| c.base_url.url().scheme() == "file")
            {
                spec.channel = None;
            }
        }
        self
    }

    /// Tells about the packages that are fetched and written.
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// Installs a solution into the folder `stage` for a life at `final_prefix`.
    ///
    /// The folder may have files in it (other environments under `envs/`), but no environment.
    /// Files are copied from the cache, never hard-linked: a file of the stage that is edited must
    /// not change the cache. Blocks; must not be called from asynchronous code.
    ///
    /// # Errors
    ///
    /// [`InstallError::Prefix`], [`InstallError::NotEmpty`] and [`InstallError::NotCached`] before
    /// anything is written; the others leave a half-installed environment behind, so install into
    /// a temporary folder.
    pub fn install(
        &self,
        solution: &Solution,
        stage: &Path,
        final_prefix: &str,
    ) -> Result<Environment, InstallError> {
        let prefix = check_prefix(final_prefix)?;
        if stage.join("conda-meta").exists() {
            return Err(InstallError::NotEmpty {
                stage: stage.to_owned(),
            });
        }
        let result = run(self.link(solution, stage, prefix)).map_err(InstallError::Runtime)??;
        let scrubbing = |source| InstallError::Scrub {
            stage: stage.to_owned(),
            source,
        };
        let records = scrub(stage).map_err(scrubbing)?;
        let repodata = records.iter().map(|r| &r.repodata_record);
        Ok(Environment {
            prefix: prefix.to_owned(),
            root: fs_err::canonicalize(stage).map_err(scrubbing)?,
            platform: solution.platform(),
            packages: repodata.map(Package::from).collect(),
            python: PythonVersion::of(solution.records()),
            link_scripts: records.iter().flat_map(LinkScript::of).collect(),
            clobbers: result,
        })
    }

    /// Lets rattler do its work; gives back the paths that more than one package wanted.
    async fn link(
        &self,
        solution: &Solution,
        stage: &Path,
        prefix: &str,
    ) -> Result<Vec<Clobber>, InstallError> {
        let records = solution.records();
        let remote = records.iter().any(|r| r.url.scheme() != "file");
        let cache = self.store.packages();
        if self.store.network() == Network::Offline {
            self.check_cached(&cache, records).await?;
        }
        let client = self.store.client(remote).map_err(InstallError::Client)?;
        let result = rattler::install::Installer::new()
            .with_download_client(client)
            .with_package_cache(cache)
            .with_max_concurrent_requests(CONCURRENT_REQUESTS)
            .with_installed_packages(Vec::new())
            .with_target_platform(solution.subdir())
            .with_alternative_target_prefix(prefix)
            .with_execute_link_scripts(false)
            .with_link_options(LinkOptions {
                allow_symbolic_links: Some(true),
                allow_hard_links: Some(false),
                allow_ref_links: None,
            })
            .with_requested_specs(self.requested.clone())
            .with_reporter(Packages::new(self.progress.clone()))
            .install(stage, records.to_vec())
            .await
            .map_err(|error| self.explain(error, solution, stage, prefix))?;
        let clobbers = result.clobbered_paths.into_iter().map(|(path, clobber)| {
            let mut losers = clobber
                .other_packages
                .iter()
                .map(|name| name.as_normalized().to_owned())
                .collect::<Vec<_>>();
            losers.sort();
            Clobber {
                path,
                winner: clobber.package.as_normalized().to_owned(),
                losers,
            }
        });
        let mut clobbers = clobbers.collect::<Vec<_>>();
        clobbers.sort();
        Ok(clobbers)
    }

    /// Names all packages that are missing offline, not only the first.
    async fn check_cached(
        &self,
        cache: &PackageCache,
        records: &[RepoDataRecord],
    ) -> Result<(), InstallError> {
        let cached = cache.index().await.map_err(|source| InstallError::Cache {
            cache: self.store.cache_dir().to_owned(),
            source,
        })?;
        let packages = records
            .iter()
            .filter(|r| r.url.scheme() != "file" && !cached.contains_record(r))
            .map(|r| r.identifier.to_string())
            .collect::<Vec<_>>();
        if packages.is_empty() {
            Ok(())
        } else {
            Err(InstallError::NotCached { packages })
        }
    }

    /// Turns rattler's error into one that says what matters here.
    fn explain(
        &self,
        error: InstallerError,
        solution: &Solution,
        stage: &Path,
        prefix: &str,
    ) -> InstallError {
        let package = |named: &str| {
            solution
                .records()
                .iter()
                .find(|r| named.contains(&r.identifier.to_string()))
        };
        match &error {
            InstallerError::FailedToFetch(named, _) => InstallError::Fetch {
                package: package(named).map_or(named.clone(), |r| r.identifier.to_string()),
                url: package(named).map_or_else(String::new, |r| r.url.to_string()),
                source: Box::new(error),
            },
            InstallerError::LinkError(
                named,
                LinkError::FailedToLink(path, LinkFileError::IoError(_, _)),
            ) => package(named)
                .and_then(|record| self.too_long(record, path, prefix))
                .unwrap_or_else(|| InstallError::Link {
                    stage: stage.to_owned(),
                    source: Box::new(error),
                }),
            _ => InstallError::Link {
                stage: stage.to_owned(),
                source: Box::new(error),
            },
        }
    }

    /// Looks into the package whether a file that could not be written has no room for the prefix.
    fn too_long(&self, record: &RepoDataRecord, path: &Path, prefix: &str) -> Option<InstallError> {
        let package = &record.package_record;
        let (name, version) = (package.name.as_normalized(), &package.version);
        let folder = self
            .store
            .packages_dir()
            .join(format!("{name}-{version}-{}", package.build));
        let paths = PathsJson::from_package_directory_with_deprecated_fallback(&folder)
            .ok()?
            .paths;
        let entry = paths.iter().find(|entry| entry.relative_path == path)?;
        let maximum = entry.prefix_placeholder.as_ref()?.placeholder.len();
        (prefix.len() > maximum).then(|| InstallError::PrefixTooLong {
            prefix: prefix.to_owned(),
            package: record.identifier.to_string(),
            path: path.to_owned(),
            maximum,
        })
    }
}

/// Makes sure that a prefix is one, and takes the slashes off its end.
fn check_prefix(prefix: &str) -> Result<&str, InstallError> {
    let bare = prefix.trim_end_matches('/');
    let plain = bare.starts_with('/')
        && !bare.contains(['\0', '\n', '\r'])
        && bare[1..]
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."));
    if plain {
        Ok(bare)
    } else {
        Err(InstallError::Prefix {
            prefix: prefix.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
