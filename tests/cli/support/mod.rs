//! A place to run the binary in, and what a run came to.

mod difference;
mod machine;
mod place;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) use difference::assert_same;
pub(crate) use machine::{cannot, has, is_root, not_me, real_channel, variable};
pub(crate) use place::Place;

/// The binary under test.
pub(crate) const PARCELCTL: &str = env!("CARGO_BIN_EXE_parcelctl");

/// A file or folder of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs_err::canonicalize(root).unwrap().join(path)
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The command as it was typed.
    line: String,
    /// Its exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Paths that differ from run to run, and what stands for them.
    names: Vec<(String, &'static str)>,
}

impl Outcome {
    /// Fails unless the command did its work.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// The lines of standard output.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

/// For snapshots: exit code and both streams, without what differs from run to run.
impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map_or("signal".to_owned(), |c| c.to_string());
        let mut text = format!("$ {}\nexit {code}\n", self.line);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text += &["--- ", name, "\n", stream].concat();
            }
        }
        for (path, name) in &self.names {
            text = text.replace(path, name);
        }
        f.write_str(text.trim_end())
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command, names: Vec<(String, &'static str)>) -> Outcome {
    let program = Path::new(command.get_program()).file_name().unwrap();
    let words = std::iter::once(program).chain(command.get_args());
    let line = words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ");
    let output = command.stdin(Stdio::null()).output().unwrap();
    Outcome {
        line,
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        names,
    }
}

/// Compares with a snapshot; checksums and sizes in it are only what they are.
macro_rules! snapshot {
    ($outcome:expr) => {
        insta::with_settings!({
            omit_expression => true,
            filters => vec![
                (r"\b[0-9a-f]{64}\b", "[SHA-256]"),
                (r"\b[0-9a-f]{40}\b", "[SHA-1]"),
                (r"\b[0-9.]+ [KM]iB\b", "[SIZE]"),
                (r"compressed_bytes.: \d+", "compressed_bytes\": [SIZE]"),
                // Several indexes are asked for at once; any of them may fail first.
                (r"/(linux-64|noarch)/[\w.]*", "/[INDEX]"),
            ],
        }, {
            insta::assert_snapshot!($outcome.to_string());
        })
    };
}
pub(crate) use snapshot;
