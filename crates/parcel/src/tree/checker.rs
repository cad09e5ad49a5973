//! Proves entries one by one.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use super::link::{MOST_WALKED_BYTES, follow, is_system_path};
use super::path::MOST_PATH_BYTES;
use super::{EntryKind, Problem, Tree, TreeError, TreePath};
use crate::listing::{MOST_ENTRIES, MOST_NAME_BYTES, RawEntry, RawKind, display_bytes};

/// As many parts as a name may have. Whoever removes a tree holds a file open for each, and the
/// usual limit is 1024; real parcels have about twenty.
const MOST_PARTS: usize = 128;

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
        if whole.as_bytes().split(|&byte| byte == b'/').count() > MOST_PARTS {
            return Err(Problem::TooDeep { most: MOST_PARTS });
        }
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
