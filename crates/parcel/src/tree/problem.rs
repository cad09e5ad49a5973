//! What keeps a listing from being a tree.

use super::TreePath;
use crate::listing::RawKind;

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
    /// The name goes through more directories than any real parcel's.
    #[error("has a name of more than {most} parts")]
    TooDeep {
        /// How many parts are the most, the parcel's directory included.
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
