//! How far the work is: the one trait a caller implements to draw bars.
//!
//! The stages call it from several threads. rattler has a reporter trait for channel indexes and
//! another for packages; both are mapped onto [`Progress`] here and seen nowhere else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rattler::install::{Reporter as LinkReporter, Transaction};
use rattler_conda_types::{PrefixRecord, RepoDataRecord};
use rattler_repodata_gateway::{DownloadReporter, Reporter as IndexReporter};
use url::Url;

/// A kind of work whose progress is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Task {
    /// Channel indexes are fetched; counted in bytes, the total is not known.
    Metadata,
    /// Packages are brought into the cache, or found there; counted in bytes of the archives.
    Download,
    /// Packages are written into the environment; counted in packages.
    Link,
    /// Python sources are compiled; counted in files.
    Compile,
}

/// What is told about the progress of a stage. Every method does nothing unless overridden.
pub trait Progress: Send + Sync {
    /// Says that a task starts, with the number of its units when that is known.
    fn begin(&self, task: Task, total: Option<u64>) {
        let _ = (task, total);
    }

    /// Says that `n` more units of a task are done.
    fn advance(&self, task: Task, n: u64) {
        let _ = (task, n);
    }

    /// Says that a task is over. Not called when it fails.
    fn end(&self, task: Task) {
        let _ = task;
    }
}

/// The progress nobody looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}

/// Tells about the channel indexes a query fetches.
pub(crate) struct Indexes {
    progress: Arc<dyn Progress>,
    /// Bytes already told, for each download under way: rattler reports totals, we report steps.
    told: Mutex<Vec<usize>>,
}

impl Indexes {
    pub(crate) fn new(progress: Arc<dyn Progress>) -> Self {
        Self {
            progress,
            told: Mutex::default(),
        }
    }
}

impl IndexReporter for Indexes {
    fn download_reporter(&self) -> Option<&dyn DownloadReporter> {
        Some(self)
    }
}

impl DownloadReporter for Indexes {
    fn on_download_start(&self, _url: &Url) -> usize {
        let mut told = lock(&self.told);
        told.push(0);
        told.len() - 1
    }

    fn on_download_progress(&self, _url: &Url, index: usize, done: usize, _total: Option<usize>) {
        let mut told = lock(&self.told);
        if let Some(told) = told.get_mut(index) {
            self.progress
                .advance(Task::Metadata, done.saturating_sub(*told) as u64);
            *told = done.max(*told);
        }
    }
}

/// Tells about the packages an installation fetches and links.
pub(crate) struct Packages {
    progress: Arc<dyn Progress>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Bytes of each archive, and how many of them were told, by operation.
    archives: HashMap<usize, (u64, u64)>,
    /// Operations whose package is not in the cache yet.
    waiting: usize,
}

impl Packages {
    pub(crate) fn new(progress: Arc<dyn Progress>) -> Self {
        Self {
            progress,
            state: Mutex::default(),
        }
    }

    /// Tells that `done` bytes of an archive are there.
    fn reached(&self, operation: usize, done: u64) {
        let mut state = lock(&self.state);
        if let Some((size, told)) = state.archives.get_mut(&operation) {
            let done = done.min(*size);
            if done > *told {
                self.progress.advance(Task::Download, done - *told);
                *told = done;
            }
        }
    }
}

impl LinkReporter for Packages {
    fn on_transaction_start(&self, transaction: &Transaction<PrefixRecord, RepoDataRecord>) {
        let bytes = transaction
            .installed_packages()
            .filter_map(|r| r.package_record.size)
            .sum();
        lock(&self.state).waiting = transaction.operations.len();
        self.progress.begin(Task::Download, Some(bytes));
        self.progress
            .begin(Task::Link, Some(transaction.operations.len() as u64));
    }

    fn on_populate_cache_start(&self, operation: usize, record: &RepoDataRecord) -> usize {
        let size = record.package_record.size.unwrap_or(0);
        lock(&self.state).archives.insert(operation, (size, 0));
        operation
    }

    fn on_download_start(&self, cache_entry: usize) -> usize {
        cache_entry
    }

    fn on_download_progress(&self, download: usize, done: u64, _total: Option<u64>) {
        self.reached(download, done);
    }

    fn on_populate_cache_complete(&self, cache_entry: usize) {
        self.reached(cache_entry, u64::MAX);
        let mut state = lock(&self.state);
        state.waiting = state.waiting.saturating_sub(1);
        if state.waiting == 0 {
            self.progress.end(Task::Download);
        }
    }

    fn on_link_complete(&self, _index: usize) {
        self.progress.advance(Task::Link, 1);
    }

    fn on_transaction_complete(&self) {
        self.progress.end(Task::Link);
    }

    fn on_transaction_operation_start(&self, _operation: usize) {}
    fn on_transaction_operation_complete(&self, _operation: usize) {}
    fn on_validate_start(&self, cache_entry: usize) -> usize {
        cache_entry
    }
    fn on_validate_complete(&self, _index: usize) {}
    fn on_download_completed(&self, _download: usize) {}
    fn on_unlink_start(&self, operation: usize, _record: &PrefixRecord) -> usize {
        operation
    }
    fn on_unlink_complete(&self, _index: usize) {}
    fn on_link_start(&self, operation: usize, _record: &RepoDataRecord) -> usize {
        operation
    }
    fn on_post_link_start(&self, _package: &str, _script: &str) -> usize {
        0
    }
    fn on_post_link_complete(&self, _index: usize, _success: bool) {}
    fn on_pre_unlink_start(&self, _package: &str, _script: &str) -> usize {
        0
    }
    fn on_pre_unlink_complete(&self, _index: usize, _success: bool) {}
}

/// Locks, even after a panic elsewhere: a wrong bar must not become a second panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Tally(Mutex<u64>);

    impl Progress for Tally {
        fn advance(&self, _task: Task, n: u64) {
            *self.0.lock().unwrap() += n;
        }
    }

    #[test]
    fn totals_become_steps() {
        let tally = Arc::new(Tally::default());
        let indexes = Indexes::new(tally.clone());
        let url = Url::parse("https://example.com/noarch/repodata.json").unwrap();
        let index = indexes.on_download_start(&url);
        indexes.on_download_progress(&url, index, 10, None);
        indexes.on_download_progress(&url, index, 25, None);
        assert_eq!(*tally.0.lock().unwrap(), 25);
    }
}
