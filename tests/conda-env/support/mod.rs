//! What the tests over whole channels share.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use conda_env::{
    ChannelSource, Environment, Installer, MatchSpec, Network, ParseStrictness, Solution,
    SolveError, Solver, Store, Target,
};

/// Where the test environments will live.
pub(crate) const PREFIX: &str = "/opt/cloudera/parcels/T-1.0";

/// A folder of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

pub(crate) fn specs(texts: &[&str]) -> Vec<MatchSpec> {
    texts
        .iter()
        .map(|t| MatchSpec::from_str(t, ParseStrictness::Strict).unwrap())
        .collect()
}

/// Solves for linux-64 from a folder channel, without a network.
pub(crate) fn solve(channel: &Path, texts: &[&str], glibc: &str) -> Result<Solution, SolveError> {
    let cache = tempfile::tempdir().unwrap();
    let channel = ChannelSource::parse(channel.to_str().unwrap(), Path::new("/")).unwrap();
    let target = Target::new("linux-64", glibc).unwrap();
    let store = Store::new(cache.path(), Network::Offline);
    Solver::new(&store).solve(&specs(texts), &[channel], &target)
}

pub(crate) fn install(solution: &Solution, cache: &Path, stage: &Path) -> Environment {
    let store = Store::new(cache, Network::Offline);
    Installer::new(&store)
        .install(solution, stage, PREFIX)
        .unwrap()
}

/// Everything about a tree that an archive of it would show.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs_err::symlink_metadata(&path).unwrap();
            let content = if metadata.is_symlink() {
                fs_err::read_link(&path)
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes()
            } else if metadata.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs_err::read(&path).unwrap()
            };
            let relative = path.strip_prefix(root).unwrap().to_owned();
            found.insert(relative, (metadata.permissions().mode(), content));
        }
    }
    found
}

/// Fails with the name of the first file that is not the same in both trees.
pub(crate) fn assert_same(a: &Path, b: &Path) {
    let (a, b) = (tree(a), tree(b));
    for (path, entry) in &a {
        assert!(b.get(path) == Some(entry), "{} differs", path.display());
    }
    let more = b.keys().find(|path| !a.contains_key(*path));
    assert_eq!(more, None, "in the second only");
}

/// Fails with the name of the first file that holds one of the texts.
pub(crate) fn assert_free_of(root: &Path, texts: &[&str]) {
    for (path, (_, content)) in tree(root) {
        for text in texts {
            let found = content
                .windows(text.len())
                .any(|window| window == text.as_bytes());
            assert!(!found, "{} holds {text}", path.display());
        }
    }
}
