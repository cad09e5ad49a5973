//! Finding entries of a listing by their path.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use crate::listing::{Listing, RawEntry, RawKind, display_bytes};
use crate::listing::{MOST_ENTRIES, MOST_NAME_BYTES};
use crate::tree::{Checker, Landing, MOST_WALKED_BYTES, Problem, follow};

/// The longest path that Linux takes. A stored name or a text in a document may be far longer, and
/// walking it costs the square of its length.
const MOST_PATH_BYTES: usize = 4096;

/// The entries of a listing by their path below the parcel's directory.
pub(crate) struct Index<'a> {
    /// The directory at the top, as the first entry names it.
    pub(crate) top: String,
    /// The same as it is stored.
    top_bytes: &'a [u8],
    /// Entries that are not as a tree's must be, in the order of the listing.
    pub(crate) problems: Vec<(&'a RawEntry, Problem)>,
    /// By path; of several the last, which is what unpacking leaves.
    entries: HashMap<&'a [u8], &'a RawEntry>,
    /// Directories that no entry names but something lies in.
    implied: HashSet<&'a [u8]>,
    /// The symbolic links of the parcel, and where each leads.
    pub(crate) links: Vec<(&'a RawEntry, Result<Landing, Problem>)>,
    /// How far the paths of documents were walked, together.
    walked: Cell<u64>,
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
        let mut implied_bytes = 0;
        for entry in &listing.entries {
            let problem = checker.admit(entry).err().map(|error| error.problem);
            let too_much = matches!(
                problem,
                Some(
                    Problem::TooLong { .. } | Problem::PartTooLong { .. } | Problem::TooMany { .. }
                )
            );
            problems.extend(problem.map(|problem| (entry, problem)));
            let (entry_top, below) = split_top(plain_name(&entry.name));
            if *top.get_or_insert(entry_top) != entry_top {
                continue;
            }
            // A name may be refused for something else before anyone looks at its length.
            if too_much || entry.name.len() > 2 * MOST_PATH_BYTES {
                continue;
            }
            let Some(below) = below else { continue };
            entries.insert(below, entry);
            // Innermost first: what holds a directory that is known is known as well, so that each
            // directory is counted once.
            for end in memchr::memrchr_iter(b'/', below) {
                if implied_bytes > MOST_NAME_BYTES || !implied.insert(&below[..end]) {
                    break;
                }
                implied_bytes += end;
                if implied_bytes > MOST_NAME_BYTES {
                    let most = MOST_ENTRIES;
                    problems.push((entry, Problem::TooMany { most }));
                }
            }
        }
        let top_bytes = top.unwrap_or_default();
        let mut index = Self {
            top: display_bytes(top_bytes),
            top_bytes,
            problems,
            entries,
            implied,
            links: Vec::new(),
            walked: Cell::new(0),
        };
        index.links = index.follow_links(listing);
        index
    }

    /// Follows every link once, and no further than the tree itself would.
    fn follow_links(&self, listing: &'a Listing) -> Vec<(&'a RawEntry, Result<Landing, Problem>)> {
        let mut links = Vec::new();
        let walked = Cell::new(0u64);
        let mut landing_bytes = 0;
        for entry in &listing.entries {
            let (RawKind::Symlink, Some(path), Some(target)) =
                (entry.kind, self.below(entry), entry.link.as_deref())
            else {
                continue;
            };
            if target.is_empty() || target.contains(&0) {
                continue;
            }
            // Those that were refused for their length are told as that.
            if target.len() >= MOST_PATH_BYTES || self.get(path).is_none() {
                continue;
            }
            let folder = match path.iter().rposition(|&byte| byte == b'/') {
                Some(end) => &path[..end],
                None => b"",
            };
            let landing = self.landing(folder, target, &walked);
            let stop = landing == Err(Problem::TooManyLinks);
            if let Ok(Landing::Inside(path)) = &landing {
                landing_bytes += path.len();
            }
            links.push((entry, landing));
            if stop {
                break;
            }
            // Short links to a long one lead to long paths, which are kept.
            if landing_bytes > MOST_NAME_BYTES {
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
        below.filter(|_| top == self.top_bytes)
    }

    /// The entry at a path.
    pub(crate) fn get(&self, path: &[u8]) -> Option<&'a RawEntry> {
        self.entries.get(path).copied()
    }

    /// Where a link's text leads from the directory that holds it. All walks that share a count end
    /// where a tree's would.
    fn landing(&self, from: &[u8], target: &[u8], walked: &Cell<u64>) -> Result<Landing, Problem> {
        let link_at = |path: &[u8]| {
            // Within a walk as well: the paths of one may add up to more than all may.
            if walked.get() > MOST_WALKED_BYTES {
                return None;
            }
            walked.set(walked.get() + path.len() as u64);
            match self.get(path) {
                Some(RawEntry {
                    kind: RawKind::Symlink,
                    link: Some(link),
                    ..
                }) => {
                    // Parts that lead nowhere, as "./././", are walked too.
                    walked.set(walked.get() + link.len() as u64);
                    Some(link.as_slice())
                }
                _ => None,
            }
        };
        walked.set(walked.get() + target.len() as u64);
        if walked.get() > MOST_WALKED_BYTES {
            return Err(Problem::TooManyLinks);
        }
        let landing = follow(&link_at, from, target);
        if walked.get() > MOST_WALKED_BYTES {
            return Err(Problem::TooManyLinks);
        }
        landing
    }

    /// What stands at a path once links were followed.
    pub(crate) fn standing(&self, path: &[u8]) -> Standing {
        if path.len() > MOST_PATH_BYTES {
            return Standing::Absent;
        }
        let is_link = self
            .get(path)
            .is_some_and(|entry| entry.kind == RawKind::Symlink);
        let landing = match self.landing(b"", path, &self.walked) {
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

    #[test]
    fn names_that_were_refused_for_their_length_imply_nothing() {
        use RawKind::{File, Symlink};
        let deep = format!("A-1/{}x", "a/".repeat(32_000));
        let absolute = format!("/{deep}");
        let far = "b/".repeat(4000);
        let part = format!("A-1/c/{}", "x".repeat(300));
        for first in ["A-1/x", "/x"] {
            let listing = listing(&[
                (first, File, ""),
                (&deep, File, ""),
                (&absolute, File, ""),
                (&part, File, ""),
                ("A-1/far", Symlink, &far),
            ]);
            let index = Index::of(&listing);
            assert!(index.implied.is_empty());
            assert!(index.links.is_empty());
            assert!(index.problems.len() >= 4);
        }
    }

    #[test]
    fn directories_that_only_names_imply_are_counted_up_to_a_limit() {
        // Refused for its slash, but short enough to be kept.
        let names: Vec<String> = (0..64)
            .map(|index| format!("/{index}/{}x", "a/".repeat(2000)))
            .collect();
        let entries: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), RawKind::File, ""))
            .collect();
        let listing = listing(&entries);
        let index = Index::of(&listing);
        let bytes: usize = index.implied.iter().map(|path| path.len()).sum();
        assert!(bytes <= MOST_NAME_BYTES + MOST_PATH_BYTES, "{bytes}");
        let told = |problem: &Problem| matches!(problem, Problem::TooMany { .. });
        let told = index.problems.iter().filter(|(_, problem)| told(problem));
        assert_eq!(told.count(), 1);
    }

    #[test]
    fn a_path_longer_than_any_is_absent_and_paths_are_walked_up_to_a_limit() {
        let listing = listing(&[("A-1/a/x", RawKind::File, "")]);
        let index = Index::of(&listing);
        let endless = "a/".repeat(1 << 20);
        assert_eq!(index.standing(endless.as_bytes()), Standing::Absent);
        index.walked.set(MOST_WALKED_BYTES - 4);
        assert_eq!(index.standing(b"a"), Standing::Implied);
        let walked = Cell::new(MOST_WALKED_BYTES);
        assert_eq!(
            index.landing(b"", b"a/x", &walked),
            Err(Problem::TooManyLinks)
        );
    }
}
