//! A repository's manifest beside what Cloudera's `make_manifest.py` would write.

use std::process::Command;
use std::time::{Duration, SystemTime};

use parcel::progress::Silent;
use parcel::repository::{IndexError, index};
use serde_json::{Value, json};

use crate::support::{TempTree, has, parcel_json, run, typical};

/// The semantics of `make_manifest.py` (`facts/parcel-format.md` 1.9), written down again: the
/// directory comes from the file's name, the SHA-1 from the whole file, five keys are copied.
const ORACLE: &str = r"
import hashlib, json, os, re, sys, tarfile
folder = sys.argv[1]
parcels = []
for name in os.listdir(folder):
    if not name.endswith('.parcel'):
        continue
    path = os.path.join(folder, name)
    product, version, _ = re.match(r'^(.*?)-(.*)-(.*?)$', name).groups()
    top = product + '-' + version
    entry = {'parcelName': name}
    with open(path, 'rb') as file:
        entry['hash'] = hashlib.sha1(file.read()).hexdigest()
    with tarfile.open(path, 'r') as tar:
        parcel = json.load(tar.extractfile(top + '/meta/parcel.json'))
        for key in ('depends', 'replaces', 'conflicts', 'components', 'servicesRestartInfo'):
            if key in parcel:
                entry[key] = parcel[key]
        try:
            notes = tar.extractfile(top + '/meta/release-notes.txt')
            entry['releaseNotes'] = notes.read().decode('utf-8')
        except KeyError:
            pass
    parcels.append(entry)
print(json.dumps(sorted(parcels, key=lambda entry: entry['parcelName'])))
";

/// A repository of a plain parcel, one that says all it can, and a link that serves another distro.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let plain = typical();
    fs_err::copy(plain.parcel(), folder.path().join("A-1.0-el8.parcel")).unwrap();
    std::os::unix::fs::symlink("A-1.0-el8.parcel", folder.path().join("A-1.0-el9.parcel")).unwrap();

    let full = TempTree::empty("CDH-5.3.1-dsai1.0");
    let mut document: Value = serde_json::from_str(&parcel_json("CDH-5.3.1-dsai1.0")).unwrap();
    document["depends"] = json!("CDH (>= 5.15), B");
    document["replaces"] = json!("OLD");
    document["conflicts"] = json!("");
    document["provides"] = json!(["spark-plugin"]);
    document["components"] = json!([
        {"name": "b", "version": "2", "pkg_version": "2+x", "pkg_release": "1"},
        {"name": "a", "version": "1"},
        {"name": "caf\u{e9}", "version": "1", "pkg_version": "1"},
    ]);
    document["servicesRestartInfo"] =
        json!({"versionInfo": {"z": {"serviceInfo": {"SPARK": []}}, "a": {}}});
    full.file("meta/parcel.json", document.to_string(), 0o644)
        .file(
            "meta/release-notes.txt",
            "First.\n\n\u{4f60} \"quoted\"\\\n",
            0o644,
        )
        .file("meta/env.sh", "", 0o644);
    let name = "CDH-5.3.1-dsai1.0-el8.aarch64le.parcel";
    fs_err::write(folder.path().join(name), full.pack().0).unwrap();
    fs_err::write(folder.path().join("README"), "no parcel").unwrap();
    fs_err::write(folder.path().join("A-1.0-el8.parcel.sha"), "no parcel").unwrap();
    folder
}

#[test]
fn every_entry_is_what_make_manifest_would_write() {
    if !has(&["python3"]) {
        return;
    }
    let folder = repository();
    let returned = index(folder.path(), &Silent).unwrap();
    let written = fs_err::read_to_string(folder.path().join("manifest.json")).unwrap();
    assert_eq!(written, returned.to_text());
    let written: Value = serde_json::from_str(&written).unwrap();
    let oracle = run(Command::new("python3")
        .args(["-c", ORACLE])
        .arg(folder.path()));
    let oracle: Vec<Value> = serde_json::from_slice(&oracle).unwrap();
    let parcels = written["parcels"].as_array().unwrap();
    assert_eq!(parcels.len(), oracle.len());
    for (ours, theirs) in parcels.iter().zip(&oracle) {
        assert_eq!(ours, theirs);
    }
}

#[test]
fn the_manifest_is_as_old_as_its_newest_parcel_in_milliseconds() {
    let folder = repository();
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(4_102_444_800_123);
    let parcel = fs_err::File::options()
        .append(true)
        .open(folder.path().join("A-1.0-el8.parcel"));
    parcel.unwrap().into_parts().0.set_modified(time).unwrap();
    let first = index(folder.path(), &Silent).unwrap();
    assert_eq!(first.last_updated_ms, 4_102_444_800_123);
    assert_eq!(index(folder.path(), &Silent).unwrap(), first);
}

/// Whether an error is the right one.
type Expected = fn(&IndexError) -> bool;

#[test]
fn a_parcel_that_does_not_hold_what_its_name_says_leaves_the_old_manifest() {
    let folder = repository();
    index(folder.path(), &Silent).unwrap();
    let before = fs_err::read(folder.path().join("manifest.json")).unwrap();
    let broken = folder.path().join("B-1.0-el8.parcel");
    let cases: [(Vec<u8>, Expected); 3] = [
        (typical().pack().0, |error| {
            matches!(error, IndexError::Directory { .. })
        }),
        (b"<html>".to_vec(), |error| {
            matches!(error, IndexError::Damage { .. })
        }),
        (TempTree::empty("B-1.0").pack().0, |error| {
            matches!(error, IndexError::Meta { .. })
        }),
    ];
    for (bytes, expected) in cases {
        fs_err::write(&broken, bytes).unwrap();
        let error = index(folder.path(), &Silent).unwrap_err();
        assert!(expected(&error), "{error}");
        assert_eq!(
            fs_err::read(folder.path().join("manifest.json")).unwrap(),
            before
        );
    }
}
