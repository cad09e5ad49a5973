//! The staged tree: a directory `NAME-VERSION` that fills up while a parcel is built.
//!
//! Files of the recipe are copied here as they are; what the archive makes of modes and times is
//! the writer's business.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use parcel::scratch::ScratchDirectory;

use crate::recipe::FileRecipe;

/// Stands for an environment's `site-packages` at the start of `to`.
pub(crate) const SITE_PACKAGES: &str = "{site-packages}";

/// Why the tree could not be filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// The disk said no. The error names the path.
    #[error("cannot put files into the stage")]
    Io(#[from] io::Error),
    /// `{site-packages}` of an environment that has no Python.
    #[error(
        "{}:{line}: environment \"{environment}\" has no Python, so no {{site-packages}}",
        file.display()
    )]
    NoPython {
        /// The recipe's file.
        file: PathBuf,
        /// The line in it.
        line: usize,
        /// The environment.
        environment: String,
    },
    /// A file of the recipe would take the place of one that is there.
    #[error("{}:{line}: {} is there already", file.display(), path.display())]
    Occupied {
        /// The recipe's file.
        file: PathBuf,
        /// The line in it.
        line: usize,
        /// The path, below the parcel's directory.
        path: PathBuf,
    },
    /// Something stands where the build writes a file of its own.
    #[error("{} is there already, and the build writes it", path.display())]
    Reserved {
        /// The path, below the parcel's directory.
        path: PathBuf,
    },
    /// A link stands where a directory should be. What is behind it is not the stage.
    #[error("{} leads through a link", path.display())]
    ThroughLink {
        /// The path, below the parcel's directory.
        path: PathBuf,
    },
    /// Something that is neither a file, a directory nor a link.
    #[error("{} is neither a file, a directory nor a link", path.display())]
    Kind {
        /// The path.
        path: PathBuf,
    },
}

impl StageError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Occupied { .. } => {
                "A package or another file of the recipe has put it there; choose another place."
            }
            Self::Reserved { .. } => {
                "Leave it out of the recipe's files. A template of that name beside parcel.toml changes what is written."
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// The directory in which a parcel is staged. It vanishes with this value.
pub(crate) struct Stage {
    scratch: ScratchDirectory,
    top: PathBuf,
}

impl Stage {
    /// Begins an empty `NAME-VERSION` somewhere in the work directory.
    pub(crate) fn create(work_directory: &Path, directory: &str) -> io::Result<Self> {
        fs_err::create_dir_all(work_directory)?;
        let scratch = ScratchDirectory::create_in(&fs_err::canonicalize(work_directory)?)?;
        let top = scratch.path().join(directory);
        fs_err::create_dir(&top)?;
        Ok(Self { scratch, top })
    }

    /// The staged `NAME-VERSION`.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// The directory around it, which only this build has ever had.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Writes a text at a path below `NAME-VERSION` where nothing is yet.
    pub(crate) fn write(&self, path: impl AsRef<Path>, text: &str) -> Result<(), StageError> {
        let full = self.top.join(&path);
        if full.symlink_metadata().is_ok() {
            return Err(StageError::Reserved {
                path: self.below_top(&full),
            });
        }
        self.replace(path, text)
    }

    /// Writes a text at a path below `NAME-VERSION`, over whatever is there.
    pub(crate) fn replace(&self, path: impl AsRef<Path>, text: &str) -> Result<(), StageError> {
        let full = self.top.join(path);
        self.make_parent(&full)?;
        if full.symlink_metadata().is_ok() {
            // Never through a link that a package has left there.
            fs_err::remove_file(&full)?;
        }
        fs_err::write(&full, text)?;
        fs_err::set_permissions(&full, Permissions::from_mode(0o644))?;
        Ok(())
    }

    fn below_top(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.top).unwrap_or(path).to_owned()
    }

    /// Makes the directory of a path in the stage, which must not lead through a link: a package
    /// may have left one that leads anywhere.
    fn make_parent(&self, path: &Path) -> Result<(), StageError> {
        let parent = path.parent().unwrap_or(path);
        let below = parent
            .strip_prefix(&self.top)
            .map_err(|_| StageError::ThroughLink {
                path: path.to_owned(),
            })?;
        let mut at = self.top.clone();
        for part in below.components() {
            at.push(part);
            if at.is_symlink() || !matches!(part, std::path::Component::Normal(_)) {
                return Err(StageError::ThroughLink {
                    path: self.below_top(path),
                });
            }
        }
        Ok(fs_err::create_dir_all(parent)?)
    }

    /// Copies files of the recipe below `base`, a directory of the stage.
    ///
    /// As `cp -r` does: a folder's content goes into `to`; a file becomes `to`, or goes into it
    /// where `to` ends in a slash.
    pub(crate) fn copy(
        &self,
        file: &FileRecipe,
        base: &Path,
        site_packages: Result<&Path, &str>,
    ) -> Result<(), StageError> {
        let to = match file.to.strip_prefix(SITE_PACKAGES) {
            Some(rest) => {
                let folder = site_packages.map_err(|environment| StageError::NoPython {
                    file: file.recipe.clone(),
                    line: file.line,
                    environment: environment.to_owned(),
                })?;
                folder.join(rest.trim_start_matches('/'))
            }
            None => base.join(&file.to),
        };
        let into_folder = file.to.ends_with('/') || file.to == "." || file.to == SITE_PACKAGES;
        let target = match file.from.file_name() {
            Some(name) if into_folder && !file.from.is_dir() => to.join(name),
            _ => to,
        };
        self.copy_any(file, &file.from, &target)
    }

    fn copy_any(&self, file: &FileRecipe, from: &Path, to: &Path) -> Result<(), StageError> {
        let metadata = fs_err::symlink_metadata(from)?;
        self.make_parent(to)?;
        if metadata.is_dir() && !to.is_symlink() {
            fs_err::create_dir_all(to)?;
            let mut children = fs_err::read_dir(from)?
                .map(|child| child.map(|child| child.file_name()))
                .collect::<Result<Vec<_>, _>>()?;
            children.sort();
            return children
                .iter()
                .try_for_each(|child| self.copy_any(file, &from.join(child), &to.join(child)));
        }
        if to.symlink_metadata().is_ok() {
            return Err(StageError::Occupied {
                file: file.recipe.clone(),
                line: file.line,
                path: self.below_top(to),
            });
        }
        if metadata.is_symlink() {
            symlink(fs_err::read_link(from)?, to)?;
        } else if metadata.is_file() {
            fs_err::copy(from, to)?;
            let executable = metadata.permissions().mode() & 0o7100;
            let mode = match file.mode {
                Some(mode) => mode.bits(),
                // Setuid and friends are kept so that the rules see them and say what to do.
                None if executable & 0o100 != 0 => 0o755 | (executable & 0o7000),
                None => 0o644 | (executable & 0o7000),
            };
            fs_err::set_permissions(to, Permissions::from_mode(mode | 0o600))?;
        } else {
            return Err(StageError::Kind {
                path: from.to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(from: &Path, to: &str) -> FileRecipe {
        FileRecipe {
            from: from.to_owned(),
            to: to.to_owned(),
            mode: None,
            recipe: "parcel.toml".into(),
            line: 7,
        }
    }

    #[test]
    fn files_and_folders_go_where_cp_would_put_them() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("src")).unwrap();
        fs_err::write(folder.path().join("src/a"), "a").unwrap();
        fs_err::write(folder.path().join("b"), "b").unwrap();
        let stage = Stage::create(&folder.path().join("work"), "A-1").unwrap();
        let none = Err("none");
        stage
            .copy(
                &recipe(&folder.path().join("src"), "etc"),
                stage.top(),
                none,
            )
            .unwrap();
        stage
            .copy(&recipe(&folder.path().join("b"), "etc/"), stage.top(), none)
            .unwrap();
        stage
            .copy(&recipe(&folder.path().join("b"), "c"), stage.top(), none)
            .unwrap();
        for path in ["etc/a", "etc/b", "c"] {
            assert!(stage.top().join(path).is_file(), "{path}");
        }
        let again = stage.copy(&recipe(&folder.path().join("b"), "c"), stage.top(), none);
        assert_eq!(
            again.unwrap_err().to_string(),
            "parcel.toml:7: c is there already"
        );
    }

    #[test]
    fn nothing_is_written_through_a_link_that_a_package_left() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs_err::create_dir(&victim).unwrap();
        fs_err::write(folder.path().join("b"), "b").unwrap();
        let stage = Stage::create(&folder.path().join("work"), "A-1").unwrap();
        symlink(&victim, stage.top().join("meta")).unwrap();
        assert!(stage.write("meta/parcel.json", "{}").is_err());
        let copy = stage.copy(
            &recipe(&folder.path().join("b"), "meta/b"),
            stage.top(),
            Err(""),
        );
        assert!(
            matches!(copy, Err(StageError::ThroughLink { .. })),
            "{copy:?}"
        );
        assert_eq!(fs_err::read_dir(&victim).unwrap().count(), 0);
    }

    #[test]
    fn what_the_build_writes_is_not_the_recipes_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let stage = Stage::create(folder.path(), "A-1").unwrap();
        stage.write("meta/x", "x").unwrap();
        let error = stage.write("meta/x", "y").unwrap_err();
        assert_eq!(
            error.to_string(),
            "meta/x is there already, and the build writes it"
        );
    }

    #[test]
    fn a_stage_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let stage = Stage::create(folder.path(), "A-1").unwrap();
        stage.write("meta/x", "x").unwrap();
        drop(stage);
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
    }
}
