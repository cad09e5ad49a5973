//! The documents in `meta/`: from the recipe and from what was really installed.

use std::collections::BTreeSet;
use std::path::Path;

use indexmap::IndexMap;
use parcel::ParcelName;
use parcel::meta::{Component, MetaFile, Package, RELEASE_NOTES, User};
use serde::Serialize;

use crate::build::BuildError;
use crate::recipe::Recipe;
use crate::stage::{Stage, StageError};
use crate::template::Template;

/// An environment as the documents see it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StagedEnvironment {
    pub(crate) name: String,
    /// Where it is, relative to the parcel; empty at the top.
    pub(crate) at: String,
    /// Its packages: name, version, build.
    pub(crate) packages: Vec<(String, String, String)>,
    pub(crate) has_python: bool,
}

impl StagedEnvironment {
    /// Its interpreter, relative to the parcel.
    fn python(&self) -> Option<String> {
        let separator = if self.at.is_empty() { "" } else { "/" };
        self.has_python
            .then(|| format!("{}{separator}bin/python", self.at))
    }
}

/// What a template may use.
#[derive(Serialize)]
struct Context<'a> {
    name: &'a str,
    version: &'a str,
    distro: &'a str,
    full_version: String,
    directory: String,
    parcels_dir: &'a str,
    patch_count: &'a str,
    depends: Option<&'a str>,
    replaces: Option<&'a str>,
    conflicts: Option<&'a str>,
    set_active_symlink: bool,
    defines: &'a str,
    provides: &'a BTreeSet<String>,
    users: &'a IndexMap<String, User>,
    groups: &'a BTreeSet<String>,
    environments: &'a [StagedEnvironment],
    default_environment: Option<&'a str>,
    cdh_python: Option<String>,
    packages: Vec<Package>,
    components: Vec<Component>,
}

/// Writes `meta/` and `envs/default` into the stage.
pub(crate) fn render(
    recipe: &Recipe,
    name: &ParcelName,
    environments: &[StagedEnvironment],
    stage: &Stage,
) -> Result<(), BuildError> {
    let defines = &recipe.defines_template;
    let context = Context {
        name: name.product().as_str(),
        version: name.version().as_str(),
        distro: name.distro().as_str(),
        full_version: name.full_version(),
        directory: name.directory(),
        parcels_dir: &recipe.parcels_directory,
        patch_count: &recipe.patch_count,
        depends: recipe.depends.as_deref(),
        replaces: recipe.replaces.as_deref(),
        conflicts: recipe.conflicts.as_deref(),
        set_active_symlink: recipe.set_active_symlink,
        defines,
        provides: &recipe.provides,
        users: &recipe.users,
        groups: &recipe.groups,
        environments,
        default_environment: recipe.default_environment.as_deref(),
        cdh_python: cdh_python(recipe, environments),
        packages: packages(environments),
        components: components(name, environments),
    };
    let write = |path: &Path, text: &str| stage.write(path, text).map_err(BuildError::Stage);
    let meta = Path::new("meta");
    let parcel_json = Template::find("parcel.json", &recipe.folder)?.render_json(&context)?;
    write(&meta.join("parcel.json"), &parcel_json)?;
    let script = Template::find(defines, &recipe.folder)?.render(&context)?;
    write(&meta.join(defines), &script)?;
    if !recipe.alternatives.0.is_empty() {
        write(
            &meta.join("alternatives.json"),
            &recipe.alternatives.to_text(),
        )?;
    }
    if !recipe.permissions.0.is_empty() {
        write(
            &meta.join("permissions.json"),
            &recipe.permissions.to_text(),
        )?;
    }
    if let Some(notes) = &recipe.release_notes {
        let text = fs_err::read_to_string(notes).map_err(StageError::Io)?;
        write(Path::new(RELEASE_NOTES), &text)?;
    }
    if let Some(default) = &recipe.default_environment {
        write(Path::new("envs/default"), &format!("{default}\n"))?;
    }
    Ok(())
}

/// The interpreter for `CDH_PYTHON`: of the environment that the recipe names, else of the default
/// one, else of the one at the top, else of the only one.
fn cdh_python(recipe: &Recipe, environments: &[StagedEnvironment]) -> Option<String> {
    let named = recipe
        .cdh_python
        .as_ref()
        .or(recipe.default_environment.as_ref());
    let chosen = match named {
        Some(name) => environments
            .iter()
            .find(|environment| environment.name == *name),
        None => environments
            .iter()
            .find(|environment| environment.at.is_empty())
            .or_else(|| {
                let [only] = environments else { return None };
                Some(only)
            }),
    };
    chosen.and_then(StagedEnvironment::python)
}

/// All packages. Names must be unique, so those of an environment beside others carry its name.
fn packages(environments: &[StagedEnvironment]) -> Vec<Package> {
    let mut packages = Vec::new();
    for environment in environments {
        let prefix = prefix(environment, environments, '/');
        packages.extend(
            environment
                .packages
                .iter()
                .map(|(name, version, build)| Package {
                    name: format!("{prefix}{name}"),
                    version: format!("{version}-{build}"),
                }),
        );
    }
    packages
}

/// The parcel itself, and the Python of each environment: what a person looks for in Cloudera
/// Manager's list of components.
fn components(name: &ParcelName, environments: &[StagedEnvironment]) -> Vec<Component> {
    let component = |name: String, version: &str, package: String| Component {
        name,
        version: version.to_owned(),
        pkg_version: Some(package),
        pkg_release: None,
    };
    let version = name.version().as_str();
    let mut components = vec![component(
        name.product().to_string(),
        version,
        version.to_owned(),
    )];
    for environment in environments {
        let prefix = prefix(environment, environments, '-');
        let python = environment
            .packages
            .iter()
            .find(|(name, ..)| name == "python");
        components.extend(python.map(|(name, version, build)| {
            component(
                format!("{prefix}{name}"),
                version,
                format!("{version}-{build}"),
            )
        }));
    }
    components
}

fn prefix(environment: &StagedEnvironment, all: &[StagedEnvironment], separator: char) -> String {
    if environment.at.is_empty() || all.len() == 1 {
        String::new()
    } else {
        format!("{}{separator}", environment.name)
    }
}
