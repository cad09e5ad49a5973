//! The names of a parcel: product, version, distribution, and the file name made of the three.
//!
//! A parcel file is called `PRODUCT-VERSION-DISTRO.parcel` and holds one directory
//! `PRODUCT-VERSION`. Product and distro hold no dash, the version may; so a name is split at its
//! **first** and its **last** dash, as Cloudera's own validator and `make_manifest.py` do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The ending of a parcel's file name.
pub const PARCEL_ENDING: &str = ".parcel";

/// Why a text is not a product, a version, a distro or a parcel's file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The part is empty.
    #[error("the {part} is empty")]
    Empty {
        /// Which part: `name`, `version` or `distro`.
        part: &'static str,
    },
    /// A product or a distro holds a dash, which separates the parts of a parcel's file name.
    #[error("{part} \"{text}\" has a dash; {}", dash_reason(part))]
    Dash {
        /// Which part.
        part: &'static str,
        /// The text as given.
        text: String,
    },
    /// A product begins with a dot.
    #[error("{part} \"{text}\" begins with a dot; agents pass over hidden directories")]
    Hidden {
        /// Which part.
        part: &'static str,
        /// The text as given.
        text: String,
    },
    /// A character that does not survive as a file name, in a URL or with a Python 2 agent.
    #[error("{part} \"{}\" has the character {character:?}", text.escape_debug())]
    Character {
        /// Which part.
        part: &'static str,
        /// The text as given.
        text: String,
        /// The first character that is not allowed.
        character: char,
    },
    /// The file name does not end in `.parcel`.
    #[error("\"{file}\" does not end in .parcel")]
    Ending {
        /// The file name as given.
        file: String,
    },
    /// The file name does not hold the two dashes that separate its parts.
    #[error("\"{file}\" is not PRODUCT-VERSION-DISTRO.parcel")]
    Parts {
        /// The file name as given.
        file: String,
    },
}

fn dash_reason(part: &str) -> &'static str {
    if part == "distro" {
        "the last dash of a parcel's file name ends the version"
    } else {
        "the first dash starts the version"
    }
}

impl NameError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Dash { text, .. } => Some(format!("Use \"{}\".", text.replace('-', "_"))),
            Self::Character { .. } => Some(
                "Use letters, digits and the marks . _ + ~ only; a version may also have dashes."
                    .to_owned(),
            ),
            Self::Ending { .. } | Self::Parts { .. } => Some(
                "A parcel is called like ANALYTICS-1.0-el8.parcel: product, version, distribution."
                    .to_owned(),
            ),
            Self::Hidden { text, .. } => Some(format!("Use \"{}\".", text.trim_start_matches('.'))),
            Self::Empty { .. } => None,
        }
    }
}

/// Marks that, like ASCII letters and digits, are the same in a file name, a URL path, a shell word
/// and a Python 2 agent.
pub(crate) const NAME_MARKS: &str = "._+~-";

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || NAME_MARKS.contains(character)
}

fn check(part: &'static str, text: &str, dash: bool) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { part });
    }
    // Before all else that may be wrong: scratch things are hidden, and this must never pass for
    // one, whoever forgives other characters.
    if part == Product::PART && text.starts_with('.') {
        return Err(NameError::Hidden {
            part,
            text: text.to_owned(),
        });
    }
    if let Some(character) = text.chars().find(|&c| !is_allowed(c)) {
        return Err(NameError::Character {
            part,
            text: text.to_owned(),
            character,
        });
    }
    if !dash && text.contains('-') {
        return Err(NameError::Dash {
            part,
            text: text.to_owned(),
        });
    }
    Ok(())
}

macro_rules! name_part {
    ($(#[$doc:meta])* $type:ident, $part:literal, dash = $dash:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// What the part is called in messages.
            const PART: &'static str = $part;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(Self::PART, text, $dash)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(part: $type) -> Self {
                part.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_part! {
    /// A product, `name` in `parcel.json`: `CDH`, `Anaconda`, `python2.7`. It holds no dash.
    Product, "name", dash = false
}
name_part! {
    /// A version of a product. It may hold dashes: `5.3.1-dsai1.0`.
    Version, "version", dash = true
}
name_part! {
    /// The suffix that names an operating system: `el8`, `jammy`, `el8.aarch64le`.
    /// [`crate::distro`] knows what the usual ones stand for.
    Distro, "distro", dash = false
}

/// The three parts of a parcel's file name.
///
/// ```
/// let name: parcel::ParcelName = "Anaconda-5.3.1-dsai1.0-el7.parcel".parse()?;
/// assert_eq!(name.product().as_str(), "Anaconda");
/// assert_eq!(name.version().as_str(), "5.3.1-dsai1.0");
/// assert_eq!(name.distro().as_str(), "el7");
/// assert_eq!(name.directory(), "Anaconda-5.3.1-dsai1.0");
/// # Ok::<(), parcel::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParcelName {
    product: Product,
    version: Version,
    distro: Distro,
}

impl ParcelName {
    /// Puts the three parts together.
    pub fn new(product: Product, version: Version, distro: Distro) -> Self {
        Self {
            product,
            version,
            distro,
        }
    }

    /// The product.
    pub fn product(&self) -> &Product {
        &self.product
    }

    /// The version.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The distro suffix.
    pub fn distro(&self) -> &Distro {
        &self.distro
    }

    /// The one directory in the archive, `PRODUCT-VERSION`.
    pub fn directory(&self) -> String {
        format!("{}-{}", self.product, self.version)
    }

    /// `fullVersion` of `parcel.json`'s `extraVersionInfo`: `VERSION-DISTRO`.
    pub fn full_version(&self) -> String {
        format!("{}-{}", self.version, self.distro)
    }

    /// The file name, `PRODUCT-VERSION-DISTRO.parcel`.
    pub fn file_name(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for ParcelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}-{}{PARCEL_ENDING}",
            self.product, self.version, self.distro
        )
    }
}

impl FromStr for ParcelName {
    type Err = NameError;

    fn from_str(file: &str) -> Result<Self, NameError> {
        let stem = file
            .strip_suffix(PARCEL_ENDING)
            .ok_or_else(|| NameError::Ending {
                file: file.to_owned(),
            })?;
        let parts = || NameError::Parts {
            file: file.to_owned(),
        };
        let (product, rest) = stem.split_once('-').ok_or_else(parts)?;
        let (version, distro) = rest.rsplit_once('-').ok_or_else(parts)?;
        Ok(Self::new(
            product.parse()?,
            version.parse()?,
            distro.parse()?,
        ))
    }
}

/// Splits the name of a parcel's directory, `PRODUCT-VERSION`, at its first dash.
///
/// # Errors
///
/// [`NameError`] when there is no dash or a part is not a name.
pub fn split_directory(directory: &str) -> Result<(Product, Version), NameError> {
    let (product, version) = directory.split_once('-').ok_or_else(|| NameError::Parts {
        file: directory.to_owned(),
    })?;
    Ok((product.parse()?, version.parse()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn splits_at_the_first_and_the_last_dash() {
        let name: ParcelName = "RABBITMQ-1.0.0-3.7.8-21.1-el7.parcel".parse().unwrap();
        assert_eq!(name.product().as_str(), "RABBITMQ");
        assert_eq!(name.version().as_str(), "1.0.0-3.7.8-21.1");
        assert_eq!(name.distro().as_str(), "el7");
    }

    #[test]
    fn keeps_the_dot_of_an_arm_suffix() {
        let name: ParcelName = "CDH-7.1.9-el8.aarch64le.parcel".parse().unwrap();
        assert_eq!(name.distro().as_str(), "el8.aarch64le");
    }

    #[test]
    fn rejects_names_without_all_three_parts() {
        for file in [
            "CDH.parcel",
            "CDH-1.parcel",
            "CDH-1-.parcel",
            "-1-el7.parcel",
            "CDH--el7.parcel",
        ] {
            assert!(file.parse::<ParcelName>().is_err(), "{file}");
        }
        assert!(matches!(
            "CDH-1-el7.tar".parse::<ParcelName>(),
            Err(NameError::Ending { .. })
        ));
    }

    #[test]
    fn a_dash_in_a_product_says_what_to_write_instead() {
        let error = "Ana-conda".parse::<Product>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "name \"Ana-conda\" has a dash; the first dash starts the version"
        );
        assert_eq!(error.hint().unwrap(), "Use \"Ana_conda\".");
    }

    #[test]
    fn rejects_a_product_that_would_be_hidden() {
        for product in [".", "..", ".parcelctl", ".parcelctl-x y", ".a/b"] {
            let error = product.parse::<Product>().unwrap_err();
            assert!(matches!(error, NameError::Hidden { .. }), "{product}");
        }
        assert!(".1".parse::<Version>().is_ok());
    }

    #[test]
    fn rejects_what_would_leave_a_folder() {
        assert!("../x".parse::<Version>().is_err());
        assert!("a/b".parse::<Product>().is_err());
        assert!("a\0b".parse::<Product>().is_err());
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(
            product in "[A-Za-z0-9_+~][A-Za-z0-9._+~]{0,11}",
            version in "[A-Za-z0-9._+~-]{1,16}",
            distro in "[a-z0-9.]{1,12}",
        ) {
            let name = ParcelName::new(
                product.parse().unwrap(), version.parse().unwrap(), distro.parse().unwrap(),
            );
            prop_assert_eq!(name.to_string().parse::<ParcelName>().unwrap(), name);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            let _ = text.parse::<ParcelName>();
        }
    }
}
