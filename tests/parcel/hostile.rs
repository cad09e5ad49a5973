//! Archives made to do harm: described, refused by the name of the entry, and unable to touch
//! anything.

use std::path::Path;

use parcel::archive::Damage;
use parcel::install::{InstallError, Installer, PARCELS_DIRECTORY};
use parcel::listing::RawKind;
use parcel::progress::Silent;
use parcel::{EntryKind, Problem, Tree, TreePath};

use crate::support::{
    Tar, argument, base_256, everything, facts, gzip, list_archive, list_bytes, most_memory_kib,
    octal, print_most_memory, record,
};

/// Installs into a root with a sentinel beside the parcels directory, which must be untouched.
fn refused(bytes: &[u8]) -> InstallError {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let parcels = root.join(PARCELS_DIRECTORY.trim_start_matches('/'));
    for sentinel in [
        "opt/cloudera/beside",
        "opt/cloudera/parcels/A-1.0-evil",
        "etc",
    ] {
        fs_err::create_dir_all(root.join(sentinel)).unwrap();
        fs_err::write(root.join(sentinel).join("passwd"), "untouched").unwrap();
    }
    fs_err::write(parcels.join("x"), "untouched").unwrap();
    let parcel = folder.path().join("A-1.0-el8.parcel");
    fs_err::write(&parcel, bytes).unwrap();
    let before = everything(folder.path());
    let error = Installer::new(&root).install(&parcel, &Silent).unwrap_err();
    assert_eq!(everything(folder.path()), before, "{error}");
    assert!(error.is_finding(), "{error}");
    error
}

/// Shows that an archive is listed in full, that no tree comes of it, and that it is not
/// installed. Gives the entry and what is wrong with it.
fn unsafe_entry(tar: Tar) -> (String, Problem) {
    let bytes = tar.parcel();
    let listing = list_bytes(&bytes);
    assert_eq!(facts(&listing).damage, None);
    let error = Tree::try_from(&listing).unwrap_err();
    let InstallError::Unsafe { cause, .. } = refused(&bytes) else {
        panic!("installation and tree do not agree on {error}");
    };
    assert_eq!(cause, error);
    (error.entry, error.problem)
}

fn damage(bytes: &[u8]) -> Damage {
    let damage = facts(&list_bytes(bytes)).damage.clone().expect("damage");
    let InstallError::Damage { cause, .. } = refused(bytes) else {
        panic!("installation and listing do not agree on {damage}");
    };
    assert_eq!(cause, damage);
    damage
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let meta = Tar::with_meta;
    for (name, problem) in [
        ("/etc/passwd", Problem::Absolute),
        ("//etc/passwd", Problem::Absolute),
        ("../beside/passwd", Problem::ParentPart),
        ("A-1.0/../../beside/passwd", Problem::ParentPart),
        ("A-1.0/x/..", Problem::ParentPart),
        ("./A-1.0/x", Problem::DotPart),
        ("A-1.0/./x", Problem::DotPart),
        ("A-1.0//x", Problem::EmptyPart),
    ] {
        assert_eq!(
            unsafe_entry(meta().file(name, b"evil")),
            (name.to_owned(), problem)
        );
    }
    for name in ["A-1.0-evil/passwd", "B-1.0/x", "x"] {
        let (entry, problem) = unsafe_entry(meta().file(name, b"evil"));
        assert_eq!(entry, name);
        assert!(matches!(problem, Problem::OutsideTop { .. }), "{problem}");
    }
}

#[test]
fn names_by_way_of_extensions_are_refused_as_well() {
    let evil = "A-1.0/../../beside/passwd";
    let pax = Tar::with_meta()
        .pax(&[("path", evil)])
        .file("A-1.0/x", b"evil");
    assert_eq!(unsafe_entry(pax), (evil.to_owned(), Problem::ParentPart));
    let gnu = Tar::with_meta()
        .long_name(evil.as_bytes())
        .file("A-1.0/x", b"evil");
    assert_eq!(unsafe_entry(gnu), (evil.to_owned(), Problem::ParentPart));
    let nul = Tar::with_meta()
        .long_name(b"A-1.0/x\0y")
        .file("A-1.0/x", b"evil");
    assert_eq!(unsafe_entry(nul).1, Problem::Nul);
    let link = Tar::with_meta()
        .pax(&[("linkpath", "../../x")])
        .symlink("A-1.0/l", "fine");
    assert!(matches!(unsafe_entry(link).1, Problem::LinkLeaves { .. }));
    let link = Tar::with_meta()
        .long_link(b"../../x")
        .symlink("A-1.0/l", "fine");
    assert!(matches!(unsafe_entry(link).1, Problem::LinkLeaves { .. }));
    let hard = Tar::with_meta()
        .pax(&[("linkpath", "/etc/passwd")])
        .hard_link("A-1.0/l", "A-1.0/x");
    assert!(matches!(unsafe_entry(hard).1, Problem::LinkLeaves { .. }));
}

#[test]
fn nothing_is_written_through_a_link() {
    let through = |tar: Tar, name: &str| {
        let (entry, problem) = unsafe_entry(tar);
        assert_eq!(entry, name);
        assert!(
            matches!(problem, Problem::ThroughNonDirectory { .. }),
            "{problem}"
        );
    };
    let link = |target| Tar::with_meta().symlink("A-1.0/l", target);
    through(link("meta").file("A-1.0/l/x", b"evil"), "A-1.0/l/x");
    through(
        link("/etc/x").file("A-1.0/l/passwd", b"evil"),
        "A-1.0/l/passwd",
    );
    through(link("/var/x").directory("A-1.0/l/d/"), "A-1.0/l/d/");
    through(link("meta").symlink("A-1.0/l/y", "x"), "A-1.0/l/y");
    through(
        Tar::with_meta().file("A-1.0/f", b"").file("A-1.0/f/x", b""),
        "A-1.0/f/x",
    );
    let hard = Tar::with_meta()
        .file("A-1.0/f", b"")
        .hard_link("A-1.0/h", "A-1.0/f");
    through(hard.file("A-1.0/h/x", b""), "A-1.0/h/x");
    // Refused for where it leads, before anything could go through it.
    let (entry, problem) = unsafe_entry(link("../../beside").file("A-1.0/l/passwd", b"evil"));
    assert_eq!(entry, "A-1.0/l/passwd");
    assert!(matches!(problem, Problem::ThroughNonDirectory { .. }));
}

#[test]
fn nothing_takes_the_place_of_something() {
    let twice = |tar: Tar, name: &str| {
        assert_eq!(unsafe_entry(tar), (name.to_owned(), Problem::Duplicate));
    };
    let meta = Tar::with_meta;
    twice(
        meta().file("A-1.0/x", b"1").file("A-1.0/x", b"2"),
        "A-1.0/x",
    );
    twice(
        meta().directory("A-1.0/d/").symlink("A-1.0/d", "/etc/x"),
        "A-1.0/d",
    );
    twice(
        meta().file("A-1.0/d/f", b"").symlink("A-1.0/d", "/etc/x"),
        "A-1.0/d",
    );
    twice(
        meta()
            .symlink("A-1.0/l", "/etc/passwd")
            .file("A-1.0/l", b"evil"),
        "A-1.0/l",
    );
    twice(
        meta().symlink("A-1.0/l", "meta").directory("A-1.0/l/"),
        "A-1.0/l/",
    );
    twice(meta().directory("A-1.0/"), "A-1.0/");
    twice(
        meta().file("A-1.0/meta/parcel.json", b"{}"),
        "A-1.0/meta/parcel.json",
    );
    let (_, problem) = unsafe_entry(Tar::new().symlink("A-1.0", "/etc").file("A-1.0/x", b""));
    assert_eq!(
        problem,
        Problem::TopKind {
            kind: RawKind::Symlink
        }
    );
    let (_, problem) = unsafe_entry(meta().symlink("A-1.0", "/etc"));
    assert_eq!(
        problem,
        Problem::TopKind {
            kind: RawKind::Symlink
        }
    );
}

#[test]
fn links_that_lead_out_are_refused() {
    let leaves = |tar: Tar, name: &str| {
        let (entry, problem) = unsafe_entry(tar);
        assert_eq!(entry, name);
        assert!(matches!(problem, Problem::LinkLeaves { .. }), "{problem}");
    };
    let meta = Tar::with_meta;
    for target in [
        "..",
        "../B-1.0",
        "meta/../../x",
        "/",
        "/usr/bin/x",
        "/etc/../usr/x",
        "/etcx/y",
    ] {
        leaves(meta().symlink("A-1.0/l", target), "A-1.0/l");
    }
    leaves(meta().hard_link("A-1.0/h", "/etc/passwd"), "A-1.0/h");
    leaves(meta().hard_link("A-1.0/h", "A-1.0/../passwd"), "A-1.0/h");
    leaves(meta().hard_link("A-1.0/h", "A-1.0-evil/passwd"), "A-1.0/h");
    // Each text alone stays inside; one after the other they climb.
    let chain = meta()
        .directory("A-1.0/a/b/c/")
        .symlink("A-1.0/a/b/c/up", "../..")
        .symlink("A-1.0/a/q", "b/c/up/..")
        .symlink("A-1.0/z", "a/q/..");
    leaves(chain, "A-1.0/z");
    // By way of the system's directories and back.
    let system = meta()
        .symlink("A-1.0/e", "/etc/x")
        .symlink("A-1.0/z", "e/../../usr");
    leaves(system, "A-1.0/z");
}

#[test]
fn a_hard_link_needs_its_file_before_it() {
    let meta = Tar::with_meta;
    let link_to_link = meta()
        .symlink("A-1.0/l", "/etc/passwd")
        .hard_link("A-1.0/h", "A-1.0/l");
    let to_directory = meta().directory("A-1.0/d/").hard_link("A-1.0/h", "A-1.0/d");
    let to_nothing = meta()
        .hard_link("A-1.0/h", "A-1.0/later")
        .file("A-1.0/later", b"");
    let to_itself = meta().hard_link("A-1.0/h", "A-1.0/h");
    let to_top = meta().hard_link("A-1.0/h", "A-1.0");
    for tar in [link_to_link, to_directory, to_nothing, to_itself, to_top] {
        let (entry, problem) = unsafe_entry(tar);
        assert_eq!(entry, "A-1.0/h");
        assert!(
            matches!(problem, Problem::HardLinkTarget { .. }),
            "{problem}"
        );
    }
    let empty = unsafe_entry(meta().hard_link("A-1.0/h", "")).1;
    assert_eq!(empty, Problem::LinkEmpty);
    assert_eq!(
        unsafe_entry(meta().symlink("A-1.0/l", "")).1,
        Problem::LinkEmpty
    );
}

#[test]
fn links_in_a_circle_are_refused() {
    let meta = Tar::with_meta;
    let own = unsafe_entry(meta().symlink("A-1.0/l", "l"));
    assert_eq!(own, ("A-1.0/l".to_owned(), Problem::LinkLoop));
    let two = unsafe_entry(meta().symlink("A-1.0/a", "b").symlink("A-1.0/b", "a"));
    assert_eq!(two.1, Problem::LinkLoop);
    let growing = unsafe_entry(meta().symlink("A-1.0/g", "g/g"));
    assert_eq!(growing.1, Problem::LinkLoop);
}

#[test]
fn special_files_and_unknown_types_are_refused() {
    for (flag, kind) in [
        (b'3', RawKind::CharacterDevice),
        (b'4', RawKind::BlockDevice),
        (b'6', RawKind::Fifo),
        (b'V', RawKind::Other(b'V')),
        (b'M', RawKind::Other(b'M')),
    ] {
        let found = unsafe_entry(Tar::with_meta().device("A-1.0/dev", flag));
        assert_eq!(found, ("A-1.0/dev".to_owned(), Problem::Kind { kind }));
    }
}

#[test]
fn sparse_files_are_refused_and_not_taken_for_their_maps() {
    let sparse = Problem::Kind {
        kind: RawKind::Other(b'S'),
    };
    let pax = Tar::with_meta()
        .pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.name", "A-1.0/x")])
        .file("A-1.0/GNUSparseFile.1/x", b"1\n0\n5\n")
        .file("A-1.0/after", b"");
    assert_eq!(unsafe_entry(pax).1, sparse);
    // The old form, whose map goes on in a block that no size counts.
    let mut old = Tar::with_meta().header(b"A-1.0/x", b'S', octal(5), b"");
    let start = old.0.len() - 512;
    old.0[start + 482] = 1;
    let block: [u8; 512] = old.0[start..].try_into().unwrap();
    old.0.truncate(start);
    old.0.extend_from_slice(&crate::support::sign(block));
    let old = old
        .content(&[0; 512])
        .content(b"12345")
        .file("A-1.0/after", b"");
    assert_eq!(list_bytes(&old.clone().parcel()).entries.len(), 4);
    assert_eq!(unsafe_entry(old).1, sparse);
}

#[test]
fn names_that_no_disk_holds_are_refused() {
    let deep = format!("A-1.0/{}", "a/".repeat(20_000));
    let found = unsafe_entry(
        Tar::with_meta()
            .long_name(deep.as_bytes())
            .directory("A-1.0/x/"),
    );
    assert_eq!(found.1, Problem::TooLong { most: 4096 });
    let wide = format!("A-1.0/{}", "a".repeat(256));
    let found = unsafe_entry(
        Tar::with_meta()
            .long_name(wide.as_bytes())
            .file("A-1.0/x", b""),
    );
    assert_eq!(found, (wide, Problem::PartTooLong { most: 255 }));
    let target = "a/".repeat(2048);
    let found = unsafe_entry(
        Tar::with_meta()
            .long_link(target.as_bytes())
            .symlink("A-1.0/l", "x"),
    );
    assert_eq!(found.1, Problem::TooLong { most: 4096 });
}

#[test]
fn a_top_directory_that_only_looks_like_another_is_refused() {
    let (_, problem) = unsafe_entry(Tar::new().directory("A-1\n/").file("A-1\\n/x", b""));
    assert_eq!(problem, Problem::TopName);
    let tar = Tar::new()
        .entry(b"A-\xff/", b'5', b"", b"")
        .entry(b"A-\xff/x", b'0', b"", b"");
    assert_eq!(unsafe_entry(tar), ("A-\\xff/".to_owned(), Problem::TopName));
}

#[test]
fn sizes_that_cannot_be_are_damage() {
    let meta = Tar::with_meta;
    let offset = meta().0.len() as u64;
    for size in [u64::MAX, u64::MAX - 511, 1 << 63] {
        for name in ["A-1.0/x", "A-1.0/meta/x"] {
            let bytes = gzip(
                &meta()
                    .header(name.as_bytes(), b'0', base_256(size), b"")
                    .end(),
            );
            assert_eq!(damage(&bytes), Damage::Header { offset }, "{size}");
        }
    }
    for field in [
        *b"-0000000001\0",
        *b"99999999999\0",
        *b"zzzzzzzzzzzz",
        [0xff; 12],
    ] {
        let bytes = gzip(&meta().header(b"A-1.0/x", b'0', field, b"").end());
        assert_eq!(damage(&bytes), Damage::Header { offset });
    }
    // Large, but possible: the content is simply not there.
    for size in [i64::MAX as u64, 1 << 40] {
        let bytes = gzip(
            &meta()
                .header(b"A-1.0/meta/x", b'0', base_256(size), b"")
                .end(),
        );
        assert!(matches!(damage(&bytes), Damage::Truncated { .. }));
    }
    let offset = offset + 1024;
    for size in [
        "-1",
        "18446744073709551616",
        "9223372036854775808",
        "",
        "1e3",
    ] {
        let tar = meta().pax(&[("size", size)]).file("A-1.0/meta/x", b"");
        assert_eq!(
            damage(&tar.parcel()),
            Damage::Header {
                offset: offset - 1024
            },
            "{size}"
        );
    }
}

#[test]
fn extensions_of_any_length_are_not_read_into_memory() {
    for flag in *b"LKxg" {
        for size in [64 * 1024 + 1, 10 << 30, i64::MAX as u64] {
            let tar = Tar::with_meta().header(b"long", flag, base_256(size), b"");
            let found = damage(&gzip(&tar.end()));
            let Damage::Oversized { size_bytes, .. } = found else {
                panic!("{found}")
            };
            assert_eq!(size_bytes, size);
        }
    }
}

#[test]
fn extensions_that_are_not_records_are_damage() {
    for records in [
        "x",
        "5 a=b",
        "99999999999999999999 a=b\n",
        "0 \n",
        "3 \n",
        "6 ab=\nx",
        " a=b\n",
        "12 path=A-1.0/x\n",
    ] {
        let tar = Tar::with_meta()
            .entry(b"pax", b'x', records.as_bytes(), b"")
            .file("A-1.0/x", b"");
        assert!(
            matches!(damage(&tar.parcel()), Damage::Header { .. }),
            "{records:?}"
        );
    }
    let global = |key, value| {
        let records = record(key, value);
        Tar::new()
            .entry(b"pax", b'g', records.as_bytes(), b"")
            .file("A-1.0/x", b"")
            .parcel()
    };
    // As git writes it.
    assert_eq!(
        facts(&list_bytes(&global("comment", "0a1b2c"))).damage,
        None
    );
    for (key, value) in [("path", "A-1.0/y"), ("size", "7"), ("linkpath", "x")] {
        assert!(
            matches!(damage(&global(key, value)), Damage::Header { .. }),
            "{key}"
        );
    }
}

#[test]
fn what_stands_behind_the_end_is_told() {
    let tar = Tar::with_meta().file("A-1.0/x", b"x");
    let end = tar.0.len() as u64 + 512;
    let hidden = [tar.clone().end(), Tar::new().file("A-1.0/evil", b"x").end()].concat();
    assert_eq!(damage(&gzip(&hidden)), Damage::AfterEnd { offset: end });
    let padded = [tar.clone().end(), vec![0; 17 << 20]].concat();
    assert_eq!(damage(&gzip(&padded)), Damage::AfterEnd { offset: end });

    let whole = tar.clone().end();
    let (first, second) = whole.split_at(1000);
    let two = list_bytes(&[gzip(first), gzip(second)].concat());
    assert_eq!(
        (facts(&two).gzip.data_members, facts(&two).damage.clone()),
        (2, None)
    );
    let index = list_bytes(&[gzip(&whole), gzip(b"")].concat());
    assert_eq!(
        (
            facts(&index).gzip.data_members,
            facts(&index).gzip.empty_members
        ),
        (1, 1)
    );
    let junk = list_bytes(&[gzip(&whole), b"junk".to_vec()].concat());
    assert!(facts(&junk).gzip.trailing_bytes);
    for listing in [&two, &index, &junk] {
        assert_eq!(
            Tree::try_from(listing).unwrap(),
            Tree::try_from(&list_bytes(&tar.clone().parcel())).unwrap()
        );
    }
    // A second member that is broken is not junk.
    let broken = [gzip(&whole), vec![0x1f, 0x8b, 9]].concat();
    assert!(matches!(
        damage(&broken),
        Damage::Truncated { .. } | Damage::Corrupt { .. }
    ));
}

#[test]
fn what_is_not_gzip_is_told_by_its_beginning() {
    for (bytes, start) in [
        (&b"BZh91AY"[..], "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"PK\x03\x04", "zip"),
        (b"<!DOCTYPE", "web page"),
    ] {
        refused(bytes);
        let damage = facts(&list_bytes(bytes)).damage.clone();
        let Some(Damage::NotGzip { start: told }) = damage else {
            panic!("{start}")
        };
        assert!(told.contains(start), "{told}");
    }
    refused(b"");
    assert_eq!(facts(&list_bytes(b"")).damage, Some(Damage::Empty));
}

/// Writes a parcel whose tar is `repeat` times what `part` gives.
fn bomb(path: &Path, start: &Tar, repeat: u32, part: impl Fn(u32) -> Vec<u8>) {
    use std::io::Write as _;
    let file = fs_err::File::create(path).unwrap();
    let mut out = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    out.write_all(&start.0).unwrap();
    for count in 0..repeat {
        out.write_all(&part(count)).unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.finish().unwrap();
}

#[test]
#[ignore = "a child of other tests"]
fn child_lists_and_proves() {
    let Some(path) = argument() else { return };
    let listing = list_archive(&path);
    assert_eq!(facts(&listing).damage, None);
    let zeros = TreePath::parse(b"zeros").unwrap();
    match Tree::try_from(&listing) {
        Ok(tree) => {
            let size_bytes = 10 << 30;
            let executable = true;
            let expected = EntryKind::File {
                size_bytes,
                executable,
            };
            assert!(tree.get(&zeros).is_none_or(|found| *found == expected));
        }
        Err(error) => {
            let limits = [
                Problem::TooLong { most: 4096 },
                Problem::TooMany { most: 2_000_000 },
                Problem::TooDeep { most: 128 },
            ];
            assert!(limits.contains(&error.problem), "{error}");
        }
    }
    print_most_memory();
}

const CHILD: &str = "hostile::child_lists_and_proves";

#[test]
fn ten_gibibytes_of_zeros_take_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("A-1.0-el8.parcel");
    let zeros = vec![0; 1 << 20];
    let start = Tar::with_meta().header(b"A-1.0/zeros", b'0', base_256(10 << 30), b"");
    // Members of 64 MiB of zeros, one after the other, as gzip allows.
    let member = gzip(&zeros.repeat(64));
    let mut file = gzip(&start.0);
    for _ in 0..160 {
        file.extend_from_slice(&member);
    }
    file.extend_from_slice(&gzip(&[0; 1024]));
    fs_err::write(&path, file).unwrap();
    let memory = most_memory_kib(CHILD, &path);
    assert!(memory < 32 * 1024, "{memory} KiB");
}

#[test]
fn very_many_tiny_entries_stay_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("A-1.0-el8.parcel");
    bomb(&path, &Tar::with_meta(), 100_000, |count| {
        Tar::new().file(&format!("A-1.0/{count}"), b"").0
    });
    let memory = most_memory_kib(CHILD, &path);
    assert!(memory < 64 * 1024, "{memory} KiB");
}

#[test]
fn deep_names_do_not_multiply() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("A-1.0-el8.parcel");
    // Without a limit, each of these names implies 30,000 directories of 30 KiB on average.
    bomb(&path, &Tar::with_meta(), 100, |count| {
        let name = format!("A-1.0/{count}/{}", "a/".repeat(30_000));
        Tar::new()
            .long_name(name.as_bytes())
            .directory("A-1.0/x/")
            .0
    });
    let memory = most_memory_kib(CHILD, &path);
    assert!(memory < 64 * 1024, "{memory} KiB");
    // As long and as deep as names may be: all implied directories count.
    bomb(&path, &Tar::with_meta(), 8_000, |count| {
        let name = format!(
            "A-1.0/{count}/{}",
            "a234567890123456789012345678/".repeat(125)
        );
        Tar::new()
            .long_name(name.as_bytes())
            .directory("A-1.0/x/")
            .0
    });
    let memory = most_memory_kib(CHILD, &path);
    assert!(memory < 384 * 1024, "{memory} KiB");
}

#[test]
fn a_name_deeper_than_128_parts_is_refused() {
    let named = |parts: usize| {
        let name = format!("A-1.0{}", "/a".repeat(parts - 1));
        let tar = Tar::with_meta().long_name(name.as_bytes());
        Tree::try_from(&list_bytes(&tar.file("A-1.0/x", b"").parcel()))
    };
    named(128).unwrap();
    let error = named(129).unwrap_err();
    assert_eq!(error.problem, Problem::TooDeep { most: 128 });
    assert!(error.to_string().contains("128 parts"), "{error}");
}

#[test]
fn links_over_long_ways_do_not_take_for_ever() {
    let way = "a234567890123456789012345678/".repeat(125);
    let deep = format!("A-1.0/{way}");
    let mut tar = Tar::with_meta()
        .long_name(deep.as_bytes())
        .directory("A-1.0/x/");
    for count in 0..5_500 {
        tar = tar
            .long_link(way.as_bytes())
            .symlink(&format!("A-1.0/{count}"), "x");
    }
    let listing = list_bytes(&tar.parcel());
    let error = Tree::try_from(&listing).unwrap_err();
    assert_eq!(error.problem, Problem::TooManyLinks);
}

#[test]
fn documents_without_number_or_end_take_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("A-1.0-el8.parcel");
    let content = vec![b' '; 15 << 20];
    bomb(&path, &Tar::with_meta(), 40, |count| {
        Tar::new()
            .file(&format!("A-1.0/meta/{count}.json"), &content)
            .0
    });
    let memory = most_memory_kib("hostile::child_keeps_documents", &path);
    assert!(memory < 160 * 1024, "{memory} KiB");
}

#[test]
#[ignore = "a child of other tests"]
fn child_keeps_documents() {
    let Some(path) = argument() else { return };
    let mut documents = parcel::listing::Documents::default();
    let mut observers = parcel::listing::Observers::new(vec![&mut documents]);
    parcel::Listing::of_archive(&path, &mut observers, &Silent).unwrap();
    print_most_memory();
}
