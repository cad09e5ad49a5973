//! Where channels and packages are: in a lock, and outside of it.
//!
//! In a lock, what is on the network has its URL, and what is in a folder a path relative to the
//! lock's folder.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use rattler_conda_types::RepoDataRecord;
use rattler_lock::{CondaBinaryData, CondaPackageData, LockedPackage, UrlOrPath};
use url::Url;

use super::LockError;
use crate::channel::{ChannelSource, has_credentials};

pub(super) fn write_channel(channel: &ChannelSource, folder: &Path) -> Result<String, LockError> {
    match channel {
        ChannelSource::Url(url) => Ok(url.to_string()),
        ChannelSource::Folder(path) => relative(path, folder),
    }
}

pub(super) fn read_channel(text: &str, folder: &Path) -> Option<ChannelSource> {
    if !text.contains("://") {
        return Some(ChannelSource::Folder(absolute(text, folder)));
    }
    ChannelSource::from_url(text)
        .ok()
        .filter(ChannelSource::is_remote)
}

pub(super) fn write_package(
    record: &RepoDataRecord,
    folder: &Path,
) -> Result<CondaPackageData, LockError> {
    let local = (record.url.scheme() == "file")
        .then(|| record.url.to_file_path().ok())
        .flatten();
    if local.is_none() && record.package_record.sha256.is_none() {
        return Err(LockError::NoSha256 {
            package: record.identifier.to_string(),
        });
    }
    let location = match &local {
        Some(path) => {
            let text = relative(path, folder)?;
            UrlOrPath::from_str(&text).expect("a path that starts with a dot is no URL")
        }
        None => UrlOrPath::Url(record.url.clone()),
    };
    // Of a local package the channel is where the package is, and not written a second time.
    let channel = record.channel.as_deref().filter(|_| local.is_none());
    Ok(CondaBinaryData {
        package_record: record.package_record.clone(),
        location,
        file_name: record.identifier.clone(),
        channel: channel
            .and_then(|text| Url::parse(text).ok())
            .map(Into::into),
    }
    .into())
}

pub(super) fn read_package(
    package: &LockedPackage,
    path: &Path,
    folder: &Path,
) -> Result<RepoDataRecord, LockError> {
    let location = || package.location().to_string();
    let data = package
        .as_binary_conda()
        .ok_or_else(|| LockError::NotConda {
            path: path.to_owned(),
            package: location(),
        })?;
    let bad = || LockError::Location {
        path: path.to_owned(),
        location: location(),
    };
    let (url, channel) = match &data.location {
        UrlOrPath::Url(url) if matches!(url.scheme(), "http" | "https") => {
            if has_credentials(url) {
                return Err(bad());
            }
            if data.package_record.sha256.is_none() {
                return Err(LockError::NoSha256 {
                    package: data.file_name.to_string(),
                });
            }
            (url.clone(), data.channel.as_ref().map(ToString::to_string))
        }
        UrlOrPath::Url(_) => return Err(bad()),
        UrlOrPath::Path(text) => {
            let file = absolute(text.as_str(), folder);
            // CHANNEL/SUBDIR/FILE
            let channel = file
                .ancestors()
                .nth(2)
                .and_then(|c| Url::from_directory_path(c).ok());
            let url = Url::from_file_path(&file).map_err(|()| bad())?;
            (url, channel.map(String::from))
        }
    };
    Ok(RepoDataRecord {
        package_record: data.package_record.clone(),
        identifier: data.file_name.clone(),
        url,
        channel,
    })
}

/// Writes a path relative to a folder; both are absolute. It starts with `./` or `../`.
fn relative(path: &Path, folder: &Path) -> Result<String, LockError> {
    let mut path_parts = path.components().peekable();
    let mut folder_parts = folder.components().peekable();
    while path_parts.peek().is_some() && path_parts.peek() == folder_parts.peek() {
        path_parts.next();
        folder_parts.next();
    }
    let up = folder_parts.map(|_| "..").collect::<Vec<_>>();
    let mut parts = if up.is_empty() { vec!["."] } else { up };
    for part in path_parts {
        let text = part.as_os_str().to_str();
        parts.push(text.ok_or_else(|| LockError::NotUtf8 {
            channel: path.to_owned(),
        })?);
    }
    Ok(parts.join("/"))
}

/// Resolves a path of a lock, without looking at the disk: the folder need not be there as long as
/// the packages are in the cache.
fn absolute(text: &str, folder: &Path) -> PathBuf {
    let mut path = PathBuf::new();
    for part in folder.join(text).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}
