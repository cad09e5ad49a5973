//! C1xx: what files hold.

use std::collections::HashSet;

use crate::distro::{self, DistroRow};
use crate::listing::{Scan, display_bytes, parse_version};
use crate::validate::context::Context;
use crate::validate::index::{Standing, plain_name};
use crate::validate::rule::{Findings, rules};

rules! {
    /// A path of the build was left in a file.
    ///
    /// ## What it checks
    /// That no file holds a path to the parcel's directory below a place where builds happen
    /// (`/home`, `/tmp`, `/builds`, `/var/lib/jenkins` and the like), and none of the long paths
    /// that conda packages hold where their prefix will be. `conda-meta/` records the latter on
    /// purpose and is not looked at.
    ///
    /// ## Why it matters
    /// The path is not there on hosts: scripts do not start, programs do not find their
    /// configuration, or find another's.
    ///
    /// ## Example
    /// `bin/pip` beginning with `#!/home/me/stage/ANALYTICS-1.0/bin/python`
    ///
    /// ## How to fix
    /// Build for the place where the parcel will lie, `/opt/cloudera/parcels/NAME-VERSION`;
    /// `parcelctl build` does it with a fixed prefix.
    ///
    /// ## Source
    /// Parcels made by copying an environment; conda-build's placeholder prefixes.
    "C101" "build-path" Warning [] => build_path;

    /// A script's interpreter is not there.
    ///
    /// ## What it checks
    /// That the interpreter in the first line of an executable script is in the parcel, or below
    /// `/bin`, `/usr/bin`, `/sbin` or `/usr/sbin`. Scripts inside Python's own library are looked at
    /// only where they name the parcel.
    ///
    /// ## Why it matters
    /// Running it gives "bad interpreter: No such file or directory", which names the script and is
    /// hard to read.
    ///
    /// ## Example
    /// `#!/opt/miniconda/bin/python`, or a line that ends in a carriage return
    ///
    /// ## How to fix
    /// Let it name the parcel's interpreter (`/opt/cloudera/parcels/NAME-VERSION/bin/python`), or use
    /// `#!/usr/bin/env` if any will do. `sed -i 's/\r$//'` removes carriage returns.
    ///
    /// ## Source
    /// `execve(2)`.
    "C102" "shebang-interpreter" Warning [] => interpreter;

    /// A script's first line is longer than kernels read.
    ///
    /// ## What it checks
    /// That the first line of an executable script has at most 127 bytes.
    ///
    /// ## Why it matters
    /// Linux before 5.1, which is that of RHEL 7 and 8, cuts the line there and runs what is left, or
    /// nothing.
    ///
    /// ## Example
    /// A deep prefix: `#!/opt/cloudera/parcels/ANALYTICS-.../envs/.../bin/python3.11`
    ///
    /// ## How to fix
    /// Use a shorter name, version or environment; installers write `#!/bin/sh` with an `exec` line
    /// when they know.
    ///
    /// ## Source
    /// `BINPRM_BUF_SIZE` of Linux: 128 up to 5.0, 256 since.
    "C103" "shebang-too-long" Warning [] => too_long;

    /// A program needs a newer C library than the distro has.
    ///
    /// ## What it checks
    /// That no ELF file needs a `GLIBC_` version newer than that of the distro table's row.
    ///
    /// ## Why it matters
    /// It does not start: "version `GLIBC_2.34' not found". It was compiled on a newer system than
    /// the parcel is for.
    ///
    /// ## Example
    /// A library built on Ubuntu 22.04 (2.35) in a parcel for `el8` (2.28)
    ///
    /// ## How to fix
    /// Build on the oldest system that is served, or take conda packages, which do.
    ///
    /// ## Source
    /// `ld.so(8)`; the distro table of this library.
    "C104" "needs-newer-glibc" Warning [] => newer_glibc;

    /// A program is for another processor.
    ///
    /// ## What it checks
    /// That ELF files are for the processor of the distro table's row.
    ///
    /// ## Why it matters
    /// "Exec format error". Some packages bring libraries for every processor and load the right one;
    /// then the warning can be allowed.
    ///
    /// ## Example
    /// A wheel for `aarch64` in a parcel for `el8`
    ///
    /// ## How to fix
    /// Take the package for the right platform.
    ///
    /// ## Source
    /// `elf(5)`; the distro table of this library.
    "C105" "other-architecture" Warning [] => other_architecture;

    /// A program looks for libraries outside the parcel.
    ///
    /// ## What it checks
    /// That each entry of RPATH or RUNPATH is relative to `$ORIGIN` and stays in the parcel, or is
    /// below the parcel's directory or a library directory of the system.
    ///
    /// ## Why it matters
    /// It finds no library there, or one of another build; where others can write to the place,
    /// theirs.
    ///
    /// ## Example
    /// An RPATH of `/home/me/build/lib`
    ///
    /// ## How to fix
    /// `patchelf --set-rpath '$ORIGIN/../lib' FILE`
    ///
    /// ## Source
    /// `ld.so(8)`.
    "C106" "rpath-outside" Warning [] => rpath_outside;
}

fn build_path(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(scan) = context.scan else { return };
    for left in &scan.paths_left {
        let name = display_bytes(plain_name(&left.name));
        let what = if left.placeholder {
            "the place that conda keeps for the prefix"
        } else {
            "a path of the build"
        };
        found
            .report(format!(
                "{name} holds {what}: {} (at byte {})",
                left.text, left.offset
            ))
            .file(name)
            .hint(
                "build for the place where the parcel will lie, /opt/cloudera/parcels/NAME-VERSION",
            );
    }
}

/// The interpreter that a shebang names, and whether the line ends in a carriage return.
fn interpreter_of(line: &[u8]) -> (&[u8], bool) {
    let line = line.strip_prefix(b"#!").unwrap_or(line);
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line
        .iter()
        .position(|byte| !is_blank(byte))
        .unwrap_or(line.len());
    let line = &line[start..];
    let end = line.iter().position(is_blank).unwrap_or(line.len());
    (&line[..end], line.ends_with(b"\r"))
}

/// The part of a path below the parcel's directory, wherever that lies: also below the link that
/// activation makes.
fn below_parcel<'p>(context: &Context<'_>, path: &'p [u8]) -> Option<&'p [u8]> {
    let top = context.index.as_ref()?.top.as_str();
    let active = top.split('-').next().unwrap_or(top);
    [top, active].into_iter().find_map(|directory| {
        let own = format!("/{directory}/");
        let at = memchr::memmem::find(path, own.as_bytes())?;
        let parcels = path[..at].ends_with(b"/parcels");
        (directory == top || parcels).then(|| &path[at + own.len()..])
    })
}

/// Whether a file belongs to the library of a Python, where scripts are kept as they came.
fn in_python_library(name: &[u8]) -> bool {
    memchr::memmem::find(name, b"/lib/python").is_some()
}

/// The files of which it is told already that they name the place of the build.
fn told(scan: &Scan) -> HashSet<&[u8]> {
    scan.paths_left
        .iter()
        .map(|left| left.name.as_slice())
        .collect()
}

fn interpreter(context: &Context<'_>, found: &mut Findings<'_>) {
    const SYSTEM: [&[u8]; 4] = [b"/bin/", b"/usr/bin/", b"/sbin/", b"/usr/sbin/"];
    let (Some(scan), Some(index)) = (context.scan, &context.index) else {
        return;
    };
    let told = told(scan);
    for shebang in &scan.shebangs {
        let (path, carriage_return) = interpreter_of(&shebang.line);
        let below = below_parcel(context, path);
        let what = if carriage_return {
            "ends in a carriage return"
        } else if let Some(below) = below {
            let there = matches!(
                index.standing(below),
                Standing::File | Standing::SystemLink | Standing::ThroughLink
            );
            if there || told.contains(shebang.name.as_slice()) {
                continue;
            }
            "is not in the parcel"
        } else if SYSTEM.iter().any(|system| path.starts_with(system))
            || in_python_library(&shebang.name)
            || told.contains(shebang.name.as_slice())
        {
            continue;
        } else if path.starts_with(b"/") {
            "is neither in the parcel nor part of a system"
        } else {
            "is not an absolute path"
        };
        let name = display_bytes(plain_name(&shebang.name));
        let path = display_bytes(path.strip_suffix(b"\r").unwrap_or(path));
        found
            .report(format!("the interpreter of {name}, {path}, {what}"))
            .in_line(&name, 1, &display_bytes(&shebang.line));
    }
}

fn too_long(context: &Context<'_>, found: &mut Findings<'_>) {
    const MOST_BYTES: usize = 127;
    let Some(scan) = context.scan else { return };
    for shebang in &scan.shebangs {
        let length = shebang.line.len();
        if length > MOST_BYTES {
            let name = display_bytes(plain_name(&shebang.name));
            found
                .report(format!(
                    "the first line of {name} has {length} bytes; Linux before 5.1 reads {MOST_BYTES}"
                ))
                .in_line(&name, 1, &display_bytes(&shebang.line));
        }
    }
}

/// The row of the distro table that the parcel is for: by its file name, else by what its metadata
/// says.
fn row(context: &Context<'_>) -> Option<&'static DistroRow> {
    if let Some(suffix) = context.distro() {
        return distro::lookup(suffix);
    }
    let info = context.parcel_json()?.get("extraVersionInfo")?;
    let full = info.get("fullVersion")?.text()?.into_owned();
    distro::lookup(full.rsplit_once('-')?.1)
}

fn newer_glibc(context: &Context<'_>, found: &mut Findings<'_>) {
    let (Some(scan), Some(row)) = (context.scan, row(context)) else {
        return;
    };
    let Some(has) = parse_version(row.glibc) else {
        return;
    };
    for (name, elf) in &scan.elves {
        let Some(need) = &elf.glibc else { continue };
        if parse_version(&need.version).is_some_and(|version| version > has) {
            let name = display_bytes(plain_name(name));
            let symbol = match &need.symbol {
                Some(symbol) => format!("{symbol} of GLIBC_{}", need.version),
                None => format!("GLIBC_{}", need.version),
            };
            found
                .report(format!(
                    "{name} needs {symbol}, but {} has {}",
                    row.suffix, row.glibc
                ))
                .file(name)
                .hint(format!("build it on {} or older", row.system));
        }
    }
}

/// The `e_machine` of a conda platform.
fn machine(platform: &str) -> Option<u16> {
    match platform {
        "linux-64" => Some(62),
        "linux-aarch64" => Some(183),
        "linux-ppc64le" => Some(21),
        "linux-s390x" => Some(22),
        _ => None,
    }
}

fn machine_name(machine: u16) -> String {
    match machine {
        3 => "32-bit x86".to_owned(),
        8 => "MIPS".to_owned(),
        20 => "32-bit PowerPC".to_owned(),
        21 => "64-bit PowerPC".to_owned(),
        22 => "IBM Z".to_owned(),
        40 => "32-bit ARM".to_owned(),
        62 => "x86-64".to_owned(),
        183 => "64-bit ARM".to_owned(),
        243 => "RISC-V".to_owned(),
        other => format!("machine {other}"),
    }
}

fn other_architecture(context: &Context<'_>, found: &mut Findings<'_>) {
    let (Some(scan), Some(row)) = (context.scan, row(context)) else {
        return;
    };
    let Some(wanted) = machine(row.platform) else {
        return;
    };
    for (name, elf) in &scan.elves {
        if elf.machine != wanted {
            let name = display_bytes(plain_name(name));
            found
                .report(format!(
                    "{name} is for {}, but {} is {}",
                    machine_name(elf.machine),
                    row.suffix,
                    machine_name(wanted)
                ))
                .file(name);
        }
    }
}

/// Whether a path relative to the file's own directory stays in the parcel.
fn stays_inside(file: &[u8], relative: &[u8]) -> bool {
    let mut depth = memchr::memchr_iter(b'/', file).count();
    for part in relative.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return false,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

fn rpath_outside(context: &Context<'_>, found: &mut Findings<'_>) {
    const SYSTEM: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];
    let (Some(scan), Some(index)) = (context.scan, &context.index) else {
        return;
    };
    let told = told(scan);
    for (name, elf) in &scan.elves {
        let Some(below) = index.below_name(name) else {
            continue;
        };
        for path in &elf.run_paths {
            let origin = ["$ORIGIN", "${ORIGIN}"]
                .into_iter()
                .find_map(|origin| path.strip_prefix(origin));
            let fine = if let Some(relative) = origin {
                stays_inside(below, relative.as_bytes())
            } else {
                let slash = format!("{path}/");
                let system = SYSTEM.iter().any(|folder| {
                    slash
                        .strip_prefix(folder)
                        .is_some_and(|rest| rest.starts_with('/'))
                });
                system || below_parcel(context, slash.as_bytes()).is_some()
            };
            if !fine && !told.contains(name.as_slice()) {
                let name = display_bytes(plain_name(name));
                found
                    .report(format!(
                        "{name} looks for libraries in {path}, outside the parcel"
                    ))
                    .file(name)
                    .hint("patchelf --set-rpath '$ORIGIN/../lib'");
            }
        }
    }
}
