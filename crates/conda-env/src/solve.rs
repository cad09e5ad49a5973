//! Specs and channels in, a [`Solution`] out.
//!
//! The channel indexes are read as far as the specs reach; the solver sees them, the specs and the
//! virtual packages of the [`Target`], and nothing of the machine it runs on. What comes out is
//! exactly what a lock would give back, so a build that solves and a later build from the lock it
//! wrote are the same build.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rattler_conda_types::{Channel, MatchSpec, PackageName, ParseStrictness, Subdir};
use rattler_repodata_gateway::fetch::FetchRepoDataError;
use rattler_repodata_gateway::{Gateway, GatewayError, RepoData};
use rattler_solve::{SolverImpl, SolverTask, resolvo};

use crate::channel::ChannelSource;
use crate::lock::{self, LockError};
use crate::progress::{Indexes, Progress, Silent, Task};
use crate::solution::Solution;
use crate::store::{Network, Store, run};
use crate::target::Target;

/// Finds the packages that answer specs.
pub struct Solver {
    store: Store,
    progress: Arc<dyn Progress>,
}

/// Why there is no solution.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// No channel was given.
    #[error("no channel to take packages from")]
    NoChannels,
    /// The threads that fetch could not be started.
    #[error("cannot start the threads that fetch")]
    Runtime(#[source] io::Error),
    /// The HTTP client could not be made.
    #[error("cannot prepare to use the network")]
    Client(#[source] reqwest::Error),
    /// A folder channel lacks its index.
    #[error("channel folder {channel} has no {missing}", channel = channel.display())]
    FolderChannel {
        /// The folder.
        channel: PathBuf,
        /// The file that is missing, relative to it.
        missing: String,
    },
    /// There is nothing at the address of a channel.
    #[error("there is no channel at {url}: it has no {subdir}/repodata.json")]
    NoSuchChannel {
        /// The address.
        url: String,
        /// The part that every channel has and this one does not.
        subdir: String,
        /// What was answered.
        source: Box<GatewayError>,
    },
    /// A channel is not in the cache, and the network may not be used.
    #[error("the index of channel {url} is not in the cache")]
    NotCached {
        /// The channel.
        url: String,
        /// What rattler says.
        source: Box<GatewayError>,
    },
    /// A channel cannot be read.
    #[error("cannot read channel {url}")]
    Channel {
        /// The channel.
        url: String,
        /// Why.
        source: Box<GatewayError>,
    },
    /// No set of packages answers the specs.
    #[error(
        "no set of packages answers the specs on {platform} with glibc {glibc}: {explanation}",
        explanation = explanation.trim_end()
    )]
    Unsolvable {
        /// The platform.
        platform: String,
        /// The glibc version.
        glibc: String,
        /// The solver's own words, over several lines.
        explanation: String,
        /// The packages no channel has.
        missing: Vec<Missing>,
        /// The channels that were asked.
        channels: Vec<String>,
    },
    /// The solver gave up for another reason.
    #[error("the solver failed")]
    Solver(#[source] rattler_solve::SolveError),
    /// The packages found cannot be locked, and so not be built a second time.
    #[error("the packages found cannot be locked")]
    Unlockable(#[source] LockError),
}

/// A package that no channel has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its name.
    pub name: String,
    /// The most similar name a channel has.
    pub nearest: Option<String>,
}

impl SolveError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoChannels => {
                Some("list channels in the recipe or the environment.yml".to_owned())
            }
            Self::FolderChannel { .. } => Some(
                "a channel is the folder that holds `noarch` and `linux-64`; `conda index FOLDER` \
                 writes the indexes"
                    .to_owned(),
            ),
            Self::NoSuchChannel { .. } => Some("check the name of the channel".to_owned()),
            Self::NotCached { .. } => Some(
                "run once without --offline, or use a folder channel, which needs no network"
                    .to_owned(),
            ),
            Self::Channel { .. } => Some(
                "check the address and the proxy, or use a folder channel, which needs no network"
                    .to_owned(),
            ),
            Self::Unsolvable {
                explanation,
                missing,
                channels,
                glibc,
                ..
            } => Some(unsolvable_hint(explanation, missing, channels, glibc)),
            Self::Unlockable(source) => source.hint(),
            Self::Runtime(_) | Self::Client(_) | Self::Solver(_) => None,
        }
    }
}

/// Says what could make an unsolvable request solvable.
fn unsolvable_hint(
    explanation: &str,
    missing: &[Missing],
    channels: &[String],
    glibc: &str,
) -> String {
    let asked = channels.join(", ");
    if let Some(Missing { name, nearest }) = missing.first() {
        // Indexes are read as far as specs match, so a name can be missing for its version only.
        if nearest.as_ref() == Some(name) {
            return format!("`{name}` is in the channels ({asked}), but not in such a version");
        }
        let or = nearest
            .as_ref()
            .map(|n| format!("; did you mean `{n}`?"))
            .unwrap_or_default();
        return format!("`{name}` is in none of the channels ({asked}){or}");
    }
    if explanation.contains("__glibc") {
        return format!(
            "the target has glibc {glibc}; ask for an older version, or build for a newer system \
             only"
        );
    }
    format!("the channels asked, most important first: {asked}")
}

impl Solver {
    /// Makes a solver that reads indexes through a store.
    pub fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            progress: Arc::new(Silent),
        }
    }

    /// Tells about the indexes that are fetched.
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// Finds the packages that answer `specs` on `target`, taken from `channels` in order of
    /// priority: a package that an earlier channel has is never taken from a later one.
    ///
    /// Blocks; must not be called from asynchronous code.
    ///
    /// # Errors
    ///
    /// [`SolveError::FolderChannel`], [`SolveError::NoSuchChannel`], [`SolveError::NotCached`] and
    /// [`SolveError::Channel`] when a channel cannot be read, [`SolveError::Unsolvable`] when no
    /// packages answer, [`SolveError::Unlockable`] when one of them has no checksum.
    pub fn solve(
        &self,
        specs: &[MatchSpec],
        channels: &[ChannelSource],
        target: &Target,
    ) -> Result<Solution, SolveError> {
        if channels.is_empty() {
            return Err(SolveError::NoChannels);
        }
        check_folders(channels)?;
        let remote = channels.iter().any(ChannelSource::is_remote);
        let client = self.store.client(remote).map_err(SolveError::Client)?;
        let gateway = self.store.gateway(client);
        run(self.solve_through(&gateway, specs, channels, target)).map_err(SolveError::Runtime)?
    }

    async fn solve_through(
        &self,
        gateway: &Gateway,
        specs: &[MatchSpec],
        channels: &[ChannelSource],
        target: &Target,
    ) -> Result<Solution, SolveError> {
        let sources = channels
            .iter()
            .map(ChannelSource::to_channel)
            .collect::<Vec<_>>();
        let subdirs = [target.subdir(), Subdir::NoArch];
        self.progress.begin(Task::Metadata, None);
        let found = gateway
            .query(sources.clone(), subdirs, specs.to_vec())
            .recursive(true)
            .with_reporter(Indexes::new(self.progress.clone()))
            .await
            .map_err(|error| self.channel_error(error, channels))?;
        self.progress.end(Task::Metadata);
        let task = SolverTask {
            specs: specs.to_vec(),
            virtual_packages: target.virtual_packages(),
            ..found.repodata.iter().collect::<SolverTask<_>>()
        };
        let solved = match resolvo::Solver.solve(task) {
            Ok(solved) => solved,
            Err(rattler_solve::SolveError::Unsolvable(reasons)) => {
                let explanation = reasons.join("\n");
                let missing = missing(&explanation, specs, &found.repodata);
                return Err(SolveError::Unsolvable {
                    platform: target.platform().to_owned(),
                    glibc: target.glibc(),
                    missing: with_nearest(gateway, missing, sources, subdirs).await,
                    explanation,
                    channels: channels.iter().map(ToString::to_string).collect(),
                });
            }
            Err(other) => return Err(SolveError::Solver(other)),
        };
        let solution = Solution::new(target.subdir(), channels.to_vec(), solved.records);
        lock::as_locked(&solution).map_err(SolveError::Unlockable)
    }

    /// Finds out which channel an error of the gateway is about.
    fn channel_error(&self, error: GatewayError, channels: &[ChannelSource]) -> SolveError {
        let url = || {
            let channels = channels.iter().map(ToString::to_string).collect::<Vec<_>>();
            let Some(url) = address(&error) else {
                return channels.join(", ");
            };
            let of = channels
                .iter()
                .find(|channel| url.as_str().starts_with(channel.as_str()));
            of.cloned().unwrap_or_else(|| url.to_string())
        };
        let offline = self.store.network() == Network::Offline;
        match &error {
            GatewayError::SubdirNotFoundError(missing) => SolveError::NoSuchChannel {
                url: missing
                    .channel
                    .base_url
                    .as_str()
                    .trim_end_matches('/')
                    .to_owned(),
                subdir: missing.subdir.clone(),
                source: Box::new(error),
            },
            GatewayError::FetchRepoDataError(FetchRepoDataError::NoCacheAvailable(_))
            | GatewayError::ShardedIndexNotCached(_)
            | GatewayError::ShardNotCached(_) => SolveError::NotCached {
                url: url(),
                source: Box::new(error),
            },
            _ if offline => SolveError::NotCached {
                url: url(),
                source: Box::new(error),
            },
            _ => SolveError::Channel {
                url: url(),
                source: Box::new(error),
            },
        }
    }
}

/// Makes sure that folder channels have an index: rattler's own answer does not name the file.
fn check_folders(channels: &[ChannelSource]) -> Result<(), SolveError> {
    for channel in channels {
        if let ChannelSource::Folder(path) = channel {
            let missing = "noarch/repodata.json";
            if !path.join(missing).is_file() {
                let (channel, missing) = (path.clone(), missing.to_owned());
                return Err(SolveError::FolderChannel { channel, missing });
            }
        }
    }
    Ok(())
}

/// The address that an error of the gateway is about, where it says.
fn address(error: &GatewayError) -> Option<&url::Url> {
    match error {
        GatewayError::ReqwestError(error) => error.url(),
        GatewayError::FetchRepoDataError(error) => match error {
            FetchRepoDataError::HttpError(reqwest_middleware::Error::Reqwest(error)) => error.url(),
            FetchRepoDataError::FailedToDownload(url, _)
            | FetchRepoDataError::NoCacheAvailable(url) => Some(url),
            _ => None,
        },
        GatewayError::ShardedIndexNotCached(url) => Some(url),
        _ => None,
    }
}

/// The names that the explanation speaks of and no channel has.
fn missing(explanation: &str, specs: &[MatchSpec], found: &[RepoData]) -> BTreeSet<PackageName> {
    let records = || found.iter().flat_map(RepoData::iter);
    let have = records()
        .map(|r| &r.package_record.name)
        .collect::<BTreeSet<_>>();
    let needed = records()
        .flat_map(|r| &r.package_record.depends)
        .filter_map(|text| MatchSpec::from_str(text, ParseStrictness::Lenient).ok());
    let words = explanation
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .collect::<BTreeSet<_>>();
    specs
        .iter()
        .cloned()
        .chain(needed)
        .filter_map(|spec| spec.name.as_exact().cloned())
        .filter(|name| !name.as_normalized().starts_with("__") && !have.contains(name))
        .filter(|name| words.contains(name.as_normalized()))
        .collect()
}

/// Looks for names that are similar to the missing ones. Failing to look is not another error.
async fn with_nearest(
    gateway: &Gateway,
    missing: BTreeSet<PackageName>,
    sources: Vec<Channel>,
    subdirs: [Subdir; 2],
) -> Vec<Missing> {
    if missing.is_empty() {
        return Vec::new();
    }
    let names = gateway
        .names(sources, subdirs)
        .await
        .map(|n| n.names)
        .unwrap_or_default();
    let similar = |name: &str| {
        names
            .iter()
            .map(|other| {
                (
                    strsim::jaro_winkler(name, other.as_normalized()),
                    other.as_normalized(),
                )
            })
            .filter(|(score, _)| *score > 0.85)
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
            .map(|(_, other)| other.to_owned())
    };
    missing
        .iter()
        .map(|name| {
            let name = name.as_normalized();
            Missing {
                nearest: similar(name),
                name: name.to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_of_an_error_is_the_one_its_address_is_in() {
        let solver = Solver::new(&Store::new("/nowhere", Network::Online));
        let channels = ["https://example.com/a", "https://example.com/b"]
            .map(|url| ChannelSource::from_url(url).unwrap());
        let url = url::Url::parse("https://example.com/b/noarch/repodata.json").unwrap();
        let error = GatewayError::from(FetchRepoDataError::NoCacheAvailable(url));
        let error = solver.channel_error(error, &channels);
        assert_eq!(
            error.to_string(),
            "the index of channel https://example.com/b is not in the cache"
        );
        let error = solver.channel_error(GatewayError::Generic("x".to_owned()), &channels);
        assert_eq!(
            error.to_string(),
            "cannot read channel https://example.com/a, https://example.com/b"
        );
    }

    #[test]
    fn the_hint_names_what_is_missing_and_what_is_near() {
        let missing = [Missing {
            name: "nunpy".to_owned(),
            nearest: Some("numpy".to_owned()),
        }];
        let hint = unsolvable_hint("", &missing, &["conda-forge".to_owned()], "2.17");
        assert_eq!(
            hint,
            "`nunpy` is in none of the channels (conda-forge); did you mean `numpy`?"
        );
    }
}
