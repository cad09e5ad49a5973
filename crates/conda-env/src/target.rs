//! What an environment must run on, as the solver sees it.
//!
//! A platform and a glibc version come in; the virtual packages that stand for them go out. The
//! machine that builds is never looked at: an environment for an old distribution is solved on a
//! new one every day.

use std::str::FromStr;

use rattler_conda_types::package::BuildString;
use rattler_conda_types::{GenericVirtualPackage, PackageName, Subdir, Version};

/// The platform and the C library an environment must run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    subdir: Subdir,
    glibc: Version,
    /// What archspec calls the oldest processor of the platform.
    processor: &'static str,
}

/// Why a target is not one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The platform is unknown, or not Linux.
    #[error("`{platform}` is not a platform an environment can be built for")]
    Platform {
        /// What was given.
        platform: String,
    },
    /// The glibc version is not a version.
    #[error("`{glibc}` is not a glibc version")]
    Glibc {
        /// What was given.
        glibc: String,
    },
}

impl TargetError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Platform { .. } => {
                "use linux-64, linux-aarch64, linux-ppc64le or linux-s390x".to_owned()
            }
            Self::Glibc { .. } => {
                "`ldd --version` on the host shows it; write it as 2.17".to_owned()
            }
        })
    }
}

impl Target {
    /// Makes a target from conda's name of a platform (`linux-64`) and a glibc version (`2.17`).
    ///
    /// # Errors
    ///
    /// [`TargetError::Platform`] for anything but Linux, and [`TargetError::Glibc`] for a version
    /// that is not made of two or three numbers.
    pub fn new(platform: &str, glibc: &str) -> Result<Self, TargetError> {
        let subdir = Subdir::from_str(platform).ok();
        let (subdir, processor) = subdir
            .and_then(|subdir| Some((subdir, archspec(subdir)?)))
            .ok_or_else(|| TargetError::Platform {
                platform: platform.to_owned(),
            })?;
        let bad_glibc = || TargetError::Glibc {
            glibc: glibc.to_owned(),
        };
        let numbers = glibc.split('.').collect::<Vec<_>>();
        let plain = |n: &&str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
        if !matches!(numbers.len(), 2 | 3) || !numbers.iter().all(plain) {
            return Err(bad_glibc());
        }
        let glibc = Version::from_str(glibc).map_err(|_| bad_glibc())?;
        Ok(Self {
            subdir,
            glibc,
            processor,
        })
    }

    /// The platform, which is also the name of its folder in a channel.
    pub fn platform(&self) -> &'static str {
        self.subdir.as_str()
    }

    /// The version of the C library.
    pub fn glibc(&self) -> String {
        self.glibc.to_string()
    }

    pub(crate) fn subdir(&self) -> Subdir {
        self.subdir
    }

    /// The packages that conda pretends are installed on such a host.
    ///
    /// The kernel is not part of a target, so `__linux` has version 0, which is what conda itself
    /// says when it cannot tell: packages that only need Linux install, packages that need a
    /// certain kernel do not. `__archspec` is the oldest processor of the platform.
    pub fn virtual_packages(&self) -> Vec<GenericVirtualPackage> {
        let package = |name: &str, version: Version, build: &str| GenericVirtualPackage {
            name: PackageName::new_unchecked(name),
            version,
            build_string: BuildString::new_unchecked(build),
        };
        vec![
            package("__archspec", number("1"), self.processor),
            package("__glibc", self.glibc.clone(), "0"),
            package("__linux", number("0"), "0"),
            package("__unix", number("0"), "0"),
        ]
    }
}

/// A version that is one number.
fn number(text: &str) -> Version {
    Version::from_str(text).expect("a number is a version")
}

/// The name archspec gives to the oldest processor of a platform; none for platforms we do not
/// build for.
fn archspec(subdir: Subdir) -> Option<&'static str> {
    match subdir {
        Subdir::Linux64 => Some("x86_64"),
        Subdir::LinuxAarch64 => Some("aarch64"),
        Subdir::LinuxPpc64le => Some("ppc64le"),
        Subdir::LinuxS390X => Some("s390x"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_stands_for_four_virtual_packages() {
        let packages = Target::new("linux-64", "2.17").unwrap().virtual_packages();
        let shown = packages.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            shown,
            [
                "__archspec=1=x86_64",
                "__glibc=2.17=0",
                "__linux=0=0",
                "__unix=0=0"
            ]
        );
    }

    #[test]
    fn the_processor_follows_the_platform() {
        let packages = Target::new("linux-aarch64", "2.28")
            .unwrap()
            .virtual_packages();
        assert_eq!(packages[0].to_string(), "__archspec=1=aarch64");
    }

    #[test]
    fn refuses_other_systems_and_odd_versions() {
        for platform in ["osx-64", "win-64", "noarch", "linux", "el7", ""] {
            let error = Target::new(platform, "2.17").unwrap_err();
            assert!(matches!(error, TargetError::Platform { .. }), "{platform}");
        }
        for glibc in ["", "2", "2.", "2.x", "glibc2.17", "2.17.0.1", "2.17 "] {
            let error = Target::new("linux-64", glibc).unwrap_err();
            assert!(matches!(error, TargetError::Glibc { .. }), "{glibc}");
        }
    }
}
