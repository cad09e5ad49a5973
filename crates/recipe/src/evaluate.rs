//! From the text of `parcel.toml` to a [`Recipe`]: every check that needs no work to be done.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use parcel::meta::{Alternative, AlternativesJson, Mode, Permission, PermissionsJson, User};
use parcel::{Distro, NameError, TreePath, distro};
use toml::Spanned;

use crate::nearest::nearest;
use crate::recipe::{
    EnvironmentRecipe, FileRecipe, Overrides, Recipe, RecipeError, RecipeProblem, Row, TestRecipe,
};
use crate::source::{
    AlternativeTable, DistroValue, FilesTable, LinkScriptsValue, PermissionTable, Source, UserTable,
};

/// Reads one recipe.
pub(crate) struct Reader<'a> {
    pub(crate) file: &'a Path,
    pub(crate) text: &'a str,
}

impl Reader<'_> {
    fn line(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        1 + self.text[..self.text.floor_char_boundary(offset)]
            .matches('\n')
            .count()
    }

    fn error<T>(&self, at: &Spanned<T>, problem: RecipeProblem) -> RecipeError {
        self.error_at(at.span().start, problem)
    }

    fn error_at(&self, offset: usize, problem: RecipeProblem) -> RecipeError {
        RecipeError {
            file: self.file.to_owned(),
            line: Some(self.line(offset)),
            problem,
        }
    }

    fn toml_error(&self, error: &toml::de::Error) -> RecipeError {
        let (message, hint) = plain(error.message());
        let problem = RecipeProblem::Toml { message, hint };
        match error.span() {
            Some(span) => self.error_at(span.start, problem),
            None => RecipeError {
                file: self.file.to_owned(),
                line: None,
                problem,
            },
        }
    }

    pub(crate) fn recipe(&self, overrides: &Overrides) -> Result<Recipe, RecipeError> {
        let source: Source = toml::from_str(self.text).map_err(|error| self.toml_error(&error))?;
        self.refuse_not_yet(&source)?;
        let environments = self.environments(&source)?;
        let known: Vec<String> = environments
            .iter()
            .map(|environment| environment.name.clone())
            .collect();
        let mention = |name: Option<&Spanned<String>>| -> Result<Option<String>, RecipeError> {
            let Some(name) = name else { return Ok(None) };
            if known.contains(name.get_ref()) {
                return Ok(Some(name.get_ref().clone()));
            }
            let problem = RecipeProblem::UnknownEnvironment {
                name: name.get_ref().clone(),
                known: known.clone(),
            };
            Err(self.error(name, problem))
        };

        let table = &source.parcel;
        let default_environment = mention(table.default_environment.as_ref())?;
        let named_default = |environment: &EnvironmentRecipe| {
            environment
                .at
                .as_ref()
                .is_some_and(|at| at.as_bytes() == b"envs/default")
        };
        if let (Some(default), Some(_)) = (
            &table.default_environment,
            environments.iter().find(|&e| named_default(e)),
        ) {
            return Err(self.error(default, RecipeProblem::DefaultTaken));
        }
        let tests = source
            .test
            .iter()
            .map(|test| {
                Ok(TestRecipe {
                    environment: mention(test.environment.as_ref())?,
                    run: test.run.get_ref().clone(),
                    line: self.line(test.run.span().start),
                })
            })
            .collect::<Result<_, RecipeError>>()?;
        let release_notes = table
            .release_notes
            .as_ref()
            .map(|path| self.existing_file(path))
            .transpose()?;
        let defines_template = source
            .defines
            .template
            .as_ref()
            .map(|name| self.file_name(name))
            .transpose()?;
        let has_environments = !environments.is_empty();
        Ok(Recipe {
            folder: folder_of(self.file),
            file: self.file.to_owned(),
            product: self.part(&table.name)?,
            version: match &overrides.version {
                // A version from the command line has no line in the file.
                Some(version) => version.parse().map_err(|error| RecipeError {
                    file: PathBuf::from("--set version"),
                    line: None,
                    problem: RecipeProblem::Name(error),
                })?,
                None => self.part(&table.version)?,
            },
            rows: self.rows(&table.distros)?,
            parcels_directory: self.parcels_directory(table.parcels_dir.as_ref(), overrides)?,
            provides: table.provides.iter().cloned().collect(),
            depends: table.depends.clone(),
            replaces: table.replaces.clone(),
            conflicts: table.conflicts.clone(),
            patch_count: table.patch_count.clone().unwrap_or_else(|| "p0".to_owned()),
            set_active_symlink: table.set_active_symlink.unwrap_or(true),
            cdh_python: mention(source.defines.cdh_python.as_ref())?,
            default_environment,
            release_notes,
            channels: table.channels.clone(),
            defines_template: defines_template.unwrap_or_else(|| {
                if has_environments {
                    "conda_env.sh"
                } else {
                    "env.sh"
                }
                .to_owned()
            }),
            environments,
            files: self.files(&source.files, false)?,
            users: users(source.users),
            groups: table.groups.iter().cloned().collect(),
            permissions: self.permissions(source.permissions)?,
            alternatives: alternatives(source.alternatives),
            tests,
        })
    }

    fn permissions(
        &self,
        tables: IndexMap<String, PermissionTable>,
    ) -> Result<PermissionsJson, RecipeError> {
        let permission = |(path, table): (String, PermissionTable)| {
            let permissions = self.mode(&table.mode)?;
            Ok((
                path,
                Permission {
                    user: table.user,
                    group: table.group,
                    permissions,
                },
            ))
        };
        tables
            .into_iter()
            .map(permission)
            .collect::<Result<_, _>>()
            .map(PermissionsJson)
    }

    /// What the recipe format has and this version does not do. Better said than half done.
    fn refuse_not_yet(&self, source: &Source) -> Result<(), RecipeError> {
        let not_yet = |offset, what, instead| {
            Err(self.error_at(offset, RecipeProblem::NotYet { what, instead }))
        };
        if let Some(kernels) = &source.kernels {
            return not_yet(kernels.span().start, "[kernels]", "Remove the table.");
        }
        for environment in source.environments.values() {
            if let Some(wheels) = &environment.wheels {
                let instead = "Use conda packages, or copy modules with files.";
                return not_yet(wheels.span().start, "wheels", instead);
            }
            if let Some((distro, _)) = environment.distro.first() {
                let instead = "Write one recipe for each distro.";
                return not_yet(
                    distro.span().start,
                    "an environment that differs by distro",
                    instead,
                );
            }
            if let Some(value) = &environment.link_scripts {
                match value.get_ref() {
                    LinkScriptsValue::Policy(text) if text == "deny" => {}
                    LinkScriptsValue::Policy(text) => {
                        let problem = RecipeProblem::LinkScripts { text: text.clone() };
                        return Err(self.error(value, problem));
                    }
                    LinkScriptsValue::Packages(names) if names.is_empty() => {}
                    LinkScriptsValue::Packages(_) => {
                        let instead = "Leave it out: link scripts are never run.";
                        return not_yet(value.span().start, "running link scripts", instead);
                    }
                }
            }
        }
        Ok(())
    }

    fn part<T: std::str::FromStr<Err = NameError>>(
        &self,
        text: &Spanned<String>,
    ) -> Result<T, RecipeError> {
        text.get_ref()
            .parse()
            .map_err(|error| self.error(text, RecipeProblem::Name(error)))
    }

    fn rows(&self, distros: &Spanned<Vec<Spanned<DistroValue>>>) -> Result<Vec<Row>, RecipeError> {
        let mut rows: Vec<Row> = Vec::new();
        for value in distros.get_ref() {
            let named = |suffix: &str| {
                suffix
                    .parse::<Distro>()
                    .map_err(|error| self.error(value, RecipeProblem::Name(error)))
            };
            let row = match value.get_ref() {
                DistroValue::Suffix(suffix) => {
                    let distro = named(suffix)?;
                    let Some(row) = distro::lookup(suffix) else {
                        let problem = RecipeProblem::UnknownDistro { suffix: distro };
                        return Err(self.error(value, problem));
                    };
                    Row {
                        distro,
                        platform: row.platform.into(),
                        glibc: row.glibc.into(),
                    }
                }
                DistroValue::Row(row) => Row {
                    distro: named(&row.suffix)?,
                    platform: row.platform.clone(),
                    glibc: row.glibc.clone(),
                },
            };
            if rows.iter().any(|other| other.distro == row.distro) {
                let problem = RecipeProblem::DuplicateDistro { suffix: row.distro };
                return Err(self.error(value, problem));
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Err(self.error(distros, RecipeProblem::NoDistro));
        }
        Ok(rows)
    }

    fn parcels_directory(
        &self,
        written: Option<&Spanned<String>>,
        overrides: &Overrides,
    ) -> Result<String, RecipeError> {
        let directory = match (&overrides.parcels_directory, written) {
            (Some(directory), _) => directory.clone(),
            (None, Some(directory)) => directory.get_ref().clone(),
            (None, None) => parcel::install::PARCELS_DIRECTORY.to_owned(),
        };
        let directory = directory.trim_end_matches('/').to_owned();
        let clean = directory
            .strip_prefix('/')
            .is_some_and(|below| TreePath::parse(below.as_bytes()).is_ok());
        if clean {
            return Ok(directory);
        }
        let problem = RecipeProblem::ParcelsDirectory { directory };
        Err(match (&overrides.parcels_directory, written) {
            (None, Some(written)) => self.error(written, problem),
            _ => RecipeError {
                file: "--parcels-dir".into(),
                line: None,
                problem,
            },
        })
    }

    fn environments(&self, source: &Source) -> Result<Vec<EnvironmentRecipe>, RecipeError> {
        let mut environments: Vec<EnvironmentRecipe> = Vec::new();
        for (name, table) in &source.environments {
            let text = name.get_ref();
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            if text.is_empty() || text.starts_with('.') || !text.chars().all(is_name) {
                let problem = RecipeProblem::EnvironmentName { name: text.clone() };
                return Err(self.error(name, problem));
            }
            let at = match &table.at {
                Some(at) if at.get_ref() == "." => None,
                Some(at) => Some(self.tree_path(at)?),
                None => Some(
                    TreePath::parse(format!("envs/{text}").as_bytes())
                        .expect("the name of an environment is a clean part of a path"),
                ),
            };
            if let Some(other) = environments.iter().find(|other| other.at == at) {
                let problem = RecipeProblem::SamePlace {
                    first: other.name.clone(),
                    second: text.clone(),
                    at: at.map_or_else(|| ".".to_owned(), |at| at.to_string()),
                };
                return Err(self.error(table.at.as_ref().unwrap_or(name), problem));
            }
            environments.push(EnvironmentRecipe {
                name: text.clone(),
                at,
                spec: self.existing_file(&table.spec)?,
                protect: table.protect,
                compile_bytecode: table.compile_bytecode.unwrap_or(true),
                files: self.files(&table.files, true)?,
            });
        }
        environments.sort_by(|a, b| (&a.at, &a.name).cmp(&(&b.at, &b.name)));
        Ok(environments)
    }

    fn files(
        &self,
        tables: &[FilesTable],
        in_environment: bool,
    ) -> Result<Vec<FileRecipe>, RecipeError> {
        tables
            .iter()
            .map(|table| {
                let to = table.to.get_ref();
                let below = match to.strip_prefix(crate::stage::SITE_PACKAGES) {
                    Some(_) if !in_environment => {
                        return Err(self.error(&table.to, RecipeProblem::SitePackages));
                    }
                    Some(rest) => rest.trim_start_matches('/'),
                    None => to,
                };
                if !below.is_empty() && below != "." {
                    TreePath::parse(below.trim_end_matches('/').as_bytes()).map_err(|problem| {
                        self.error(
                            &table.to,
                            RecipeProblem::Path {
                                path: to.clone(),
                                problem,
                            },
                        )
                    })?;
                }
                Ok(FileRecipe {
                    from: self.existing(&table.from)?,
                    to: to.clone(),
                    mode: table
                        .mode
                        .as_ref()
                        .map(|mode| self.file_mode(mode))
                        .transpose()?,
                    recipe: self.file.to_owned(),
                    line: self.line(table.from.span().start),
                })
            })
            .collect()
    }

    fn tree_path(&self, path: &Spanned<String>) -> Result<TreePath, RecipeError> {
        TreePath::parse(path.get_ref().as_bytes()).map_err(|problem| {
            self.error(
                path,
                RecipeProblem::Path {
                    path: path.get_ref().clone(),
                    problem,
                },
            )
        })
    }

    fn mode(&self, text: &Spanned<String>) -> Result<Mode, RecipeError> {
        text.get_ref()
            .parse()
            .map_err(|error| self.error(text, RecipeProblem::Mode(error)))
    }

    /// A mode that an archive carries: whether a file may be executed, and nothing else.
    fn file_mode(&self, text: &Spanned<String>) -> Result<Mode, RecipeError> {
        let mode = self.mode(text)?;
        if !matches!(mode.bits(), 0o644 | 0o755) {
            return Err(self.error(text, RecipeProblem::FileMode { mode }));
        }
        Ok(mode)
    }

    /// The name of a file that lies beside another, not a path to anywhere.
    fn file_name(&self, name: &Spanned<String>) -> Result<String, RecipeError> {
        let text = name.get_ref();
        if text.contains('/') || TreePath::parse(text.as_bytes()).is_err() {
            return Err(self.error(name, RecipeProblem::TemplateName { name: text.clone() }));
        }
        Ok(text.clone())
    }

    fn existing_file(&self, path: &Spanned<String>) -> Result<PathBuf, RecipeError> {
        let full = self.existing(path)?;
        if full.is_dir() {
            return Err(self.error(path, RecipeProblem::NotAFile { path: full }));
        }
        Ok(full)
    }

    fn existing(&self, path: &Spanned<String>) -> Result<PathBuf, RecipeError> {
        let full = folder_of(self.file).join(path.get_ref());
        if full.symlink_metadata().is_err() {
            return Err(self.error(path, RecipeProblem::MissingFile { path: full }));
        }
        Ok(full)
    }
}

fn users(tables: IndexMap<String, UserTable>) -> IndexMap<String, User> {
    let user = |(name, table): (String, UserTable)| {
        let extra_groups = table.extra_groups.into_iter().collect();
        let UserTable {
            mut longname,
            home,
            shell,
            ..
        } = table;
        if longname.is_empty() {
            // Cloudera's validator refuses a blank one.
            longname.clone_from(&name);
        }
        (
            name,
            User {
                longname,
                home,
                shell,
                extra_groups,
            },
        )
    };
    tables.into_iter().map(user).collect()
}

fn alternatives(tables: IndexMap<String, AlternativeTable>) -> AlternativesJson {
    let alternative = |(name, table): (String, AlternativeTable)| {
        let AlternativeTable {
            destination,
            source,
            priority,
            is_directory,
        } = table;
        (
            name,
            Alternative {
                destination,
                source,
                priority,
                is_directory,
            },
        )
    };
    AlternativesJson(tables.into_iter().map(alternative).collect())
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map(Path::to_owned).unwrap_or_default()
}

/// What the TOML reader said in the words of a recipe, and the way out where there is one.
fn plain(message: &str) -> (String, Option<String>) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted[..] {
        [unknown, ref known @ ..] if message.starts_with("unknown field") => {
            let hint = match nearest(unknown, known) {
                Some(near) => format!("Did you mean \"{near}\"?"),
                None => format!("The keys here are {}.", known.join(", ")),
            };
            (format!("there is no key \"{unknown}\""), Some(hint))
        }
        [missing] if message.starts_with("missing field") => {
            (format!("the key \"{missing}\" is missing"), None)
        }
        [number, ..] if message.ends_with("expected a string") => {
            let hint = format!("Put it in quotes: \"{number}\".");
            (message.to_owned(), Some(hint))
        }
        _ => (message.replace('\n', " "), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "[parcel]\nname = \"A\"\nversion = \"1\"\ndistros = [\"el8\"]\n";

    fn read(text: &str) -> Result<Recipe, RecipeError> {
        Reader {
            file: Path::new("parcel.toml"),
            text,
        }
        .recipe(&Overrides::default())
    }

    fn message(text: &str) -> String {
        let error = read(text).unwrap_err();
        match error.hint() {
            Some(hint) => format!("{error}. {hint}"),
            None => error.to_string(),
        }
    }

    #[test]
    fn a_minimal_recipe_has_the_usual_defaults() {
        let recipe = read(MINIMAL).unwrap();
        assert_eq!(recipe.parcels_directory, "/opt/cloudera/parcels");
        assert_eq!(recipe.rows[0].glibc, "2.28");
        assert_eq!(recipe.defines_template, "env.sh");
        assert!(recipe.set_active_symlink);
    }

    #[test]
    fn a_dash_in_the_name_is_told_with_its_line_and_the_way_out() {
        assert_eq!(
            message(&MINIMAL.replace("\"A\"", "\"Ana-conda\"")),
            "parcel.toml:2: name \"Ana-conda\" has a dash; the first dash starts the version. \
             Use \"Ana_conda\"."
        );
    }

    #[test]
    fn an_unknown_key_is_told_with_the_nearest_known_one() {
        assert_eq!(
            message(&MINIMAL.replace("distros", "distro")),
            "parcel.toml:4: there is no key \"distro\". Did you mean \"distros\"?"
        );
    }

    #[test]
    fn an_unknown_distro_asks_for_its_numbers() {
        let unknown = MINIMAL.replace("\"el8\"", "\"el42\"");
        assert!(
            message(&unknown).contains("suffix = \"el42\""),
            "{}",
            message(&unknown)
        );
        let given = "{ suffix = \"el42\", platform = \"linux-64\", glibc = \"2.50\" }";
        assert_eq!(
            read(&MINIMAL.replace("\"el8\"", given)).unwrap().rows[0].glibc,
            "2.50"
        );
    }

    #[test]
    fn what_is_not_there_yet_is_said() {
        let message = message(&format!("{MINIMAL}[kernels]\nwhen = \"install\"\n"));
        assert_eq!(
            message,
            "parcel.toml:5: [kernels] is not supported yet. Remove the table."
        );
    }

    #[test]
    fn a_missing_file_is_told_with_its_line() {
        let message = message(&format!("{MINIMAL}[environments.a]\nspec = \"gone.yml\"\n"));
        assert!(
            message.starts_with("parcel.toml:6: gone.yml does not exist"),
            "{message}"
        );
    }

    #[test]
    fn files_stay_in_the_parcel() {
        let message = message(&format!(
            "{MINIMAL}[[files]]\nfrom = \".\"\nto = \"../x\"\n"
        ));
        assert!(
            message.starts_with("parcel.toml:7: \"../x\" has \"..\""),
            "{message}"
        );
    }
}
