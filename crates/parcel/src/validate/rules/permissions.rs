//! M1xx: what `permissions.json` says, beyond its shape. M is for mode.

use std::collections::{HashMap, HashSet};

use super::alternatives::relative;
use crate::meta::Mode;
use crate::validate::context::Context;
use crate::validate::document::{DocKind, Document, Place, is_blank};
use crate::validate::index::Standing;
use crate::validate::json::{Node, shorten};
use crate::validate::owner::{is_known_group, is_known_user};
use crate::validate::rule::{Findings, rules};

rules! {
    /// A path with permissions is not in the parcel.
    ///
    /// ## What it checks
    /// That every key of `permissions.json` names something in the parcel, with an entry of its own
    /// in the archive.
    ///
    /// ## Why it matters
    /// The agent cannot set what is not there; distribution ends with an error on every host.
    ///
    /// ## Example
    /// `{"bin/runas": {...}}` in a parcel without `bin/runas`.
    ///
    /// ## How to fix
    /// Mend the path, relative to the parcel's directory, or delete the entry.
    ///
    /// ## Source
    /// Cloudera's validator: "does not exist".
    "M101" "permission-path-missing" Error [Permissions] => path_missing;

    /// A mode is not four octal digits.
    ///
    /// ## What it checks
    /// That `permissions` is a string of exactly four digits from 0 to 7.
    ///
    /// ## Why it matters
    /// Cloudera Manager refuses the document. The first digit holds setuid, setgid and the sticky
    /// bit, the reason for which the document exists.
    ///
    /// ## Example
    /// ```json
    /// {"bin/tool": {"user": "root", "group": "root", "permissions": "755"}}
    /// ```
    ///
    /// ## How to fix
    /// `"permissions": "0755"`
    ///
    /// ## Source
    /// Cloudera's validator: "must be a four digit octal file permission".
    "M102" "mode-not-octal" Error [Permissions] => mode_not_octal;

    /// A path with permissions is outside the parcel.
    ///
    /// ## What it checks
    /// That every key of `permissions.json` is relative and has no `.`, `..` or empty parts.
    ///
    /// ## Why it matters
    /// The paths are those of the parcel's files. An absolute one like `/var/lib/app` is looked for
    /// below the parcel and not found; or the agent, running as root, changes the host's file.
    ///
    /// ## Example
    /// `{"/var/lib/airflow": {...}}`
    ///
    /// ## How to fix
    /// Make folders of the host with the user that owns them (`home` of a user in `parcel.json`).
    ///
    /// ## Source
    /// Cloudera's validator refuses it in a parcel (`-f`, `-d`) and accepts it in the document alone
    /// (`-r`).
    "M103" "permission-path-outside" Error [Permissions] => path_outside;

    /// A file is given to a user that nobody makes.
    ///
    /// ## What it checks
    /// That `user` is in `users` of `parcel.json` or is one that hosts of a cluster have.
    ///
    /// ## Why it matters
    /// On a host without the user `chown` fails and the file stays root's.
    ///
    /// ## Example
    /// `"user": "analyst"` without that user in `parcel.json`.
    ///
    /// ## How to fix
    /// Add the user to `parcel.json`. Where another product makes it, allow this rule.
    ///
    /// ## Source
    /// Cloudera's wiki, "The permissions.json file"; its validator does not look.
    "M104" "unknown-owner" Warning [ParcelJson, Permissions] => unknown_owner;

    /// A file is given to a group that nobody makes.
    ///
    /// ## What it checks
    /// That `group` is in `groups` or `users` of `parcel.json` or is one that hosts of a cluster
    /// have.
    ///
    /// ## Why it matters
    /// On a host without the group `chown` fails; a setuid file meant for one group is then
    /// everyone's or no one's.
    ///
    /// ## Example
    /// `"group": "analysts"` without that group in `parcel.json`.
    ///
    /// ## How to fix
    /// Add the group to `groups` of `parcel.json`.
    ///
    /// ## Source
    /// Cloudera's wiki, "The permissions.json file"; its validator does not look.
    "M105" "unknown-owner-group" Warning [ParcelJson, Permissions] => unknown_owner_group;
}

fn entries<'d>(context: &'d Context<'_>) -> Vec<(&'d str, Place<'d>)> {
    let root = context
        .document(DocKind::Permissions)
        .and_then(Document::root);
    root.map(|root| root.members()).unwrap_or_default()
}

/// The modes that `permissions.json` declares, by path.
pub(super) fn declared(context: &Context<'_>) -> HashMap<Vec<u8>, Mode> {
    entries(context)
        .into_iter()
        .filter_map(|(path, entry)| {
            let mode = entry.get("permissions")?.text()?.parse().ok()?;
            Some((relative(path)?.as_bytes().to_vec(), mode))
        })
        .collect()
}

fn path_missing(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(index) = &context.index else { return };
    for (path, entry) in entries(context) {
        let Some(path) = relative(path) else { continue };
        let what = match index.standing(path.as_bytes()) {
            Standing::Absent => "is not in the parcel",
            Standing::Implied | Standing::ThroughLink => "has no entry of its own in the archive",
            _ => continue,
        };
        found.report(format!("{path} {what}")).in_document(
            entry.doc,
            &entry.pointer,
            entry.key_span,
        );
    }
}

fn mode_not_octal(context: &Context<'_>, found: &mut Findings<'_>) {
    for (_, entry) in entries(context) {
        let Some(place) = entry.get("permissions") else {
            continue;
        };
        let Some(text) = place.text() else { continue };
        // A blank text has a rule of its own only where it is nothing but missing.
        if text.parse::<Mode>().is_ok() {
            continue;
        }
        let finding = found.report(format!(
            "permissions {} is not four octal digits",
            shorten(&text)
        ));
        finding.at(&place);
        let digits = text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        if digits && (1..4).contains(&text.len()) {
            finding.hint(format!("write \"{text:0>4}\""));
        } else if let (Node::Number(_), Some(mode)) = (&place.value.node, decimal_mode(&text)) {
            finding.hint(format!("{text} is octal {mode}; write \"{mode}\""));
        } else {
            finding.hint("write four octal digits in quotes, like \"0755\"");
        }
    }
}

/// Some YAML tools write the mode 0755 as its decimal value 493.
fn decimal_mode(text: &str) -> Option<String> {
    let number: u32 = text.parse().ok()?;
    (number <= 0o7777).then(|| format!("{number:04o}"))
}

fn path_outside(context: &Context<'_>, found: &mut Findings<'_>) {
    for (path, entry) in entries(context) {
        if relative(path).is_none() {
            found
                .report(format!("{} is not a path in the parcel", shorten(path)))
                .in_document(entry.doc, &entry.pointer, entry.key_span)
                .hint("paths are relative to the parcel's directory");
        }
    }
}

/// The users of `parcel.json`; `None` where there is no such document.
fn users(context: &Context<'_>) -> Option<HashSet<String>> {
    let users = context.parcel_json()?.get("users");
    let members = users.map(|users| users.members()).unwrap_or_default();
    Some(members.iter().map(|(name, _)| (*name).to_owned()).collect())
}

fn unknown_owner(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(users) = users(context) else { return };
    for (path, entry) in entries(context) {
        let Some(place) = entry.get("user") else {
            continue;
        };
        let Some(user) = place.text().filter(|user| !is_blank(user)) else {
            continue;
        };
        if !users.contains(&*user) && !is_known_user(&user) {
            found
                .report(format!(
                    "{path} is given to {}, a user nobody makes",
                    shorten(&user)
                ))
                .at(&place)
                .hint("add the user to parcel.json");
        }
    }
}

fn unknown_owner_group(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(mut groups) = users(context) else {
        return;
    };
    let listed = context.parcel_json().and_then(|doc| doc.get("groups"));
    for group in listed.map(|groups| groups.items()).unwrap_or_default() {
        groups.extend(group.text().map(std::borrow::Cow::into_owned));
    }
    for (path, entry) in entries(context) {
        let Some(place) = entry.get("group") else {
            continue;
        };
        let Some(group) = place.text().filter(|group| !is_blank(group)) else {
            continue;
        };
        if !groups.contains(&*group) && !is_known_group(&group) {
            found
                .report(format!(
                    "{path} is given to {}, a group nobody makes",
                    shorten(&group)
                ))
                .at(&place)
                .hint("add the group to groups in parcel.json");
        }
    }
}
