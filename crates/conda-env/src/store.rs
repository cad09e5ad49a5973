//! Where fetched things are kept, and whether more may be fetched.
//!
//! Solving and installing share a [`Store`]: a cache folder (channel indexes, unpacked packages)
//! and the permission to use the network. It also owns the machinery that the public interface
//! hides: the HTTP client and the runtime on which rattler's asynchronous code runs.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rattler::package_cache::PackageCache;
use rattler_cache::validation::ValidationMode;
use rattler_networking::{LazyClient, OfflineMiddleware};
use rattler_repodata_gateway::fetch::CacheAction;
use rattler_repodata_gateway::{ChannelConfig, Gateway, SourceConfig};

/// Whether the network may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Channels and packages are fetched when the cache does not have them.
    Online,
    /// Nothing is fetched: the cache and folder channels must do.
    Offline,
}

/// A cache folder and the permission to fill it from the network.
///
/// Several processes may share the folder: rattler locks it.
#[derive(Clone, Debug)]
pub struct Store {
    cache_dir: PathBuf,
    network: Network,
}

impl Store {
    /// Uses a cache folder, which is created when something is put into it.
    pub fn new(cache_dir: impl Into<PathBuf>, network: Network) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            network,
        }
    }

    /// The cache folder.
    pub fn cache_dir(&self) -> &Path {
        &self.cache_dir
    }

    /// Whether the network may be used.
    pub fn network(&self) -> Network {
        self.network
    }

    /// The folder of the unpacked packages.
    pub(crate) fn packages_dir(&self) -> PathBuf {
        self.cache_dir.join(rattler_cache::PACKAGE_CACHE_DIR)
    }

    /// The unpacked packages. Every file of an entry is hashed before it is used: a parcel must
    /// not be made of a damaged cache, and a damaged entry is fetched again.
    pub(crate) fn packages(&self) -> PackageCache {
        PackageCache::new_layered([self.packages_dir()], false, ValidationMode::Full)
    }

    /// The way to the channel indexes.
    pub(crate) fn gateway(&self, client: LazyClient) -> Gateway {
        let cache_action = match self.network {
            Network::Online => CacheAction::CacheOrFetch,
            Network::Offline => CacheAction::ForceCacheOnly,
        };
        let default = SourceConfig {
            cache_action,
            ..SourceConfig::default()
        };
        Gateway::builder()
            .with_client(client)
            .with_cache_dir(self.cache_dir.join(rattler_cache::REPODATA_CACHE_DIR))
            .with_package_cache(self.packages())
            .with_channel_config(ChannelConfig {
                default,
                ..ChannelConfig::default()
            })
            .with_max_concurrent_requests(CONCURRENT_REQUESTS)
            .finish()
    }

    /// The HTTP client; `remote` says whether it will be used at all.
    ///
    /// A client that is not needed is not built: building one reads the system's certificates,
    /// which a small container may not have.
    pub(crate) fn client(&self, remote: bool) -> Result<LazyClient, reqwest::Error> {
        if !remote {
            return Ok(LazyClient::new(|| reqwest::Client::new().into()));
        }
        let client = reqwest::Client::builder()
            .user_agent(concat!("parcelctl/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(30))
            .read_timeout(Duration::from_mins(2))
            .build()?;
        Ok(match self.network {
            Network::Online => LazyClient::from(client),
            Network::Offline => reqwest_middleware::ClientBuilder::new(client)
                .with(OfflineMiddleware)
                .build()
                .into(),
        })
    }
}

/// How many downloads run at once.
pub(crate) const CONCURRENT_REQUESTS: usize = 16;

/// Runs rattler's asynchronous code to its end on threads of its own.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(future))
}
