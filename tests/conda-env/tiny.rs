//! The whole flow over the tiny channel of `fixtures/channel`.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows tests, but not their helpers"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use conda_env::{
    ChannelSource, InstallError, Installer, Lock, MatchSpec, Network, ParseStrictness, Solution,
    SolveError, Solver, Store, Target,
};
use rattler_conda_types::PrefixRecord;
use rattler_conda_types::prefix_record::PathType;

mod support;

use support::{PREFIX, assert_free_of, assert_same, install, repository, solve, specs, tree};

fn channel() -> PathBuf {
    repository("fixtures/channel")
}

fn versions(solution: &Solution) -> Vec<String> {
    solution
        .records()
        .iter()
        .map(|r| r.identifier.to_string())
        .collect()
}

fn hello_and_greet() -> Solution {
    solve(&channel(), &["hello", "greet"], "2.17").unwrap()
}

#[test]
fn the_target_decides_and_not_this_machine() {
    let old = solve(&channel(), &["foo"], "2.17").unwrap();
    let new = solve(&channel(), &["foo"], "2.28").unwrap();
    assert_eq!(versions(&old), ["foo-1.6-0.conda"]);
    assert_eq!(versions(&new), ["foo-1.7-0.conda"]);
    let target = Target::new("linux-64", "2.17").unwrap();
    assert_eq!(old.satisfies(&specs(&["foo"]), &target), Ok(()));
    assert_eq!(
        new.satisfies(&specs(&["foo"]), &target)
            .unwrap_err()
            .to_string(),
        "foo-1.7-0.conda needs `__glibc >=2.28`, and __glibc=2.17=0 is there"
    );
}

#[test]
fn a_missing_package_is_named() {
    let error = solve(&channel(), &["needs-missing"], "2.17").unwrap_err();
    assert!(error.to_string().contains("no-such-package"), "{error}");
    assert!(
        error
            .hint()
            .unwrap()
            .starts_with("`no-such-package` is in none of")
    );
    let error = solve(&channel(), &["helo"], "2.17").unwrap_err();
    assert!(
        error.hint().unwrap().ends_with("did you mean `hello`?"),
        "{:?}",
        error.hint()
    );
}

#[test]
fn a_glibc_that_is_too_old_is_said_to_be() {
    let error = solve(&channel(), &["foo"], "2.12").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no set of packages answers the specs on linux-64 with glibc 2.12: ")
    );
    assert!(
        error
            .hint()
            .unwrap()
            .starts_with("the target has glibc 2.12"),
        "{error}"
    );
}

#[test]
fn a_folder_without_an_index_is_said_to_have_none() {
    let dir = tempfile::tempdir().unwrap();
    let error = solve(dir.path(), &["foo"], "2.17").unwrap_err();
    assert!(
        error.to_string().ends_with(" has no noarch/repodata.json"),
        "{error}"
    );
}

#[test]
fn a_channel_that_does_not_answer_is_named() {
    let dir = tempfile::tempdir().unwrap();
    // Nothing listens on port 1, and nothing is asked of the network to find that out.
    let url = "http://127.0.0.1:1/chan";
    let channel = ChannelSource::parse(url, dir.path()).unwrap();
    let target = Target::new("linux-64", "2.17").unwrap();
    let solve = |network| {
        let store = Store::new(dir.path(), network);
        Solver::new(&store).solve(&specs(&["foo"]), std::slice::from_ref(&channel), &target)
    };
    let error = solve(Network::Online).unwrap_err();
    assert!(matches!(&error, SolveError::Channel { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot read channel {url}"));
    let error = solve(Network::Offline).unwrap_err();
    assert!(matches!(&error, SolveError::NotCached { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("the index of channel {url} is not in the cache")
    );
}

#[test]
fn the_final_prefix_is_in_every_kind_of_file() {
    let dir = tempfile::tempdir().unwrap();
    let stage = dir.path().join("stage");
    let environment = install(&hello_and_greet(), &dir.path().join("cache"), &stage);
    assert_eq!(environment.prefix(), PREFIX);
    let names = environment
        .packages()
        .iter()
        .map(|p| p.name.as_str())
        .collect::<Vec<_>>();
    assert_eq!(names, ["greet", "greeting-data", "hello", "python"]);
    assert_eq!(environment.python().unwrap().to_string(), "3.11");

    let conf = fs_err::read_to_string(stage.join("etc/hello.conf")).unwrap();
    assert_eq!(conf, format!("[hello]\nprefix = {PREFIX}\n"));

    let binary = fs_err::read(stage.join("bin/where")).unwrap();
    let at = binary
        .windows(PREFIX.len())
        .position(|w| w == PREFIX.as_bytes())
        .unwrap();
    let rest = &binary[at + PREFIX.len()..];
    let padding = rest.iter().take_while(|b| **b == 0).count();
    assert!(
        padding > 100,
        "the rest of the placeholder is NUL: {padding}"
    );
    let record = record(&stage, "hello");
    let entry = record
        .paths_data
        .paths
        .iter()
        .find(|p| p.relative_path.ends_with("where"));
    assert_eq!(entry.unwrap().size_in_bytes, Some(binary.len() as u64));
    let output = Command::new(stage.join("bin/where")).output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("{PREFIX}\n")
    );

    let greet = fs_err::read_to_string(stage.join("bin/greet")).unwrap();
    assert!(
        greet.starts_with(&format!("#!{PREFIX}/bin/python3.11\n")),
        "{greet}"
    );
    assert!(
        stage
            .join("lib/python3.11/site-packages/greet/cli.py")
            .is_file()
    );
    assert_eq!(
        fs_err::read_link(stage.join("bin/greet-me")).unwrap(),
        Path::new("hello")
    );
}

fn record(stage: &Path, name: &str) -> PrefixRecord {
    let records: Vec<PrefixRecord> = PrefixRecord::collect_from_prefix(stage).unwrap();
    records
        .into_iter()
        .find(|r| r.name().as_normalized() == name)
        .unwrap()
}

#[test]
fn what_is_recorded_is_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let stage = dir.path().join("stage");
    let solution = hello_and_greet();
    install(&solution, &dir.path().join("cache"), &stage);
    let records: Vec<PrefixRecord> = PrefixRecord::collect_from_prefix(&stage).unwrap();
    assert_eq!(records.len(), 4);
    for record in records {
        for entry in &record.paths_data.paths {
            let path = stage.join(&entry.relative_path);
            if matches!(
                entry.path_type,
                PathType::HardLink | PathType::UnixPythonEntryPoint
            ) {
                let digest = rattler_digest::compute_file_digest::<rattler_digest::Sha256>(&path);
                let expected = entry.sha256_in_prefix.or(entry.sha256);
                assert_eq!(Some(digest.unwrap()), expected, "{}", path.display());
            }
        }
    }
    assert_eq!(fs_err::read(stage.join("conda-meta/history")).unwrap(), b"");
    assert!(!stage.join("CACHEDIR.TAG").exists());
}

#[test]
fn what_was_asked_for_is_noted() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path().join("cache"), Network::Offline);
    let stage = dir.path().join("stage");
    let asked = MatchSpec::from_str("hello >=1.0", ParseStrictness::Strict).unwrap();
    Installer::new(&store)
        .requesting(&[asked])
        .install(&hello_and_greet(), &stage, PREFIX)
        .unwrap();
    assert_eq!(record(&stage, "hello").requested_specs, ["hello >=1.0"]);
    assert!(record(&stage, "greeting-data").requested_specs.is_empty());
}

/// Started by the test below under another umask; alone it does nothing.
#[test]
#[ignore = "a part of installations_do_not_depend_on_cache_umask_or_place"]
#[expect(clippy::disallowed_methods, reason = "told by the test that starts it")]
fn installs_for_another_test() {
    if let Some(dir) = std::env::var_os("CONDA_ENV_TEST_DIR") {
        let dir = PathBuf::from(dir);
        install(
            &hello_and_greet(),
            &dir.join("a/much/longer/cache"),
            &dir.join("b/stage"),
        );
    }
}

#[test]
fn installations_do_not_depend_on_cache_umask_or_place() {
    let dir = tempfile::tempdir().unwrap();
    let stage = dir.path().join("stage");
    install(&hello_and_greet(), &dir.path().join("cache"), &stage);
    let other = tempfile::tempdir().unwrap();
    let status = Command::new("sh")
        .args([
            "-c",
            "umask 077; exec \"$0\" --ignored --exact installs_for_another_test",
        ])
        .arg(std::env::current_exe().unwrap())
        .env("CONDA_ENV_TEST_DIR", other.path())
        .status();
    assert!(status.unwrap().success());
    assert_same(&stage, &other.path().join("b/stage"));
    let channel = channel().canonicalize().unwrap();
    let places = [dir.path(), other.path(), &channel].map(|p| p.to_str().unwrap());
    assert_free_of(&stage, &places);
}

#[test]
fn a_build_from_the_lock_is_the_build_that_wrote_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("parcel.lock");
    let solution = hello_and_greet();
    let mut lock = Lock::new();
    lock.set("base", "el7", solution.clone());
    lock.save(&path).unwrap();
    let text = fs_err::read_to_string(&path).unwrap();
    assert!(!text.contains("file://"), "{text}");
    let read = Lock::load(&path).unwrap();
    let read = read.get("base", "el7").unwrap();
    assert_eq!(*read, solution);
    assert!(read.newest_timestamp() == Some(1_793_491_200));
    let cache = dir.path().join("cache");
    install(&solution, &cache, &dir.path().join("a"));
    install(read, &cache, &dir.path().join("b"));
    assert_same(&dir.path().join("a"), &dir.path().join("b"));
}

#[test]
fn editing_an_installed_file_does_not_change_the_cache() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let solution = hello_and_greet();
    install(&solution, &cache, &dir.path().join("a"));
    let file = "share/greeting/greeting.txt";
    let path = dir.path().join("a").join(file);
    assert_eq!(
        std::os::unix::fs::MetadataExt::nlink(&fs_err::metadata(&path).unwrap()),
        1
    );
    fs_err::write(&path, "changed").unwrap();
    install(&solution, &cache, &dir.path().join("b"));
    let second = fs_err::read_to_string(dir.path().join("b").join(file)).unwrap();
    assert_eq!(second, "hello from a parcel\n");
}

#[test]
fn a_damaged_cache_is_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let solution = hello_and_greet();
    install(&solution, &cache, &dir.path().join("a"));
    let cached = cache.join("pkgs/greeting-data-1.2-0/share/greeting/greeting.txt");
    fs_err::write(&cached, "HELLO from a parcel\n").unwrap();
    install(&solution, &cache, &dir.path().join("b"));
    assert_same(&dir.path().join("a"), &dir.path().join("b"));
}

#[test]
fn a_package_that_is_not_what_was_locked_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("channel");
    for (path, (mode, content)) in tree(&channel()) {
        let path = copy.join(path);
        if mode & 0o040_000 != 0 {
            fs_err::create_dir_all(&path).unwrap();
        } else {
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(&path, content).unwrap();
        }
    }
    let solution = solve(&copy, &["foo"], "2.17").unwrap();
    let (a, b) = ("linux-64/foo-1.7-0.conda", "linux-64/foo-1.6-0.conda");
    fs_err::copy(copy.join(a), copy.join(b)).unwrap();
    let store = Store::new(dir.path().join("cache"), Network::Offline);
    let result = Installer::new(&store).install(&solution, &dir.path().join("stage"), PREFIX);
    let error = result.unwrap_err();
    assert!(matches!(&error, InstallError::Fetch { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("cannot fetch foo-1.6-0.conda from file://")
    );
}

#[test]
fn a_prefix_that_does_not_fit_is_refused_with_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path().join("cache"), Network::Offline);
    let install = |prefix: &str| {
        let stage = tempfile::tempdir_in(dir.path()).unwrap();
        Installer::new(&store).install(&hello_and_greet(), stage.path(), prefix)
    };
    let error = install(&format!("/opt/{}", "x".repeat(300))).unwrap_err();
    let InstallError::PrefixTooLong {
        package,
        path,
        maximum,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(package, "hello-1.0-0.tar.bz2");
    assert_eq!(path, Path::new("bin/where"));
    assert_eq!(*maximum, 255);
    assert!(
        error
            .to_string()
            .contains("has 305 characters and bin/where has room for 255")
    );
    assert!(
        install(&format!("/opt/{}", "x".repeat(250))).is_ok(),
        "255 characters fit"
    );
}

#[test]
fn an_environment_is_not_installed_over_another() {
    let dir = tempfile::tempdir().unwrap();
    let (cache, stage) = (dir.path().join("cache"), dir.path().join("stage"));
    install(&hello_and_greet(), &cache, &stage);
    let store = Store::new(&cache, Network::Offline);
    let error = Installer::new(&store)
        .install(&hello_and_greet(), &stage, PREFIX)
        .unwrap_err();
    assert!(matches!(error, InstallError::NotEmpty { .. }));
    // But beside others, under envs.
    let second = stage.join("envs/py311");
    let prefix = format!("{PREFIX}/envs/py311");
    assert!(
        Installer::new(&store)
            .install(&hello_and_greet(), &second, &prefix)
            .is_ok()
    );
}

#[test]
fn offline_the_missing_packages_are_all_named() {
    let dir = tempfile::tempdir().unwrap();
    let text = fs_err::read_to_string(repository("tests/conda-env/remote.lock")).unwrap();
    fs_err::write(dir.path().join("parcel.lock"), text).unwrap();
    let lock = Lock::load(&dir.path().join("parcel.lock")).unwrap();
    let store = Store::new(dir.path().join("cache"), Network::Offline);
    let solution = lock.get("py311", "el7").unwrap();
    let error = Installer::new(&store).install(solution, &dir.path().join("stage"), PREFIX);
    assert_eq!(
        error.unwrap_err().to_string(),
        "2 of the packages are not in the cache: a-1.0-0.conda, b-2-0.conda"
    );
    assert!(!dir.path().join("stage").exists());
}
