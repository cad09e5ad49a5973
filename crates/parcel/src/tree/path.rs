//! Clean paths below a parcel's directory.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Problem;
use crate::listing::display_bytes;

/// The longest path that Linux takes.
pub(super) const MOST_PATH_BYTES: usize = 4096;
/// The longest name that the file systems of Linux hold.
const MOST_PART_BYTES: usize = 255;

/// A clean path below the parcel's directory: no empty, `.` or `..` parts, never absolute.
///
/// Paths sort by their parts, so that a directory stands directly before what it holds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TreePath(pub(super) Box<[u8]>);

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
    pub(super) fn parent_bytes(&self) -> &[u8] {
        self.0
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(&[], |end| &self.0[..end])
    }
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (&*self.0, &*other.0);
        let (mut low, mut high) = (0, ours.len().min(theirs.len()));
        if ours[..high] == theirs[..high] {
            return ours.len().cmp(&theirs.len());
        }
        // The first difference lies in low..high. Paths share most of their bytes, and slices
        // compare many times faster than bytes one by one.
        while high - low > 1 {
            let middle = low.midpoint(high);
            if ours[low..middle] == theirs[low..middle] {
                low = middle;
            } else {
                high = middle;
            }
        }
        // A slash sorts before every other byte, which compares the paths part by part.
        let key = |byte: u8| if byte == b'/' { 0 } else { u16::from(byte) + 1 };
        key(ours[low]).cmp(&key(theirs[low]))
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
