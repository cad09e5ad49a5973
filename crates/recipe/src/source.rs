//! `parcel.toml` as it is written: every key, nothing evaluated.
//!
//! Keys are kebab-case; unknown ones are refused. Spans are kept where a value can be wrong in a
//! way that the TOML reader cannot know. Nothing of this leaves the crate.

use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) parcel: ParcelTable,
    #[serde(default)]
    pub(crate) defines: DefinesTable,
    #[serde(default)]
    pub(crate) environments: IndexMap<Spanned<String>, EnvironmentTable>,
    #[serde(default)]
    pub(crate) files: Vec<FilesTable>,
    #[serde(default)]
    pub(crate) users: IndexMap<String, UserTable>,
    #[serde(default)]
    pub(crate) permissions: IndexMap<String, PermissionTable>,
    #[serde(default)]
    pub(crate) alternatives: IndexMap<String, AlternativeTable>,
    pub(crate) kernels: Option<Spanned<KernelsTable>>,
    #[serde(default)]
    pub(crate) test: Vec<TestTable>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ParcelTable {
    pub(crate) name: Spanned<String>,
    pub(crate) version: Spanned<String>,
    pub(crate) distros: Spanned<Vec<Spanned<DistroValue>>>,
    pub(crate) parcels_dir: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) provides: Vec<String>,
    pub(crate) depends: Option<String>,
    pub(crate) replaces: Option<String>,
    pub(crate) conflicts: Option<String>,
    pub(crate) default_environment: Option<Spanned<String>>,
    pub(crate) release_notes: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) channels: Vec<String>,
    pub(crate) set_active_symlink: Option<bool>,
    pub(crate) patch_count: Option<String>,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a suffix like \"el8\" or { suffix, platform, glibc }"
)]
pub(crate) enum DistroValue {
    Suffix(String),
    Row(DistroTable),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DistroTable {
    pub(crate) suffix: String,
    pub(crate) platform: String,
    pub(crate) glibc: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DefinesTable {
    pub(crate) template: Option<Spanned<String>>,
    pub(crate) cdh_python: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EnvironmentTable {
    pub(crate) at: Option<Spanned<String>>,
    pub(crate) spec: Spanned<String>,
    #[serde(default)]
    pub(crate) protect: bool,
    pub(crate) compile_bytecode: Option<bool>,
    pub(crate) wheels: Option<Spanned<WheelsTable>>,
    #[serde(default)]
    pub(crate) files: Vec<FilesTable>,
    pub(crate) link_scripts: Option<Spanned<LinkScriptsValue>>,
    #[serde(default)]
    pub(crate) distro: IndexMap<Spanned<String>, EnvironmentDistroTable>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read so that a mistake in it is found before the feature lands"
)]
pub(crate) struct EnvironmentDistroTable {
    spec: Option<String>,
    wheels: Option<WheelsTable>,
    #[serde(default)]
    files: Vec<FilesTable>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read so that a mistake in it is found before the feature lands"
)]
pub(crate) struct WheelsTable {
    requirements: String,
    #[serde(default)]
    find_links: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected \"deny\" or a list of package names")]
pub(crate) enum LinkScriptsValue {
    Policy(String),
    Packages(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FilesTable {
    pub(crate) from: Spanned<String>,
    pub(crate) to: Spanned<String>,
    pub(crate) mode: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct UserTable {
    #[serde(default)]
    pub(crate) longname: String,
    pub(crate) home: String,
    pub(crate) shell: String,
    #[serde(default)]
    pub(crate) extra_groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PermissionTable {
    pub(crate) user: String,
    pub(crate) group: String,
    pub(crate) mode: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct AlternativeTable {
    pub(crate) destination: String,
    pub(crate) source: String,
    pub(crate) priority: i64,
    #[serde(default)]
    pub(crate) is_directory: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read so that a mistake in it is found before the feature lands"
)]
pub(crate) struct KernelsTable {
    when: Option<String>,
    #[serde(default)]
    kinds: Vec<String>,
    #[serde(default)]
    env: IndexMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TestTable {
    pub(crate) environment: Option<Spanned<String>>,
    pub(crate) run: Spanned<String>,
}
