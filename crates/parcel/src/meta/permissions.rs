//! `meta/permissions.json`: owners and modes that a tar does not carry to the hosts.
//!
//! Files are unpacked as the agent's user, and setuid bits do not survive; this document says what
//! to set afterwards. It does not reach into directories.

use std::fmt;
use std::str::FromStr;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::MetaFile;

/// The document: permissions by path relative to the parcel; every path must exist.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PermissionsJson(pub IndexMap<String, Permission>);

impl MetaFile for PermissionsJson {
    const NAME: &'static str = "permissions.json";
}

/// The permission of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// The owner: root, a user of `parcel.json`, or one that every host has.
    pub user: String,
    /// The group.
    pub group: String,
    /// The mode.
    pub permissions: Mode,
}

/// A text that is not four octal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mode \"{}\" is not four octal digits like \"0755\"", text.escape_debug())]
pub struct ModeError {
    /// The text as given.
    pub text: String,
}

/// A file mode: four octal digits as a text, `"4750"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mode(u16);

impl Mode {
    /// The bits, `0o7777` at most.
    pub fn bits(self) -> u32 {
        u32::from(self.0)
    }
}

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        let octal = text.len() == 4 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        let bits = octal.then(|| u16::from_str_radix(text, 8).ok()).flatten();
        bits.map(Self).ok_or_else(|| ModeError {
            text: text.to_owned(),
        })
    }
}

impl TryFrom<String> for Mode {
    type Error = ModeError;

    fn try_from(text: String) -> Result<Self, ModeError> {
        text.parse()
    }
}

impl From<Mode> for String {
    fn from(mode: Mode) -> Self {
        mode.to_string()
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_exactly_four_octal_digits() {
        assert_eq!("4750".parse::<Mode>().unwrap().bits(), 0o4750);
        assert_eq!("0644".parse::<Mode>().unwrap().to_string(), "0644");
        for wrong in ["777", "07777", "0888", "u+x ", "+755", ""] {
            assert!(wrong.parse::<Mode>().is_err(), "{wrong}");
        }
    }
}
