//! E1xx: the entries of an archive or a directory, by their names and kinds. Links and modes have
//! files of their own.

use std::collections::HashSet;

use super::link::links;
use crate::listing::{RawEntry, RawKind};
use crate::tree::Problem;
use crate::validate::context::Context;
use crate::validate::rule::{Findings, rules};

rules! {
    /// An entry has an absolute name.
    ///
    /// ## What it checks
    /// That no name in the archive begins with a slash.
    ///
    /// ## Why it matters
    /// Tar that is told to keep such names, or a simple unpacker, writes to the place on the host.
    ///
    /// ## Example
    /// `/etc/cron.d/job`
    ///
    /// ## How to fix
    /// Archive the directory by its relative name: `tar czf X.parcel NAME-VERSION`.
    ///
    /// ## Source
    /// Cloudera's validator looks at the text only; an absolute name is an unexpected directory.
    "E101" "absolute-name" Error [] => absolute_name;

    /// An entry has `..` in its name.
    ///
    /// ## What it checks
    /// That no part of a name is `..`.
    ///
    /// ## Why it matters
    /// Unpacking writes outside the parcel's directory, as root, on every host.
    ///
    /// ## Example
    /// `ANALYTICS-1.0/../../etc/passwd`
    ///
    /// ## How to fix
    /// Do not install the parcel. Find out who made it.
    ///
    /// ## Source
    /// Cloudera's validator accepts it: the name begins as it should.
    "E102" "parent-name" Error [] => parent_name;

    /// Entries have `./` in their names.
    ///
    /// ## What it checks
    /// That no part of a name is `.`.
    ///
    /// ## Why it matters
    /// Cloudera's tools compare names as texts: they see a directory called `.` and find no
    /// `parcel.json`. `make_manifest.py` silently drops the parcel.
    ///
    /// ## Example
    /// `tar czf X.parcel ./ANALYTICS-1.0`
    ///
    /// ## How to fix
    /// `tar czf X.parcel ANALYTICS-1.0`, without `./`.
    ///
    /// ## Source
    /// Cloudera's validator: "unexpected top level directories were observed: [.]".
    "E103" "dot-name" Error [] => dot_name;

    /// An entry lies outside the parcel's one directory.
    ///
    /// ## What it checks
    /// That every entry lies in the same directory at the top, not beside it and not in one whose
    /// name merely begins the same.
    ///
    /// ## Why it matters
    /// Unpacking puts it beside the parcel, into the folder of all parcels, where it may be another
    /// product's: `CDH-7.1.9/...` in your parcel overwrites CDH.
    ///
    /// ## Example
    /// `ANALYTICS-1.0-evil/x` beside `ANALYTICS-1.0/`
    ///
    /// ## How to fix
    /// Move it into the parcel's directory, or leave it out.
    ///
    /// ## Source
    /// Cloudera's validator compares the beginning of the text, so it accepts `ANALYTICS-1.0-evil`.
    "E104" "outside-directory" Error [] => outside_directory;

    /// A name occurs twice.
    ///
    /// ## What it checks
    /// That every name stands in the archive once.
    ///
    /// ## Why it matters
    /// The last one wins on hosts, the first one in tools that stop when they have found it: what was
    /// validated is not what is installed.
    ///
    /// ## Example
    /// Two entries `ANALYTICS-1.0/meta/parcel.json`, after `tar rf`.
    ///
    /// ## How to fix
    /// Build the archive anew from a directory.
    ///
    /// ## Source
    /// GNU tar unpacks both, in order. Cloudera's validator accepts it.
    "E105" "duplicate-entry-name" Error [] => duplicate_entry;

    /// An entry is a device, a pipe, a socket or something unknown.
    ///
    /// ## What it checks
    /// That the parcel holds files, directories and links only.
    ///
    /// ## Why it matters
    /// A device node unpacked by root is a door into the host; a pipe stops whoever reads it.
    ///
    /// ## Example
    /// A `dev/` from a container's root that was packed as it was.
    ///
    /// ## How to fix
    /// Leave it out.
    ///
    /// ## Source
    /// Cloudera's validator accepts it; no published parcel has one.
    "E110" "special-file" Error [] => special_file;

    /// A name is longer than old readers take.
    ///
    /// ## What it checks
    /// That names have at most 255 bytes, which is as much as a header of POSIX `ustar` holds.
    ///
    /// ## Why it matters
    /// Longer ones need an extension. GNU tar, Python and Java read it; unpackers in old appliances
    /// and some scanners cut the name off.
    ///
    /// ## Example
    /// `node_modules` inside `node_modules`, ten levels deep.
    ///
    /// ## How to fix
    /// Leave out what needs such names (tests, documentation), or accept the warning.
    ///
    /// ## Source
    /// POSIX `ustar`; Linux allows 255 bytes for one part and 4096 for a path.
    "E114" "long-name" Warning [] => long_name;

    /// A name is not ASCII.
    ///
    /// ## What it checks
    /// That names of entries and texts of links are ASCII.
    ///
    /// ## Why it matters
    /// Agents that run on Python 2 stop with "UnicodeDecodeError: ordinal not in range"; hosts with
    /// the C locale show and match such names wrongly.
    ///
    /// ## Example
    /// `share/doc/café.txt`
    ///
    /// ## How to fix
    /// Leave the file out, or rename it.
    ///
    /// ## Source
    /// Public threads with the agent's log.
    "E115" "non-ascii-name" Warning [] => non_ascii_name;

    /// An entry lies below something that is not a directory.
    ///
    /// ## What it checks
    /// That no name goes through a file or a link that came before it.
    ///
    /// ## Why it matters
    /// Unpacking through a link writes to wherever the link leads, outside the parcel for instance.
    ///
    /// ## Example
    /// A link `lib -> /etc`, then a file `lib/passwd`
    ///
    /// ## How to fix
    /// Do not install the parcel, unless you know how it came about.
    ///
    /// ## Source
    /// CVE-2007-4559 and its kin. Cloudera's validator accepts it.
    "E116" "through-link" Error [] => through_link;

    /// A name is not clean.
    ///
    /// ## What it checks
    /// That names have no empty parts (`a//b`) and no NUL bytes, and that a link has a text.
    ///
    /// ## Why it matters
    /// Tools that compare names as texts do not find the entry; tools that cut at NUL find another.
    ///
    /// ## Example
    /// `ANALYTICS-1.0//meta/parcel.json`
    ///
    /// ## How to fix
    /// Build the archive anew from a directory.
    ///
    /// ## Source
    /// POSIX `ustar`; Cloudera's validator looks for the exact text of the name.
    "E117" "unclean-name" Error [] => unclean_name;

    /// What stands at the top is not a directory.
    ///
    /// ## What it checks
    /// That the archive's one top entry is a directory.
    ///
    /// ## Why it matters
    /// There is no parcel in it.
    ///
    /// ## Example
    /// An archive of one file.
    ///
    /// ## How to fix
    /// `tar czf X.parcel NAME-VERSION`
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel format".
    "E118" "top-not-directory" Error [] => top_kind;

    /// A parcel holds more than anything can unpack.
    ///
    /// ## What it checks
    /// That no name is longer than Linux takes (4095 bytes, 255 for one part), that there are no
    /// more entries than ten times the largest parcels have, and that following all links ends in
    /// reasonable time.
    ///
    /// ## Why it matters
    /// Unpacking stops at the name that the file system refuses, with half of the parcel there. The
    /// other two are made to keep whoever reads the archive busy.
    ///
    /// ## Example
    /// A file whose name has 300 bytes.
    ///
    /// ## How to fix
    /// Shorten the name, or leave the file out.
    ///
    /// ## Source
    /// `NAME_MAX` and `PATH_MAX` of Linux. Cloudera's validator accepts it.
    "E120" "too-much" Error [] => too_much;
}

/// The rule that tells of a problem. Every problem has one: what cannot be a tree is never without
/// an error.
fn code_of(entry: &RawEntry, problem: &Problem) -> &'static str {
    match problem {
        Problem::Absolute => "E101",
        Problem::ParentPart => "E102",
        Problem::DotPart => "E103",
        Problem::OutsideTop { .. } => "E104",
        Problem::Duplicate => "E105",
        // Symbolic links are judged when all is known, which an entry by itself does not tell.
        Problem::LinkLeaves { .. } if entry.kind == RawKind::Symlink => "",
        Problem::LinkLeaves { .. } => "E106",
        Problem::LinkLoop => "E109",
        Problem::Kind { .. } => "E110",
        Problem::ThroughNonDirectory { .. } => "E116",
        Problem::EmptyPart | Problem::Nul | Problem::LinkEmpty | Problem::TopName => "E117",
        Problem::TopKind { .. } => "E118",
        Problem::HardLinkTarget { .. } => "E119",
        Problem::TooLong { .. }
        | Problem::PartTooLong { .. }
        | Problem::TooDeep { .. }
        | Problem::TooMany { .. }
        | Problem::TooManyLinks => "E120",
    }
}

/// Reports the entries whose problem belongs to a rule.
pub(super) fn problems(context: &Context<'_>, found: &mut Findings<'_>, code: &str, hint: &str) {
    let Some(index) = &context.index else { return };
    for (entry, problem) in &index.problems {
        if code_of(entry, problem) == code {
            let name = entry.display_name();
            let finding = found.report(format!("{name} {problem}"));
            finding.file(name);
            if !hint.is_empty() {
                finding.hint(hint);
            }
        }
    }
}

fn absolute_name(context: &Context<'_>, found: &mut Findings<'_>) {
    problems(context, found, "E101", "");
}

fn parent_name(context: &Context<'_>, found: &mut Findings<'_>) {
    problems(context, found, "E102", "");
}

fn dot_name(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "archive it as tar czf X.parcel NAME-VERSION, without ./";
    problems(context, found, "E103", hint);
}

fn outside_directory(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "a parcel holds exactly one directory, NAME-VERSION";
    problems(context, found, "E104", hint);
}

fn duplicate_entry(context: &Context<'_>, found: &mut Findings<'_>) {
    problems(context, found, "E105", "");
}

fn special_file(context: &Context<'_>, found: &mut Findings<'_>) {
    problems(context, found, "E110", "leave it out");
}

fn through_link(context: &Context<'_>, found: &mut Findings<'_>) {
    problems(context, found, "E116", "");
}

fn unclean_name(context: &Context<'_>, found: &mut Findings<'_>) {
    problems(context, found, "E117", "");
}

fn top_kind(context: &Context<'_>, found: &mut Findings<'_>) {
    problems(context, found, "E118", "");
}

fn too_much(context: &Context<'_>, found: &mut Findings<'_>) {
    problems(context, found, "E120", "");
    for (entry, landing) in links(context) {
        if *landing == Err(Problem::TooManyLinks) {
            let name = entry.display_name();
            found
                .report(format!("{name} {}", Problem::TooManyLinks))
                .file(name);
        }
    }
}

fn long_name(context: &Context<'_>, found: &mut Findings<'_>) {
    const MOST_BYTES: usize = 255;
    let Some(listing) = context.listing else {
        return;
    };
    // Names that nothing can unpack are told as that.
    let told: HashSet<&[u8]> = context
        .index
        .iter()
        .flat_map(|index| &index.problems)
        .filter(|(entry, problem)| code_of(entry, problem) == "E120")
        .map(|(entry, _)| entry.name.as_slice())
        .collect();
    for entry in &listing.entries {
        let length = entry.name.len();
        if length > MOST_BYTES && !told.contains(entry.name.as_slice()) {
            let name = entry.display_name();
            found.report(format!("a name of {length} bytes")).file(name);
        }
    }
}

fn non_ascii_name(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(listing) = context.listing else {
        return;
    };
    for entry in &listing.entries {
        let link = entry.link.as_deref().unwrap_or_default();
        if !entry.name.is_ascii() || !link.is_ascii() {
            let name = entry.display_name();
            let what = if entry.name.is_ascii() {
                "is a link to a name that is not ASCII"
            } else {
                "is not an ASCII name"
            };
            found.report(format!("{name} {what}")).file(name);
        }
    }
}
