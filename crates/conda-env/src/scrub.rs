//! Leaves nothing of the build machine in an environment.
//!
//! rattler notes in `conda-meta` where the cache and the channel are, writes it for its owner
//! alone, and leaves modes to the umask. After [`scrub`] two installations of one solution are the
//! same, whatever the machine, and conda, mamba and rattler still read what is installed.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rattler_conda_types::PrefixRecord;
use url::Url;

use crate::walk;

/// What folder channels are called in `conda-meta`. Not the name of the folder: that may be any
/// name on the machine that builds, and is often that of a temporary folder.
const LOCAL_CHANNEL: &str = "file:///local-channel";

/// Where rattler puts the files of packages that lost against another package.
const CLOBBERS: &str = "__clobbers__";

/// Cleans an environment that was just installed; gives back what is installed, sorted by name.
///
/// # Errors
///
/// Those of the file system, each with its path.
pub(crate) fn scrub(root: &Path) -> io::Result<Vec<PrefixRecord>> {
    let clobbers = root.join(CLOBBERS);
    if clobbers.exists() {
        fs_err::remove_dir_all(&clobbers)?;
    }
    let mut records = read_records(root)?;
    let mut owned = BTreeSet::new();
    for record in &mut records {
        neutralise(record);
        write_record(root, record)?;
        owned.extend(record.files.iter().cloned());
    }
    // conda takes a folder for an environment when this file is there; it may be empty.
    fs_err::write(root.join("conda-meta/history"), "")?;
    // Tells backup programs to skip the folder; on a host this is an installation like any other.
    let tag = Path::new("CACHEDIR.TAG");
    if !owned.contains(tag) && root.join(tag).exists() {
        fs_err::remove_file(root.join(tag))?;
    }
    normalise_modes(root)?;
    Ok(records)
}

/// Reads the records of what is installed, sorted by name.
pub(crate) fn read_records(root: &Path) -> io::Result<Vec<PrefixRecord>> {
    let mut records = PrefixRecord::collect_from_prefix::<PrefixRecord>(root)?;
    records.sort_by(|a, b| a.name().as_normalized().cmp(b.name().as_normalized()));
    Ok(records)
}

/// Writes the record of a package, for everyone to read.
pub(crate) fn write_record(root: &Path, record: &PrefixRecord) -> io::Result<()> {
    let path = root.join("conda-meta").join(record.file_name());
    record.write_to_path(&path, true)?;
    fs_err::set_permissions(&path, PermissionsExt::from_mode(0o644))
}

/// Takes out of a record what is true on this machine only.
fn neutralise(record: &mut PrefixRecord) {
    record.package_tarball_full_path = None;
    record.extracted_package_dir = None;
    // Where in the cache the files are from. All readers take it as optional.
    record.link = None;
    let repodata = &mut record.repodata_record;
    if repodata.url.scheme() == "file" {
        let subdir = &repodata.package_record.subdir;
        let url = format!("{LOCAL_CHANNEL}/{subdir}/{}", repodata.identifier);
        // The parts are a platform and a file name, which rattler has checked to be safe in paths.
        if let Ok(url) = Url::parse(&url) {
            repodata.url = url;
        }
        repodata.channel = Some(LOCAL_CHANNEL.to_owned());
    }
    // A loser's file is not there any more, so it is not the package's file either.
    let lost = |path: &PathBuf| path.starts_with(CLOBBERS);
    record.files.retain(|path| !lost(path));
    record
        .paths_data
        .paths
        .retain(|entry| !lost(&entry.relative_path));
    for entry in &mut record.paths_data.paths {
        entry.original_path = None;
    }
    record.files.sort();
    record
        .paths_data
        .paths
        .sort_by(|a, b| a.relative_path.cmp(&b.relative_path));
}

/// Gives every folder mode 0755, every file 0755 or 0644 by whether its owner may execute it.
/// Special bits are left for the next stage to find.
fn normalise_modes(root: &Path) -> io::Result<()> {
    fs_err::set_permissions(root, PermissionsExt::from_mode(0o755))?;
    for entry in walk::entries(root)? {
        if entry.kind.is_symlink() {
            continue;
        }
        let mode = fs_err::symlink_metadata(&entry.path)?.permissions().mode() & 0o7777;
        let plain = if entry.kind.is_dir() || mode & 0o100 != 0 {
            0o755
        } else {
            0o644
        };
        let wanted = mode & 0o7000 | plain;
        if mode != wanted {
            fs_err::set_permissions(&entry.path, PermissionsExt::from_mode(wanted))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solution::tests::record;

    #[test]
    fn a_record_says_nothing_of_this_machine() {
        let mut package = record("a", "1.0", &[]);
        package.url = Url::parse("file:///home/me/chan/linux-64/a-1.0-0.conda").unwrap();
        package.channel = Some("file:///home/me/chan/".to_owned());
        let mut record = PrefixRecord::from_repodata_record(package, Vec::new());
        record.extracted_package_dir = Some("/home/me/cache/a".into());
        record.files = ["b", "__clobbers__/a/x", "a"].map(PathBuf::from).to_vec();
        neutralise(&mut record);
        let text = serde_json::to_string(&record).unwrap();
        assert!(!text.contains("/home/me"), "{text}");
        assert!(
            text.contains("file:///local-channel/linux-64/a-1.0-0.conda"),
            "{text}"
        );
        assert_eq!(record.files, ["a", "b"].map(PathBuf::from));
    }

    #[test]
    fn an_address_on_the_network_is_kept() {
        let mut record = PrefixRecord::from_repodata_record(record("a", "1.0", &[]), Vec::new());
        neutralise(&mut record);
        let url = record.repodata_record.url.as_str();
        assert_eq!(url, "https://example.com/chan/linux-64/a-1.0-0.conda");
    }

    #[test]
    fn modes_are_one_of_two() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o7777;
        for (name, before, after) in [
            ("a", 0o600, 0o644),
            ("b", 0o700, 0o755),
            ("c", 0o4711, 0o4755),
        ] {
            let path = dir.path().join(name);
            fs_err::write(&path, "").unwrap();
            fs_err::set_permissions(&path, PermissionsExt::from_mode(before)).unwrap();
            normalise_modes(dir.path()).unwrap();
            assert_eq!(mode(&path), after, "{name}");
        }
        assert_eq!(mode(dir.path()), 0o755);
    }
}
