//! A parcel's content, proven safe.
//!
//! A [`Tree`] is a [`Listing`] that was checked entry by entry: one top directory, relative clean
//! paths, no duplicates, nothing below a link or a file, no device nodes, no link that leads out.
//! The archive writer takes only a tree, and installation sends every entry through the same
//! [`Checker`] while it unpacks, so no check exists twice.

mod checker;
mod link;
mod path;
mod problem;

use std::collections::BTreeMap;

pub use checker::{Admission, Checker};
use link::link_in;
pub(crate) use link::{Landing, MOST_WALKED_BYTES, follow};
pub use path::TreePath;
pub use problem::{Problem, TreeError};

use crate::listing::Listing;

/// What an entry of a tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory; its mode is always 0755.
    Directory,
    /// A regular file; its mode is 0755 where the owner may execute it, else 0644.
    File {
        /// Its size in bytes.
        size_bytes: u64,
        /// Whether it may be executed.
        executable: bool,
    },
    /// A symbolic link: the text it holds.
    Symlink {
        /// Where it leads: inside the parcel, or an absolute path into `/etc` or `/var`.
        target: Box<[u8]>,
    },
    /// Another name of a file that stands before it in the writer's order.
    HardLink {
        /// The file.
        target: TreePath,
    },
}

/// The content of a parcel, proven safe and in order.
///
/// The directory at the top is not an entry of its own: it is always there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    directory: String,
    entries: BTreeMap<TreePath, EntryKind>,
}

impl Tree {
    /// The parcel's directory, `NAME-VERSION`.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// What stands at a path.
    pub fn get(&self, path: &TreePath) -> Option<&EntryKind> {
        self.entries.get(path)
    }

    /// All entries in the order of a written parcel: `meta` and what it holds first, so that a
    /// reader knows the metadata after a few kilobytes, then everything else, sorted.
    pub fn entries(&self) -> impl Iterator<Item = (&TreePath, &EntryKind)> {
        let first = self.entries.iter().filter(|(path, _)| path.is_meta());
        first.chain(self.entries.iter().filter(|(path, _)| !path.is_meta()))
    }

    /// How many entries there are, the top directory not counted.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing but the top directory.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The sum of the sizes of all files, in bytes.
    pub fn unpacked_bytes(&self) -> u64 {
        self.entries
            .values()
            .map(|kind| match kind {
                EntryKind::File { size_bytes, .. } => *size_bytes,
                _ => 0,
            })
            .fold(0, u64::saturating_add)
    }

    /// What a path is once all links in it were followed; `None` where nothing is there or a link
    /// leads out of the parcel.
    pub fn resolve(&self, path: &TreePath) -> Option<&EntryKind> {
        match follow(&link_in(&self.entries), b"", path.as_bytes()) {
            Ok(Landing::Inside(bytes)) => self.entries.get(&TreePath(bytes.into_boxed_slice())),
            _ => None,
        }
    }
}

impl TryFrom<&Listing> for Tree {
    type Error = TreeError;

    fn try_from(listing: &Listing) -> Result<Self, TreeError> {
        let mut checker = Checker::default();
        for entry in &listing.entries {
            checker.admit(entry)?;
        }
        checker.finish()
    }
}

impl Tree {
    /// Makes the file of each group of hard links the name that the writer meets first.
    ///
    /// The archive it came from may have had another order; whoever unpacks in our order must find
    /// the file before its links.
    fn in_writer_order(mut self) -> Self {
        let mut groups: BTreeMap<TreePath, Vec<TreePath>> = BTreeMap::new();
        for (path, kind) in self.entries() {
            if let EntryKind::HardLink { target } = kind {
                groups
                    .entry(target.clone())
                    .or_insert_with(|| vec![target.clone()])
                    .push(path.clone());
            }
        }
        for (file, mut names) in groups {
            names.sort_by_key(|path| (!path.is_meta(), path.clone()));
            let first = names.remove(0);
            let content = self
                .entries
                .remove(&file)
                .expect("hard links were checked to lead to a file");
            self.entries.insert(first.clone(), content);
            for name in names {
                self.entries.insert(
                    name,
                    EntryKind::HardLink {
                        target: first.clone(),
                    },
                );
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::{RawEntry, RawKind};

    fn raw(name: &str, kind: RawKind, link: Option<&str>) -> RawEntry {
        RawEntry {
            name: name.into(),
            kind,
            mode: 0o755,
            size_bytes: 0,
            link: link.map(Into::into),
            mtime: 0,
        }
    }

    fn file(name: &str) -> RawEntry {
        raw(name, RawKind::File, None)
    }

    fn directory(name: &str) -> RawEntry {
        raw(name, RawKind::Directory, None)
    }

    fn symlink(name: &str, target: &str) -> RawEntry {
        raw(name, RawKind::Symlink, Some(target))
    }

    fn tree(entries: Vec<RawEntry>) -> Result<Tree, TreeError> {
        Tree::try_from(&Listing {
            entries,
            archive: None,
        })
    }

    fn problem(entries: Vec<RawEntry>) -> Problem {
        tree(entries).unwrap_err().problem
    }

    #[test]
    fn rejects_names_that_are_not_clean() {
        assert_eq!(problem(vec![file("/etc/passwd")]), Problem::Absolute);
        assert_eq!(problem(vec![file("A-1/../x")]), Problem::ParentPart);
        assert_eq!(problem(vec![directory("./A-1/")]), Problem::DotPart);
        assert_eq!(problem(vec![file("A-1//x")]), Problem::EmptyPart);
        assert_eq!(problem(vec![file("A-1/x/")]), Problem::EmptyPart);
    }

    #[test]
    fn rejects_a_sibling_that_only_shares_a_prefix() {
        let error = tree(vec![directory("A-1/"), file("A-1-evil/x")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "A-1-evil/x is outside the parcel's directory A-1/"
        );
    }

    #[test]
    fn rejects_writing_through_a_link_or_a_file() {
        let through = |first| problem(vec![directory("A-1"), first, file("A-1/l/x")]);
        assert!(matches!(
            through(symlink("A-1/l", "b")),
            Problem::ThroughNonDirectory { .. }
        ));
        assert!(matches!(
            through(file("A-1/l")),
            Problem::ThroughNonDirectory { .. }
        ));
    }

    #[test]
    fn rejects_duplicates_even_as_another_kind() {
        assert_eq!(
            problem(vec![file("A-1/x"), file("A-1/x")]),
            Problem::Duplicate
        );
        assert_eq!(
            problem(vec![directory("A-1/x"), symlink("A-1/x", "y")]),
            Problem::Duplicate
        );
        assert_eq!(
            problem(vec![directory("A-1"), directory("A-1/")]),
            Problem::Duplicate
        );
    }

    #[test]
    fn directories_that_nobody_named_are_added() {
        let tree = tree(vec![file("A-1/a/b/c"), directory("A-1/a/")]).unwrap();
        let names: Vec<_> = tree.entries().map(|(path, _)| path.to_string()).collect();
        assert_eq!(names, ["a", "a/b", "a/b/c"]);
    }

    #[test]
    fn rejects_links_that_leave_the_tree() {
        for target in [
            "../..",
            "../../x",
            "/usr/bin/x",
            "/etc/../usr",
            "/etcetera/x",
            "a/../../..",
        ] {
            let entries = vec![symlink("A-1/d/l", target)];
            assert!(
                matches!(problem(entries), Problem::LinkLeaves { .. }),
                "{target}"
            );
        }
        for target in [
            "..",
            "../x",
            ".",
            "gone/../x",
            "/etc/hadoop/conf",
            "/var/log/x",
        ] {
            assert!(tree(vec![symlink("A-1/d/l", target)]).is_ok(), "{target}");
        }
    }

    #[test]
    fn rejects_a_link_that_leaves_only_by_way_of_another() {
        // Text alone says a/b/up/.. is a/b; but up leads to the top, and its parent is outside.
        let entries = vec![
            directory("A-1/a/b"),
            symlink("A-1/a/b/up", "../.."),
            symlink("A-1/l", "a/b/up/.."),
        ];
        assert!(matches!(problem(entries), Problem::LinkLeaves { .. }));
    }

    #[test]
    fn rejects_links_in_a_circle() {
        let entries = vec![symlink("A-1/a", "b"), symlink("A-1/b", "a")];
        assert_eq!(problem(entries), Problem::LinkLoop);
    }

    #[test]
    fn rejects_devices() {
        let error = tree(vec![raw("A-1/null", RawKind::CharacterDevice, None)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "A-1/null is a character device; a parcel holds only files, directories and links"
        );
    }

    #[test]
    fn a_hard_link_needs_a_file_of_the_parcel_before_it() {
        let link = |target| raw("A-1/h", RawKind::HardLink, Some(target));
        assert!(tree(vec![file("A-1/f"), link("A-1/f")]).is_ok());
        assert!(matches!(
            problem(vec![link("A-1/f")]),
            Problem::HardLinkTarget { .. }
        ));
        assert!(matches!(
            problem(vec![file("A-1/f"), link("/etc/shadow")]),
            Problem::LinkLeaves { .. }
        ));
    }

    #[test]
    fn the_first_name_in_the_writers_order_is_the_file() {
        let mut big = file("A-1/z");
        big.size_bytes = 7;
        let link = raw("A-1/a", RawKind::HardLink, Some("A-1/z"));
        let tree = tree(vec![big, link]).unwrap();
        let entries: Vec<_> = tree.entries().collect();
        assert!(matches!(
            entries[0].1,
            EntryKind::File { size_bytes: 7, .. }
        ));
        assert!(
            matches!(entries[1].1, EntryKind::HardLink { target } if target.as_bytes() == b"a")
        );
    }

    #[test]
    fn meta_comes_first_and_paths_sort_by_their_parts() {
        let entries = ["b/x", "b.txt", "meta/parcel.json", "a", "metadata/x"]
            .map(|name| file(&format!("A-1/{name}")));
        let tree = tree(entries.to_vec()).unwrap();
        let names: Vec<_> = tree.entries().map(|(path, _)| path.to_string()).collect();
        assert_eq!(
            names,
            [
                "meta",
                "meta/parcel.json",
                "a",
                "b",
                "b/x",
                "b.txt",
                "metadata",
                "metadata/x"
            ]
        );
    }

    #[test]
    fn following_goes_through_links() {
        let tree = tree(vec![
            file("A-1/envs/py/bin/python3"),
            symlink("A-1/envs/py/bin/python", "python3"),
            symlink("A-1/current", "envs/py"),
        ])
        .unwrap();
        let path = TreePath::parse(b"current/bin/python").unwrap();
        assert!(matches!(tree.resolve(&path), Some(EntryKind::File { .. })));
        assert!(
            tree.resolve(&TreePath::parse(b"current/none").unwrap())
                .is_none()
        );
    }
}
