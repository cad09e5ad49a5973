//! How far a build is: one trait for all its stages.

use std::sync::Arc;

/// A stage of a build that takes long enough to be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Reading the channels' indexes, in bytes.
    Metadata,
    /// Fetching packages, in bytes.
    Download,
    /// Installing packages, in packages.
    Link,
    /// Compiling Python's sources, in files.
    Compile,
    /// Reading the staged files, in bytes.
    Scan,
    /// Writing the parcel, in bytes.
    Pack,
}

/// Receives the progress of a build. Every method does nothing unless it is implemented.
pub trait Progress: Send + Sync {
    /// A phase begins; `total` is what it will count up to, where that is known.
    fn begin(&self, phase: Phase, total: Option<u64>) {
        let _ = (phase, total);
    }

    /// So much more is done.
    fn advance(&self, phase: Phase, by: u64) {
        let _ = (phase, by);
    }

    /// The phase is over.
    fn end(&self, phase: Phase) {
        let _ = phase;
    }

    /// Something that a person who watches wants to know.
    fn message(&self, text: &str) {
        let _ = text;
    }
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}

/// The steps of the `parcel` crate, as phases of a build.
pub(crate) struct ParcelSteps<'a>(
    pub(crate) &'a Arc<dyn Progress>,
    pub(crate) std::cell::Cell<Phase>,
);

impl<'a> ParcelSteps<'a> {
    pub(crate) fn new(progress: &'a Arc<dyn Progress>) -> Self {
        Self(progress, std::cell::Cell::new(Phase::Scan))
    }
}

impl parcel::progress::Progress for ParcelSteps<'_> {
    fn begin(&self, step: parcel::progress::Step, total_bytes: Option<u64>) {
        self.1.set(match step {
            parcel::progress::Step::Pack => Phase::Pack,
            _ => Phase::Scan,
        });
        self.0.begin(self.1.get(), total_bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.advance(self.1.get(), bytes);
    }

    fn end(&self) {
        self.0.end(self.1.get());
    }
}

/// The tasks of the `conda-env` crate, as phases of a build.
#[cfg(feature = "conda")]
pub(crate) struct CondaTasks(pub(crate) Arc<dyn Progress>);

#[cfg(feature = "conda")]
impl CondaTasks {
    fn phase(task: conda_env::progress::Task) -> Option<Phase> {
        use conda_env::progress::Task;
        Some(match task {
            Task::Metadata => Phase::Metadata,
            Task::Download => Phase::Download,
            Task::Link => Phase::Link,
            Task::Compile => Phase::Compile,
            _ => return None,
        })
    }
}

#[cfg(feature = "conda")]
impl conda_env::progress::Progress for CondaTasks {
    fn begin(&self, task: conda_env::progress::Task, total: Option<u64>) {
        if let Some(phase) = Self::phase(task) {
            self.0.begin(phase, total);
        }
    }

    fn advance(&self, task: conda_env::progress::Task, by: u64) {
        if let Some(phase) = Self::phase(task) {
            self.0.advance(phase, by);
        }
    }

    fn end(&self, task: conda_env::progress::Task) {
        if let Some(phase) = Self::phase(task) {
            self.0.end(phase);
        }
    }
}
