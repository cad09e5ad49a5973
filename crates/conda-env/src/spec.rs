//! What is wanted: an `environment.yml`.
//!
//! The text of a file comes in; an [`EnvironmentSpec`] whose channels and package specs are all
//! parsed goes out. The other files conda people know are recognised, so that they are refused by
//! name and not as broken YAML.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rattler_conda_types::{MatchSpec, ParseMatchSpecError, ParseStrictness};
use serde::Deserialize;

use crate::channel::{ChannelError, ChannelSource};

/// The channels and packages an environment is made of.
#[derive(Clone, Debug)]
pub struct EnvironmentSpec {
    name: Option<String>,
    channels: Vec<ChannelSource>,
    specs: Vec<MatchSpec>,
}

/// Why a spec file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(io::Error),
    /// The file is not YAML, or not of the shape of an `environment.yml`.
    #[error("{place} is not an environment.yml")]
    Syntax {
        /// Where.
        place: Place,
        /// What is wrong.
        source: serde_yaml::Error,
    },
    /// A line of `dependencies` is not a package spec.
    #[error("{place}: `{spec}` is not a package spec")]
    Spec {
        /// Where.
        place: Place,
        /// What was written.
        spec: String,
        /// What is wrong with it.
        source: ParseMatchSpecError,
    },
    /// A line of `channels` is not a channel.
    #[error("{place}: cannot use this channel")]
    Channel {
        /// Where.
        place: Place,
        /// What is wrong with it.
        source: ChannelError,
    },
    /// The file names no package.
    #[error("{place} names no packages under `dependencies`")]
    Empty {
        /// Where.
        place: Place,
    },
    /// The file, or a part of it, is of a kind that cannot be used yet.
    #[error("{place}: {what} is not yet supported")]
    Unsupported {
        /// Where.
        place: Place,
        /// What it is.
        what: Unsupported,
    },
}

/// A file, and a line of it when one is known (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line.
    pub line: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// What can be recognised but not used yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsupported {
    /// The `pip:` list of an `environment.yml`.
    Pip,
    /// The `variables:` of an `environment.yml`.
    Variables,
    /// A list of URLs that starts with `@EXPLICIT`.
    Explicit,
    /// A `requirements.txt`.
    Requirements,
    /// A `pixi.lock`.
    PixiLock,
    /// A `conda-lock.yml`.
    CondaLock,
    /// A `pixi.toml` or `pyproject.toml`.
    Project,
}

impl std::fmt::Display for Unsupported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pip => "a list of pip packages",
            Self::Variables => "a list of environment variables",
            Self::Explicit => "an @EXPLICIT list of packages",
            Self::Requirements => "a requirements file",
            Self::PixiLock => "a pixi.lock",
            Self::CondaLock => "a conda-lock.yml",
            Self::Project => "a project file",
        })
    }
}

impl SpecError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Spec { .. } => {
                Some("write it as `name`, `name=1.21` or `name >=1.21,<2`".to_owned())
            }
            Self::Channel { source, .. } => source.hint(),
            Self::Empty { .. } => Some("list at least one, such as `- python=3.11`".to_owned()),
            Self::Unsupported { what, .. } => Some(match what {
                Unsupported::Pip => "take the packages from a conda channel, or remove the `pip:` \
                                     part"
                    .to_owned(),
                Unsupported::Variables => "remove the `variables:` part".to_owned(),
                _ => "write an environment.yml with `channels` and `dependencies`".to_owned(),
            }),
            Self::Read(_) | Self::Syntax { .. } => None,
        }
    }
}

/// An `environment.yml` as it is written. Unknown keys are conda's business.
#[derive(Deserialize)]
struct Document {
    name: Option<String>,
    #[serde(default)]
    channels: Vec<String>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    variables: BTreeMap<String, serde_yaml::Value>,
}

/// A line of `dependencies`: a spec, or a list for another package manager.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a package spec such as `python=3.11`")]
enum Dependency {
    Spec(String),
    Section(#[expect(dead_code, reason = "only recognised")] BTreeMap<String, Vec<String>>),
}

impl EnvironmentSpec {
    /// Makes a spec without a file.
    pub fn new(channels: Vec<ChannelSource>, specs: Vec<MatchSpec>) -> Self {
        Self {
            name: None,
            channels,
            specs,
        }
    }

    /// Reads an `environment.yml`. Folder channels in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// [`SpecError::Read`] when there is no such file, [`SpecError::Unsupported`] for the other
    /// kinds of file that list packages, and the rest for what is wrong inside.
    pub fn load(path: &Path) -> Result<Self, SpecError> {
        let text = fs_err::read_to_string(path).map_err(SpecError::Read)?;
        Self::parse(&text, path)
    }

    /// Reads the text of an `environment.yml` that is, or would be, at `path`.
    ///
    /// # Errors
    ///
    /// Those of [`EnvironmentSpec::load`], save the first.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SpecError> {
        let place = |line| Place {
            file: path.to_owned(),
            line,
        };
        let unsupported = |line, what| {
            Err(SpecError::Unsupported {
                place: place(line),
                what,
            })
        };
        if let Some(what) = other_kind(text, path) {
            return unsupported(None, what);
        }
        let document: Document =
            serde_yaml::from_str(text).map_err(|source| SpecError::Syntax {
                place: place(source.location().map(|at| at.line())),
                source,
            })?;
        if !document.variables.is_empty() {
            return unsupported(line_of_key(text, "variables"), Unsupported::Variables);
        }
        let base = path.parent().unwrap_or(Path::new(""));
        let mut channels = Vec::new();
        for channel in &document.channels {
            let more = ChannelSource::parse_list([channel], base).map_err(|source| {
                SpecError::Channel {
                    place: place(line_of_item(text, channel)),
                    source,
                }
            })?;
            channels.extend(
                more.into_iter()
                    .filter(|c| !channels.contains(c))
                    .collect::<Vec<_>>(),
            );
        }
        let mut specs = Vec::new();
        for dependency in &document.dependencies {
            let Dependency::Spec(spec) = dependency else {
                return unsupported(line_of_key(text, "pip"), Unsupported::Pip);
            };
            specs.push(
                MatchSpec::from_str(spec, ParseStrictness::Strict).map_err(|source| {
                    SpecError::Spec {
                        place: place(line_of_item(text, spec)),
                        spec: spec.clone(),
                        source,
                    }
                })?,
            );
        }
        if specs.is_empty() {
            return Err(SpecError::Empty {
                place: place(line_of_key(text, "dependencies")),
            });
        }
        Ok(Self {
            name: document.name,
            channels,
            specs,
        })
    }

    /// The name the file gives to the environment.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The channels, most important first. May be empty: then the recipe's are used.
    pub fn channels(&self) -> &[ChannelSource] {
        &self.channels
    }

    /// What is asked for, in the order of the file.
    pub fn specs(&self) -> &[MatchSpec] {
        &self.specs
    }
}

/// Recognises the files that are not an `environment.yml`.
fn other_kind(text: &str, path: &Path) -> Option<Unsupported> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let starts = |key: &str| line_of_key(text, key).is_some();
    if text.lines().any(|line| line.trim() == "@EXPLICIT") {
        Some(Unsupported::Explicit)
    } else if Path::new(&name).extension().is_some_and(|e| e == "toml") {
        Some(Unsupported::Project)
    } else if name == "pixi.lock" || (starts("version") && starts("environments")) {
        Some(Unsupported::PixiLock)
    } else if name.contains("conda-lock") || (starts("metadata") && starts("package")) {
        Some(Unsupported::CondaLock)
    } else if Path::new(&name)
        .extension()
        .is_some_and(|e| e == "txt" || e == "in")
    {
        Some(Unsupported::Requirements)
    } else {
        None
    }
}

/// The line on which an item of a list is written, from 1.
fn line_of_item(text: &str, item: &str) -> Option<usize> {
    let written = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix('-').unwrap_or(line);
        let line = line.split(" #").next().unwrap_or(line).trim();
        line.trim_matches(['"', '\'']) == item
    };
    let exact = text.lines().position(written);
    exact
        .or_else(|| text.lines().position(|line| line.contains(item)))
        .map(|n| n + 1)
}

/// The line on which a key is written, at any depth, from 1.
fn line_of_key(text: &str, key: &str) -> Option<usize> {
    let written = |line: &str| {
        let line = line.trim_start_matches([' ', '-']);
        line.strip_prefix(key)
            .is_some_and(|rest| rest.trim_start().starts_with(':'))
    };
    text.lines().position(written).map(|n| n + 1)
}

#[cfg(test)]
mod tests;
