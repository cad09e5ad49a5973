//! The distro table: what a parcel's suffix stands for.
//!
//! The table is dated data, not a rule: a suffix that it does not know is a warning, never a
//! failure, because new systems appear faster than releases of this library. Cloudera's own list
//! ended in 2016 with `sles12`.
//!
//! Sources: Cloudera's validator for the names up to `xenial`; file names published for CDP
//! 7.1–7.3 for the rest; the C library versions are those that each system first shipped and
//! keeps for its life.

/// The month in which [`TABLE`] was last checked.
pub const AS_OF: &str = "2026-11";

/// One row of the distro table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DistroRow {
    /// The suffix in a parcel's file name.
    pub suffix: &'static str,
    /// The operating system, for people.
    pub system: &'static str,
    /// The conda platform ("subdir") whose packages run there.
    pub platform: &'static str,
    /// The C library, as `major.minor`; programs that need a newer one do not start.
    pub glibc: &'static str,
}

const fn row(
    suffix: &'static str,
    system: &'static str,
    platform: &'static str,
    glibc: &'static str,
) -> DistroRow {
    DistroRow {
        suffix,
        system,
        platform,
        glibc,
    }
}

/// All rows, oldest first within a family.
#[rustfmt::skip]
pub const TABLE: &[DistroRow] = &[
    row("el5",           "RHEL 5 and clones",           "linux-64",      "2.5"),
    row("el6",           "RHEL 6 and clones",           "linux-64",      "2.12"),
    row("el7",           "RHEL 7 and clones",           "linux-64",      "2.17"),
    row("el8",           "RHEL 8 and clones",           "linux-64",      "2.28"),
    row("el9",           "RHEL 9 and clones",           "linux-64",      "2.34"),
    row("el8.aarch64le", "RHEL 8 and clones on ARM",    "linux-aarch64", "2.28"),
    row("el9.aarch64le", "RHEL 9 and clones on ARM",    "linux-aarch64", "2.34"),
    row("sles11",        "SUSE Linux Enterprise 11",    "linux-64",      "2.11"),
    row("sles12",        "SUSE Linux Enterprise 12",    "linux-64",      "2.22"),
    row("sles15",        "SUSE Linux Enterprise 15",    "linux-64",      "2.31"),
    row("squeeze",       "Debian 6",                    "linux-64",      "2.11"),
    row("wheezy",        "Debian 7",                    "linux-64",      "2.13"),
    row("jessie",        "Debian 8",                    "linux-64",      "2.19"),
    row("stretch",       "Debian 9",                    "linux-64",      "2.24"),
    row("lucid",         "Ubuntu 10.04",                "linux-64",      "2.11"),
    row("precise",       "Ubuntu 12.04",                "linux-64",      "2.15"),
    row("trusty",        "Ubuntu 14.04",                "linux-64",      "2.19"),
    row("xenial",        "Ubuntu 16.04",                "linux-64",      "2.23"),
    row("bionic",        "Ubuntu 18.04",                "linux-64",      "2.27"),
    row("focal",         "Ubuntu 20.04",                "linux-64",      "2.31"),
    row("jammy",         "Ubuntu 22.04",                "linux-64",      "2.35"),
    row("noble",         "Ubuntu 24.04",                "linux-64",      "2.39"),
];

/// The row of a suffix, or `None` where the table does not know it.
///
/// ```
/// let el8 = parcel::distro::lookup("el8").unwrap();
/// assert_eq!((el8.platform, el8.glibc), ("linux-64", "2.28"));
/// assert!(parcel::distro::lookup("el42").is_none());
/// ```
pub fn lookup(suffix: &str) -> Option<&'static DistroRow> {
    TABLE.iter().find(|row| row.suffix == suffix)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_suffix_is_a_distro_and_stands_once() {
        let mut seen = BTreeSet::new();
        for row in TABLE {
            row.suffix.parse::<crate::Distro>().unwrap();
            assert!(seen.insert(row.suffix), "{} stands twice", row.suffix);
        }
    }
}
