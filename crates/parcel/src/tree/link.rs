//! Where links lead.

use std::collections::BTreeMap;

use super::{EntryKind, Problem, TreePath};
use crate::listing::display_bytes;

/// Absolute links may lead here: configuration and state live outside a parcel, which is
/// immutable. Cloudera's own builder of the SPARK2 parcel draws the same line.
pub(super) fn is_system_path(target: &[u8]) -> bool {
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
pub(super) fn link_in<'a>(
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
