//! Python sources are compiled before the environment is packed.
//!
//! Parcels belong to root, so a user's process cannot keep what it compiles: without `.pyc` files
//! every process compiles everything it imports. What comes in is an [`Environment`]; afterwards
//! each source its Python imports from has the one `.pyc` that Python looks for, and `conda-meta`
//! is true about the ones packages brought along.
//!
//! The same environment gives the same bytes, whatever the machine, the number of workers or the
//! place of the staging folder. Python itself does not promise that; what it takes is in
//! `compile.py` and in [`python`].

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rattler_digest::{Sha256, compute_file_digest};

use crate::environment::{Environment, PythonVersion};
use crate::progress::{Progress, Silent, Task};
use crate::scrub::{read_records, write_record};
use crate::walk;

mod python;

pub use python::Interpreter;

/// Files that one process compiles. Fixed: the work of a process must not depend on how many run.
const BATCH: usize = 128;

/// Compiles the Python sources of environments.
pub struct Compiler {
    epoch: u32,
    search: Vec<PathBuf>,
    workers: NonZeroUsize,
    progress: Arc<dyn Progress>,
}

/// What was compiled.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// The interpreter that did it; none when the environment has no Python.
    pub interpreter: Option<Interpreter>,
    /// The `.pyc` files written, relative to the environment, sorted.
    pub written: Vec<PathBuf>,
    /// The sources that do not compile (another Python's syntax, templates), relative to the
    /// environment, sorted. Before Python 3.11 also those with a constant set whose order is
    /// another one in each process.
    pub skipped: Vec<PathBuf>,
    /// The `.pyc` files that were taken away because nothing would read them, relative to the
    /// environment, sorted.
    pub removed: Vec<PathBuf>,
}

/// Why the sources could not be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BytecodeError {
    /// Neither the environment's own interpreter starts here nor is there another one.
    #[error(
        "no Python {version} to compile with: the one in {root} does not start here, and there is \
         no python{version} in {searched}",
        root = root.display(), searched = Folders(searched)
    )]
    NoInterpreter {
        /// The version that is needed.
        version: PythonVersion,
        /// The environment.
        root: PathBuf,
        /// The folders that were searched.
        searched: Vec<PathBuf>,
    },
    /// The interpreter failed.
    #[error("{interpreter} failed to compile: {stderr}", interpreter = interpreter.display())]
    Failed {
        /// The interpreter.
        interpreter: PathBuf,
        /// The end of what it said.
        stderr: String,
    },
    /// The environment cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A list of folders in a sentence.
struct Folders<'a>(&'a [PathBuf]);

impl std::fmt::Display for Folders<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("any folder that was searched");
        }
        for (n, folder) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { ", " };
            write!(f, "{separator}{}", folder.display())?;
        }
        Ok(())
    }
}

impl BytecodeError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoInterpreter { version, .. } => Some(format!(
                "install python{version} on this machine, or switch compilation off"
            )),
            Self::Failed { .. } | Self::Io(_) => None,
        }
    }
}

/// What there is to compile, and what was compiled before. Relative paths.
#[derive(Default)]
struct Found {
    sources: Vec<PathBuf>,
    bytecode: Vec<PathBuf>,
    /// Links where a `__pycache__` would be: nothing must be written through them.
    links: Vec<PathBuf>,
}

impl Compiler {
    /// Makes a compiler. `epoch` (seconds since 1970) is the time that the archive will give to
    /// the sources: Pythons before 3.7 compare it.
    pub fn new(epoch: u32) -> Self {
        let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            epoch,
            search: Vec::new(),
            workers,
            progress: Arc::new(Silent),
        }
    }

    /// Looks for a `pythonX.Y` in these folders when the environment's own does not start.
    pub fn searching(mut self, folders: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        self.search = folders.into_iter().map(Into::into).collect();
        self
    }

    /// Runs this many interpreters at once; by default, one for each processor.
    pub fn with_workers(mut self, workers: NonZeroUsize) -> Self {
        self.workers = workers;
        self
    }

    /// Tells how many files are compiled.
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// Compiles every source in the folders the environment's Python imports from.
    ///
    /// A `.pyc` without a source beside it stays: that is how some packages are shipped.
    ///
    /// # Errors
    ///
    /// [`BytecodeError::NoInterpreter`], [`BytecodeError::Failed`] when the interpreter dies for
    /// another reason than a source, and [`BytecodeError::Io`].
    pub fn compile(&self, environment: &Environment) -> Result<Compiled, BytecodeError> {
        let Some(version) = environment.python() else {
            return Ok(Compiled::default());
        };
        let found = find_sources(environment.root(), version)?;
        for link in &found.links {
            fs_err::remove_file(environment.root().join(link))?;
        }
        let interpreter =
            python::find(environment.root(), version, &self.search).ok_or_else(|| {
                BytecodeError::NoInterpreter {
                    version,
                    root: environment.root().to_owned(),
                    searched: self.search.clone(),
                }
            })?;
        let (written, skipped) = self.run_batches(environment, &interpreter, &found.sources)?;
        let removed = remove_unread(environment.root(), &found, &written, version)?;
        update_records(
            environment.root(),
            &written,
            removed.iter().chain(&found.links),
        )?;
        Ok(Compiled {
            interpreter: Some(interpreter),
            written: written.into_iter().collect(),
            skipped: skipped.into_iter().collect(),
            removed,
        })
    }

    /// Compiles the sources, several batches at once; gives back what was written and skipped.
    fn run_batches(
        &self,
        environment: &Environment,
        interpreter: &Interpreter,
        sources: &[PathBuf],
    ) -> Result<(BTreeSet<PathBuf>, BTreeSet<PathBuf>), BytecodeError> {
        let batches = sources.chunks(BATCH).collect::<Vec<_>>();
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let job = python::Job {
            environment,
            interpreter,
            epoch: self.epoch,
        };
        self.progress
            .begin(Task::Compile, Some(sources.len() as u64));
        std::thread::scope(|scope| {
            for _ in 0..self.workers.get().min(batches.len()) {
                scope.spawn(|| {
                    while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let result = job.compile(batch);
                        self.progress.advance(Task::Compile, batch.len() as u64);
                        let failed = result.is_err();
                        done.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(result);
                        if failed {
                            next.store(batches.len(), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let (mut written, mut skipped) = (BTreeSet::new(), BTreeSet::new());
        for outcome in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let outcome = outcome?;
            written.extend(outcome.written);
            skipped.extend(outcome.skipped);
        }
        self.progress.end(Task::Compile);
        Ok((written, skipped))
    }
}

/// The folders that a Python imports from. A free-threaded one has a `t` in its name.
fn library_folders(version: PythonVersion) -> [PathBuf; 2] {
    ["", "t"].map(|suffix| PathBuf::from(format!("lib/python{version}{suffix}")))
}

fn find_sources(root: &Path, version: PythonVersion) -> io::Result<Found> {
    let mut found = Found::default();
    for library in library_folders(version) {
        let folder = root.join(&library);
        // A link of that name is another name for a folder that is walked as itself.
        if !folder.is_dir() || folder.is_symlink() {
            continue;
        }
        for entry in walk::entries(&folder)? {
            let relative = entry
                .path
                .strip_prefix(root)
                .expect("it was found there")
                .to_owned();
            let extension = entry.path.extension().unwrap_or_default();
            if entry.kind.is_symlink() && entry.path.ends_with("__pycache__") {
                found.links.push(relative);
            } else if extension == "py" && (entry.kind.is_file() || leads_inside(&entry, root)) {
                found.sources.push(relative);
            } else if matches!(extension.to_str(), Some("pyc" | "pyo")) && !entry.kind.is_dir() {
                found.bytecode.push(relative);
            }
        }
    }
    Ok(found)
}

/// Tells whether a link leads to a file of the environment.
fn leads_inside(entry: &walk::Entry, root: &Path) -> bool {
    entry.kind.is_symlink()
        && entry.path.is_file()
        && fs_err::canonicalize(&entry.path).is_ok_and(|path| path.starts_with(root))
}

/// Takes away the bytecode that no interpreter of the environment would read.
fn remove_unread(
    root: &Path,
    found: &Found,
    written: &BTreeSet<PathBuf>,
    version: PythonVersion,
) -> io::Result<Vec<PathBuf>> {
    let sources = found.sources.iter().collect::<BTreeSet<_>>();
    let mut removed = Vec::new();
    for path in found
        .bytecode
        .iter()
        .filter(|path| !written.contains(*path))
    {
        let cached = path
            .parent()
            .is_some_and(|folder| folder.ends_with("__pycache__"));
        // Beside a source it is not read (or, before 3.2, older than the source); alone it is.
        if cached || sources.contains(&path.with_extension("py")) {
            fs_err::remove_file(root.join(path))?;
            removed.push(path.clone());
        }
    }
    for library in library_folders(version) {
        remove_empty_caches(&root.join(library))?;
    }
    Ok(removed)
}

fn remove_empty_caches(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() || folder.is_symlink() {
        return Ok(());
    }
    for entry in walk::entries(folder)? {
        if entry.kind.is_dir()
            && entry.path.ends_with("__pycache__")
            && fs_err::read_dir(&entry.path)?.next().is_none()
        {
            fs_err::remove_dir(&entry.path)?;
        }
    }
    Ok(())
}

/// Makes the records true again: about the bytecode they list, and about that which is gone.
fn update_records<'a>(
    root: &Path,
    written: &BTreeSet<PathBuf>,
    gone: impl Iterator<Item = &'a PathBuf>,
) -> io::Result<()> {
    let gone = gone.collect::<BTreeSet<_>>();

    for mut record in read_records(root)? {
        let before = record.clone();
        record.files.retain(|path| !gone.contains(path));
        record
            .paths_data
            .paths
            .retain(|entry| !gone.contains(&entry.relative_path));
        for entry in &mut record.paths_data.paths {
            if written.contains(&entry.relative_path) {
                let path = root.join(&entry.relative_path);
                let digest = compute_file_digest::<Sha256>(&path)?;
                entry.sha256_in_prefix = Some(digest);
                entry.size_in_bytes = Some(fs_err::metadata(&path)?.len());
            }
        }
        if record != before {
            write_record(root, &record)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
