//! A recipe: what we want, checked before any work begins.
//!
//! In: the text of `parcel.toml` and its folder. Out: a [`Recipe`] in which every name is valid,
//! every file exists, every distro has its platform and C library, and every mention of an
//! environment names one that is there.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use parcel::distro;
use parcel::meta::{AlternativesJson, Mode, PermissionsJson, User};
use parcel::{Distro, NameError, ParcelName, Product, TreePath, Version};

use crate::evaluate::Reader;
use crate::nearest::nearest;

/// The file that makes a folder a recipe.
pub const RECIPE_FILE: &str = "parcel.toml";

/// What is wrong with a recipe, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {problem}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct RecipeError {
    /// The recipe's file.
    pub file: PathBuf,
    /// The line, from 1, where the problem has one.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: RecipeProblem,
}

impl RecipeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match &self.problem {
            RecipeProblem::Name(error) => error.hint(),
            RecipeProblem::NoRecipe => {
                Some("Give a folder with a parcel.toml; `parcelctl init` makes one.".into())
            }
            RecipeProblem::Toml { hint, .. } => hint.clone(),
            RecipeProblem::UnknownDistro { suffix } if near_distro(suffix).is_some() => {
                near_distro(suffix).map(|near| format!("Did you mean \"{near}\"?"))
            }
            RecipeProblem::UnknownDistro { suffix } => Some(format!(
                "Write {{ suffix = \"{suffix}\", platform = \"linux-64\", glibc = \"2.39\" }} with the numbers of that system."
            )),
            RecipeProblem::UnknownEnvironment { known, name } => Some(match nearest(name, known) {
                Some(near) => format!("Did you mean \"{near}\"?"),
                None if known.is_empty() => "Add [environments.NAME] with a spec.".into(),
                None => format!("The recipe has {}.", known.join(", ")),
            }),
            RecipeProblem::NotYet { instead, .. } => Some((*instead).to_owned()),
            RecipeProblem::MissingFile { .. } => {
                Some("Paths are relative to the folder of parcel.toml.".into())
            }
            RecipeProblem::Mode(error) => Some(match error.text.len() {
                3 => format!("Write mode = \"0{}\".", error.text),
                _ => "Write four octal digits, for example mode = \"0755\".".into(),
            }),
            RecipeProblem::FileMode { .. } => Some(
                "Say more in [permissions.\"PATH\"]: it is set on the hosts, where a tar does not carry it."
                    .into(),
            ),
            RecipeProblem::DefaultTaken => Some("Give that environment another name.".into()),
            _ => None,
        }
    }
}

/// The known distro that was most likely meant.
fn near_distro(suffix: &Distro) -> Option<&'static str> {
    let known: Vec<&'static str> = distro::TABLE.iter().map(|row| row.suffix).collect();
    let near = nearest(suffix.as_str(), &known)?;
    known.iter().copied().find(|&known| known == near)
}

/// What is wrong with a recipe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeProblem {
    /// There is no such file.
    #[error("there is no such recipe")]
    NoRecipe,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(std::io::Error),
    /// The text is not TOML, or has a key or a type that a recipe does not know.
    #[error("{message}")]
    Toml {
        /// What the reader said.
        message: String,
        /// The nearest known key, where one is near.
        hint: Option<String>,
    },
    /// The name, the version or a distro is not one.
    #[error(transparent)]
    Name(NameError),
    /// No distro is given.
    #[error("distros is empty; a parcel is built for at least one")]
    NoDistro,
    /// A distro stands twice.
    #[error("distro \"{suffix}\" stands twice")]
    DuplicateDistro {
        /// The suffix.
        suffix: Distro,
    },
    /// The distro table does not know a suffix, and the recipe does not say what it is.
    #[error("distro \"{suffix}\" is not in the distro table of {}", distro::AS_OF)]
    UnknownDistro {
        /// The suffix.
        suffix: Distro,
    },
    /// `--distro` names a distro that the recipe does not have.
    #[error("the recipe has no distro \"{suffix}\"; it has {}", known.join(", "))]
    DistroNotInRecipe {
        /// What was asked for.
        suffix: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The parcels directory is not an absolute clean path.
    #[error("parcels-dir \"{directory}\" is not an absolute path without . and ..")]
    ParcelsDirectory {
        /// The directory.
        directory: String,
    },
    /// A path in the parcel leads out of it or is not clean.
    #[error("\"{path}\" {problem}")]
    Path {
        /// The path.
        path: String,
        /// Why not.
        problem: parcel::Problem,
    },
    /// An environment is mentioned that the recipe does not have.
    #[error("there is no environment \"{name}\"")]
    UnknownEnvironment {
        /// Its name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// An environment's name is not one.
    #[error("environment \"{name}\" must be named with letters, digits and . _ -")]
    EnvironmentName {
        /// The name.
        name: String,
    },
    /// Two environments have the same place.
    #[error("environments \"{first}\" and \"{second}\" are both at \"{at}\"")]
    SamePlace {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// The place.
        at: String,
    },
    /// A file that the recipe names is not there.
    #[error("{} does not exist", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },
    /// A folder stands where a file is wanted.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A template is named by a path.
    #[error(
        "template \"{name}\" is not the name of a file beside parcel.toml or of a built-in one"
    )]
    TemplateName {
        /// The name.
        name: String,
    },
    /// A file's mode is one that the archive does not carry.
    #[error("mode \"{mode}\" is neither \"0755\" nor \"0644\"")]
    FileMode {
        /// The mode.
        mode: Mode,
    },
    /// An environment lies where the name of the default one is written.
    #[error("an environment lies at envs/default, where the default one's name is written")]
    DefaultTaken,
    /// A mode is not four octal digits.
    #[error(transparent)]
    Mode(parcel::meta::ModeError),
    /// `link-scripts` is neither `"deny"` nor a list.
    #[error("link-scripts = \"{text}\" is not known; write \"deny\" or a list of package names")]
    LinkScripts {
        /// The text.
        text: String,
    },
    /// `{site-packages}` is used where there is no Python.
    #[error("{{site-packages}} is only known to the files of an environment")]
    SitePackages,
    /// Something that a later version will do.
    #[error("{what} is not supported yet")]
    NotYet {
        /// What.
        what: &'static str,
        /// What to do until then.
        instead: &'static str,
    },
}

/// A distro to build for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The suffix.
    pub distro: Distro,
    /// The conda platform.
    pub platform: String,
    /// The C library.
    pub glibc: String,
}

/// One environment of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentRecipe {
    /// Its name.
    pub name: String,
    /// Where it is in the parcel; `None` at the top.
    pub at: Option<TreePath>,
    /// The file that lists what is in it.
    pub spec: PathBuf,
    /// Whether conda and pip must refuse to change it afterwards.
    pub protect: bool,
    /// Whether to compile Python's sources.
    pub compile_bytecode: bool,
    /// Files put into it.
    pub files: Vec<FileRecipe>,
}

/// Files that are copied into the parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecipe {
    /// The file or folder on the build machine.
    pub from: PathBuf,
    /// Where it goes; `{site-packages}` at its start is the environment's.
    pub to: String,
    /// Its mode, where it is not that of the source.
    pub mode: Option<Mode>,
    /// `parcel.toml`,
    pub recipe: PathBuf,
    /// and where in it this stands.
    pub line: usize,
}

/// A command that must succeed before a parcel is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRecipe {
    /// The environment it runs in.
    pub environment: Option<String>,
    /// The command, for `sh -c`.
    pub run: String,
    /// Where in `parcel.toml` this stands.
    pub line: usize,
}

/// What a parcel is made of.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The folder of `parcel.toml`; all paths are relative to it.
    pub folder: PathBuf,
    /// `parcel.toml` itself.
    pub file: PathBuf,
    /// The product.
    pub product: Product,
    /// The version.
    pub version: Version,
    /// The distros, in the order of the recipe.
    pub rows: Vec<Row>,
    /// Where the parcel will live: the prefix that is baked.
    pub parcels_directory: String,
    /// Tags for `provides`.
    pub provides: BTreeSet<String>,
    /// `depends` of `parcel.json`.
    pub depends: Option<String>,
    /// `replaces` of `parcel.json`.
    pub replaces: Option<String>,
    /// `conflicts` of `parcel.json`.
    pub conflicts: Option<String>,
    /// `patchCount` of `parcel.json`.
    pub patch_count: String,
    /// Whether activation makes the link without a version.
    pub set_active_symlink: bool,
    /// The environment that `envs/default` names.
    pub default_environment: Option<String>,
    /// A text file for `meta/release-notes.txt`.
    pub release_notes: Option<PathBuf>,
    /// Channels, as written: names, URLs or folders.
    pub channels: Vec<String>,
    /// The template of the defines script, by its file name.
    pub defines_template: String,
    /// The environment whose interpreter `CDH_PYTHON` names when it is unset.
    pub cdh_python: Option<String>,
    /// The environments; the one at the top first, then by name.
    pub environments: Vec<EnvironmentRecipe>,
    /// Files put into the parcel.
    pub files: Vec<FileRecipe>,
    /// Users, in the order of the recipe.
    pub users: IndexMap<String, User>,
    /// Groups beside the users' own.
    pub groups: BTreeSet<String>,
    /// `permissions.json`.
    pub permissions: PermissionsJson,
    /// `alternatives.json`.
    pub alternatives: AlternativesJson,
    /// Tests to run.
    pub tests: Vec<TestRecipe>,
}

/// What the command line says instead of the recipe.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Another version.
    pub version: Option<String>,
    /// Another parcels directory.
    pub parcels_directory: Option<String>,
}

impl Recipe {
    /// Reads a recipe: a folder, or its `parcel.toml`.
    ///
    /// # Errors
    ///
    /// [`RecipeError`] with file and line.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, RecipeError> {
        let file = if path.is_dir() {
            path.join(RECIPE_FILE)
        } else {
            path.to_owned()
        };
        // Messages begin with this path: `parcel.toml:2`, not `./parcel.toml:2`.
        let file = file.strip_prefix(".").map_or(file.clone(), Path::to_owned);
        let text = fs_err::read_to_string(&file).map_err(|error| RecipeError {
            file: file.clone(),
            line: None,
            problem: match error.kind() {
                ErrorKind::NotFound => RecipeProblem::NoRecipe,
                _ => RecipeProblem::Read(error),
            },
        })?;
        Reader {
            file: &file,
            text: &text,
        }
        .recipe(overrides)
    }

    /// The name of the parcel for a distro.
    pub fn parcel_name(&self, distro: &Distro) -> ParcelName {
        ParcelName::new(self.product.clone(), self.version.clone(), distro.clone())
    }

    /// The parcel's directory, `NAME-VERSION`.
    pub fn directory(&self) -> String {
        format!("{}-{}", self.product, self.version)
    }

    /// Where an environment will live.
    pub fn final_prefix(&self, environment: &EnvironmentRecipe) -> String {
        let top = format!("{}/{}", self.parcels_directory, self.directory());
        match &environment.at {
            Some(at) => format!("{top}/{at}"),
            None => top,
        }
    }

    /// An environment by its name.
    pub fn environment(&self, name: &str) -> Option<&EnvironmentRecipe> {
        self.environments
            .iter()
            .find(|environment| environment.name == name)
    }

    /// Keeps only the distros asked for; an empty list keeps all.
    ///
    /// # Errors
    ///
    /// [`RecipeError`] for a distro that the recipe does not have.
    pub fn select(mut self, distros: &[String]) -> Result<Self, RecipeError> {
        let known: Vec<_> = self.rows.iter().map(|row| row.distro.to_string()).collect();
        if let Some(suffix) = distros.iter().find(|suffix| !known.contains(suffix)) {
            let problem = RecipeProblem::DistroNotInRecipe {
                suffix: suffix.clone(),
                known,
            };
            return Err(RecipeError {
                file: self.file,
                line: None,
                problem,
            });
        }
        if !distros.is_empty() {
            self.rows
                .retain(|row| distros.iter().any(|suffix| suffix == row.distro.as_str()));
        }
        Ok(self)
    }
}
