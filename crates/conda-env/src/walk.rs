//! Everything under a folder, in an order that depends on the names alone.

use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

/// Something under a folder.
pub(crate) struct Entry {
    /// Its path, with the folder in front.
    pub(crate) path: PathBuf,
    /// What it is itself: links are not followed.
    pub(crate) kind: FileType,
}

/// Lists a folder and everything under it: a folder before what is in it, names sorted as bytes.
/// Links are listed and not followed, so the walk never leaves the folder.
pub(crate) fn entries(root: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path.clone());
            }
            found.push(Entry { path, kind });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_listed_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs_err::create_dir_all(root.join("b")).unwrap();
        fs_err::write(root.join("b/file"), "").unwrap();
        fs_err::write(dir.path().join("outside"), "").unwrap();
        fs_err::os::unix::fs::symlink(dir.path(), root.join("a")).unwrap();
        let found = entries(&root).unwrap();
        let names = found
            .iter()
            .map(|e| e.path.strip_prefix(&root).unwrap().to_owned());
        let names = names.collect::<Vec<_>>();
        assert_eq!(names, ["a", "b", "b/file"].map(PathBuf::from));
    }
}
