//! A directory becomes a parcel and stays what it was.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use parcel::Tree;
use parcel::archive::{self, Epoch, WriteOptions};
use parcel::listing::{ContentHashes, Listing, Observers, RawKind};
use parcel::progress::Silent;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{TempTree, facts, list_bytes, long};

/// Something to put at a path.
#[derive(Debug, Clone)]
enum Thing {
    File {
        content: Vec<u8>,
        mode: u32,
    },
    Directory,
    /// A link that goes up to the top and from there to another entry.
    Symlink {
        to: prop::sample::Index,
    },
    Dangling {
        target: Vec<u8>,
    },
    HardLink {
        to: prop::sample::Index,
    },
}

type Things = Vec<(Vec<Vec<u8>>, Thing)>;

/// One part of a name: what people write, what they should not, and the longest there is.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let clean = |bytes: &Vec<u8>| {
        !matches!(bytes.as_slice(), b"" | b"." | b"..")
            && !bytes.contains(&b'/')
            && !bytes.contains(&0)
    };
    prop_oneof![
        6 => "[a-e]{1,2}".prop_map(String::into_bytes),
        2 => "[a-z .é你]{1,12}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 1..20),
        1 => "[a-z]{90,110}".prop_map(String::into_bytes),
        1 => "[a-z]{250,255}".prop_map(String::into_bytes),
    ]
    .prop_filter("a part of a path", clean)
}

fn thing() -> impl Strategy<Value = Thing> {
    let sizes = prop_oneof![
        Just(0_usize),
        1..600_usize,
        Just(511),
        Just(512),
        Just(513),
        Just(70_000)
    ];
    let content = (sizes, any::<u8>()).prop_map(|(size, byte)| vec![byte; size]);
    let mode = prop::sample::select(vec![0o644, 0o600, 0o755, 0o700, 0o500, 0o4755, 0o666]);
    prop_oneof![
        5 => (content, mode).prop_map(|(content, mode)| Thing::File { content, mode }),
        2 => Just(Thing::Directory),
        2 => any::<prop::sample::Index>().prop_map(|to| Thing::Symlink { to }),
        1 => vec(97..122_u8, 1..200).prop_map(|end| {
            // No name begins so, lest a link leads round in a circle.
            let target = [b"nothing-".as_slice(), &end].concat();
            Thing::Dangling { target }
        }),
        2 => any::<prop::sample::Index>().prop_map(|to| Thing::HardLink { to }),
    ]
}

fn things() -> impl Strategy<Value = Things> {
    vec((vec(part(), 1..6), thing()), 0..24)
}

/// Makes what was asked for, as far as it fits: a name may already be a file's, or below one.
fn make(things: &Things) -> TempTree {
    let tree = TempTree::empty("A-1.0");
    let mut files: Vec<Vec<u8>> = Vec::new();
    for (parts, thing) in things {
        let name = parts.join(&b'/');
        let path = tree.at(OsStr::from_bytes(&name));
        let parent = path.parent().unwrap();
        if fs_err::create_dir_all(parent).is_err()
            || !fs_err::canonicalize(parent)
                .unwrap()
                .starts_with(tree.path())
            || fs_err::symlink_metadata(&path).is_ok()
        {
            continue;
        }
        match thing {
            Thing::File { content, mode } => {
                tree.file(OsStr::from_bytes(&name), content, *mode);
                files.push(name);
            }
            Thing::Directory => {
                tree.directory(OsStr::from_bytes(&name));
            }
            Thing::Symlink { to } => {
                // Names may go through links, so what counts is where the link really lies.
                let real = fs_err::canonicalize(parent).unwrap();
                let top = fs_err::canonicalize(tree.path()).unwrap();
                let depth = real.strip_prefix(top).unwrap().components().count();
                let mut target = b"../".repeat(depth);
                match files.get(to.index(files.len().max(1))) {
                    Some(file) => target.extend_from_slice(file),
                    None => target.push(b'.'),
                }
                tree.symlink(OsStr::from_bytes(&name), OsStr::from_bytes(&target));
            }
            Thing::Dangling { target } => {
                tree.symlink(OsStr::from_bytes(&name), OsStr::from_bytes(target));
            }
            Thing::HardLink { to } => {
                if let Some(file) = files.get(to.index(files.len().max(1))) {
                    tree.hard_link(OsStr::from_bytes(&name), OsStr::from_bytes(file));
                }
            }
        }
    }
    tree
}

fn hashes_of_archive(bytes: &[u8]) -> (Listing, ContentHashes) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), bytes).unwrap();
    let mut hashes = ContentHashes::default();
    let mut observers = Observers::new(vec![&mut hashes]);
    let listing = Listing::of_archive(file.path(), &mut observers, &Silent).unwrap();
    (listing, hashes)
}

fn assert_round_trip(tree: &TempTree) {
    let before = tree.tree();
    let (bytes, digests) = tree.pack();
    let (listing, hashes) = hashes_of_archive(&bytes);
    let facts = facts(&listing);
    assert_eq!(facts.damage, None);
    assert_eq!(facts.digests, digests);
    assert_eq!(Tree::try_from(&listing).unwrap(), before);
    for entry in listing
        .entries
        .iter()
        .filter(|entry| entry.kind == RawKind::File)
    {
        let path = tree.folder().join(OsStr::from_bytes(&entry.name));
        let content = parcel::digest::sha256(&fs_err::read(path).unwrap());
        assert_eq!(
            hashes.get(&entry.name),
            Some(content),
            "{}",
            entry.display_name()
        );
    }
    // A tree that was read can be written again, to the same bytes.
    let again = archive::write(
        &Tree::try_from(&listing).unwrap(),
        tree.path(),
        WriteOptions::default(),
        Vec::new(),
        &Silent,
    );
    assert_eq!(again.unwrap().1, digests);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_directory_comes_back_from_its_parcel(things in things()) {
        assert_round_trip(&make(&things));
    }

    #[test]
    fn the_bytes_do_not_depend_on_how_the_directory_came_about(things in things(), seed in any::<u64>()) {
        let first = make(&things);
        // The same names and content, made in another order, elsewhere, at another time, with
        // other modes that mean the same.
        let second = TempTree::empty("A-1.0");
        let mut entries: Vec<_> = first.listing().entries.into_iter().skip(1).collect();
        let order = |name: &[u8]| parcel::digest::sha256(&[name, &seed.to_be_bytes()].concat());
        entries.sort_by_key(|entry| (entry.kind == RawKind::HardLink, order(&entry.name)));
        for entry in &entries {
            let name = std::ffi::OsString::from_vec(entry.name[b"A-1.0/".len()..].to_vec());
            let content = |at| fs_err::read(first.at(at)).unwrap();
            match entry.kind {
                RawKind::Directory => { second.directory(&name); }
                RawKind::File => {
                    second.file(&name, content(&name), if entry.mode & 0o100 == 0 { 0o600 } else { 0o711 });
                }
                RawKind::Symlink => {
                    second.symlink(&name, OsStr::from_bytes(entry.link.as_ref().unwrap()));
                }
                _ => {
                    let file = &entry.link.as_ref().unwrap()[b"A-1.0/".len()..];
                    second.hard_link(&name, OsStr::from_bytes(file));
                }
            }
        }
        for entry in &entries {
            let name = std::ffi::OsString::from_vec(entry.name[b"A-1.0/".len()..].to_vec());
            if entry.kind == RawKind::File {
                let file = fs_err::File::options().append(true).open(second.at(&name));
                let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seed % 2_000_000_000);
                if let Ok(file) = file {
                    file.into_parts().0.set_modified(time).unwrap();
                }
            }
        }
        prop_assert_eq!(first.pack(), second.pack());
    }
}

#[test]
fn the_longest_names_come_back() {
    assert_round_trip(&long());
}

#[test]
fn modes_of_directories_and_the_stages_own_name_leave_no_trace() {
    let (first, second) = (long(), long());
    for name in ["lib", "var/run/empty"] {
        fs_err::set_permissions(second.at(name), std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let (bytes, _) = first.pack();
    assert_eq!(bytes, second.pack().0);
    // The content may lie in a directory of any name: the tree knows the parcel's.
    let stage = second.folder().join("stage");
    fs_err::rename(second.path(), &stage).unwrap();
    let renamed = archive::write(
        &first.tree(),
        &stage,
        WriteOptions::default(),
        Vec::new(),
        &Silent,
    );
    assert_eq!(bytes, renamed.unwrap().0);
}

#[test]
fn every_entry_carries_the_one_time_and_the_plain_modes() {
    let tree = long();
    let options = WriteOptions {
        epoch: Epoch::from_seconds(1_700_000_000),
        ..WriteOptions::default()
    };
    let (bytes, _) =
        archive::write(&tree.tree(), tree.path(), options, Vec::new(), &Silent).unwrap();
    // No name, no time, and the mark of no operating system that could differ.
    assert_eq!(&bytes[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    let mut modes: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for entry in list_bytes(&bytes).entries {
        assert_eq!(entry.mtime, 1_700_000_000, "{}", entry.display_name());
        let modes = modes.entry(entry.kind.to_string()).or_default();
        if !modes.contains(&entry.mode) {
            modes.push(entry.mode);
        }
    }
    assert_eq!(modes["directory"], [0o755]);
    assert_eq!(modes["symbolic link"], [0o777]);
    let mut files = modes["file"].clone();
    files.sort_unstable();
    assert_eq!(files, [0o644, 0o755]);
}

#[test]
fn a_file_that_grows_or_shrinks_while_it_is_packed_is_an_error() {
    for content in ["", "longer than it was"] {
        let tree = TempTree::with_meta("A-1.0");
        tree.file("x", "12345", 0o644);
        let proven = tree.tree();
        tree.file("x", content, 0o644);
        let result = archive::write(
            &proven,
            tree.path(),
            WriteOptions::default(),
            Vec::new(),
            &Silent,
        );
        let error = result.unwrap_err();
        assert!(
            matches!(error, archive::WriteError::Changed { .. }),
            "{error}"
        );
    }
}
