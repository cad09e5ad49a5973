//! The interpreter that compiles: which one, and how it is started.
//!
//! One process compiles a fixed batch of files and is then gone, with nothing in its environment
//! but a fixed hash seed. `-S -s -B`: no site modules, no `.pth` files, no bytecode of its own.
//! Not `-E` or `-I`: with them Python ignores the hash seed as well, and the order of constant sets
//! would be random.

use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::BytecodeError;
use crate::environment::{Environment, PythonVersion, hex};

const SCRIPT: &str = include_str!("compile.py");

/// The interpreter that compiled an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interpreter {
    /// The environment's own.
    Own(PathBuf),
    /// One of this machine, of the same version.
    Machine(PathBuf),
}

impl Interpreter {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Machine(path) => path,
        }
    }
}

/// What a batch came to. Relative paths.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) written: Vec<PathBuf>,
    pub(super) skipped: Vec<PathBuf>,
}

/// The parts of the work that are the same for every batch.
pub(super) struct Job<'a> {
    pub(super) environment: &'a Environment,
    pub(super) interpreter: &'a Interpreter,
    pub(super) epoch: u32,
}

/// Finds an interpreter that starts here: the environment's own, else one of the same version.
pub(super) fn find(root: &Path, version: PythonVersion, search: &[PathBuf]) -> Option<Interpreter> {
    let name = format!("python{version}");
    // A link that leaves the environment leads to some other Python.
    let own = |path: &PathBuf| fs_err::canonicalize(path).is_ok_and(|p| p.starts_with(root));
    let own = [root.join("bin").join(&name), root.join("bin/python")]
        .into_iter()
        .filter(own)
        .map(Interpreter::Own);
    let others = search
        .iter()
        .map(|folder| Interpreter::Machine(folder.join(&name)));
    own.chain(others)
        .find(|candidate| starts(candidate.path(), version))
}

/// Tells whether an interpreter starts and is of a version.
fn starts(path: &Path, version: PythonVersion) -> bool {
    let ask = "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])";
    path.is_file()
        && command(path)
            .args(["-c", ask])
            .stdin(Stdio::null())
            .output()
            .is_ok_and(|o| o.status.success() && o.stdout == version.to_string().as_bytes())
}

fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("PYTHONHASHSEED", "0")
        .env("LC_ALL", "C");
    command.args(["-S", "-s", "-B", "-W", "ignore"]);
    command
}

impl Job<'_> {
    /// Compiles a batch. A source that kills the interpreter (some test the limits of the parser)
    /// is found by compiling one by one, and skipped like any other that does not compile.
    pub(super) fn compile(&self, batch: &[PathBuf]) -> Result<Outcome, BytecodeError> {
        let output = self.start(batch)?;
        if output.status.success() {
            return Ok(read(&output.stdout));
        }
        if output.status.code().is_some() {
            return Err(self.failed(&output));
        }
        let mut total = Outcome::default();
        for source in batch {
            let output = self.start(std::slice::from_ref(source))?;
            if output.status.success() {
                let one = read(&output.stdout);
                total.written.extend(one.written);
                total.skipped.extend(one.skipped);
            } else if output.status.code().is_none() {
                total.skipped.push(source.clone());
            } else {
                return Err(self.failed(&output));
            }
        }
        Ok(total)
    }

    fn failed(&self, output: &Output) -> BytecodeError {
        let said = String::from_utf8_lossy(&output.stderr);
        let lines = said.trim().lines().collect::<Vec<_>>();
        BytecodeError::Failed {
            interpreter: self.interpreter.path().to_owned(),
            stderr: lines[lines.len().saturating_sub(5)..].join("\n"),
        }
    }

    /// Runs the script over some sources.
    fn start(&self, sources: &[PathBuf]) -> io::Result<Output> {
        let mut child = command(self.interpreter.path())
            .args(["-c", SCRIPT])
            .arg(hex(self.environment.prefix().as_bytes()))
            .arg(self.epoch.to_string())
            .current_dir(self.environment.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut names = Vec::new();
        for source in sources {
            names.extend_from_slice(source.as_os_str().as_bytes());
            names.push(0);
        }
        // The script reads all names before it prints. When it died before, its status says more
        // than the broken pipe.
        let written = child.stdin.take().expect("it is piped").write_all(&names);
        let output = child.wait_with_output()?;
        if output.status.success() {
            written?;
        }
        Ok(output)
    }
}

/// Reads what the script printed.
fn read(stdout: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    for line in stdout.split(|byte| *byte == 0) {
        let path = |name: &[u8]| PathBuf::from(std::ffi::OsString::from_vec(name.to_vec()));
        match line.split_first() {
            Some((b'C', name)) => outcome.written.push(path(name)),
            Some((b'S', name)) => outcome.skipped.push(path(name)),
            _ => {}
        }
    }
    outcome
}
