//! The recipe's `[[test]]` commands, run on the staged tree before anything is written.
//!
//! A command sees the environment first in its `PATH` and little else of the build machine. What
//! it must not do is change the stage: the parcel would then depend on its tests.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::recipe::{Recipe, TestRecipe};
use crate::stage::Stage;

/// Why a build stopped at its tests.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// A command failed.
    #[error("{}:{line}: the test failed ({status}): {run}{}", file.display(), Quoted(output))]
    Failed {
        /// The recipe's file.
        file: PathBuf,
        /// The line of the command.
        line: usize,
        /// The command.
        run: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// A command changed the stage.
    #[error("{}:{line}: the test changed the staged files: {run}", file.display())]
    Changed {
        /// The recipe's file.
        file: PathBuf,
        /// The line of the command.
        line: usize,
        /// The command.
        run: String,
    },
    /// A command could not be started.
    #[error("cannot run the tests, or see what they changed")]
    Io(#[from] io::Error),
}

impl TrialError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        matches!(self, Self::Changed { .. })
            .then(|| "Let the test write to $HOME or its working directory.".to_owned())
    }
}

/// What a command printed, set off from the message.
struct Quoted<'a>(&'a str);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .lines()
            .try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// How much of a failed command's output is shown, in bytes.
const SHOWN_BYTES: usize = 4000;

/// Runs all tests of the recipe.
pub(crate) fn run(recipe: &Recipe, stage: &Stage, search: &[PathBuf]) -> Result<(), TrialError> {
    if recipe.tests.is_empty() {
        return Ok(());
    }
    let home = stage.scratch().join("home");
    fs_err::create_dir(&home)?;
    let mut before = list(stage)?;
    for test in &recipe.tests {
        let output = command(recipe, stage, test, &home, search)?.output()?;
        let place = (recipe.file.clone(), test.line, test.run.clone());
        if !output.status.success() {
            let (file, line, run) = place;
            let (status, output) = (output.status, tail(&output));
            return Err(TrialError::Failed {
                file,
                line,
                run,
                status,
                output,
            });
        }
        let after = list(stage)?;
        if after != before {
            let (file, line, run) = place;
            return Err(TrialError::Changed { file, line, run });
        }
        before = after;
    }
    Ok(())
}

/// What tells whether a file was written to: nobody can set the time of a change.
type Traces = BTreeMap<PathBuf, (u64, i64, i64)>;

fn traces(directory: &Path, traces: &mut Traces) -> io::Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        let metadata = fs_err::symlink_metadata(&path)?;
        if metadata.is_dir() {
            self::traces(&path, traces)?;
        }
        traces.insert(
            path,
            (metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        );
    }
    Ok(())
}

fn list(stage: &Stage) -> io::Result<Traces> {
    let mut all = Traces::new();
    traces(stage.top(), &mut all)?;
    Ok(all)
}

fn command(
    recipe: &Recipe,
    stage: &Stage,
    test: &TestRecipe,
    home: &Path,
    search: &[PathBuf],
) -> io::Result<Command> {
    let name = test
        .environment
        .as_ref()
        .or(recipe.default_environment.as_ref());
    let environment = match name {
        Some(name) => recipe.environment(name),
        None => recipe.environments.first(),
    };
    let at = environment.and_then(|environment| environment.at.as_ref());
    let prefix = at.map_or_else(
        || stage.top().to_owned(),
        |at| stage.top().join(at.as_path()),
    );
    let folders = std::iter::once(prefix.join("bin")).chain(search.iter().cloned());
    let path = std::env::join_paths(folders).map_err(io::Error::other)?;
    let mut command = Command::new("sh");
    command
        .args(["-c", &test.run])
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("LC_ALL", "C.UTF-8")
        .env("CONDA_PREFIX", &prefix)
        // The stage's interpreters must not write what they compile.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(home)
        .stdin(Stdio::null());
    Ok(command)
}

fn tail(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&all[all.len().saturating_sub(SHOWN_BYTES)..]).into_owned()
}
