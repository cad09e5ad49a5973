//! A1xx: what `alternatives.json` says, beyond its shape.

use std::collections::HashMap;

use crate::validate::context::Context;
use crate::validate::document::{DocKind, Document, Place, is_blank};
use crate::validate::index::Standing;
use crate::validate::json::{Node, shorten};
use crate::validate::rule::{Findings, rules};

rules! {
    /// The source of an alternative is not in the parcel.
    ///
    /// ## What it checks
    /// That `source` of every alternative names something in the parcel, with an entry of its own in
    /// the archive, and that a link there leads to something.
    ///
    /// ## Why it matters
    /// Activation registers a link to nothing: `update-alternatives` says "alternative path doesn't
    /// exist" on every host.
    ///
    /// ## Example
    /// `"source": "bin/python3"` in a parcel with `envs/py311/bin/python3` only.
    ///
    /// ## How to fix
    /// Mend the path, relative to the parcel's directory. Where the message says that a directory
    /// has no entry, make the archive with tar's directory entries (`tar czf X.parcel NAME-VERSION`).
    ///
    /// ## Source
    /// Cloudera's validator ("does not exist"); in a `.parcel` it does not follow links, in a
    /// directory it does.
    "A101" "alternative-source-missing" Error [Alternatives] => source_missing;

    /// The source of an alternative is of the wrong kind.
    ///
    /// ## What it checks
    /// That `isDirectory` says whether `source` is a directory, and that a directory is not given by
    /// way of a link to it.
    ///
    /// ## Why it matters
    /// Cloudera Manager copies and links directories (configuration) otherwise than files. Cloudera's
    /// validator refuses the parcel.
    ///
    /// ## Example
    /// `"source": "etc/conf.dist", "isDirectory": false` where `etc/conf.dist` is a directory.
    ///
    /// ## How to fix
    /// Mend `isDirectory`; let `source` name the directory itself, not a link.
    ///
    /// ## Source
    /// Cloudera's validator; a link is no directory to it in a `.parcel`, and is one in a directory.
    "A102" "alternative-source-kind" Error [Alternatives] => source_kind;

    /// The source of an alternative is not a path in the parcel.
    ///
    /// ## What it checks
    /// That `source` is relative and has no `.`, `..` or empty parts.
    ///
    /// ## Why it matters
    /// The agent joins it to the parcel's directory. An absolute path stays absolute then, so that
    /// the link leads to the host's own file; `..` leads out of the parcel.
    ///
    /// ## Example
    /// `"source": "/bin/python"`
    ///
    /// ## How to fix
    /// Write the path below the parcel's directory: `bin/python`.
    ///
    /// ## Source
    /// Python's `os.path.join`. Cloudera's validator accepts a leading slash.
    "A103" "alternative-source-outside" Error [Alternatives] => source_outside;

    /// Two alternatives have the same destination.
    ///
    /// ## What it checks
    /// That the destinations in `alternatives.json` differ.
    ///
    /// ## Why it matters
    /// `update-alternatives` refuses a link that another name already manages; which of the two
    /// comes first is chance.
    ///
    /// ## Example
    /// Two entries `python` and `python3`, both with `"destination": "/usr/bin/python"`.
    ///
    /// ## How to fix
    /// Keep one, or give the other its own destination.
    ///
    /// ## Source
    /// `update-alternatives`: "is already managed by". Cloudera's validator accepts it.
    "A104" "same-destination" Error [Alternatives] => same_destination;

    /// The destination of an alternative is not absolute.
    ///
    /// ## What it checks
    /// That `destination` begins with a slash and has no `.` or `..` parts.
    ///
    /// ## Why it matters
    /// `update-alternatives` refuses the link: "alternative link is not absolute as it should be".
    ///
    /// ## Example
    /// `"destination": "python-ds"`
    ///
    /// ## How to fix
    /// `"destination": "/usr/bin/python-ds"`
    ///
    /// ## Source
    /// `update-alternatives`. Cloudera's validator accepts it.
    "A105" "destination-not-absolute" Error [Alternatives] => destination_not_absolute;

    /// The destination of an alternative lies in a parcel.
    ///
    /// ## What it checks
    /// That `destination` is not below `/opt/cloudera/parcels`.
    ///
    /// ## Why it matters
    /// Parcels are immutable: the link changes another product behind the back of Cloudera Manager,
    /// is gone with its next version, and may stop that version from being removed.
    ///
    /// ## Example
    /// `"destination": "/opt/cloudera/parcels/CDH/lib/hadoop/lib/tool.jar"`
    ///
    /// ## How to fix
    /// Let the defines script of the parcel extend the other product's path variables.
    ///
    /// ## Source
    /// Cloudera's wiki, "Cloudera Manager assumptions"; a public parcel that does this.
    "A106" "destination-in-parcel" Warning [Alternatives] => destination_in_parcel;

    /// The name of an alternative cannot be registered.
    ///
    /// ## What it checks
    /// That the keys of `alternatives.json` hold no slash and no blank.
    ///
    /// ## Why it matters
    /// `update-alternatives` keeps each name as a file in `/var/lib/alternatives` and refuses these.
    ///
    /// ## Example
    /// `{"bin/python": {"destination": "/usr/bin/python"}}`
    ///
    /// ## How to fix
    /// Use the last part of the destination as the name.
    ///
    /// ## Source
    /// `update-alternatives`: "alternative name must not contain '/' and spaces". Cloudera's
    /// validator accepts it.
    "A107" "alternative-name" Warning [Alternatives] => alternative_name;
}

/// A member of every alternative, with its text where it has one that is not blank.
fn each<'d>(context: &'d Context<'_>, key: &str) -> Vec<(&'d str, Place<'d>, Place<'d>, String)> {
    let root = context
        .document(DocKind::Alternatives)
        .and_then(Document::root);
    root.map(|root| root.members())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, entry)| {
            let place = entry.get(key)?;
            let text = place.text()?.into_owned();
            (!is_blank(&text)).then_some((name, entry, place, text))
        })
        .collect()
}

/// A path in the parcel; directories may end in a slash.
pub(super) fn relative(path: &str) -> Option<&str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let clean = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    clean.then_some(path)
}

fn source_missing(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(index) = &context.index else { return };
    for (_, _, place, source) in each(context, "source") {
        let Some(path) = relative(&source) else {
            continue;
        };
        let what = match index.standing(path.as_bytes()) {
            Standing::Absent => "is not in the parcel",
            Standing::Implied | Standing::ThroughLink => "has no entry of its own in the archive",
            Standing::DanglingLink => "is a link to something that is not in the parcel",
            _ => continue,
        };
        found.report(format!("{path} {what}")).at(&place);
    }
}

/// What Java makes of a boolean.
fn flag(place: &Place<'_>) -> Option<bool> {
    match &place.value.node {
        Node::Bool(flag) => Some(*flag),
        // Any whole number but zero is true; a fraction is refused.
        Node::Number(text) if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
            Some(text.bytes().any(|byte| !matches!(byte, b'-' | b'0')))
        }
        Node::String(text) => match text.trim() {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn source_kind(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(index) = &context.index else { return };
    for (_, entry, place, source) in each(context, "source") {
        let (Some(path), Some(directory)) = (
            relative(&source),
            entry.get("isDirectory").and_then(|f| flag(&f)),
        ) else {
            continue;
        };
        let hint = format!("\"isDirectory\": {}", !directory);
        let (what, hint) = match (index.standing(path.as_bytes()), directory) {
            (Standing::Directory, false) => ("is a directory, but isDirectory is false", hint),
            (Standing::File, true) => ("is a file, but isDirectory is true", hint),
            (Standing::DirectoryLink, _) => {
                let hint = "name the directory that the link leads to".to_owned();
                ("is a link to a directory", hint)
            }
            (Standing::Special, _) => ("is neither a file nor a directory", String::new()),
            _ if source.ends_with('/') && !directory => {
                let hint = format!("write {}", shorten(path));
                (
                    "is not a directory, but is written with a slash at the end",
                    hint,
                )
            }
            _ => continue,
        };
        let finding = found.report(format!("{path} {what}"));
        finding.at(&place);
        if !hint.is_empty() {
            finding.hint(hint);
        }
    }
}

fn source_outside(context: &Context<'_>, found: &mut Findings<'_>) {
    for (_, _, place, source) in each(context, "source") {
        if relative(&source).is_none() {
            found
                .report(format!(
                    "source {} is not a path in the parcel",
                    shorten(&source)
                ))
                .at(&place)
                .hint("write the path below the parcel's directory, like bin/python");
        }
    }
}

fn same_destination(context: &Context<'_>, found: &mut Findings<'_>) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (name, _, place, destination) in each(context, "destination") {
        let plain = destination.trim_end_matches('/').to_owned();
        if let Some(first) = seen.get(&plain) {
            found
                .report(format!(
                    "destination {} is that of {} too",
                    shorten(&destination),
                    shorten(first)
                ))
                .at(&place);
        } else {
            seen.insert(plain, name);
        }
    }
}

fn destination_not_absolute(context: &Context<'_>, found: &mut Findings<'_>) {
    for (_, _, place, destination) in each(context, "destination") {
        let dots = destination
            .split('/')
            .any(|part| matches!(part, "." | ".."));
        if !destination.starts_with('/') || dots {
            found
                .report(format!(
                    "destination {} is not an absolute path",
                    shorten(&destination)
                ))
                .at(&place)
                .hint("a destination is like /usr/bin/python-ds");
        }
    }
}

fn destination_in_parcel(context: &Context<'_>, found: &mut Findings<'_>) {
    for (_, _, place, destination) in each(context, "destination") {
        if destination.starts_with("/opt/cloudera/parcels/") {
            found
                .report(format!(
                    "destination {} lies in a parcel",
                    shorten(&destination)
                ))
                .at(&place)
                .hint("extend the other product's path from the defines script instead");
        }
    }
}

fn alternative_name(context: &Context<'_>, found: &mut Findings<'_>) {
    for (name, entry, _, _) in each(context, "destination") {
        if name.contains(|c: char| c == '/' || c.is_whitespace()) {
            found
                .report(format!(
                    "{} cannot be the name of an alternative",
                    shorten(name)
                ))
                .in_document(entry.doc, &entry.pointer, entry.key_span);
        }
    }
}
