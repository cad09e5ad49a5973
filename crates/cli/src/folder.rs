//! Folders of the user, from the environment variables that name them.

use std::path::{Path, PathBuf};

use parcel::scratch::MadeDirectories;

use crate::failure::Failure;

/// An environment variable that is set and not empty.
fn variable(name: &str) -> Option<std::ffi::OsString> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The folder for what can be made again, `parcelctl` in the user's cache folder.
///
/// # Errors
///
/// When the environment names no home.
pub(crate) fn cache() -> Result<PathBuf, Failure> {
    let base = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.map(|base| base.join("parcelctl")).ok_or_else(|| {
        Failure::could_not_run(anyhow::anyhow!("neither XDG_CACHE_HOME nor HOME is set")).hint(
            Some("Set XDG_CACHE_HOME to a folder that can be written to.".to_owned()),
        )
    })
}

/// The folders of `PATH`.
pub(crate) fn search() -> Vec<PathBuf> {
    variable("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// `SOURCE_DATE_EPOCH`, in seconds since 1970.
///
/// # Errors
///
/// When it is set to something else.
pub(crate) fn source_date_epoch() -> Result<Option<parcel::archive::Epoch>, Failure> {
    let Some(value) = variable("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    let seconds = value
        .to_str()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| {
            Failure::could_not_run(anyhow::anyhow!(
                "SOURCE_DATE_EPOCH is \"{}\", not a number of seconds since 1970",
                value.to_string_lossy()
            ))
        })?;
    Ok(Some(parcel::archive::Epoch::from_seconds(seconds)))
}

/// A folder for output. Where it was made and stays empty, it goes again: a command that fails or
/// is interrupted leaves nothing behind.
pub(crate) struct OutputFolder {
    _made: MadeDirectories,
}

impl OutputFolder {
    /// Makes the folder where it is missing, and sees that it can be written to: not after an hour
    /// of work.
    ///
    /// # Errors
    ///
    /// When it cannot be written to.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let failure = |error: std::io::Error| {
            let error = anyhow::Error::from(error);
            let context = format!("cannot write to the output folder {}", path.display());
            Failure::could_not_run(error.context(context))
                .hint(Some("Give another one with -o.".to_owned()))
        };
        let missing: Vec<&Path> = path
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .collect();
        let mut made = MadeDirectories::default();
        for folder in missing.into_iter().rev() {
            match made.make(folder) {
                // Another build may make it at the same time.
                Err(_) if folder.is_dir() => {}
                result => result.map_err(failure)?,
            }
        }
        parcel::scratch::ScratchFile::create_in(path).map_err(failure)?;
        Ok(Self { _made: made })
    }
}
