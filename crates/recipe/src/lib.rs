//! From `parcel.toml` to parcels.
//!
//! ```text
//! parcel.toml --> Recipe --> environments --> staged tree --> meta/ --> tests --> parcels
//! ```
//!
//! [`Recipe::load`] reads what is wanted and refuses what cannot be; [`build()`] does the rest in
//! one call: it solves or takes the lock, installs each environment for the prefix it will have on
//! the cluster, copies the recipe's files, fills in the documents from what was really installed,
//! runs the recipe's tests and hands the tree to [`parcel::Builder`].
//!
//! The crate knows nothing of terminals and of Cloudera Manager. Without its feature `conda` a
//! recipe may hold files only.

mod build;
#[cfg(feature = "conda")]
mod environment;
#[cfg(feature = "conda")]
mod environments;
#[cfg(not(feature = "conda"))]
#[path = "without_conda.rs"]
mod environments;
mod evaluate;
mod nearest;
pub mod progress;
mod recipe;
mod render;
mod source;
mod stage;
mod template;
mod trial;

pub use build::{BuildError, BuildOptions, Built, LockOutcome, build};
#[cfg(feature = "conda")]
pub use environment::{EnvironmentError, EnvironmentProblem, LOCK_FILE};
pub use recipe::{
    EnvironmentRecipe, FileRecipe, Overrides, RECIPE_FILE, Recipe, RecipeError, RecipeProblem, Row,
    TestRecipe,
};
pub use stage::StageError;
pub use template::TemplateError;
pub use trial::TrialError;
