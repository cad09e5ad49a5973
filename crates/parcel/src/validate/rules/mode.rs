//! E1xx, continued: who may do what with files.

use crate::listing::{RawEntry, RawKind};
use crate::validate::context::Context;
use crate::validate::rule::{Findings, rules};

rules! {
    /// A file has a setuid or setgid bit that permissions.json does not declare.
    ///
    /// ## What it checks
    /// That files with these bits are listed in `meta/permissions.json` with them.
    ///
    /// ## Why it matters
    /// The bits do not survive unpacking, so the program does not work on hosts; or, where they do,
    /// nobody was told of a program that runs as root.
    ///
    /// ## Example
    /// `bin/runas` with mode 4750 and no `permissions.json`
    ///
    /// ## How to fix
    /// `{"bin/runas": {"user": "root", "group": "app", "permissions": "4750"}}`, and mode 0755 in the
    /// archive.
    ///
    /// ## Source
    /// Cloudera's wiki, "The permissions.json file".
    "E111" "undeclared-setuid" Warning [Permissions] => undeclared_setuid;

    /// Everyone may write to a file or a directory.
    ///
    /// ## What it checks
    /// That nothing is writable for others, except directories with the sticky bit.
    ///
    /// ## Why it matters
    /// Any user of a host can change what others run. Parcels are immutable by design.
    ///
    /// ## Example
    /// A tree that was copied through a file system without modes, where everything is 0777.
    ///
    /// ## How to fix
    /// `chmod -R go-w NAME-VERSION` before packing; `parcelctl build` writes 0755 and 0644 only.
    ///
    /// ## Source
    /// Cloudera's wiki, "Cloudera Manager assumptions": nothing may write into a parcel.
    "E112" "world-writable" Warning [] => world_writable;

    /// Others cannot read a file or enter a directory.
    ///
    /// ## What it checks
    /// That files are readable and directories enterable for others, unless `permissions.json` gives
    /// them a mode.
    ///
    /// ## Why it matters
    /// Files are unpacked as root's; services run as users of their own, and get "Permission denied".
    ///
    /// ## Example
    /// A tree built with umask 077.
    ///
    /// ## How to fix
    /// `chmod -R go+rX NAME-VERSION` before packing.
    ///
    /// ## Source
    /// Cloudera's wiki, "The permissions.json file", on who owns unpacked files.
    "E113" "unreadable" Warning [Permissions] => unreadable;
}

/// The entries whose modes mean something.
fn with_modes<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a RawEntry> {
    let entries = context.listing.map(|listing| listing.entries.as_slice());
    entries
        .unwrap_or_default()
        .iter()
        .filter(|entry| matches!(entry.kind, RawKind::File | RawKind::Directory))
}

fn undeclared_setuid(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(index) = &context.index else { return };
    let declared = super::permissions::declared(context);
    for entry in with_modes(context) {
        let bits = entry.mode & 0o6000;
        if bits == 0 || entry.kind != RawKind::File {
            continue;
        }
        let path = index.below(entry).unwrap_or_default();
        let told = declared
            .get(path)
            .is_some_and(|mode| mode.bits() & bits == bits);
        if !told {
            let name = entry.display_name();
            found
                .report(format!(
                    "{name} has mode {:04o}, which permissions.json does not declare",
                    entry.mode
                ))
                .file(name)
                .hint(
                    "setuid bits do not survive unpacking; declare them in meta/permissions.json",
                );
        }
    }
}

fn world_writable(context: &Context<'_>, found: &mut Findings<'_>) {
    for entry in with_modes(context) {
        let sticky = entry.kind == RawKind::Directory && entry.mode & 0o1000 != 0;
        if entry.mode & 0o002 != 0 && !sticky {
            let name = entry.display_name();
            found
                .report(format!(
                    "{name} has mode {:04o}: everyone may write to it",
                    entry.mode
                ))
                .file(name)
                .hint("chmod -R go-w before packing");
        }
    }
}

fn unreadable(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(index) = &context.index else { return };
    let declared = super::permissions::declared(context);
    for entry in with_modes(context) {
        let wanted = match entry.kind {
            RawKind::Directory => 0o005,
            _ => 0o004,
        };
        let path = index.below(entry).unwrap_or_default();
        let told = declared.contains_key(path);
        if entry.mode & wanted != wanted && !told {
            let name = entry.display_name();
            let what = match entry.kind {
                RawKind::Directory => "others cannot look into it",
                _ => "others cannot read it",
            };
            found
                .report(format!("{name} has mode {:04o}: {what}", entry.mode))
                .file(name)
                .hint("chmod -R go+rX before packing");
        }
    }
}
