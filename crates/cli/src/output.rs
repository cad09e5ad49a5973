//! All that a person or a pipe sees: data on standard output, talk on standard error.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::args::GlobalArgs;
use crate::failure::Failure;

/// What came of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// It was done.
    Done,
    /// It looked, and found errors.
    FoundErrors,
    /// It could not run.
    CouldNotRun,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Done => 0,
            ExitStatus::FoundErrors => 1,
            ExitStatus::CouldNotRun => 2,
        })
    }
}

pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// Where output goes, and how much of it.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    quiet: bool,
    /// Whether progress bars are drawn.
    pub(crate) bars: bool,
}

impl Printer {
    pub(crate) fn new(args: &GlobalArgs) -> Self {
        let bars = !args.quiet && !args.no_progress && io::stderr().is_terminal();
        Self {
            quiet: args.quiet,
            bars,
        }
    }

    /// Prints a line of data.
    ///
    /// # Errors
    ///
    /// When standard output is closed.
    #[expect(clippy::unused_self, reason = "a printer is what may print")]
    pub(crate) fn data(&self, line: &str) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }

    /// Says something to a person, unless told to be quiet.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.talk(line);
        }
    }

    /// Warns, even when quiet.
    pub(crate) fn warn(&self, line: &str) {
        self.talk(&format!("{WARNING}warning:{WARNING:#} {line}"));
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        self.talk(&format!("{ERROR}error:{ERROR:#} {}", failure.text()));
    }

    #[expect(clippy::unused_self, reason = "a printer is what may print")]
    fn talk(&self, line: &str) {
        // Nobody can be told that standard error is closed.
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }
}

/// A number of bytes, for people.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}
