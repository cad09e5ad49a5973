//! Other programs read what we write, and we read what they write.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use parcel::listing::RawKind;
use parcel::progress::Silent;
use parcel::{Builder, Tree};

use crate::support::{
    TempTree, gzip, has, list_archive, list_directory, long, run, tree_of, typical,
};

/// Prints what Python's `tarfile` sees, one entry a line; names as the bytes they are.
const PYTHON_LIST: &str = r"
import os, sys, tarfile
for e in tarfile.open(sys.argv[1], 'r:gz'):
    kind = {b'0': 'file', b'1': 'hard link', b'2': 'symbolic link', b'5': 'directory'}[e.type]
    name = e.name + ('/' if e.isdir() else '')
    link = e.linkname if e.issym() or e.islnk() else ''
    sys.stdout.buffer.write(os.fsencode('\x01'.join([name, kind, oct(e.mode), str(e.size), str(e.mtime), link,
        str(e.uid), str(e.gid), e.uname, e.gname])) + b'\x02')
";

/// Packs a directory with Python's `tarfile` in a given format.
const PYTHON_PACK: &str = r"
import os, sys, tarfile
out, top, form = sys.argv[1:]
os.chdir(os.path.dirname(top))
with tarfile.open(out, 'w:gz', format=getattr(tarfile, form)) as tar:
    tar.add(os.path.basename(top))
";

#[test]
fn gnu_tar_extracts_the_same_tree_and_gzip_finds_no_fault() {
    if !has(&["tar", "gzip"]) {
        return;
    }
    let tree = long();
    let parcel = tree.parcel();
    run(Command::new("gzip").arg("-tS").arg(".parcel").arg(&parcel));
    let into = tempfile::tempdir().unwrap();
    run(Command::new("tar")
        .arg("-xpzf")
        .arg(&parcel)
        .arg("-C")
        .arg(into.path()));
    let extracted = list_directory(&into.path().join("A-1.0"));
    assert_eq!(Tree::try_from(&extracted).unwrap(), tree.tree());
    let ours = list_archive(&parcel);
    for entry in &extracted.entries {
        // What the disk calls the first name of a file need not be what the archive calls it.
        if entry.kind == RawKind::HardLink {
            continue;
        }
        let written = ours
            .entries
            .iter()
            .find(|ours| ours.name.strip_suffix(b"/").unwrap_or(&ours.name) == entry.name);
        let written = written.unwrap();
        if written.kind != RawKind::HardLink {
            assert_eq!(
                (entry.mode, entry.mtime),
                (written.mode, written.mtime),
                "{}",
                entry.display_name()
            );
        }
        if entry.kind == RawKind::File {
            let content = |folder: &Path| fs_err::read(folder.join(OsStr::from_bytes(&entry.name)));
            assert_eq!(
                content(into.path()).unwrap(),
                content(tree.folder()).unwrap()
            );
        }
    }
    let listed = run(Command::new("tar")
        .args(["--quoting-style=literal", "--null", "-tzf"])
        .arg(&parcel));
    let names: Vec<u8> = ours
        .entries
        .iter()
        .flat_map(|entry| [&entry.name, &b"\n"[..]].concat())
        .collect();
    assert_eq!(listed, names);
}

#[test]
fn python_sees_the_same_entries() {
    if !has(&["python3"]) {
        return;
    }
    let tree = long();
    let parcel = tree.parcel();
    let listed = run(Command::new("python3")
        .args(["-c", PYTHON_LIST])
        .arg(&parcel));
    let lines: Vec<_> = listed
        .split(|&byte| byte == 2)
        .filter(|line| !line.is_empty())
        .collect();
    let ours = list_archive(&parcel).entries;
    assert_eq!(lines.len(), ours.len());
    for (line, entry) in lines.iter().zip(&ours) {
        let fields: Vec<_> = line.split(|&byte| byte == 1).collect();
        let text = |at: usize| String::from_utf8_lossy(fields[at]).into_owned();
        assert_eq!(fields[0], entry.name, "{}", entry.display_name());
        assert_eq!(text(1), entry.kind.to_string(), "{}", entry.display_name());
        assert_eq!(text(2), format!("0o{:o}", entry.mode));
        assert_eq!(
            (text(3), text(4)),
            (entry.size_bytes.to_string(), entry.mtime.to_string())
        );
        assert_eq!(fields[5], entry.link.as_deref().unwrap_or_default());
        assert_eq!([text(6), text(7), text(8), text(9)], ["0", "0", "", ""]);
    }
}

#[test]
fn sums_agree_with_the_side_files() {
    if !has(&["sha1sum", "sha256sum"]) {
        return;
    }
    let tree = TempTree::with_meta("A-1.0");
    tree.file("bin/x", "#!/bin/sh\n", 0o755);
    let name = "A-1.0-el8.parcel".parse().unwrap();
    let parcel = Builder::new(tree.path(), name)
        .build(tree.folder(), &Silent)
        .unwrap();
    for (program, ending) in [("sha1sum", "sha"), ("sha256sum", "sha256")] {
        let printed = run(Command::new(program).arg(&parcel.path));
        let printed = String::from_utf8(printed).unwrap();
        let side = fs_err::read_to_string(parcel::side_file(&parcel.path, ending)).unwrap();
        assert_eq!(printed.split_once(' ').unwrap().0, side.trim_end());
        assert!(side.ends_with('\n') && side.lines().count() == 1);
    }
    let mut names: Vec<_> = fs_err::read_dir(tree.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "A-1.0",
            "A-1.0-el8.parcel",
            "A-1.0-el8.parcel.sha",
            "A-1.0-el8.parcel.sha256"
        ]
    );
}

#[test]
fn parcels_of_gnu_tar_in_every_format_read_as_the_same_tree() {
    if !has(&["tar", "gzip"]) {
        return;
    }
    for format in ["gnu", "oldgnu", "pax", "ustar", "v7"] {
        // The old formats cannot express long names.
        let tree = if matches!(format, "ustar" | "v7") {
            typical()
        } else {
            long()
        };
        let parcel = tree.folder().join("theirs.parcel");
        let mut tar = Command::new("tar");
        tar.arg(format!("--format={format}"))
            .arg("-czf")
            .arg(&parcel);
        run(tar.arg("-C").arg(tree.folder()).arg("A-1.0"));
        assert_eq!(tree_of(&parcel).unwrap(), tree.tree(), "{format}");
    }
    // Names that ustar splits into two fields.
    let tree = typical();
    let part = "p".repeat(60);
    tree.file(format!("{part}/{part}/file"), "x", 0o644);
    let parcel = tree.folder().join("theirs.parcel");
    let mut tar = Command::new("tar");
    tar.args(["--format=ustar", "-czf"]).arg(&parcel).arg("-C");
    run(tar.arg(tree.folder()).arg("A-1.0"));
    assert_eq!(tree_of(&parcel).unwrap(), tree.tree());
}

#[test]
fn sparse_archives_of_gnu_tar_are_refused_with_the_entry_named() {
    if !has(&["tar", "gzip"]) {
        return;
    }
    for format in ["gnu", "pax"] {
        let tree = typical();
        let file = fs_err::File::create(tree.at("sparse"))
            .unwrap()
            .into_parts()
            .0;
        // More holes than the map in a header holds.
        for hole in 1..40_u64 {
            use std::os::unix::fs::FileExt as _;
            file.write_all_at(b"x", hole << 20).unwrap();
        }
        let parcel = tree.folder().join("theirs.parcel");
        let mut tar = Command::new("tar");
        tar.arg("-S")
            .arg(format!("--format={format}"))
            .arg("-czf")
            .arg(&parcel);
        run(tar.arg("-C").arg(tree.folder()).arg("A-1.0"));
        match tree_of(&parcel) {
            Err(error) => {
                assert!(error.entry.ends_with("sparse"), "{format}: {error}");
                assert!(error.to_string().contains("type 'S'"), "{format}: {error}");
            }
            // A file system that cannot leave holes.
            Ok(read) => assert_eq!(read, tree.tree()),
        }
    }
}

#[test]
fn parcels_of_python_in_every_format_read_as_the_same_tree() {
    if !has(&["python3"]) {
        return;
    }
    for format in ["GNU_FORMAT", "PAX_FORMAT", "USTAR_FORMAT"] {
        let tree = if format == "USTAR_FORMAT" {
            typical()
        } else {
            long()
        };
        let parcel = tree.folder().join("theirs.parcel");
        let mut python = Command::new("python3");
        python
            .args(["-c", PYTHON_PACK])
            .arg(&parcel)
            .arg(tree.path())
            .arg(format);
        run(&mut python);
        assert_eq!(tree_of(&parcel).unwrap(), tree.tree(), "{format}");
    }
}

#[test]
fn a_parcel_of_tar_and_pigz_with_dots_is_refused_with_a_way_out() {
    if !has(&["tar"]) {
        return;
    }
    let tree = typical();
    let tar = run(Command::new("tar")
        .arg("-cf-")
        .arg("-C")
        .arg(tree.folder())
        .arg("./A-1.0"));
    let parcel = tree.folder().join("theirs.parcel");
    fs_err::write(&parcel, gzip(&tar)).unwrap();
    let error = tree_of(&parcel).unwrap_err();
    assert_eq!(error.to_string(), "./A-1.0/ has \".\" in its name");
    assert!(error.hint().unwrap().contains("without \"./\""));
}
