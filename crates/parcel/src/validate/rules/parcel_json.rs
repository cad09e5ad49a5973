//! P1xx: what `parcel.json` says, beyond its shape and its names.

use std::collections::{HashMap, HashSet};

use crate::listing::RawKind;
use crate::validate::context::{Context, Slot};
use crate::validate::document::{DocKind, Place};
use crate::validate::index::Standing;
use crate::validate::json::{Node, shorten};
use crate::validate::owner::is_known_group;
use crate::validate::rule::{Findings, rules};

rules! {
    /// schema_version is not 1.
    ///
    /// ## What it checks
    /// That `schema_version` in `parcel.json` is 1, the only one there has ever been.
    ///
    /// ## Why it matters
    /// Cloudera Manager refuses the document. The number is not the parcel's version.
    ///
    /// ## Example
    /// ```json
    /// {"schema_version": 2}
    /// ```
    ///
    /// ## How to fix
    /// Write `"schema_version": 1`.
    ///
    /// ## Source
    /// Cloudera's validator: "must be between 1 and 1".
    "P101" "schema-version" Error [ParcelJson] => schema_version;

    /// There is no meta/parcel.json.
    ///
    /// ## What it checks
    /// That the parcel holds `NAME-VERSION/meta/parcel.json`, and that it is a file.
    ///
    /// ## Why it matters
    /// Without it Cloudera Manager knows nothing of the parcel and marks it invalid, the agent logs
    /// an exception at every refresh, and `make_manifest.py` silently drops the parcel.
    ///
    /// ## Example
    /// An archive of the content of the directory instead of the directory.
    ///
    /// ## How to fix
    /// Add the document: `tar czf X.parcel NAME-VERSION`, not `tar czf X.parcel -C NAME-VERSION .`
    ///
    /// ## Source
    /// Cloudera's validator: "No parcel.json file found in required location".
    "P102" "parcel-json-missing" Error [] => parcel_json_missing;

    /// The defines script is not there.
    ///
    /// ## What it checks
    /// That `meta/` holds the file that `scripts.defines` names. It may be empty.
    ///
    /// ## Why it matters
    /// Cloudera Manager refuses the parcel. Were it distributed, every process that uses it would
    /// fail to start when its environment is made.
    ///
    /// ## Example
    /// `"defines": "ANALYTICS_env.sh"` beside a file `analytics_env.sh`.
    ///
    /// ## How to fix
    /// Add the script to `meta/`, or mend the name.
    ///
    /// ## Source
    /// Cloudera's validator; a public build script of a cloud vendor that has this very fault.
    "P103" "defines-missing" Error [ParcelJson] => defines_missing;

    /// The defines script lies outside meta/.
    ///
    /// ## What it checks
    /// That `scripts.defines` is a clean relative path: not absolute, without `.`, `..` or empty
    /// parts.
    ///
    /// ## Why it matters
    /// The path is joined to `meta/` and sourced as the user of every process. With `..` it sources
    /// what is not part of the parcel.
    ///
    /// ## Example
    /// ```json
    /// {"scripts": {"defines": "../bin/env.sh"}}
    /// ```
    ///
    /// ## How to fix
    /// Put the script into `meta/` and write its name.
    ///
    /// ## Source
    /// Cloudera's validator joins the path and looks whether something is there, wherever that is.
    "P104" "defines-outside-meta" Error [ParcelJson] => defines_outside;

    /// The defines script lies in a folder of meta/.
    ///
    /// ## What it checks
    /// That `scripts.defines` is the name of a file, without a slash.
    ///
    /// ## Why it matters
    /// Cloudera's validator takes it; no published parcel has it, so no Cloudera Manager was ever
    /// tried with it.
    ///
    /// ## Example
    /// ```json
    /// {"scripts": {"defines": "scripts/env.sh"}}
    /// ```
    ///
    /// ## How to fix
    /// Put the script directly into `meta/`.
    ///
    /// ## Source
    /// Cloudera's wiki: "the name of a file in the meta directory".
    "P105" "defines-in-folder" Warning [ParcelJson] => defines_in_folder;

    /// A user comes before the user whose group it needs.
    ///
    /// ## What it checks
    /// That `extra_groups` of a user names no group that is only made with a later user. Each user's
    /// own group is made with it.
    ///
    /// ## Why it matters
    /// The agent creates users in the order of the file, and `useradd` fails on a group that is not
    /// there yet.
    ///
    /// ## Example
    /// ```json
    /// {"users": {"client": {"extra_groups": ["server"]}, "server": {"extra_groups": []}}}
    /// ```
    ///
    /// ## How to fix
    /// Put the user that is needed first, or list the group in `groups`.
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel.json file", on the order of users.
    "P106" "user-before-group" Warning [ParcelJson] => user_order;

    /// A user is put into a group that nobody makes.
    ///
    /// ## What it checks
    /// That every group in `extra_groups` is in `groups`, is a user's own, or is one that hosts of a
    /// cluster have.
    ///
    /// ## Why it matters
    /// On a host without the group the user is not created, and with it nothing that runs as it.
    ///
    /// ## Example
    /// ```json
    /// {"users": {"analyst": {"extra_groups": ["analysts"]}}, "groups": []}
    /// ```
    ///
    /// ## How to fix
    /// Add the group to `groups`.
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel.json file"; the log of an agent ("Ensuring users/groups exist").
    "P107" "unknown-group" Warning [ParcelJson] => unknown_group;

    /// The release notes are not ASCII.
    ///
    /// ## What it checks
    /// That `meta/release-notes.txt` holds ASCII only, and `releaseNotes` in a manifest too.
    ///
    /// ## Why it matters
    /// Agents that run on Python 2 fail on the manifest: "UnicodeDecodeError: 'ascii' codec can't
    /// decode byte".
    ///
    /// ## Example
    /// Typographic quotes or a name with an accent.
    ///
    /// ## How to fix
    /// Write the notes in ASCII as long as hosts with Cloudera Manager before 7 are served.
    ///
    /// ## Source
    /// Public threads with the agent's `downloader.py` in the trace.
    "P108" "non-ascii-notes" Warning [] => non_ascii_notes;

    /// A document in meta/ is not a file.
    ///
    /// ## What it checks
    /// That `alternatives.json` and `permissions.json` are regular files where they are there at all:
    /// no links and no directories.
    ///
    /// ## Why it matters
    /// Who reads the archive finds a link without content: Cloudera's validator refuses it, and the
    /// server, which reads the metadata before anything is unpacked, sees nothing.
    ///
    /// ## Example
    /// `meta/permissions.json -> permissions-el8.json`
    ///
    /// ## How to fix
    /// Copy the file instead of linking to it.
    ///
    /// ## Source
    /// Cloudera's validator reads the entry itself in a `.parcel` (`-f`) and follows the link in a
    /// directory (`-d`).
    "P109" "document-not-file" Error [] => document_not_file;
}

/// The number that Java makes of a value, where it makes one.
fn integer(place: &Place<'_>) -> Option<i64> {
    match &place.value.node {
        Node::Number(text) => match text.parse::<i64>() {
            Ok(number) => Some(number),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "Java cuts the fraction off"
            )]
            Err(_) => text.parse::<f64>().ok().map(|number| number as i64),
        },
        Node::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn schema_version(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(place) = context
        .parcel_json()
        .and_then(|doc| doc.get("schema_version"))
    else {
        return;
    };
    if let Some(number) = integer(&place).filter(|&number| number != 1) {
        found
            .report(format!("schema_version is {number}, not 1"))
            .at(&place)
            .hint("the schema has only ever had version 1; it is not the parcel's version");
    }
}

fn parcel_json_missing(context: &Context<'_>, found: &mut Findings<'_>) {
    let (Some(index), Some(listing)) = (&context.index, context.listing) else {
        return;
    };
    if !matches!(context.slot(DocKind::ParcelJson), Slot::Absent) {
        return;
    }
    // A damaged or empty archive may have lost it; that it is damaged is said elsewhere.
    let damaged = listing
        .archive
        .as_ref()
        .is_some_and(|archive| archive.damage.is_some());
    if damaged || listing.entries.is_empty() {
        return;
    }
    let file = "meta/parcel.json";
    let message = match index.get(file.as_bytes()) {
        Some(entry) if entry.kind != RawKind::File => format!("{file} is a {}", entry.kind),
        _ => format!("{file} is missing"),
    };
    found.report(message).file(file);
}

fn document_not_file(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(index) = &context.index else { return };
    for kind in [DocKind::Alternatives, DocKind::Permissions] {
        let file = format!("meta/{}", kind.file_name());
        if let Some(entry) = index.get(file.as_bytes())
            && entry.kind != RawKind::File
        {
            found
                .report(format!("{file} is a {}, not a file", entry.kind))
                .file(file);
        }
    }
}

/// `scripts.defines` and its text.
fn defines<'d>(context: &'d Context<'_>) -> Option<(Place<'d>, String)> {
    let place = context.parcel_json()?.get("scripts")?.get("defines")?;
    let text = place.text()?.into_owned();
    (!text.trim().is_empty()).then_some((place, text))
}

fn is_clean(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn defines_missing(context: &Context<'_>, found: &mut Findings<'_>) {
    let (Some(index), Some((place, defines))) = (&context.index, defines(context)) else {
        return;
    };
    if !is_clean(&defines) {
        return;
    }
    let path = format!("meta/{defines}");
    let what = match index.standing(path.as_bytes()) {
        Standing::File => return,
        Standing::Absent => "is missing",
        Standing::ThroughLink => "has no entry of its own in the archive",
        Standing::DanglingLink | Standing::SystemLink => {
            "is a link to a file that is not in the parcel"
        }
        Standing::Directory | Standing::Implied | Standing::DirectoryLink => "is a directory",
        Standing::Special => "is not a file",
    };
    let finding = found.report(format!("the defines script {path} {what}"));
    finding.at(&place);
    let folded = |name: &[u8]| String::from_utf8_lossy(name).to_lowercase();
    let near = context.listing.and_then(|listing| {
        listing
            .entries
            .iter()
            .filter_map(|entry| index.below(entry))
            .find(|below| folded(below) == path.to_lowercase())
    });
    if let Some(near) = near {
        let near = String::from_utf8_lossy(near).into_owned();
        finding.hint(format!("there is {near}; upper and lower case differ"));
    }
}

fn defines_outside(context: &Context<'_>, found: &mut Findings<'_>) {
    if let Some((place, defines)) = defines(context).filter(|(_, text)| !is_clean(text)) {
        found
            .report(format!(
                "the defines script {} is not a path in meta/",
                shorten(&defines)
            ))
            .at(&place)
            .hint("write the name of a file in meta/");
    }
}

fn defines_in_folder(context: &Context<'_>, found: &mut Findings<'_>) {
    if let Some((place, defines)) =
        defines(context).filter(|(_, text)| is_clean(text) && text.contains('/'))
    {
        found
            .report(format!(
                "the defines script {} lies in a folder of meta/",
                shorten(&defines)
            ))
            .at(&place);
    }
}

fn user_order(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(document) = context.parcel_json() else {
        return;
    };
    let groups: HashSet<String> = listed_groups(context);
    let users = document.get("users").map(|users| users.members());
    let users = users.unwrap_or_default();
    let order: HashMap<&str, usize> = users
        .iter()
        .enumerate()
        .map(|(index, (name, _))| (*name, index))
        .collect();
    for (index, (name, user)) in users.iter().enumerate() {
        for group in user
            .get("extra_groups")
            .map(|g| g.items())
            .unwrap_or_default()
        {
            let Some(text) = group.text() else { continue };
            let later = order.get(&*text).is_some_and(|&other| other > index);
            if later && !groups.contains(&*text) {
                found
                    .report(format!(
                        "user {} is put into the group of {}, who is created later",
                        shorten(name),
                        shorten(&text)
                    ))
                    .at(&group)
                    .hint("users are created in the order of the file");
            }
        }
    }
}

/// The groups that `parcel.json` asks for.
fn listed_groups(context: &Context<'_>) -> HashSet<String> {
    let groups = context.parcel_json().and_then(|doc| doc.get("groups"));
    groups
        .map(|groups| groups.items())
        .unwrap_or_default()
        .iter()
        .filter_map(|group| Some(group.text()?.into_owned()))
        .collect()
}

fn unknown_group(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(users) = context.parcel_json().and_then(|doc| doc.get("users")) else {
        return;
    };
    let mut groups = listed_groups(context);
    groups.extend(users.members().iter().map(|(name, _)| (*name).to_owned()));
    for (name, user) in users.members() {
        for group in user
            .get("extra_groups")
            .map(|g| g.items())
            .unwrap_or_default()
        {
            let Some(text) = group.text() else { continue };
            if !groups.contains(&*text) && !is_known_group(&text) {
                found
                    .report(format!(
                        "user {} is put into the group {}, which nobody makes",
                        shorten(name),
                        shorten(&text)
                    ))
                    .at(&group)
                    .hint("add it to groups");
            }
        }
    }
}

fn non_ascii_notes(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "agents on Python 2 fail on it";
    if let Some(notes) = context
        .texts
        .and_then(|texts| texts.content("release-notes.txt"))
    {
        let lines = notes.split(|&byte| byte == b'\n').enumerate();
        for (number, line) in lines.filter(|(_, line)| !line.is_ascii()).take(1) {
            let text = String::from_utf8_lossy(line);
            found
                .report("the release notes are not ASCII")
                .in_line("meta/release-notes.txt", number + 1, &text)
                .hint(hint);
        }
    }
    let manifest = context.document(DocKind::Manifest);
    let parcels = manifest.and_then(|doc| doc.get("parcels"));
    for entry in parcels.map(|parcels| parcels.items()).unwrap_or_default() {
        let Some(notes) = entry.get("releaseNotes") else {
            continue;
        };
        if notes.text().is_some_and(|text| !text.is_ascii()) {
            found
                .report("the release notes are not ASCII")
                .at(&notes)
                .hint(hint);
        }
    }
}
