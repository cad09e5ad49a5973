//! wip
pub mod archive;
mod builder;
pub mod digest;
pub mod distro;
pub mod install;
pub mod listing;
pub mod meta;
mod name;
pub mod progress;
pub mod repository;
pub mod scratch;
mod tree;
pub mod validate;

pub use builder::{BuildError, Builder, Parcel, side_file};
pub use listing::Listing;
pub use name::*;
pub use tree::{Admission, Checker, EntryKind, Problem, Tree, TreeError, TreePath};
