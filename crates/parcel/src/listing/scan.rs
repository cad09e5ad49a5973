//! Looks at the beginning of files: scripts, programs, paths that should not be there.

use super::{Observer, RawEntry};

/// What the content of files showed.
#[derive(Debug, Default)]
pub struct Scan {}

impl Observer for Scan {
    fn begin(&mut self, _entry: &RawEntry) -> bool {
        false
    }

    fn chunk(&mut self, _bytes: &[u8]) {}

    fn end(&mut self) {}
}
