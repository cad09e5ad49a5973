//! wip
pub mod archive;
pub mod digest;
pub mod distro;
pub mod listing;
pub mod meta;
mod name;
pub mod progress;
mod tree;
pub mod validate;

pub use listing::Listing;
pub use name::*;
pub use tree::{Admission, Checker, EntryKind, Problem, Tree, TreeError, TreePath};
