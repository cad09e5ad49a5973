//! R2xx: a repository folder: whether parcels, side files and the manifest agree.

use std::collections::{BTreeMap, HashSet};

use super::manifest::{digits, entries};
use crate::digest::{Digests, Sha1Hex};
use crate::validate::context::{Context, Slot};
use crate::validate::document::{DocKind, Document, Place};
use crate::validate::json::shorten;
use crate::validate::repository::{SideFile, SideKind};
use crate::validate::rule::{Findings, rules};

rules! {
    /// A repository has no manifest.json.
    ///
    /// ## What it checks
    /// That a folder of parcels holds a `manifest.json`.
    ///
    /// ## Why it matters
    /// Cloudera Manager asks a repository for this file and for nothing else. Its own local folder,
    /// `/opt/cloudera/parcel-repo`, needs none; there each parcel needs a `.sha`.
    ///
    /// ## Example
    /// A folder into which parcels were copied by hand.
    ///
    /// ## How to fix
    /// `parcelctl repo index DIR`
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel repository format".
    "R201" "manifest-missing" Warning [] => manifest_missing;

    /// The manifest lists a parcel that is not there.
    ///
    /// ## What it checks
    /// That every `parcelName` is a file beside the manifest.
    ///
    /// ## Why it matters
    /// Cloudera Manager offers the parcel, and the download ends in 404.
    ///
    /// ## Example
    /// A parcel was deleted and the manifest was not written anew.
    ///
    /// ## How to fix
    /// Copy the parcel there, or `parcelctl repo index DIR`.
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel repository format".
    "R202" "listed-parcel-missing" Error [Manifest] => listed_missing;

    /// A parcel is not in the manifest.
    ///
    /// ## What it checks
    /// That every parcel in the folder has an entry in `manifest.json`.
    ///
    /// ## Why it matters
    /// Cloudera Manager does not see it. `make_manifest.py` drops parcels it cannot read without
    /// failing.
    ///
    /// ## Example
    /// A new parcel was copied and the manifest was not written anew.
    ///
    /// ## How to fix
    /// `parcelctl repo index DIR`
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel repository format".
    "R203" "unlisted-parcel" Warning [Manifest] => unlisted;

    /// The manifest has another hash than the file.
    ///
    /// ## What it checks
    /// That `hash` is the SHA-1 of the parcel's file.
    ///
    /// ## Why it matters
    /// Cloudera Manager downloads the parcel and refuses it: "hash verification failed".
    ///
    /// ## Example
    /// The parcel was built again and the manifest was not.
    ///
    /// ## How to fix
    /// `parcelctl repo index DIR`, if the file is the right one.
    ///
    /// ## Source
    /// phdata/pulse issue 76.
    "R204" "manifest-hash-differs" Error [Manifest] => hash_differs;

    /// A checksum file has another hash than the parcel.
    ///
    /// ## What it checks
    /// That `.sha`, `.sha1` and `.sha256` hold the checksum of the parcel beside them.
    ///
    /// ## Why it matters
    /// Cloudera Manager refuses the parcel, or whoever checks the download by hand does.
    ///
    /// ## Example
    /// A `.sha` that was copied from another parcel.
    ///
    /// ## How to fix
    /// The command in the hint, if the parcel is the right one.
    ///
    /// ## Source
    /// linkshare/cdh-storm issue 2.
    "R205" "side-file-differs" Error [] => side_differs;

    /// A checksum file is not in the form that its reader expects.
    ///
    /// ## What it checks
    /// That `.sha` holds 40 hexadecimal digits and at most a line feed; that `.sha1` begins with 40
    /// and `.sha256` with 64 digits, where a file name may follow.
    ///
    /// ## Why it matters
    /// Cloudera Manager compares the whole `.sha` with the SHA-1 of the parcel. A file name in it, as
    /// `sha1sum` writes, or a SHA-256 under this name never matches.
    ///
    /// ## Example
    /// `X.parcel.sha256` renamed to `X.parcel.sha`
    ///
    /// ## How to fix
    /// `sha1sum X.parcel | cut -d' ' -f1 > X.parcel.sha`
    ///
    /// ## Source
    /// cloudbreak-images pull request 984; several blogs with this mistake.
    "R206" "side-file-form" Error [] => side_form;

    /// The manifest says other things of a parcel than the parcel itself.
    ///
    /// ## What it checks
    /// That an entry's `components`, `depends`, `replaces` and `conflicts` are those of the
    /// `parcel.json` in the parcel.
    ///
    /// ## Why it matters
    /// Before the download Cloudera Manager decides by the manifest, after it by the parcel: a parcel
    /// that could be activated suddenly cannot.
    ///
    /// ## Example
    /// A manifest edited by hand after a release.
    ///
    /// ## How to fix
    /// `parcelctl repo index DIR`
    ///
    /// ## Source
    /// `make_manifest.py` copies these keys from the parcel.
    "R207" "entry-differs" Warning [Manifest] => entry_differs;

    /// A checksum file has no parcel.
    ///
    /// ## What it checks
    /// Whether the parcel that a `.sha`, `.sha1` or `.sha256` belongs to is in the folder.
    ///
    /// ## Why it matters
    /// Nothing reads it; it was left behind when the parcel was deleted.
    ///
    /// ## Example
    /// `ANALYTICS-1.0-el7.parcel.sha` alone
    ///
    /// ## How to fix
    /// Delete it, or bring the parcel back.
    ///
    /// ## Source
    /// Our own tidiness.
    "R208" "side-file-alone" Note [] => side_alone;

    /// A parcel in the repository cannot be read.
    ///
    /// ## What it checks
    /// That every parcel in the folder is an archive that can be read to its end, with a
    /// `meta/parcel.json`.
    ///
    /// ## Why it matters
    /// Cloudera Manager offers it and every host fails to unpack it.
    ///
    /// ## Example
    /// A copy that stopped half-way.
    ///
    /// ## How to fix
    /// `parcelctl validate X.parcel` says more; copy or build it again.
    ///
    /// ## Source
    /// As for the rules of archives.
    "R209" "parcel-damaged" Error [] => damaged;
}

fn manifest_missing(context: &Context<'_>, found: &mut Findings<'_>) {
    let absent = matches!(context.slot(DocKind::Manifest), Slot::Absent);
    if context.folder.is_some() && absent {
        found
            .report("there is no manifest.json")
            .file("manifest.json")
            .hint("parcelctl repo index writes it");
    }
}

/// The entries of the manifest with the names that they have.
fn named_entries<'d>(context: &'d Context<'_>) -> Vec<(String, Place<'d>, Place<'d>)> {
    entries(context)
        .into_iter()
        .filter_map(|entry| {
            let place = entry.get("parcelName")?;
            let name = place.text()?.into_owned();
            Some((name, entry, place))
        })
        .collect()
}

fn listed_missing(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(folder) = context.folder else { return };
    for (name, _, place) in named_entries(context) {
        if folder.parcel(&name).is_none() {
            found
                .report(format!("{} is not in the folder", shorten(&name)))
                .at(&place);
        }
    }
}

fn unlisted(context: &Context<'_>, found: &mut Findings<'_>) {
    let (Some(folder), Some(_)) = (context.folder, context.document(DocKind::Manifest)) else {
        return;
    };
    let listed: HashSet<String> = named_entries(context)
        .into_iter()
        .map(|(name, _, _)| name)
        .collect();
    for parcel in &folder.parcels {
        if !listed.contains(&parcel.name) {
            found
                .report(format!("{} is not in manifest.json", parcel.name))
                .file(&parcel.name)
                .hint("parcelctl repo index writes the manifest anew");
        }
    }
}

fn hash_differs(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(folder) = context.folder else { return };
    for (name, entry, _) in named_entries(context) {
        let Some(Ok(read)) = folder.parcel(&name).map(|parcel| &parcel.content) else {
            continue;
        };
        let Some(place) = entry.get("hash") else {
            continue;
        };
        // One that is no SHA-1 has a rule of its own.
        let Some(Ok(hash)) = place.text().map(|text| text.parse::<Sha1Hex>()) else {
            continue;
        };
        if hash != read.digests.sha1 {
            found
                .report(format!(
                    "hash is {hash}, but {name} has {}",
                    read.digests.sha1
                ))
                .at(&place)
                .hint("parcelctl repo index writes the manifest anew");
        }
    }
}

/// The checksum that a side file should hold.
fn wanted(kind: SideKind, digests: &Digests) -> String {
    match kind {
        SideKind::Sha | SideKind::Sha1 => digests.sha1.to_string(),
        SideKind::Sha256 => digests.sha256.to_string(),
    }
}

/// The command that writes a side file anew.
fn mending(side: &SideFile) -> String {
    let tool = match side.kind {
        SideKind::Sha | SideKind::Sha1 => "sha1sum",
        SideKind::Sha256 => "sha256sum",
    };
    format!("{tool} {} | cut -d' ' -f1 > {}", side.parcel, side.name)
}

fn side_differs(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(folder) = context.folder else { return };
    for side in &folder.sides {
        let Some(Ok(read)) = folder.parcel(&side.parcel).map(|parcel| &parcel.content) else {
            continue;
        };
        let word = side.text.split_whitespace().next().unwrap_or_default();
        let wanted = wanted(side.kind, &read.digests);
        if digits(word) == Some(side.kind.digits()) && !word.eq_ignore_ascii_case(&wanted) {
            found
                .report(format!(
                    "{} holds {word}, but the parcel has {wanted}",
                    side.name
                ))
                .file(&side.name)
                .hint(mending(side));
        }
    }
}

fn side_form(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(folder) = context.folder else { return };
    for side in &folder.sides {
        let word = side.text.split_whitespace().next().unwrap_or_default();
        let bare = side.text.trim_end_matches(['\r', '\n']) == word;
        let wanted = side.kind.digits();
        let problem = match digits(word) {
            None if word.is_empty() => "is empty".to_owned(),
            Some(64) if wanted == 40 => {
                "holds a SHA-256 (64 digits); Cloudera Manager expects SHA-1 (40)".to_owned()
            }
            Some(count) if count != wanted => format!("holds {count} digits, not {wanted}"),
            None => "holds no checksum".to_owned(),
            Some(_) if side.kind == SideKind::Sha && !bare => {
                "holds more than the checksum; Cloudera Manager compares all of it".to_owned()
            }
            Some(_) => continue,
        };
        found
            .report(format!("{} {problem}", side.name))
            .file(&side.name)
            .hint(mending(side));
    }
}

/// The components of a document, by name.
fn components(place: Option<Place<'_>>) -> BTreeMap<String, String> {
    place
        .map(|components| components.items())
        .unwrap_or_default()
        .iter()
        .filter_map(|component| {
            let text = |key: &str| Some(component.get(key)?.text()?.into_owned());
            Some((text("name")?, text("version")?))
        })
        .collect()
}

/// What differs between an entry and the parcel's own metadata.
fn difference(entry: &Place<'_>, own: &Document) -> Option<(&'static str, String)> {
    let (listed, inside) = (
        components(entry.get("components")),
        components(own.get("components")),
    );
    if listed != inside {
        let name = listed
            .keys()
            .chain(inside.keys())
            .find(|name| listed.get(*name) != inside.get(*name))?;
        let version = |side: &BTreeMap<String, String>| match side.get(name) {
            Some(version) => format!("version {}", shorten(version)),
            None => "none".to_owned(),
        };
        let message = format!(
            "component {} has {} in the manifest and {} in the parcel",
            shorten(name),
            version(&listed),
            version(&inside)
        );
        return Some(("components", message));
    }
    ["depends", "replaces", "conflicts"]
        .into_iter()
        .find_map(|key| {
            let text = |place: Option<Place<'_>>| {
                let text = place.and_then(|place| Some(place.text()?.into_owned()));
                text.unwrap_or_default()
            };
            let (listed, inside) = (text(entry.get(key)), text(own.get(key)));
            let message = format!(
                "{key} is {} in the manifest and {} in the parcel",
                shorten(&listed),
                shorten(&inside)
            );
            (listed != inside).then_some((key, message))
        })
}

fn entry_differs(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(folder) = context.folder else { return };
    for (name, entry, place) in named_entries(context) {
        let Some(Ok(read)) = folder.parcel(&name).map(|parcel| &parcel.content) else {
            continue;
        };
        let Some(own) = &read.parcel_json else {
            continue;
        };
        if let Some((key, message)) = difference(&entry, own) {
            let place = entry.get(key).unwrap_or(place);
            found
                .report(format!("{name}: {message}"))
                .at(&place)
                .hint("parcelctl repo index writes the manifest anew");
        }
    }
}

fn side_alone(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(folder) = context.folder else { return };
    for side in &folder.sides {
        if folder.parcel(&side.parcel).is_none() {
            found
                .report(format!("{} has no parcel beside it", side.name))
                .file(&side.name);
        }
    }
}

fn damaged(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(folder) = context.folder else { return };
    for parcel in &folder.parcels {
        let problem = match &parcel.content {
            Err(problem) => problem.clone(),
            Ok(read) => match (&read.damage, &read.parcel_json) {
                (Some(damage), _) => damage.clone(),
                (None, None) => "it has no meta/parcel.json that can be read".to_owned(),
                (None, Some(_)) => continue,
            },
        };
        found
            .report(format!("{} cannot be used: {problem}", parcel.name))
            .file(&parcel.name)
            .hint(format!("parcelctl validate {} says more", parcel.name));
    }
}
