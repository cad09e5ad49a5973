//! E1xx, continued: where links lead.

use super::entry::problems;
use crate::listing::{RawEntry, display_bytes};
use crate::tree::{Landing, Problem};
use crate::validate::context::Context;
use crate::validate::rule::{Findings, rules};

rules! {
    /// A link leads out of the parcel.
    ///
    /// ## What it checks
    /// That symbolic links, followed as the kernel would, stay inside the parcel, and hard links name
    /// a file of it. Absolute links into `/etc` and `/var` have a rule of their own.
    ///
    /// ## Why it matters
    /// The parcel then depends on what a host happens to have, or lets whoever follows it read and
    /// write elsewhere. A parcel is relocatable: where it will lie is a setting of the site.
    ///
    /// ## Example
    /// `lib/libfoo.so -> /home/build/lib/libfoo.so`
    ///
    /// ## How to fix
    /// Copy what it leads to into the parcel, and link with a relative path.
    ///
    /// ## Source
    /// The build of Cloudera's own SPARK2 parcel fails on such links. Its validator accepts them.
    "E106" "link-leaves" Error [] => link_leaves;

    /// A link leads to nothing.
    ///
    /// ## What it checks
    /// That what a relative link leads to is in the parcel.
    ///
    /// ## Why it matters
    /// Whoever opens it gets "No such file or directory". Often a package's development files were
    /// left out and the link to them was not.
    ///
    /// ## Example
    /// `lib/libfoo.so -> libfoo.so.1` without `libfoo.so.1`
    ///
    /// ## How to fix
    /// Delete the link, or add what it leads to.
    ///
    /// ## Source
    /// The build of Cloudera's own SPARK2 parcel fails on such links.
    "E107" "link-dangles" Warning [] => link_dangles;

    /// A link leads into /etc or /var.
    ///
    /// ## What it checks
    /// Whether absolute links lead to configuration or state of the host.
    ///
    /// ## Why it matters
    /// That is how parcels, which are immutable, reach what changes. The place must exist on every
    /// host, made by an alternative, a user's home or a service.
    ///
    /// ## Example
    /// `lib/hadoop/conf -> /etc/hadoop/conf`
    ///
    /// ## How to fix
    /// Nothing, if the place is made by someone.
    ///
    /// ## Source
    /// Links in CDH, and the exception that the build of the SPARK2 parcel makes for them.
    "E108" "link-to-system" Note [] => link_to_system;

    /// A link leads round in a circle.
    ///
    /// ## What it checks
    /// That following a link ends, within the forty links that Linux follows.
    ///
    /// ## Why it matters
    /// Whoever opens it gets "Too many levels of symbolic links"; tools that walk the tree may not
    /// come back.
    ///
    /// ## Example
    /// `a -> b`, `b -> a`
    ///
    /// ## How to fix
    /// Point one of them at a file.
    ///
    /// ## Source
    /// `path_resolution(7)`. Cloudera's validator accepts it.
    "E109" "link-loop" Error [] => link_loop;

    /// A hard link does not name a file before it.
    ///
    /// ## What it checks
    /// That a hard link's target is a file of the parcel that came earlier in the archive.
    ///
    /// ## Why it matters
    /// Unpacking makes the link when it meets it; the file is not there yet, and it fails.
    ///
    /// ## Example
    /// An archive that was sorted after it was written.
    ///
    /// ## How to fix
    /// Build the archive anew from a directory.
    ///
    /// ## Source
    /// POSIX `ustar`. Cloudera's validator accepts it.
    "E119" "hard-link-target" Error [] => hard_link;
}

fn hard_link(context: &Context<'_>, found: &mut Findings<'_>) {
    problems(context, found, "E119", "");
}

/// Where each symbolic link of the parcel leads.
pub(super) fn links<'a>(
    context: &'a Context<'_>,
) -> &'a [(&'a RawEntry, Result<Landing, Problem>)] {
    context.index.as_ref().map_or(&[], |index| &index.links)
}

fn link_leaves(context: &Context<'_>, found: &mut Findings<'_>) {
    let hint = "copy what it leads to into the parcel, and link with a relative path";
    problems(context, found, "E106", hint);
    for (entry, landing) in links(context) {
        if matches!(landing, Err(Problem::LinkLeaves { .. })) {
            let name = entry.display_name();
            let target = target(entry);
            found
                .report(format!(
                    "{name} is a link to {target}, which is outside the parcel"
                ))
                .file(name)
                .hint(hint);
        }
    }
}

/// The text of a link, for people.
fn target(entry: &RawEntry) -> String {
    display_bytes(entry.link.as_deref().unwrap_or_default())
}

fn link_dangles(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(index) = &context.index else { return };
    for (entry, landing) in links(context) {
        let Ok(Landing::Inside(path)) = landing else {
            continue;
        };
        if !index.is_directory(path) && index.get(path).is_none() {
            let name = entry.display_name();
            let target = target(entry);
            found
                .report(format!("{name} is a link to {target}, which is not there"))
                .file(name);
        }
    }
}

fn link_to_system(context: &Context<'_>, found: &mut Findings<'_>) {
    for (entry, landing) in links(context) {
        if *landing == Ok(Landing::System) {
            let name = entry.display_name();
            let target = target(entry);
            found
                .report(format!("{name} is a link to {target} of the host"))
                .file(name);
        }
    }
}

fn link_loop(context: &Context<'_>, found: &mut Findings<'_>) {
    for (entry, landing) in links(context) {
        if *landing == Err(Problem::LinkLoop) {
            let name = entry.display_name();
            found
                .report(format!("{name} {}", Problem::LinkLoop))
                .file(name);
        }
    }
}
