//! A repository folder as the rules see it.

/// What lies in a repository folder.
pub(crate) struct Folder {}
