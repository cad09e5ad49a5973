//! What lies at a path.

use std::path::Path;

use super::document::DocKind;
use super::report::SubjectKind;
use crate::name::PARCEL_ENDING;

/// Finds the kind of a subject from its path; `None` where the path does not tell.
///
/// A document is known by its name, also behind a prefix (`airflow.parcel.json`,
/// `my-permissions.json`); a folder with `meta/` is a parcel's directory, one with parcels or a
/// `manifest.json` a repository.
///
/// # Errors
///
/// What the disk says, with the path.
pub fn detect(path: &Path) -> std::io::Result<Option<SubjectKind>> {
    if fs_err::metadata(path)?.is_dir() {
        return detect_directory(path);
    }
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else {
        return Ok(None);
    };
    if name.ends_with(PARCEL_ENDING) {
        return Ok(Some(SubjectKind::Parcel));
    }
    let kind = DocKind::ALL.into_iter().find(|kind| {
        name.strip_suffix(kind.file_name())
            .is_some_and(|before| before.is_empty() || before.ends_with(['.', '-', '_']))
    });
    Ok(kind.map(|kind| match kind {
        DocKind::ParcelJson => SubjectKind::ParcelJson,
        DocKind::Alternatives => SubjectKind::AlternativesJson,
        DocKind::Permissions => SubjectKind::PermissionsJson,
        DocKind::Manifest => SubjectKind::ManifestJson,
    }))
}

fn detect_directory(path: &Path) -> std::io::Result<Option<SubjectKind>> {
    if fs_err::metadata(path.join("meta")).is_ok_and(|meta| meta.is_dir()) {
        return Ok(Some(SubjectKind::Directory));
    }
    for entry in fs_err::read_dir(path)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name == DocKind::Manifest.file_name() || name.ends_with(PARCEL_ENDING) {
            return Ok(Some(SubjectKind::Repository));
        }
    }
    // A folder called like a parcel's is one that lost its metadata; an empty one says nothing.
    let named = path.file_name().and_then(|name| name.to_str());
    let is_named = named.is_some_and(|name| crate::name::split_directory(name).is_ok());
    Ok(is_named.then_some(SubjectKind::Directory))
}
