//! `meta/parcel.json`: what Cloudera Manager must know of a parcel.
//!
//! Source of every field: the descriptors of Cloudera's validator and its wiki page "The
//! parcel.json file".

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MetaFile;

/// The document. Keys are written in the order in which they stand here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelJson {
    /// Always 1.
    pub schema_version: u32,
    /// The product; no dash. A cluster has one active version per name.
    pub name: String,
    /// The version: any text, compared as a version where another parcel depends on it.
    pub version: String,
    /// Shown by Cloudera Manager: `fullVersion` (`VERSION-DISTRO`), `baseVersion`, `patchCount`.
    #[serde(
        rename = "extraVersionInfo",
        default,
        skip_serializing_if = "IndexMap::is_empty"
    )]
    pub extra_version_info: IndexMap<String, String>,
    /// Parcels that must be active before this one can be: `CDH (>= 5.15)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends: Option<String>,
    /// Parcels that must be gone before this one can be activated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Parcels that cannot be active beside this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<String>,
    /// Whether activation makes the link `NAME` to `NAME-VERSION`.
    #[serde(rename = "setActiveSymlink")]
    pub set_active_symlink: bool,
    /// The script that Cloudera Manager sources for processes that use the parcel.
    pub scripts: Scripts,
    /// What is in the parcel; Cloudera Manager does not read it, people do.
    pub packages: Vec<Package>,
    /// What is in the parcel, shown for each host and compared between hosts.
    pub components: Vec<Component>,
    /// Tags that services ask for; they decide whose processes source the script.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub provides: BTreeSet<String>,
    /// System users that the agent creates, in this order.
    pub users: IndexMap<String, User>,
    /// System groups that the agent creates beside each user's own.
    pub groups: BTreeSet<String>,
    /// Which services an upgrade restarts; all of them where it is absent.
    #[serde(
        rename = "servicesRestartInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub services_restart_info: Option<Value>,
}

impl MetaFile for ParcelJson {
    const NAME: &'static str = "parcel.json";
}

/// `scripts` of [`ParcelJson`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scripts {
    /// A file in `meta/`; sourced by bash, never executed.
    pub defines: String,
}

/// One of `packages` of [`ParcelJson`]; names occur once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// Its version; by custom of conda parcels `VERSION-BUILD`.
    pub version: String,
}

/// One of `components` of [`ParcelJson`]; names occur once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The component's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The version of its package. Cloudera Manager 5.0.0 to 5.0.2 refuse a component without it,
    /// so it is written even where it repeats the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkg_version: Option<String>,
    /// The release of its package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkg_release: Option<String>,
}

/// One of `users` of [`ParcelJson`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name for people (the GECOS field).
    pub longname: String,
    /// The home directory.
    pub home: String,
    /// The login shell.
    pub shell: String,
    /// Groups beside the user's own. A user whose group is another user's must come after it.
    pub extra_groups: BTreeSet<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimal_document_reads_and_writes_back_the_same() {
        let text = r#"{
  "schema_version": 1,
  "name": "A",
  "version": "1",
  "setActiveSymlink": true,
  "scripts": {
    "defines": "env.sh"
  },
  "packages": [],
  "components": [],
  "users": {},
  "groups": []
}
"#;
        assert_eq!(ParcelJson::parse(text.as_bytes()).unwrap().to_text(), text);
    }

    #[test]
    fn users_keep_the_order_of_the_file() {
        let user = r#"{"longname":"","home":"/","shell":"/bin/sh","extra_groups":[]}"#;
        let text = format!(
            r#"{{"schema_version":1,"name":"A","version":"1","setActiveSymlink":true,
            "scripts":{{"defines":"e"}},"packages":[],"components":[],
            "users":{{"zoe":{user},"adam":{user}}},"groups":[]}}"#
        );
        let parcel = ParcelJson::parse(text.as_bytes()).unwrap();
        assert_eq!(parcel.users.keys().collect::<Vec<_>>(), ["zoe", "adam"]);
    }

    #[test]
    fn an_error_names_file_line_and_column() {
        let error = ParcelJson::parse(b"{\n  \"name\": 7").unwrap_err();
        assert_eq!(error.to_string(), "meta/parcel.json cannot be read");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("line 2 column"), "{cause}");
    }
}
