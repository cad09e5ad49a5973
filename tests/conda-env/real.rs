//! The whole flow over real packages: `fixtures/real-channel` makes the channel.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows tests, but not their helpers"
)]

use std::num::NonZeroUsize;
use std::path::PathBuf;

use conda_env::{Compiler, Interpreter};
use rattler_conda_types::PrefixRecord;

mod support;

use support::{assert_free_of, assert_same, install, repository, solve};

/// The real channel; `None`, said aloud, when it is not on this machine.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test that may be skipped"
)]
fn channel() -> Option<PathBuf> {
    let given = std::env::var_os("PARCELCTL_REAL_CHANNEL").map(PathBuf::from);
    let channel = given.unwrap_or_else(|| repository("target/real-channel"));
    if channel.join("noarch/repodata.json").is_file() {
        return Some(channel);
    }
    let reason = format!("there is no real channel at {}", channel.display());
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
    None
}

#[test]
fn a_scientific_python_is_built_twice_to_the_same_bytes() {
    let Some(channel) = channel() else { return };
    let solution = solve(&channel, &["python=3.11", "numpy", "pandas"], "2.36").unwrap();
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut stages = Vec::new();
    for (dir, place, workers) in [(&a, "stage", 1), (&b, "a/longer/path/to/the/stage", 5)] {
        let stage = dir.path().join(place);
        let cache = dir.path().join(format!("cache-{workers}"));
        fs_err::create_dir_all(stage.parent().unwrap()).unwrap();
        let environment = install(&solution, &cache, &stage);
        let compiled = Compiler::new(1_700_000_000)
            .with_workers(NonZeroUsize::new(workers).unwrap())
            .compile(&environment)
            .unwrap();
        assert!(
            matches!(compiled.interpreter, Some(Interpreter::Own(_))),
            "{compiled:?}"
        );
        assert!(compiled.written.len() > 1000, "{}", compiled.written.len());
        stages.push(stage);
    }
    assert_same(&stages[0], &stages[1]);
    let channel = channel.canonicalize().unwrap();
    let places = [a.path(), b.path(), &channel].map(|p| p.to_str().unwrap());
    assert_free_of(&stages[0], &places);
    let records: Vec<PrefixRecord> = PrefixRecord::collect_from_prefix(&stages[0]).unwrap();
    for record in records {
        for entry in record.paths_data.paths {
            let path = stages[0].join(&entry.relative_path);
            if path.extension().is_some_and(|e| e == "pyc") {
                let digest = rattler_digest::compute_file_digest::<rattler_digest::Sha256>(&path);
                let expected = entry.sha256_in_prefix.or(entry.sha256);
                assert_eq!(Some(digest.unwrap()), expected, "{}", path.display());
            }
        }
    }
}
