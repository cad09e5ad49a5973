use rattler_conda_types::Subdir;
use rattler_conda_types::compression_level::CompressionLevel;
use rattler_package_streaming::write::write_conda_package;
use url::Url;

use super::*;
use crate::scrub::read_records;
use crate::solution::tests::record;

/// Makes a package of text files in a folder channel.
fn package(channel: &Path, name: &str, depends: &[&str], files: &[(&str, &str)]) -> RepoDataRecord {
    let mut record = record(name, "1.0", depends);
    let source = channel.join("source").join(name);
    let write = |path: &str, content: &str| {
        let path = source.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    };
    let paths = files
        .iter()
        .map(|(path, content)| {
            write(path, content);
            let digest = rattler_digest::compute_bytes_digest::<rattler_digest::Sha256>(content);
            serde_json::json!({
                "_path": path, "path_type": "hardlink", "size_in_bytes": content.len(),
                "sha256": crate::environment::hex(&digest),
            })
        })
        .collect::<Vec<_>>();
    let paths = serde_json::json!({ "paths_version": 1, "paths": paths });
    let index = serde_json::to_string(&record.package_record).unwrap();
    write("info/paths.json", &paths.to_string());
    write("info/index.json", &index);
    let mut all = ["info/paths.json", "info/index.json"]
        .map(|f| source.join(f))
        .to_vec();
    all.extend(files.iter().map(|(path, _)| source.join(path)));
    let path = channel.join("linux-64").join(record.identifier.to_string());
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let file = fs_err::File::create(&path).unwrap();
    let level = CompressionLevel::Default;
    write_conda_package(file, &source, &all, level, None, stem, None, None).unwrap();
    let digest = rattler_digest::compute_file_digest::<rattler_digest::Sha256>(&path).unwrap();
    record.package_record.sha256 = Some(digest);
    record.url = Url::from_file_path(&path).unwrap();
    record
}

#[test]
fn a_prefix_is_an_absolute_plain_path() {
    assert_eq!(check_prefix("/opt/x/A-1/").unwrap(), "/opt/x/A-1");
    for bad in [
        "",
        "/",
        "opt/x",
        "/opt/../x",
        "/opt//x",
        "/opt/x\n",
        "/opt/./x",
    ] {
        assert!(
            matches!(check_prefix(bad), Err(InstallError::Prefix { .. })),
            "{bad:?}"
        );
    }
}

#[test]
fn a_path_of_two_packages_has_one_winner_however_they_arrive() {
    let dir = tempfile::tempdir().unwrap();
    let channel = dir.path().join("channel");
    let big = "x".repeat(100_000);
    let records = vec![
        package(
            &channel,
            "a",
            &[],
            &[("share/both", "of a"), ("share/a", &big)],
        ),
        package(
            &channel,
            "b",
            &["a"],
            &[("share/both", "of b"), ("share/b", "")],
        ),
        package(
            &channel,
            "c",
            &[],
            &[("share/both", "of c"), ("bin/.c-post-link.sh", "exit 1\n")],
        ),
    ];
    let mut trees = Vec::new();
    for round in 0..8 {
        let solution = Solution::new(Subdir::Linux64, Vec::new(), records.clone());
        // Every other round the cache is cold, so the packages arrive in another order.
        let cache = dir.path().join(format!("cache{}", round / 2));
        let stage = dir.path().join(format!("stage{round}"));
        let installer = Installer::new(&Store::new(cache, Network::Offline));
        let environment = installer.install(&solution, &stage, "/opt/T-1.0").unwrap();
        let clobbers = environment.clobbers();
        assert_eq!(clobbers.len(), 1, "{clobbers:?}");
        assert_eq!(clobbers[0].path, Path::new("share/both"));
        assert_eq!(clobbers[0].losers.len(), 2);
        let content = fs_err::read_to_string(stage.join("share/both")).unwrap();
        assert_eq!(content, format!("of {}", clobbers[0].winner));
        assert!(!stage.join("__clobbers__").exists());
        let owners = read_records(&stage)
            .unwrap()
            .into_iter()
            .filter(|r| r.files.contains(&PathBuf::from("share/both")));
        let owners = owners
            .map(|r| r.name().as_normalized().to_owned())
            .collect::<Vec<_>>();
        assert_eq!(owners, [clobbers[0].winner.clone()]);
        assert_eq!(environment.link_scripts().len(), 1);
        assert_eq!(
            environment.link_scripts()[0].path,
            Path::new("bin/.c-post-link.sh")
        );
        let files = crate::walk::entries(&stage).unwrap().into_iter();
        let files = files.filter(|e| e.kind.is_file()).map(|e| {
            let name = e.path.strip_prefix(&stage).unwrap().to_owned();
            (name, fs_err::read(&e.path).unwrap())
        });
        trees.push(files.collect::<Vec<_>>());
    }
    for tree in &trees[1..] {
        for (a, b) in tree.iter().zip(&trees[0]) {
            assert!(a == b, "{} differs", a.0.display());
        }
        assert_eq!(tree.len(), trees[0].len());
    }
}
