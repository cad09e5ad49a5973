//! D1xx: whether a document has the shape that it must have.

use crate::validate::context::Context;
use crate::validate::document::{Document, Place};
use crate::validate::json::{Node, shorten};
use crate::validate::placeholder;
use crate::validate::rule::{Findings, rules};
use crate::validate::schema::DefectKind;

rules! {
    /// A value has a type that cannot be read.
    ///
    /// ## What it checks
    /// That every value has the type its key asks for: an object is not an array, a list of objects
    /// holds no strings, a number fits 32 bits, a date is one.
    ///
    /// ## Why it matters
    /// Cloudera Manager refuses the whole document, and the parcel with it.
    ///
    /// ## Example
    /// ```json
    /// {"depends": ["CDH"]}
    /// ```
    ///
    /// ## How to fix
    /// Write the type that the message names. `depends` is one string: `"CDH (>= 5.15), SPARK"`.
    ///
    /// ## Source
    /// The descriptors of Cloudera's validator, and what its reader (Jackson) converts and what not.
    "D101" "wrong-type" Error [] => wrong_type;

    /// A value has another type than its key, and is converted.
    ///
    /// ## What it checks
    /// That numbers and booleans do not stand where a string belongs, strings where a number or a
    /// boolean belongs, fractions where a whole number belongs, a date where milliseconds belong.
    ///
    /// ## Why it matters
    /// Cloudera Manager converts such values silently, and not always as one would think: the version
    /// `1.10` as a number stays `1.10` in Java and becomes `1.1` in Python; the priority `1.9` becomes
    /// `1`; epoch seconds in quotes are no date at all.
    ///
    /// ## Example
    /// ```json
    /// {"version": 1.10, "setActiveSymlink": "true"}
    /// ```
    ///
    /// ## How to fix
    /// Write `"version": "1.10"` and `"setActiveSymlink": true`.
    ///
    /// ## Source
    /// Jackson's `ALLOW_COERCION_OF_SCALARS` and `ACCEPT_FLOAT_AS_INT`, which are on; verdicts of
    /// Cloudera's validator in `fixtures/conformance`.
    "D102" "coerced-value" Warning [] => coerced;

    /// A key that must be there is missing.
    ///
    /// ## What it checks
    /// `parcel.json` needs `schema_version`, `name`, `version`, `setActiveSymlink`, `scripts` (with
    /// `defines`), `packages`, `components`, `users` and `groups`; an alternative `destination`,
    /// `source`, `priority` and `isDirectory`; a permission `user`, `group` and `permissions`; a
    /// manifest `lastUpdated` and `parcels`, each with `parcelName`, `hash` and `components`.
    ///
    /// ## Why it matters
    /// Cloudera Manager refuses the document. Empty lists and objects are fine, absent ones are not.
    ///
    /// ## Example
    /// A `parcel.json` without `users` because there are none.
    ///
    /// ## How to fix
    /// Add the key; `"users": {}`, `"groups": []`, `"packages": []` say that there are none.
    ///
    /// ## Source
    /// The descriptors of Cloudera's validator ("must be present").
    "D103" "missing-field" Error [] => missing;

    /// A value that must say something is null or blank.
    ///
    /// ## What it checks
    /// That required texts are not empty or made of blanks, and that required values are not null.
    ///
    /// ## Why it matters
    /// Cloudera Manager refuses the document as if the key were missing.
    ///
    /// ## Example
    /// ```json
    /// {"version": "", "groups": null}
    /// ```
    ///
    /// ## How to fix
    /// Give the value, or an empty list or object where there is nothing to list.
    ///
    /// ## Source
    /// The descriptors of Cloudera's validator ("must be present and not blank"). It counts only
    /// ASCII blanks as blank; this rule counts every Unicode blank.
    "D104" "blank-value" Error [] => blank;

    /// A key is not one that Cloudera Manager knows.
    ///
    /// ## What it checks
    /// That every key of every object is known. The message names the nearest known one.
    ///
    /// ## Why it matters
    /// Cloudera's validator refuses unknown keys. What is meant by the key does not happen, which
    /// for a misspelled optional key (`provide`) goes unnoticed until a service does not start.
    ///
    /// ## Example
    /// ```json
    /// {"provide": ["spark-plugin"]}
    /// ```
    ///
    /// ## How to fix
    /// Use the name in the hint, or delete the key.
    ///
    /// ## Source
    /// Cloudera's validator: "Unrecognized field".
    "D105" "unknown-field" Error [] => unknown;

    /// A key is written in camelCase where it has an underscore, or the other way round.
    ///
    /// ## What it checks
    /// That keys are spelled as Cloudera Manager spells them: `schema_version` and `extra_groups`
    /// with underscores, `setActiveSymlink` and `isDirectory` without.
    ///
    /// ## Why it matters
    /// The key is unknown, so the document is refused; a known generator of parcel metadata writes
    /// `schemaVersion`, `longName` and `extraGroups`, and none of its documents is valid.
    ///
    /// ## Example
    /// ```json
    /// {"schemaVersion": 1}
    /// ```
    ///
    /// ## How to fix
    /// Rename the key as the hint says.
    ///
    /// ## Source
    /// The descriptors of Cloudera's validator; output of the Maven plugin cdmpacker.
    "D106" "camel-case-key" Error [] => camel_case;

    /// A key was given up before the first public schema.
    ///
    /// ## What it checks
    /// That `minPrevVersion` and `maxPrevVersion` are not used.
    ///
    /// ## Why it matters
    /// They stem from a draft of 2013. Cloudera's validator refuses the document; nothing reads them.
    ///
    /// ## Example
    /// ```json
    /// {"minPrevVersion": "1.0"}
    /// ```
    ///
    /// ## How to fix
    /// Delete the key.
    ///
    /// ## Source
    /// Parcels published in 2013, for example brockn/python2.7_parcel.
    "D107" "retired-key" Error [] => retired;

    /// A key that only newer Cloudera Managers know.
    ///
    /// ## What it checks
    /// Whether a manifest's entry has `displayName` or `description`.
    ///
    /// ## Why it matters
    /// Newer Cloudera Managers write and show them; Cloudera's public validator, which stopped in
    /// 2016, refuses them. This is no fault of the manifest.
    ///
    /// ## Example
    /// ```json
    /// {"parcelName": "CDH-7.1.9-el8.parcel", "displayName": "Cloudera Runtime"}
    /// ```
    ///
    /// ## How to fix
    /// Nothing, unless the manifest must pass the old validator too.
    ///
    /// ## Source
    /// The parcel model of cloudbreak; the API's `ApiParcel` has both since 2017.
    "D108" "newer-key" Note [] => newer;

    /// An entry has null instead of its values.
    ///
    /// ## What it checks
    /// That users, alternatives and permissions are objects.
    ///
    /// ## Why it matters
    /// Cloudera's reader passes over a user that is null, but the agent asks it for its home and
    /// shell, and fails.
    ///
    /// ## Example
    /// ```json
    /// {"users": {"analyst": null}}
    /// ```
    ///
    /// ## How to fix
    /// Give the entry its values, or delete it.
    ///
    /// ## Source
    /// Verdicts of Cloudera's validator; the agent's part is inferred.
    "D109" "null-entry" Error [] => null_entry;

    /// A list or a map holds null.
    ///
    /// ## What it checks
    /// That no element of `provides`, `groups`, `extra_groups`, `extraVersionInfo` or
    /// `servicesRestartInfo` is null.
    ///
    /// ## Why it matters
    /// Cloudera's validator takes it. What a group named null is to an agent nobody knows.
    ///
    /// ## Example
    /// ```json
    /// {"groups": [null]}
    /// ```
    ///
    /// ## How to fix
    /// Delete the element.
    ///
    /// ## Source
    /// Verdicts of Cloudera's validator in `fixtures/conformance`.
    "D110" "null-element" Warning [] => null_element;

    /// Two elements of a list have the same name.
    ///
    /// ## What it checks
    /// That `packages` and `components` have no two elements of one `name`, a manifest no two
    /// entries of one `parcelName`.
    ///
    /// ## Why it matters
    /// Cloudera Manager refuses the document: it keeps these lists by name.
    ///
    /// ## Example
    /// ```json
    /// {"packages": [{"name": "zlib", "version": "1.2"}, {"name": "zlib", "version": "1.3"}]}
    /// ```
    ///
    /// ## How to fix
    /// Keep one. Where two versions are really there, as in two environments, give them names that
    /// differ: `py311/zlib`.
    ///
    /// ## Source
    /// Cloudera's validator: "must be unique in list".
    "D111" "duplicate-name" Error [] => not_unique;

    /// An alternative or a permission is defined twice.
    ///
    /// ## What it checks
    /// That no key occurs twice at the top of `alternatives.json` and `permissions.json`.
    ///
    /// ## Why it matters
    /// Cloudera's reader builds a map that takes each key once, and fails.
    ///
    /// ## Example
    /// ```json
    /// {"bin/a": {"user": "root"}, "bin/a": {"user": "app"}}
    /// ```
    ///
    /// ## How to fix
    /// Keep the one that is meant.
    ///
    /// ## Source
    /// Cloudera's validator: "Unable to access getPermissions".
    "D112" "duplicate-entry" Error [] => duplicate_entry;

    /// A key occurs twice in one object.
    ///
    /// ## What it checks
    /// That the keys of every object differ.
    ///
    /// ## Why it matters
    /// Every reader keeps the last and forgets the first without a word; whoever edited the first
    /// wonders why nothing changes.
    ///
    /// ## Example
    /// ```json
    /// {"version": "1.0", "name": "A", "version": "1.1"}
    /// ```
    ///
    /// ## How to fix
    /// Keep the one that is meant.
    ///
    /// ## Source
    /// RFC 8259 section 4: "The names within an object SHOULD be unique".
    "D113" "duplicate-key" Warning [] => duplicate_key;

    /// A placeholder of a template was left in a value.
    ///
    /// ## What it checks
    /// That no text holds a placeholder in one of the styles that templates of parcels have:
    /// `%VERSION%`, `${version}`, `{{ version }}`, `__VERSION__`, `#VERSION#`, `<VERSION>`.
    ///
    /// ## Why it matters
    /// The build did not replace it, so the parcel has a version or a dependency that is no such
    /// thing: `depends` on `CDH (>= %CDH_MIN%)` is never met.
    ///
    /// ## Example
    /// ```json
    /// {"version": "%VERSION%"}
    /// ```
    ///
    /// ## How to fix
    /// Validate the document after the build has filled it in, or mend the build.
    ///
    /// ## Source
    /// Templates of some twenty public parcels.
    "D114" "placeholder-left" Warning [] => placeholder_left;
}

impl Document {
    /// The path inside the subject of a document that was not read.
    pub(super) fn path_of(
        context: &Context<'_>,
        kind: crate::validate::document::DocKind,
    ) -> String {
        if context.listing.is_some() {
            format!("meta/{}", kind.file_name())
        } else {
            kind.file_name().to_owned()
        }
    }
}

/// Reports the defects of one kind in all documents.
fn defects(context: &Context<'_>, kind: DefectKind, found: &mut Findings<'_>) {
    for document in context.documents() {
        for defect in document.defects.iter().filter(|defect| defect.kind == kind) {
            let finding = found.report(defect.message.clone());
            finding.in_document(document, &defect.pointer, defect.span);
            finding.hint.clone_from(&defect.hint);
        }
    }
}

fn wrong_type(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::WrongType, found);
}

fn coerced(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::Coerced, found);
}

fn missing(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::Missing, found);
}

fn blank(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::Blank, found);
}

fn unknown(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::Unknown, found);
}

fn camel_case(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::CamelCase, found);
}

fn retired(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::Retired, found);
}

fn newer(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::Newer, found);
}

fn null_entry(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::NullEntry, found);
}

fn null_element(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::NullElement, found);
}

fn not_unique(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::NotUnique, found);
}

fn duplicate_entry(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::DuplicateEntry, found);
}

fn duplicate_key(context: &Context<'_>, found: &mut Findings<'_>) {
    defects(context, DefectKind::DuplicateKey, found);
}

fn placeholder_left(context: &Context<'_>, found: &mut Findings<'_>) {
    for document in context.documents() {
        if let Some(root) = document.root() {
            visit_placeholders(&root, found);
        }
    }
}

fn visit_placeholders(place: &Place<'_>, found: &mut Findings<'_>) {
    match &place.value.node {
        Node::String(text) => {
            if let Some(left) = placeholder::find(text) {
                let message = format!("{} was not replaced", shorten(left));
                found
                    .report(message)
                    .at(place)
                    .hint("validate the document after the build has filled it in");
            }
        }
        Node::Array(_) => {
            for item in place.items() {
                visit_placeholders(&item, found);
            }
        }
        Node::Object(_) => {
            for (key, member) in place.members() {
                // Release notes are prose: brackets and hashes mean nothing in them.
                if key == "releaseNotes" {
                    continue;
                }
                if let Some(left) = placeholder::find(key) {
                    let message = format!("{} was not replaced", shorten(left));
                    found
                        .report(message)
                        .in_document(place.doc, &member.pointer, member.key_span);
                }
                visit_placeholders(&member, found);
            }
        }
        _ => {}
    }
}
