//! Where packages come from: a channel on the network or a folder.
//!
//! What a person wrote (a name, a URL, a path) comes in; a [`ChannelSource`] that no longer
//! depends on the folder it was written in goes out.

use std::fmt;
use std::path::{Path, PathBuf};

use rattler_conda_types::Channel;
use url::Url;

/// Where conda looks for a channel that is given by its name.
const ALIAS: &str = "https://conda.anaconda.org/";

/// Where conda looks for the channels of `defaults`.
const DEFAULTS: &str = "https://repo.anaconda.com/";

/// A channel: on the network, or a folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChannelSource {
    /// A channel on the network. The URL ends in a slash and holds no credentials.
    Url(Url),
    /// A folder with `noarch/repodata.json` and a folder for each platform. The path is absolute.
    Folder(PathBuf),
}

/// Why a channel is not one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The name is empty or holds characters no channel name has.
    #[error("`{name}` is not the name of a channel")]
    Name {
        /// What was given.
        name: String,
    },
    /// The URL cannot be read, or is of a kind we cannot fetch from.
    #[error("`{url}` is not the URL of a channel")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it, when it is not its scheme.
        source: Option<url::ParseError>,
    },
    /// The URL holds a user, a password or a token.
    #[error("the URL of channel {url} holds credentials")]
    Credentials {
        /// The URL without them.
        url: String,
    },
    /// The folder does not exist or is not a folder.
    #[error("channel {path} is not a folder", path = path.display())]
    NotAFolder {
        /// The folder.
        path: PathBuf,
    },
}

impl ChannelError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Name { .. } => Some(
                "write a name (conda-forge), a URL, or a folder that starts with / or ./"
                    .to_owned(),
            ),
            Self::Url { .. } => Some("use http, https or file".to_owned()),
            Self::Credentials { .. } => Some(
                "it would be written into the lock and into every environment; use a channel that \
                 asks for none, or a folder"
                    .to_owned(),
            ),
            Self::NotAFolder { .. } => None,
        }
    }
}

impl ChannelSource {
    /// Reads a channel as a person writes it: a name, a URL, or a folder relative to `base`.
    ///
    /// A text that starts with `/`, `./` or `../` is a folder, one with `://` a URL. Another text
    /// is a folder when there is one with an index at that place, else a name: `fixtures/channel`
    /// is what people type for a folder, `conda-forge/label/dev` for a name.
    ///
    /// # Errors
    ///
    /// [`ChannelError::NotAFolder`], [`ChannelError::Url`], [`ChannelError::Credentials`] and
    /// [`ChannelError::Name`], each for its kind.
    pub fn parse(text: &str, base: &Path) -> Result<Self, ChannelError> {
        let text = text.trim();
        if text.contains("://") {
            return Self::from_url(text);
        }
        let written_as_path = text.starts_with(['/', '.']);
        let path = base.join(text);
        if written_as_path || (!text.is_empty() && has_index(&path)) {
            return Self::folder(&path);
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
        if text.is_empty() || !text.bytes().all(plain) || text.contains("//") {
            return Err(ChannelError::Name {
                name: text.to_owned(),
            });
        }
        let site = if text.starts_with("pkgs/") {
            DEFAULTS
        } else {
            ALIAS
        };
        Self::from_url(&format!("{site}{text}"))
    }

    /// Reads a list of channels, in order of priority, as an `environment.yml` holds it: `defaults`
    /// is two channels, and `nodefaults` is none.
    ///
    /// # Errors
    ///
    /// Those of [`ChannelSource::parse`], for the first channel that is not one.
    pub fn parse_list<S: AsRef<str>>(
        texts: impl IntoIterator<Item = S>,
        base: &Path,
    ) -> Result<Vec<Self>, ChannelError> {
        let mut channels = Vec::new();
        for text in texts {
            let names: &[&str] = match text.as_ref().trim() {
                "nodefaults" => &[],
                "defaults" => &["pkgs/main", "pkgs/r"],
                other => &[other],
            };
            for name in names {
                let channel = Self::parse(name, base)?;
                if !channels.contains(&channel) {
                    channels.push(channel);
                }
            }
        }
        Ok(channels)
    }

    /// Makes a channel of a folder that exists.
    fn folder(path: &Path) -> Result<Self, ChannelError> {
        // The real path, because the lock says where the folder is from the lock's real path.
        match fs_err::canonicalize(path) {
            Ok(real) if real.is_dir() => Ok(Self::Folder(real)),
            _ => Err(ChannelError::NotAFolder {
                path: path.to_owned(),
            }),
        }
    }

    /// Makes a channel of a URL.
    pub(crate) fn from_url(text: &str) -> Result<Self, ChannelError> {
        let mut url = Url::parse(text).map_err(|source| ChannelError::Url {
            url: text.to_owned(),
            source: Some(source),
        })?;
        match url.scheme() {
            "file" => {
                let path = url.to_file_path().map_err(|()| ChannelError::Url {
                    url: text.to_owned(),
                    source: None,
                })?;
                return Self::folder(&path);
            }
            "http" | "https" => {}
            _ => {
                return Err(ChannelError::Url {
                    url: text.to_owned(),
                    source: None,
                });
            }
        }
        if has_credentials(&url) {
            return Err(ChannelError::Credentials {
                url: without_credentials(&url),
            });
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self::Url(url))
    }

    /// Tells whether the channel needs the network.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Url(_))
    }

    /// The channel as rattler knows it.
    pub(crate) fn to_channel(&self) -> Channel {
        match self {
            Self::Url(url) => Channel::from_url(url.clone()),
            Self::Folder(path) => {
                Channel::try_from_directory(path).expect("the path of a folder channel is absolute")
            }
        }
    }
}

impl fmt::Display for ChannelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url.as_str().trim_end_matches('/')),
            Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Tells whether a folder holds the index that every channel has.
fn has_index(path: &Path) -> bool {
    path.join("noarch/repodata.json").is_file()
}

/// Tells whether a URL holds a user, a password, or a token as anaconda.org writes them.
pub(crate) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some() || url.path().starts_with("/t/")
}

/// The address of a URL, for messages: its site and no more than that when it holds secrets.
fn without_credentials(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ChannelSource, ChannelError> {
        ChannelSource::parse(text, Path::new("/nowhere"))
    }

    #[test]
    fn names_are_looked_up_where_conda_does() {
        assert_eq!(
            parse("conda-forge").unwrap().to_string(),
            "https://conda.anaconda.org/conda-forge"
        );
        assert_eq!(
            parse("conda-forge/label/dev").unwrap().to_string(),
            "https://conda.anaconda.org/conda-forge/label/dev"
        );
        assert_eq!(
            parse("pkgs/main").unwrap().to_string(),
            "https://repo.anaconda.com/pkgs/main"
        );
    }

    #[test]
    fn defaults_are_two_channels_and_nodefaults_none() {
        let list = ["nodefaults", "defaults", "pkgs/main"];
        let channels = ChannelSource::parse_list(list, Path::new("/nowhere")).unwrap();
        let shown = channels.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            shown,
            [
                "https://repo.anaconda.com/pkgs/main",
                "https://repo.anaconda.com/pkgs/r"
            ]
        );
    }

    #[test]
    fn a_url_ends_in_a_slash_however_it_was_written() {
        let a = parse("https://example.com/chan").unwrap();
        let b = parse("https://example.com/chan/?x#y").unwrap();
        assert_eq!(a, b);
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        for url in [
            "https://me:secret@example.com/chan",
            "https://example.com/t/secret/chan",
        ] {
            let error = parse(url).unwrap_err();
            assert!(matches!(error, ChannelError::Credentials { .. }));
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_folder_is_relative_to_the_base_and_needs_no_dot_when_it_has_an_index() {
        let dir = tempfile::tempdir().unwrap();
        let base = fs_err::canonicalize(dir.path()).unwrap();
        fs_err::create_dir_all(base.join("a/chan/noarch")).unwrap();
        let folder = ChannelSource::Folder(base.join("a/chan"));
        assert_eq!(ChannelSource::parse("./a/chan", &base).unwrap(), folder);
        assert!(ChannelSource::parse("a/chan", &base).unwrap().is_remote());
        fs_err::write(base.join("a/chan/noarch/repodata.json"), "{}").unwrap();
        assert_eq!(ChannelSource::parse("a/chan", &base).unwrap(), folder);
        assert!(matches!(
            ChannelSource::parse("./b", &base),
            Err(ChannelError::NotAFolder { .. })
        ));
    }

    #[test]
    fn refuses_what_is_neither() {
        for text in ["", "a b", "a//b", "conda-forge[linux-64]", "~/channel"] {
            assert!(
                matches!(parse(text), Err(ChannelError::Name { .. })),
                "{text}"
            );
        }
        for text in ["ftp://example.com/chan", "s3://bucket/chan", "https://"] {
            assert!(
                matches!(parse(text), Err(ChannelError::Url { .. })),
                "{text}"
            );
        }
    }
}
