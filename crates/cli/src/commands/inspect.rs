//! `parcelctl inspect`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use parcel::listing::{Documents, Observers, RawKind, display_bytes};
use parcel::meta::{Component, Meta, Package};
use parcel::{Listing, ParcelName};
use serde::Serialize;

use crate::args::{Format, InspectArgs};
use crate::failure::Failure;
use crate::output::{ExitStatus, Printer, bytes};
use crate::progress::Bars;

/// What is told of a parcel; its JSON form is version 1.
#[derive(Serialize)]
struct Description {
    version: u32,
    name: String,
    parcel_version: String,
    distro: Option<String>,
    sha1: String,
    sha256: String,
    compressed_bytes: u64,
    unpacked_bytes: u64,
    entries: usize,
    components: Vec<Component>,
    packages: Vec<Package>,
    provides: BTreeSet<String>,
    environments: Vec<Environment>,
}

/// A conda environment in the parcel.
#[derive(Serialize)]
struct Environment {
    name: String,
    /// Relative to the parcel's directory; empty at its top.
    path: String,
    packages: usize,
}

pub(crate) fn run(args: &InspectArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    let bars = Bars::new(printer);
    let description = describe(&args.parcel, &bars)?;
    drop(bars);
    match args.format {
        Format::Human => printer.data(&human(&description))?,
        Format::Json => {
            let json =
                serde_json::to_string_pretty(&description).map_err(Failure::could_not_run)?;
            printer.data(&json)?;
        }
    }
    Ok(ExitStatus::Done)
}

fn describe(path: &Path, bars: &Bars) -> Result<Description, Failure> {
    let context = || format!("cannot inspect {}", path.display());
    let mut documents = Documents::default();
    let listing = Listing::of_archive(path, &mut Observers::new(vec![&mut documents]), bars)
        .map_err(|error| Failure::could_not_run(anyhow::Error::from(error).context(context())))?;
    let facts = listing
        .archive
        .as_ref()
        .expect("a listing of an archive has facts");
    let validate = Some(format!(
        "See all that is wrong: parcelctl validate --as parcel {}",
        path.display()
    ));
    if let Some(damage) = &facts.damage {
        let error = anyhow::Error::from(damage.clone()).context(context());
        return Err(Failure::found_errors(error).hint(validate));
    }
    let meta = Meta::from_documents(&documents).map_err(|error| {
        Failure::found_errors(anyhow::Error::from(error).context(context())).hint(validate)
    })?;
    let name: Option<ParcelName> = path
        .file_name()
        .and_then(|name| name.to_str()?.parse().ok());
    Ok(Description {
        version: 1,
        name: meta.parcel.name,
        parcel_version: meta.parcel.version,
        distro: name.map(|name| name.distro().to_string()),
        sha1: facts.digests.sha1.to_string(),
        sha256: facts.digests.sha256.to_string(),
        compressed_bytes: facts.digests.size_bytes,
        unpacked_bytes: listing.unpacked_bytes(),
        entries: listing.entries.len(),
        components: meta.parcel.components,
        packages: meta.parcel.packages,
        provides: meta.parcel.provides,
        environments: environments(&listing),
    })
}

/// Every prefix that conda knows: a directory with `conda-meta/` in it.
fn environments(listing: &Listing) -> Vec<Environment> {
    // The path of a prefix, and how many packages its records name.
    let mut prefixes: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &listing.entries {
        let name = String::from_utf8_lossy(&entry.name);
        let Some((_, below_top)) = name.trim_end_matches('/').split_once('/') else {
            continue;
        };
        if entry.kind == RawKind::Directory {
            if let Some(prefix) = prefix(below_top) {
                prefixes.entry(prefix.to_owned()).or_default();
            }
        } else if let Some((folder, file)) = below_top.rsplit_once('/')
            && file.strip_suffix(".json").is_some()
            && let Some(prefix) = prefix(folder)
        {
            *prefixes.entry(prefix.to_owned()).or_default() += 1;
        }
    }
    let environment = |(path, packages): (String, usize)| {
        let last = path.rsplit('/').next().filter(|name| !name.is_empty());
        Environment {
            name: last.unwrap_or("base").to_owned(),
            path,
            packages,
        }
    };
    prefixes.into_iter().map(environment).collect()
}

/// The prefix whose records lie in this folder; empty at the top of the parcel.
fn prefix(folder: &str) -> Option<&str> {
    let prefix = folder.strip_suffix("conda-meta")?;
    if prefix.is_empty() {
        Some("")
    } else {
        prefix.strip_suffix('/')
    }
}

fn human(description: &Description) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<13}{}", display_bytes(value.as_bytes()));
    };
    line("name", &description.name);
    line("version", &description.parcel_version);
    line(
        "distro",
        description
            .distro
            .as_deref()
            .unwrap_or("unknown (from the file name)"),
    );
    line("sha1", &description.sha1);
    line("sha256", &description.sha256);
    let sizes = format!(
        "{} in the file, {} unpacked, {} entries",
        bytes(description.compressed_bytes),
        bytes(description.unpacked_bytes),
        description.entries
    );
    line("size", &sizes);
    let provides: Vec<&str> = description.provides.iter().map(String::as_str).collect();
    if !provides.is_empty() {
        line("provides", &provides.join(", "));
    }
    for component in &description.components {
        line(
            "component",
            &format!("{} {}", component.name, component.version),
        );
    }
    for environment in &description.environments {
        let place = if environment.path.is_empty() {
            "the top"
        } else {
            &environment.path
        };
        let packages = environment.packages;
        line(
            "environment",
            &format!("{} at {place}, {packages} packages", environment.name),
        );
    }
    line("packages", &description.packages.len().to_string());
    for package in &description.packages {
        let (name, version) = (
            display_bytes(package.name.as_bytes()),
            display_bytes(package.version.as_bytes()),
        );
        let _ = writeln!(text, "  {name} {version}");
    }
    text.truncate(text.trim_end().len());
    text
}
