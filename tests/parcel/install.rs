//! A parcel becomes a directory under a root, or the root stays as it was.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use parcel::Tree;
use parcel::install::{InstallError, Installation, Installer, PARCELS_DIRECTORY, Replace};
use parcel::progress::Silent;

use crate::support::{
    Tar, TempTree, argument, child, everything, gzip, list_directory, long, parcel_json, run, skip,
    typical,
};

fn install(root: &Path, parcel: &Path) -> Result<Installation, InstallError> {
    Installer::new(root).install(parcel, &Silent)
}

fn parcels(root: &Path) -> PathBuf {
    root.join(PARCELS_DIRECTORY.trim_start_matches('/'))
}

/// Installs what must be refused, into a root where another version already is and into one where
/// nothing is, and shows that neither changed.
fn refused(parcel: &Path) -> InstallError {
    let fresh = tempfile::tempdir().unwrap();
    fs_err::create_dir(fresh.path().join("opt")).unwrap();
    let used = tempfile::tempdir().unwrap();
    install(used.path(), &TempTree::with_meta("A-0.9").parcel()).unwrap();
    fs_err::write(parcels(used.path()).join("sentinel"), "untouched").unwrap();
    let mut last = None;
    for root in [fresh.path(), used.path()] {
        let before = everything(root);
        last = Some(install(root, parcel).unwrap_err());
        assert_eq!(everything(root), before, "{last:?}");
    }
    last.unwrap()
}

fn refused_bytes(bytes: &[u8]) -> InstallError {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("A-1.0-el8.parcel");
    fs_err::write(&path, bytes).unwrap();
    refused(&path)
}

#[test]
fn what_is_installed_lists_as_what_was_packed() {
    let tree = long();
    let root = tempfile::tempdir().unwrap();
    let done = install(root.path(), &tree.parcel()).unwrap();
    assert!(done.changed && !done.verified);
    assert_eq!(done.digests, tree.pack().1);
    let listing = list_directory(&done.directory);
    assert_eq!(Tree::try_from(&listing).unwrap(), tree.tree());
    for entry in &listing.entries {
        let mode = match entry.display_name().as_str() {
            "A-1.0/bin/run" => 0o755,
            name if name.contains("/deep/") && name.matches("ppp").count() == 40 => 0o755,
            _ => continue,
        };
        assert_eq!(entry.mode, mode, "{}", entry.display_name());
    }
    for (entry, content) in everything(&done.directory) {
        let name = entry.display_name();
        if entry.kind == parcel::listing::RawKind::File {
            let original = tree.folder().join(std::ffi::OsStr::new(&name));
            if original.exists() {
                assert_eq!(content, fs_err::read(original).unwrap(), "{name}");
            }
            // An interpreter trusts its caches only where the times are those of the archive.
            assert_eq!(entry.mtime, 315_532_800, "{name}");
        }
    }
    let link = done.link.unwrap();
    assert_eq!(link, done.directory.with_file_name("A"));
    assert_eq!(fs_err::read_link(link).unwrap(), Path::new("A-1.0"));
}

#[test]
fn modes_do_not_depend_on_the_umask_and_directories_may_be_named_late_or_never() {
    // The umask belongs to the whole process, so this needs one of its own.
    let folder = tempfile::tempdir().unwrap();
    let bytes = Tar::new()
        .file("A-1.0/meta/parcel.json", parcel_json("A-1.0").as_bytes())
        .file("A-1.0/late/file", b"x")
        .directory("A-1.0/late/")
        .file("A-1.0/never/named/file", b"x")
        .parcel();
    fs_err::write(folder.path().join("A-1.0-el8.parcel"), bytes).unwrap();
    let child = child("install::child_installs", folder.path());
    run(Command::new("sh")
        .args(["-c", "umask 077; exec \"$@\"", "sh"])
        .arg(child.get_program())
        .args(child.get_args())
        .envs(
            child
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        ));
    let root = folder.path().join("root");
    let opt = list_directory(&root.join("opt"));
    for entry in opt.entries.iter().skip(1) {
        let name = entry.display_name();
        if !name.contains(".parcelctl") && entry.kind == parcel::listing::RawKind::Directory {
            assert_eq!(entry.mode, 0o755, "{name}");
        }
    }
}

#[test]
#[ignore = "a child of other tests"]
fn child_installs() {
    let Some(folder) = argument() else { return };
    let root = folder.join("root");
    fs_err::create_dir_all(&root).unwrap();
    fs_err::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).unwrap();
    install(&root, &folder.join("A-1.0-el8.parcel")).unwrap();
}

#[test]
fn a_second_installation_changes_nothing() {
    let parcel = typical();
    let root = tempfile::tempdir().unwrap();
    install(root.path(), &parcel.parcel()).unwrap();
    let before = everything(root.path());
    let again = install(root.path(), &parcel.parcel()).unwrap();
    assert!(!again.changed);
    assert_eq!(everything(root.path()), before);
}

#[test]
fn other_bytes_of_the_same_version_are_refused_unless_they_replace() {
    let (first, second) = (typical(), typical());
    second.file("bin/new", "x", 0o755);
    let root = tempfile::tempdir().unwrap();
    install(root.path(), &first.parcel()).unwrap();
    let before = everything(root.path());
    let error = install(root.path(), &second.parcel()).unwrap_err();
    assert!(
        matches!(error, InstallError::Exists { known: true, .. }),
        "{error}"
    );
    assert_eq!(everything(root.path()), before);
    let replacing = Installer::new(root.path()).replace(Replace::Yes);
    let done = replacing.install(&second.parcel(), &Silent).unwrap();
    assert!(done.changed && done.directory.join("bin/new").exists());
    assert!(!install(root.path(), &second.parcel()).unwrap().changed);
    // Nothing of the old one is left, under any name.
    let names = fs_err::read_dir(parcels(root.path())).unwrap();
    assert_eq!(names.count(), 3, "the directory, the link, the receipts");
}

#[test]
fn a_directory_of_unknown_origin_is_refused() {
    let tree = typical();
    let root = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(parcels(root.path()).join("A-1.0/mine")).unwrap();
    let before = everything(root.path());
    let error = install(root.path(), &tree.parcel()).unwrap_err();
    assert!(
        matches!(error, InstallError::Exists { known: false, .. }),
        "{error}"
    );
    assert_eq!(everything(root.path()), before);
}

#[test]
fn a_checksum_that_does_not_match_is_refused() {
    let tree = typical();
    let parcel = tree.parcel();
    let side = |ending: &str| PathBuf::from(format!("{}.{ending}", parcel.display()));
    for (ending, digits) in [("sha", 40), ("sha256", 64)] {
        fs_err::write(side(ending), "0".repeat(digits)).unwrap();
        assert!(matches!(refused(&parcel), InstallError::Mismatch { .. }));
        fs_err::write(side(ending), "not a checksum").unwrap();
        assert!(matches!(refused(&parcel), InstallError::SideFile { .. }));
        fs_err::remove_file(side(ending)).unwrap();
    }
    let root = tempfile::tempdir().unwrap();
    let expecting = Installer::new(root.path()).expect("0".repeat(64).parse().unwrap());
    let error = expecting.install(&parcel, &Silent).unwrap_err();
    assert!(matches!(error, InstallError::Mismatch { .. }), "{error}");
    assert_eq!(fs_err::read_dir(root.path()).unwrap().count(), 0);
    // As sha1sum prints it, with the file's name behind.
    let line = format!("{}  A-1.0-el8.parcel\n", tree.pack().1.sha1);
    fs_err::write(side("sha"), line).unwrap();
    assert!(install(root.path(), &parcel).unwrap().verified);
}

#[test]
fn a_parcel_cut_at_any_place_is_refused() {
    let bytes = TempTree::with_meta("A-1.0").pack().0;
    // Behind the member that holds the data may stand members without any.
    let mut decoder = flate2::bufread::GzDecoder::new(bytes.as_slice());
    std::io::copy(&mut decoder, &mut std::io::sink()).unwrap();
    let data_bytes = bytes.len() - decoder.into_inner().len();
    for end in (0..data_bytes).step_by(11).chain([data_bytes - 1]) {
        let error = refused_bytes(&bytes[..end]);
        assert!(
            matches!(error, InstallError::Damage { .. }),
            "{end}: {error}"
        );
    }
}

#[test]
fn a_parcel_with_a_changed_bit_is_refused_or_says_the_same() {
    let tree = TempTree::with_meta("A-1.0");
    let bytes = tree.pack().0;
    let folder = tempfile::tempdir().unwrap();
    let parcel = folder.path().join("A-1.0-el8.parcel");
    let mut harmless = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        fs_err::write(&parcel, &changed).unwrap();
        let root = tempfile::tempdir().unwrap();
        // Bits that no checksum covers: time and hints in the gzip header, and what trailing
        // members without data carry.
        match install(root.path(), &parcel) {
            Ok(done) => {
                harmless += 1;
                let installed = Tree::try_from(&list_directory(&done.directory)).unwrap();
                assert_eq!(installed, tree.tree(), "{at}");
                for (entry, content) in everything(&done.directory) {
                    if entry.kind == parcel::listing::RawKind::File {
                        let original = tree.folder().join(entry.display_name());
                        assert_eq!(content, fs_err::read(original).unwrap(), "{at}");
                    }
                }
            }
            Err(error) => {
                assert!(error.is_finding(), "{at}: {error}");
                assert_eq!(fs_err::read_dir(root.path()).unwrap().count(), 0, "{at}");
            }
        }
        // With a side file, none of them passes.
        if at % 16 == 3 {
            let side = parcel::side_file(&parcel, "sha256");
            fs_err::write(&side, tree.pack().1.sha256.to_string()).unwrap();
            install(root.path(), &parcel).unwrap_err();
            fs_err::remove_file(side).unwrap();
        }
    }
    assert!(harmless < 120, "{harmless} of {}", bytes.len());
}

#[test]
fn a_parcel_without_usable_metadata_is_refused() {
    let without = Tar::new()
        .directory("A-1.0/")
        .file("A-1.0/bin/x", b"x")
        .parcel();
    assert!(matches!(refused_bytes(&without), InstallError::Meta { .. }));
    let broken = Tar::new().file("A-1.0/meta/parcel.json", b"{").parcel();
    assert!(matches!(refused_bytes(&broken), InstallError::Meta { .. }));
    let other = Tar::new().file("A-1.0/meta/parcel.json", parcel_json("A-2.0").as_bytes());
    assert!(matches!(
        refused_bytes(&other.parcel()),
        InstallError::Directory { .. }
    ));
    assert!(matches!(
        refused_bytes(&gzip(b"")),
        InstallError::Damage { .. }
    ));
    let empty = refused_bytes(&Tar::new().parcel());
    assert!(matches!(empty, InstallError::Meta { .. }), "{empty}");
}

#[test]
fn a_product_that_would_hide_or_climb_is_refused() {
    for directory in ["..-1", ".-1", "-1", ".parcelctl-1", ".parcelctl-x y-1"] {
        let name = format!("{directory}/meta/parcel.json");
        let tar = Tar::new().file(&name, parcel_json(directory).as_bytes());
        let error = refused_bytes(&tar.parcel());
        assert!(
            matches!(error, InstallError::Name { .. }),
            "{directory}: {error}"
        );
    }
}

#[test]
fn a_real_directory_in_the_place_of_the_active_link_stops_everything() {
    let root = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(parcels(root.path()).join("A/mine")).unwrap();
    let before = everything(root.path());
    let error = install(root.path(), &typical().parcel()).unwrap_err();
    assert!(matches!(error, InstallError::LinkBlocked { .. }), "{error}");
    assert_eq!(everything(root.path()), before);
    // The same over a version that is there: the old one stays.
    fs_err::rename(parcels(root.path()).join("A"), root.path().join("aside")).unwrap();
    install(root.path(), &TempTree::with_meta("A-1.0").parcel()).unwrap();
    fs_err::remove_file(parcels(root.path()).join("A")).unwrap();
    fs_err::rename(root.path().join("aside"), parcels(root.path()).join("A")).unwrap();
    let before = everything(root.path());
    let replacing = Installer::new(root.path()).replace(Replace::Yes);
    replacing.install(&typical().parcel(), &Silent).unwrap_err();
    assert_eq!(everything(root.path()), before);
}

#[test]
fn the_parcels_directory_may_be_a_link() {
    for target in ["/data/parcels", "../../data/parcels"] {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(root.path().join("opt/cloudera")).unwrap();
        symlink(target, parcels(root.path())).unwrap();
        let done = install(root.path(), &typical().parcel()).unwrap();
        let real = fs_err::canonicalize(root.path())
            .unwrap()
            .join("data/parcels");
        assert_eq!(done.directory, real.join("A-1.0"));
        assert!(real.join("A/bin/run").exists());
    }
}

#[test]
fn two_installations_at_once_are_as_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let parcel = folder.path().join("A-1.0-el8.parcel");
    fs_err::write(&parcel, typical().pack().0).unwrap();
    let root = folder.path().join("root");
    fs_err::create_dir(&root).unwrap();
    let children: Vec<_> = (0..6)
        .map(|_| {
            let mut child = child("install::child_installs", folder.path());
            child
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    assert_eq!(fs_err::read_dir(parcels(&root)).unwrap().count(), 3);
    assert!(!install(&root, &parcel).unwrap().changed);
}

/// A small file system of its own; `None`, said aloud, where this process may not mount one.
struct Mount(PathBuf);

impl Mount {
    fn tmpfs(at: &Path, options: &str) -> Option<Self> {
        fs_err::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(at)
            .stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(at.to_owned()));
        }
        skip("this process may not mount a file system");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_leaves_the_root_as_it_was_wherever_it_fills() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (TempTree::with_meta("A-1.0"), typical());
    for replaced in [None, Some(&old)] {
        let mut failures = 0;
        // One more inode each time, so that every step that needs one fails once.
        for inodes in 8..80 {
            let options = format!("size=4m,nr_inodes={inodes}");
            let root = folder.path().join("root");
            let Some(_mount) = Mount::tmpfs(&root, &options) else {
                return;
            };
            if let Some(old) = replaced
                && install(&root, &old.parcel()).is_err()
            {
                continue;
            }
            let before = everything(&root);
            let installer = Installer::new(&root).replace(Replace::Yes);
            match installer.install(&new.parcel(), &Silent) {
                Ok(_) => break,
                Err(error) => {
                    assert!(matches!(error, InstallError::Io { .. }), "{error}");
                    assert!(!error.is_finding());
                    assert_eq!(everything(&root), before, "{inodes} inodes");
                    failures += 1;
                }
            }
        }
        assert!((10..70).contains(&failures), "{failures}");
    }
    // No room for the content.
    let root = folder.path().join("root");
    let Some(_mount) = Mount::tmpfs(&root, "size=64k") else {
        return;
    };
    let before = everything(&root);
    install(&root, &new.parcel()).unwrap_err();
    assert_eq!(everything(&root), before);
}

#[test]
fn the_parcels_directory_may_be_a_mount() {
    let root = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::tmpfs(&parcels(root.path()), "size=4m") else {
        return;
    };
    let done = install(root.path(), &typical().parcel()).unwrap();
    assert!(done.directory.with_file_name("A").join("bin/run").exists());
    // What is in the way is a mount, and cannot be moved.
    let blocked = parcels(root.path()).join("B-1.0");
    let Some(_inner) = Mount::tmpfs(&blocked, "size=1m") else {
        return;
    };
    let before = everything(root.path());
    let installer = Installer::new(root.path()).replace(Replace::Yes);
    installer
        .install(&TempTree::with_meta("B-1.0").parcel(), &Silent)
        .unwrap_err();
    assert_eq!(everything(root.path()), before);
}
