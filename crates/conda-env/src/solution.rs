//! The packages an environment consists of, each at one version.
//!
//! Made by solving or by reading a lock; installed as it is. A solution can be asked whether it
//! still answers a request, which is how a lock is found to be out of date.

use std::collections::BTreeMap;

use rattler_conda_types::{
    GenericVirtualPackage, MatchSpec, Matches, PackageName, ParseStrictness, RepoDataRecord, Subdir,
};

use crate::channel::ChannelSource;
use crate::target::Target;

/// A set of packages for one platform, at most one of each name.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    platform: Subdir,
    channels: Vec<ChannelSource>,
    records: Vec<RepoDataRecord>,
}

/// What a solution does not answer any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsatisfied {
    /// Nothing matches what is asked for.
    #[error("`{spec}` is asked for, and {found}", found = Found(found.as_deref()))]
    Spec {
        /// What is asked for.
        spec: String,
        /// The package of that name which does not match.
        found: Option<String>,
    },
    /// Nothing matches what a package needs.
    #[error("{package} needs `{spec}`, and {found}", found = Found(found.as_deref()))]
    Depends {
        /// The package.
        package: String,
        /// What it needs.
        spec: String,
        /// The package of that name which does not match.
        found: Option<String>,
    },
    /// A package does not get on with another.
    #[error("{package} only works with `{spec}`, and {found} is there")]
    Constrains {
        /// The package.
        package: String,
        /// What it works with.
        spec: String,
        /// What is there.
        found: String,
    },
    /// A package is for another platform.
    #[error("{package} is for {platform}")]
    Platform {
        /// The package.
        package: String,
        /// Its platform.
        platform: String,
    },
    /// A package has a dependency that cannot be read.
    #[error("{package} needs `{spec}`, which cannot be read")]
    Unreadable {
        /// The package.
        package: String,
        /// What it needs.
        spec: String,
    },
}

/// The end of a sentence on what was found in place of what was needed.
struct Found<'a>(Option<&'a str>);

impl std::fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(found) => write!(f, "{found} is there"),
            None => f.write_str("nothing of that name is there"),
        }
    }
}

impl Solution {
    /// Puts packages together. They are sorted by name; of two with one name the later is dropped.
    pub(crate) fn new(
        platform: Subdir,
        channels: Vec<ChannelSource>,
        mut records: Vec<RepoDataRecord>,
    ) -> Self {
        records.sort_by(|a, b| name(a).as_normalized().cmp(name(b).as_normalized()));
        records.dedup_by(|later, first| name(later) == name(first));
        Self {
            platform,
            channels,
            records,
        }
    }

    /// The packages, sorted by name.
    pub fn records(&self) -> &[RepoDataRecord] {
        &self.records
    }

    /// The channels that were asked, most important first.
    pub fn channels(&self) -> &[ChannelSource] {
        &self.channels
    }

    /// The platform, which is also the name of its folder in a channel.
    pub fn platform(&self) -> &'static str {
        self.platform.as_str()
    }

    pub(crate) fn subdir(&self) -> Subdir {
        self.platform
    }

    /// When the newest of the packages was built, in seconds since 1970; none when no package says.
    pub fn newest_timestamp(&self) -> Option<i64> {
        let built = |r: &RepoDataRecord| {
            Some(
                r.package_record
                    .timestamp
                    .as_ref()?
                    .jiff_timestamp()
                    .as_second(),
            )
        };
        self.records.iter().filter_map(built).max()
    }

    /// Tells whether the solution is one for these specs on this target.
    ///
    /// # Errors
    ///
    /// The first thing that is not answered, in the order of the specs and then of the packages.
    pub fn satisfies(&self, specs: &[MatchSpec], target: &Target) -> Result<(), Unsatisfied> {
        let here = self
            .records
            .iter()
            .map(|r| (name(r), r))
            .collect::<BTreeMap<_, _>>();
        let host = target.virtual_packages();
        for spec in specs {
            if let Err(found) = answers(spec, &here, &host) {
                return Err(Unsatisfied::Spec {
                    spec: spec.to_string(),
                    found,
                });
            }
        }
        for record in &self.records {
            let package = record.identifier.to_string();
            let subdir = &record.package_record.subdir;
            if subdir != target.platform() && subdir != "noarch" {
                return Err(Unsatisfied::Platform {
                    package,
                    platform: subdir.clone(),
                });
            }
            for text in &record.package_record.depends {
                let spec = parse(&package, text)?;
                if let Err(found) = answers(&spec, &here, &host) {
                    return Err(Unsatisfied::Depends {
                        package,
                        spec: text.clone(),
                        found,
                    });
                }
            }
            for text in &record.package_record.constrains {
                let spec = parse(&package, text)?;
                // A constraint says nothing about a package that is not there.
                if let Err(Some(found)) = answers(&spec, &here, &host) {
                    return Err(Unsatisfied::Constrains {
                        package,
                        spec: text.clone(),
                        found,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Reads what a package says of another, as generously as the solver does.
fn parse(package: &str, text: &str) -> Result<MatchSpec, Unsatisfied> {
    MatchSpec::from_str(text, ParseStrictness::Lenient).map_err(|_| Unsatisfied::Unreadable {
        package: package.to_owned(),
        spec: text.to_owned(),
    })
}

/// Tells whether a spec is answered; if not, by which package of that name.
fn answers(
    spec: &MatchSpec,
    here: &BTreeMap<&PackageName, &RepoDataRecord>,
    host: &[GenericVirtualPackage],
) -> Result<(), Option<String>> {
    let Some(wanted) = spec.name.as_exact() else {
        return Err(None);
    };
    if wanted.as_normalized().starts_with("__") {
        let package = host.iter().find(|package| package.name == *wanted);
        return match package {
            Some(package) if spec.matches(package) => Ok(()),
            other => Err(other.map(ToString::to_string)),
        };
    }
    match here.get(wanted) {
        Some(&record) if spec.matches(record) && of_channel(spec, record) => Ok(()),
        other => Err(other.map(|record| record.identifier.to_string())),
    }
}

/// Tells whether a package is of the channel a spec asks for, if it asks for one.
fn of_channel(spec: &MatchSpec, record: &RepoDataRecord) -> bool {
    let Some(channel) = &spec.channel else {
        return true;
    };
    record.url.as_str().starts_with(channel.base_url.as_str())
        || channel.name.as_deref().is_some_and(|name| {
            record
                .channel
                .as_deref()
                .unwrap_or_default()
                .trim_end_matches('/')
                .ends_with(name)
        })
}

/// The name of a package.
fn name(record: &RepoDataRecord) -> &PackageName {
    &record.package_record.name
}

#[cfg(test)]
pub(crate) mod tests {
    use rattler_conda_types::package::DistArchiveIdentifier;
    use rattler_conda_types::{PackageRecord, Version};
    use std::str::FromStr;
    use url::Url;

    use super::*;

    pub(crate) fn record(name: &str, version: &str, depends: &[&str]) -> RepoDataRecord {
        let mut package_record = PackageRecord::new(
            PackageName::new_unchecked(name),
            Version::from_str(version).unwrap(),
            "0".parse().unwrap(),
        );
        package_record.subdir = "linux-64".to_owned();
        package_record.depends = depends.iter().map(ToString::to_string).collect();
        package_record.sha256 = Some(
            rattler_digest::compute_bytes_digest::<rattler_digest::Sha256>(format!(
                "{name} {version}"
            )),
        );
        let file = format!("{name}-{version}-0.conda");
        RepoDataRecord {
            package_record,
            identifier: DistArchiveIdentifier::from_str(&file).unwrap(),
            url: Url::parse(&format!("https://example.com/chan/linux-64/{file}")).unwrap(),
            channel: Some("https://example.com/chan/".to_owned()),
        }
    }

    pub(crate) fn solution(records: Vec<RepoDataRecord>) -> Solution {
        let channel = ChannelSource::from_url("https://example.com/chan").unwrap();
        Solution::new(Subdir::Linux64, vec![channel], records)
    }

    fn check(specs: &[&str], records: Vec<RepoDataRecord>) -> Result<(), String> {
        let specs = specs
            .iter()
            .map(|s| MatchSpec::from_str(s, ParseStrictness::Strict).unwrap())
            .collect::<Vec<_>>();
        let target = Target::new("linux-64", "2.17").unwrap();
        solution(records)
            .satisfies(&specs, &target)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn records_are_sorted_by_name() {
        let names = solution(vec![record("b", "1", &[]), record("a", "1", &[])]);
        assert_eq!(names.records()[0].package_record.name.as_normalized(), "a");
    }

    #[test]
    fn a_solution_answers_specs_and_dependencies() {
        let records = vec![
            record("a", "1.5", &["b >=2", "__glibc >=2.17,<3.0.a0", "__unix"]),
            record("b", "2.0", &[]),
        ];
        assert_eq!(check(&["a 1.*"], records), Ok(()));
    }

    #[test]
    fn what_is_not_answered_is_named() {
        let a = || record("a", "1.5", &["b >=2"]);
        let error = |specs, records| check(specs, records).unwrap_err();
        assert_eq!(
            error(&["a >=2"], vec![record("a", "1.5", &[])]),
            "`a >=2` is asked for, and a-1.5-0.conda is there"
        );
        assert_eq!(
            error(&["c"], vec![]),
            "`c` is asked for, and nothing of that name is there"
        );
        assert_eq!(
            error(&["a"], vec![a(), record("b", "1.0", &[])]),
            "a-1.5-0.conda needs `b >=2`, and b-1.0-0.conda is there"
        );
        assert_eq!(
            error(&["a"], vec![record("a", "1", &["__glibc >=2.28"])]),
            "a-1-0.conda needs `__glibc >=2.28`, and __glibc=2.17=0 is there"
        );
        assert_eq!(
            error(&["a"], vec![record("a", "1", &["__cuda"])]),
            "a-1-0.conda needs `__cuda`, and nothing of that name is there"
        );
        let mut other = record("a", "1", &[]);
        other.package_record.subdir = "osx-64".to_owned();
        assert_eq!(error(&["a"], vec![other]), "a-1-0.conda is for osx-64");
        let mut picky = record("a", "1", &[]);
        picky.package_record.constrains = vec!["b <2".to_owned(), "gone >9".to_owned()];
        assert_eq!(
            error(&["a"], vec![picky, record("b", "2", &[])]),
            "a-1-0.conda only works with `b <2`, and b-2-0.conda is there"
        );
    }
}
