//! Finding entries of a listing by their path.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use crate::listing::{Listing, RawEntry, RawKind, display_bytes};
use crate::tree::{Checker, Landing, MOST_WALKED_BYTES, Problem, follow};

/// The entries of a listing by their path below the parcel's directory.
pub(crate) struct Index<'a> {
    /// The directory at the top, as the first entry names it.
    pub(crate) top: String,
    /// Entries that are not as a tree's must be, in the order of the listing.
    pub(crate) problems: Vec<(&'a RawEntry, Problem)>,
    /// By path; of several the last, which is what unpacking leaves.
    entries: HashMap<&'a [u8], &'a RawEntry>,
    /// Directories that no entry names but something lies in.
    implied: HashSet<&'a [u8]>,
    /// The symbolic links of the parcel, and where each leads.
    pub(crate) links: Vec<(&'a RawEntry, Result<Landing, Problem>)>,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Absent,
    /// Only by way of what lies in it: a directory without an entry of its own. Cloudera's
    /// validator says that it does not exist.
    Implied,
    Directory,
    File,
    /// A link to a directory of the parcel.
    DirectoryLink,
    /// A link to something that is not in the parcel, or a loop.
    DanglingLink,
    /// A link into `/etc` or `/var`.
    SystemLink,
    /// Only by way of a link to the directory that holds it. Cloudera's validator, which looks for
    /// the name among those of the archive, says that it does not exist.
    ThroughLink,
    /// A device or the like.
    Special,
}

/// The name without the slash of a directory and without `./` in front.
pub(crate) fn plain_name(name: &[u8]) -> &[u8] {
    let mut name = name.strip_suffix(b"/").unwrap_or(name);
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    name
}

/// Splits a name into its top directory and the path below.
fn split_top(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'/', name) {
        Some(end) => (&name[..end], Some(&name[end + 1..])),
        None => (name, None),
    }
}

impl<'a> Index<'a> {
    pub(crate) fn of(listing: &'a Listing) -> Self {
        let mut checker = Checker::default();
        let mut problems = Vec::new();
        let mut entries = HashMap::new();
        let mut implied = HashSet::new();
        let mut top: Option<&[u8]> = None;
        for entry in &listing.entries {
            if let Err(error) = checker.admit(entry) {
                problems.push((entry, error.problem));
            }
            let (entry_top, below) = split_top(plain_name(&entry.name));
            if *top.get_or_insert(entry_top) != entry_top {
                continue;
            }
            if let Some(below) = below {
                for end in memchr::memchr_iter(b'/', below) {
                    implied.insert(&below[..end]);
                }
                entries.insert(below, entry);
            }
        }
        let mut index = Self {
            top: display_bytes(top.unwrap_or_default()),
            problems,
            entries,
            implied,
            links: Vec::new(),
        };
        index.links = index.follow_links(listing);
        index
    }

    /// Follows every link once, and no further than the tree itself would.
    fn follow_links(&self, listing: &'a Listing) -> Vec<(&'a RawEntry, Result<Landing, Problem>)> {
        let mut links = Vec::new();
        let walked = Cell::new(0u64);
        for entry in &listing.entries {
            let (RawKind::Symlink, Some(path), Some(target)) =
                (entry.kind, self.below(entry), entry.link.as_deref())
            else {
                continue;
            };
            if target.is_empty() || target.contains(&0) {
                continue;
            }
            let folder = match path.iter().rposition(|&byte| byte == b'/') {
                Some(end) => &path[..end],
                None => b"",
            };
            links.push((entry, self.landing_counted(folder, target, &walked)));
            if walked.get() > MOST_WALKED_BYTES {
                links.push((entry, Err(Problem::TooManyLinks)));
                break;
            }
        }
        links
    }

    /// The path of an entry below the top directory; `None` for the top itself and for what lies
    /// elsewhere.
    pub(crate) fn below<'e>(&self, entry: &'e RawEntry) -> Option<&'e [u8]> {
        self.below_name(&entry.name)
    }

    /// The same of a whole name.
    pub(crate) fn below_name<'e>(&self, name: &'e [u8]) -> Option<&'e [u8]> {
        let (top, below) = split_top(plain_name(name));
        below.filter(|_| display_bytes(top) == self.top)
    }

    /// The entry at a path.
    pub(crate) fn get(&self, path: &[u8]) -> Option<&'a RawEntry> {
        self.entries.get(path).copied()
    }

    /// Where a link's text leads from the directory that holds it.
    fn landing(&self, from: &[u8], target: &[u8]) -> Result<Landing, Problem> {
        self.landing_counted(from, target, &Cell::new(0))
    }

    fn landing_counted(
        &self,
        from: &[u8],
        target: &[u8],
        walked: &Cell<u64>,
    ) -> Result<Landing, Problem> {
        let link_at = |path: &[u8]| {
            walked.set(walked.get() + path.len() as u64);
            match self.get(path) {
                Some(RawEntry {
                    kind: RawKind::Symlink,
                    link: Some(link),
                    ..
                }) => Some(link.as_slice()),
                _ => None,
            }
        };
        follow(&link_at, from, target)
    }

    /// What stands at a path once links were followed.
    pub(crate) fn standing(&self, path: &[u8]) -> Standing {
        let is_link = self
            .get(path)
            .is_some_and(|entry| entry.kind == RawKind::Symlink);
        let landing = match self.landing(b"", path) {
            Ok(Landing::Inside(landing)) => landing,
            Ok(Landing::System) => return Standing::SystemLink,
            Err(_) => return Standing::DanglingLink,
        };
        match self.get(&landing).map(|entry| entry.kind) {
            Some(_) if self.get(path).is_none() && !path.is_empty() => Standing::ThroughLink,
            Some(RawKind::File | RawKind::HardLink) => Standing::File,
            Some(RawKind::Directory) if is_link => Standing::DirectoryLink,
            Some(RawKind::Directory) => Standing::Directory,
            Some(_) => Standing::Special,
            None if landing.is_empty() && is_link => Standing::DirectoryLink,
            None if landing.is_empty() => Standing::Directory,
            None if self.implied.contains(landing.as_slice()) && is_link => Standing::DirectoryLink,
            None if self.implied.contains(landing.as_slice()) => Standing::Implied,
            None if is_link => Standing::DanglingLink,
            None => Standing::Absent,
        }
    }

    /// Whether a directory stands at a path, named or implied.
    pub(crate) fn is_directory(&self, path: &[u8]) -> bool {
        path.is_empty()
            || self.implied.contains(path)
            || self
                .get(path)
                .is_some_and(|entry| entry.kind == RawKind::Directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(entries: &[(&str, RawKind, &str)]) -> Listing {
        let entries = entries.iter().map(|(name, kind, link)| RawEntry {
            name: (*name).into(),
            kind: *kind,
            mode: 0o755,
            size_bytes: 0,
            link: (!link.is_empty()).then(|| (*link).into()),
            mtime: 0,
        });
        Listing {
            entries: entries.collect(),
            archive: None,
        }
    }

    #[test]
    fn tells_how_a_path_stands() {
        use RawKind::{Directory, Fifo, File, Symlink};
        let listing = listing(&[
            ("A-1/", Directory, ""),
            ("A-1/lib/", Directory, ""),
            ("A-1/lib/x", File, ""),
            ("A-1/lib64", Symlink, "lib"),
            ("A-1/to-x", Symlink, "lib64/x"),
            ("A-1/gone", Symlink, "nowhere"),
            ("A-1/conf", Symlink, "/etc/demo"),
            ("A-1/round", Symlink, "round"),
            ("A-1/etc/a/b", File, ""),
            ("A-1/pipe", Fifo, ""),
            ("B-1/lib/y", File, ""),
        ]);
        let index = Index::of(&listing);
        for (path, standing) in [
            ("lib", Standing::Directory),
            ("lib/x", Standing::File),
            ("lib64", Standing::DirectoryLink),
            ("lib64/x", Standing::ThroughLink),
            ("to-x", Standing::File),
            ("gone", Standing::DanglingLink),
            ("conf", Standing::SystemLink),
            ("round", Standing::DanglingLink),
            ("etc/a", Standing::Implied),
            ("pipe", Standing::Special),
            ("lib/y", Standing::Absent),
        ] {
            assert_eq!(index.standing(path.as_bytes()), standing, "{path}");
        }
    }
}
