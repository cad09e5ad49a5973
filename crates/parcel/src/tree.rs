//! A parcel's content, proven safe.
//!
//! A [`Tree`] is a [`Listing`] that was checked entry by entry: one top directory, relative clean
//! paths, no duplicates, nothing below a link or a file, no device nodes, no link that leads out.
//! The archive writer takes only a tree, and installation sends every entry through the same
//! [`Checker`] while it unpacks, so no check exists twice.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::listing::{Listing, MOST_ENTRIES, MOST_NAME_BYTES, RawEntry, RawKind, display_bytes};

/// The longest path that Linux takes.
const MOST_PATH_BYTES: usize = 4096;
/// The longest name that the file systems of Linux hold.
const MOST_PART_BYTES: usize = 255;

/// A clean path below the parcel's directory: no empty, `.` or `..` parts, never absolute.
///
/// Paths sort by their parts, so that a directory stands directly before what it holds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TreePath(Box<[u8]>);

impl TreePath {
    /// Reads a path below the parcel's directory.
    ///
    /// # Errors
    ///
    /// [`Problem`] says what is not clean about it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.first() == Some(&b'/') {
            return Err(Problem::Absolute);
        }
        if bytes.len() > MOST_PATH_BYTES {
            return Err(Problem::TooLong {
                most: MOST_PATH_BYTES,
            });
        }
        for part in bytes.split(|&byte| byte == b'/') {
            match part {
                b"" => return Err(Problem::EmptyPart),
                b"." => return Err(Problem::DotPart),
                b".." => return Err(Problem::ParentPart),
                part if part.contains(&0) => return Err(Problem::Nul),
                part if part.len() > MOST_PART_BYTES => {
                    return Err(Problem::PartTooLong {
                        most: MOST_PART_BYTES,
                    });
                }
                _ => {}
            }
        }
        Ok(Self(bytes.into()))
    }

    /// Whether this is `meta` or something in it.
    pub(crate) fn is_meta(&self) -> bool {
        self.0
            .strip_prefix(b"meta")
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// The bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path, to be joined to a directory.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// The directories that hold this path, innermost first.
    pub fn ancestors(&self) -> impl Iterator<Item = TreePath> + '_ {
        self.0
            .iter()
            .enumerate()
            .rev()
            .filter(|&(_, &byte)| byte == b'/')
            .map(|(end, _)| TreePath(self.0[..end].into()))
    }

    /// The directory that holds this path, `None` directly below the parcel's directory.
    fn parent_bytes(&self) -> &[u8] {
        self.0
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(&[], |end| &self.0[..end])
    }
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> Ordering {
        // A slash sorts before every other byte, which compares the paths part by part.
        let key = |&byte: &u8| if byte == b'/' { 0 } else { u16::from(byte) + 1 };
        let (mut ours, mut theirs) = (&*self.0, &*other.0);
        // Paths share most of their bytes; whole chunks compare many times faster.
        while let (Some((ours_first, ours_rest)), Some((theirs_first, theirs_rest))) =
            (ours.split_first_chunk::<64>(), theirs.split_first_chunk())
        {
            if ours_first != theirs_first {
                break;
            }
            (ours, theirs) = (ours_rest, theirs_rest);
        }
        ours.iter().map(key).cmp(theirs.iter().map(key))
    }
}

impl PartialOrd for TreePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display_bytes(&self.0))
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

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

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The name begins with a slash.
    #[error("has an absolute name")]
    Absolute,
    /// The name has a `..` part.
    #[error("has \"..\" in its name")]
    ParentPart,
    /// The name has a `.` part, as after `tar czf x ./NAME-1.0`.
    #[error("has \".\" in its name")]
    DotPart,
    /// The name has an empty part.
    #[error("has an empty part in its name")]
    EmptyPart,
    /// The name holds a NUL byte.
    #[error("has a NUL byte in its name")]
    Nul,
    /// The name is longer than Linux takes.
    #[error("has a name of more than {most} bytes")]
    TooLong {
        /// How many bytes are the most.
        most: usize,
    },
    /// A part of the name is longer than file systems hold.
    #[error("has a part of more than {most} bytes in its name")]
    PartTooLong {
        /// How many bytes are the most.
        most: usize,
    },
    /// The name of the parcel's directory holds control characters or is not UTF-8.
    #[error("is in a directory whose name is not plain text")]
    TopName,
    /// The entry is not in the one directory that the parcel must hold.
    #[error("is outside the parcel's directory {top}/")]
    OutsideTop {
        /// The parcel's directory.
        top: String,
    },
    /// The top entry is not a directory.
    #[error("is a {kind}, but the top of a parcel must be a directory")]
    TopKind {
        /// What it is.
        kind: RawKind,
    },
    /// The same name came before.
    #[error("occurs twice")]
    Duplicate,
    /// The name goes through an entry that is not a directory; unpacking it would write elsewhere.
    #[error("goes through {ancestor}, which is not a directory")]
    ThroughNonDirectory {
        /// The entry that is not a directory.
        ancestor: TreePath,
    },
    /// A device node, pipe, socket or unknown type.
    #[error("is a {kind}; a parcel holds only files, directories and links")]
    Kind {
        /// What it is.
        kind: RawKind,
    },
    /// A link leads out of the parcel.
    #[error("is a link to {target}, which is outside the parcel")]
    LinkLeaves {
        /// Where it leads.
        target: String,
    },
    /// A symbolic link with an empty or unusable text.
    #[error("is a link without a usable target")]
    LinkEmpty,
    /// A hard link whose target is not a file that came before.
    #[error("is a hard link to {target}, which is not a file before it")]
    HardLinkTarget {
        /// The target.
        target: String,
    },
    /// More entries, or longer names, than any real parcel has.
    #[error("is one too many: a parcel holds at most {most} files, directories and links")]
    TooMany {
        /// How many are the most.
        most: usize,
    },
    /// All links together lead through more directories than any real parcel's.
    #[error("is a link that takes too long to follow, after all those before it")]
    TooManyLinks,
    /// A chain of links that never ends, or is too long to follow.
    #[error("is a link that leads round in a circle")]
    LinkLoop,
}

/// An entry that keeps a listing from being a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{entry} {problem}")]
pub struct TreeError {
    /// The entry, by its whole name.
    pub entry: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl TreeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.problem {
            Problem::DotPart => {
                "Name the directory without \"./\": tar czf X.parcel NAME-VERSION. parcelctl build --tree does it right."
            }
            Problem::LinkLeaves { .. } => {
                "Point the link at something inside the parcel with a relative path. Only /etc and /var may be linked to."
            }
            Problem::Kind { .. } => "Leave it out of the directory.",
            Problem::OutsideTop { .. } => "A parcel holds exactly one directory, NAME-VERSION.",
            _ => return None,
        };
        Some(hint.to_owned())
    }
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

/// Proves entries one by one, in the order of an archive.
///
/// What can be known of an entry when it comes is checked by [`Checker::admit`]; what needs the
/// whole (where links lead) by [`Checker::finish`].
#[derive(Debug, Default)]
pub struct Checker {
    directory: Option<String>,
    entries: BTreeMap<TreePath, Admitted>,
    /// Paths and link texts of all entries together.
    name_bytes: usize,
    top_seen: bool,
}

#[derive(Debug)]
struct Admitted {
    kind: EntryKind,
    /// A directory that no entry named so far, but something in it did.
    implied: bool,
}

/// An entry that was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The parcel's directory itself.
    Top,
    /// Something in it.
    Entry(TreePath, EntryKind),
}

impl Checker {
    /// The parcel's directory, once the first entry has come.
    pub fn directory(&self) -> Option<&str> {
        self.directory.as_deref()
    }

    /// Checks the next entry.
    ///
    /// # Errors
    ///
    /// [`TreeError`] names the entry and what is wrong with it.
    pub fn admit(&mut self, entry: &RawEntry) -> Result<Admission, TreeError> {
        self.try_admit(entry).map_err(|problem| TreeError {
            entry: entry.display_name(),
            problem,
        })
    }

    fn try_admit(&mut self, entry: &RawEntry) -> Result<Admission, Problem> {
        // Only directories may carry the slash that tar writes at the end of their names.
        let name = match entry.kind {
            RawKind::Directory => entry.name.strip_suffix(b"/").unwrap_or(&entry.name),
            _ => &entry.name,
        };
        let Some(path) = self.below_top(name)? else {
            return self.admit_top(entry);
        };
        self.admit_ancestors(&path)?;
        let kind = self.kind(entry)?;
        match self.entries.get_mut(&path) {
            Some(admitted) if admitted.implied && kind == EntryKind::Directory => {
                admitted.implied = false;
            }
            Some(_) => return Err(Problem::Duplicate),
            None => {
                let admitted = Admitted {
                    kind: kind.clone(),
                    implied: false,
                };
                self.insert(path.clone(), admitted)?;
            }
        }
        Ok(Admission::Entry(path, kind))
    }

    /// The directories that hold a path: an archive need not name them.
    fn admit_ancestors(&mut self, path: &TreePath) -> Result<(), Problem> {
        let mut missing = Vec::new();
        for ancestor in path.ancestors() {
            match self.entries.get(&ancestor) {
                // What holds a directory was admitted with it.
                Some(Admitted {
                    kind: EntryKind::Directory,
                    ..
                }) => break,
                Some(_) => return Err(Problem::ThroughNonDirectory { ancestor }),
                None => missing.push(ancestor),
            }
        }
        // Outermost first, so that the above holds even where this stops in the middle.
        for ancestor in missing.into_iter().rev() {
            let implied = Admitted {
                kind: EntryKind::Directory,
                implied: true,
            };
            self.insert(ancestor, implied)?;
        }
        Ok(())
    }

    fn insert(&mut self, path: TreePath, admitted: Admitted) -> Result<(), Problem> {
        self.name_bytes += path.as_bytes().len();
        self.name_bytes += match &admitted.kind {
            EntryKind::Symlink { target } => target.len(),
            EntryKind::HardLink { target } => target.as_bytes().len(),
            EntryKind::File { .. } | EntryKind::Directory => 0,
        };
        if self.entries.len() >= MOST_ENTRIES || self.name_bytes > MOST_NAME_BYTES {
            return Err(Problem::TooMany { most: MOST_ENTRIES });
        }
        self.entries.insert(path, admitted);
        Ok(())
    }

    /// The path of a whole name below the top directory; `None` for the top directory itself.
    fn below_top(&mut self, name: &[u8]) -> Result<Option<TreePath>, Problem> {
        let whole = TreePath::parse(name)?;
        let mut parts = whole.as_bytes().splitn(2, |&byte| byte == b'/');
        let top = parts.next().unwrap_or_default();
        if let Some(directory) = &self.directory {
            if directory.as_bytes() != top {
                return Err(Problem::OutsideTop {
                    top: directory.clone(),
                });
            }
        } else {
            let directory = display_bytes(top);
            // One that is shown in another way than it is written would pass for its own look.
            if directory.as_bytes() != top {
                return Err(Problem::TopName);
            }
            self.directory = Some(directory);
        }
        Ok(parts.next().map(|below| TreePath(below.into())))
    }

    fn admit_top(&mut self, entry: &RawEntry) -> Result<Admission, Problem> {
        if entry.kind != RawKind::Directory {
            return Err(Problem::TopKind { kind: entry.kind });
        }
        if std::mem::replace(&mut self.top_seen, true) {
            return Err(Problem::Duplicate);
        }
        Ok(Admission::Top)
    }

    fn kind(&mut self, entry: &RawEntry) -> Result<EntryKind, Problem> {
        let link = || entry.link.as_deref().filter(|link| !link.is_empty());
        match entry.kind {
            RawKind::Directory => Ok(EntryKind::Directory),
            RawKind::File => Ok(EntryKind::File {
                size_bytes: entry.size_bytes,
                executable: entry.mode & 0o100 != 0,
            }),
            RawKind::Symlink => {
                let target = link()
                    .filter(|link| !link.contains(&0))
                    .ok_or(Problem::LinkEmpty)?;
                if target.len() >= MOST_PATH_BYTES {
                    return Err(Problem::TooLong {
                        most: MOST_PATH_BYTES,
                    });
                }
                if target.starts_with(b"/") && !is_system_path(target) {
                    return Err(Problem::LinkLeaves {
                        target: display_bytes(target),
                    });
                }
                Ok(EntryKind::Symlink {
                    target: target.into(),
                })
            }
            RawKind::HardLink => {
                let target = link().ok_or(Problem::LinkEmpty)?;
                let missing = || Problem::HardLinkTarget {
                    target: display_bytes(target),
                };
                let path = self
                    .below_top(target)
                    .map_err(|_| Problem::LinkLeaves {
                        target: display_bytes(target),
                    })?
                    .ok_or_else(missing)?;
                match self.entries.get(&path).map(|admitted| &admitted.kind) {
                    Some(EntryKind::File { .. }) => Ok(EntryKind::HardLink { target: path }),
                    // A link to a link is a link to the same file.
                    Some(EntryKind::HardLink { target }) => Ok(EntryKind::HardLink {
                        target: target.clone(),
                    }),
                    _ => Err(missing()),
                }
            }
            kind => Err(Problem::Kind { kind }),
        }
    }

    /// Checks what needs the whole, and gives the tree.
    ///
    /// # Errors
    ///
    /// [`TreeError`] for a link that leads out of the parcel, or for no entries at all.
    pub fn finish(self) -> Result<Tree, TreeError> {
        let directory = self.directory.unwrap_or_default();
        let entries: BTreeMap<TreePath, EntryKind> = self
            .entries
            .into_iter()
            .map(|(path, admitted)| (path, admitted.kind))
            .collect();
        let links: HashMap<&[u8], &[u8]> = entries
            .iter()
            .filter_map(|(path, kind)| match kind {
                EntryKind::Symlink { target } => Some((path.as_bytes(), target.as_ref())),
                _ => None,
            })
            .collect();
        let walked = Cell::new(0_u64);
        let link_at = |path: &[u8]| {
            walked.set(walked.get() + path.len() as u64);
            links.get(path).copied()
        };
        for (path, kind) in &entries {
            let EntryKind::Symlink { target } = kind else {
                continue;
            };
            let error = |problem| TreeError {
                entry: format!("{directory}/{path}"),
                problem,
            };
            follow(&link_at, path.parent_bytes(), target).map_err(error)?;
            if walked.get() > MOST_WALKED_BYTES {
                return Err(error(Problem::TooManyLinks));
            }
        }
        Ok(Tree { directory, entries }.in_writer_order())
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

/// Absolute links may lead here: configuration and state live outside a parcel, which is
/// immutable. Cloudera's own builder of the SPARK2 parcel draws the same line.
fn is_system_path(target: &[u8]) -> bool {
    let inside = |root: &[u8]| {
        target
            .strip_prefix(root)
            .is_some_and(|rest| rest.starts_with(b"/"))
    };
    let parents = target.split(|&byte| byte == b'/').any(|part| part == b"..");
    !parents && (inside(b"/etc") || inside(b"/var"))
}

/// Where a path leads once links were followed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// At this path of the tree, whether or not something is there; empty is the top.
    Inside(Vec<u8>),
    /// In `/etc` or `/var`.
    System,
}

/// As many links as Linux follows in one path before it gives up.
const MOST_LINKS: u32 = 40;

/// All links of a tree together lead over paths of this many bytes: a million links, each ten
/// directories deep and by way of others, stay below. A small hostile archive must not keep a
/// processor busy for hours.
pub(crate) const MOST_WALKED_BYTES: u64 = 1024 * 1024 * 1024;

/// The text of the link at a path of these entries, if one stands there.
fn link_in<'a>(
    entries: &'a BTreeMap<TreePath, EntryKind>,
) -> impl Fn(&[u8]) -> Option<&'a [u8]> + 'a {
    |path| match entries.get(&TreePath(path.into())) {
        Some(EntryKind::Symlink { target }) => Some(target),
        _ => None,
    }
}

/// Follows `target` from the directory `from` as the kernel would, links included.
///
/// `link_at` gives the text of the link at a path, if one stands there.
pub(crate) fn follow<'a>(
    link_at: &dyn Fn(&[u8]) -> Option<&'a [u8]>,
    from: &[u8],
    target: &[u8],
) -> Result<Landing, Problem> {
    let leaves = || Problem::LinkLeaves {
        target: display_bytes(target),
    };
    if target.starts_with(b"/") {
        return if is_system_path(target) {
            Ok(Landing::System)
        } else {
            Err(leaves())
        };
    }
    let mut at: Vec<u8> = from.to_vec();
    let mut links = 0;
    // Parts still to walk, the next one last.
    let mut rest: Vec<Vec<u8>> = target
        .rsplit(|&byte| byte == b'/')
        .map(<[u8]>::to_vec)
        .collect();
    while let Some(part) = rest.pop() {
        match part.as_slice() {
            b"" | b"." => {}
            b".." => {
                if at.is_empty() {
                    return Err(leaves());
                }
                let end = at.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                at.truncate(end);
            }
            part => {
                let before = at.len();
                if !at.is_empty() {
                    at.push(b'/');
                }
                at.extend_from_slice(part);
                let Some(target) = link_at(&at) else {
                    continue;
                };
                links += 1;
                if links > MOST_LINKS {
                    return Err(Problem::LinkLoop);
                }
                if target.starts_with(b"/") {
                    return if is_system_path(target) && !rest.iter().any(|part| part == b"..") {
                        Ok(Landing::System)
                    } else {
                        Err(leaves())
                    };
                }
                at.truncate(before);
                rest.extend(target.rsplit(|&byte| byte == b'/').map(<[u8]>::to_vec));
            }
        }
    }
    Ok(Landing::Inside(at))
}

#[cfg(test)]
mod tests {
    use super::*;

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
