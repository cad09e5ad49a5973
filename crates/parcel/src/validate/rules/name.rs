//! N1xx: the names of a parcel, in its file, its directory and its metadata.

use crate::distro;
use crate::name::NAME_MARKS;
use crate::validate::context::{Context, FileName};
use crate::validate::document::Place;
use crate::validate::json::shorten;
use crate::validate::placeholder;
use crate::validate::rule::{Findings, rules};

rules! {
    /// The file is not called PRODUCT-VERSION-DISTRO.parcel.
    ///
    /// ## What it checks
    /// That the name ends in `.parcel` and has a product, a version and a distro suffix with dashes
    /// between them. Only the version may hold dashes: the name is split at its first and its last.
    ///
    /// ## Why it matters
    /// Cloudera Manager learns product, version and operating system from the name alone. A file
    /// that is called otherwise is not offered, or for the wrong systems.
    ///
    /// ## Example
    /// `ANALYTICS-1.0.parcel`, whose version would be missing.
    ///
    /// ## How to fix
    /// Rename the file: `ANALYTICS-1.0-el8.parcel`.
    ///
    /// ## Source
    /// `ParcelFileRunner` of Cloudera's validator, `_get_parcel_dirname` of `make_manifest.py`.
    /// Cloudera's validator also accepts an empty part.
    "N101" "file-name" Error [] => file_name;

    /// The distro suffix is not a known one.
    ///
    /// ## What it checks
    /// That the file name ends in a suffix of the distro table (`parcelctl` prints it with
    /// `parcelctl explain N102`; it was last checked in 2026-11).
    ///
    /// ## Why it matters
    /// Hosts look for the suffix of their own system. One that is misspelled (`EL7`, `rhel8`) is
    /// never distributed; one that is newer than this table is fine.
    ///
    /// ## Example
    /// `ANALYTICS-1.0-EL7.parcel`
    ///
    /// ## How to fix
    /// Use the suffix in the hint, or allow this rule if the system is newer than the table.
    ///
    /// ## Source
    /// Cloudera's validator up to `xenial`; published parcels of CDP 7.1 to 7.3 for the rest.
    "N102" "unknown-distro" Warning [] => unknown_distro;

    /// The product's name has a dash.
    ///
    /// ## What it checks
    /// That `name` in `parcel.json` holds no dash.
    ///
    /// ## Why it matters
    /// The first dash of the directory and of the file name starts the version. With a dash in the
    /// name, `MY-TOOL-1.0` is version `TOOL-1.0` of `MY`. Cloudera Manager refuses the parcel.
    ///
    /// ## Example
    /// ```json
    /// {"name": "MY-TOOL"}
    /// ```
    ///
    /// ## How to fix
    /// Use an underscore: `MY_TOOL`.
    ///
    /// ## Source
    /// Cloudera's validator: "must not contain any '-' characters".
    "N103" "name-has-dash" Error [ParcelJson] => name_has_dash;

    /// A name or version cannot be the name of a directory.
    ///
    /// ## What it checks
    /// That `name` and `version` in `parcel.json` hold no slash and no control character, and are
    /// not `.` or `..`.
    ///
    /// ## Why it matters
    /// The agent unpacks into a directory `NAME-VERSION` below the parcels folder. A slash makes it
    /// another folder, possibly outside.
    ///
    /// ## Example
    /// ```json
    /// {"name": "A", "version": "1/../../../etc"}
    /// ```
    ///
    /// ## How to fix
    /// Use letters, digits and the marks `.`, `_`, `+`, `~`; in the version also dashes.
    ///
    /// ## Source
    /// Cloudera's validator refuses line ends in a name; it accepts the rest. How the agent uses the
    /// name is in its log.
    "N104" "unusable-name" Error [ParcelJson] => unusable_name;

    /// A name or version has characters that do not survive everywhere.
    ///
    /// ## What it checks
    /// That `name` and `version` are made of ASCII letters, digits and `.`, `_`, `+`, `~`, `-`.
    ///
    /// ## Why it matters
    /// The name becomes a URL, a file name, a word in shell scripts and a text in Python 2 agents.
    /// Blanks split words, other scripts' letters end in "UnicodeDecodeError: ordinal not in range".
    ///
    /// ## Example
    /// ```json
    /// {"version": "1.0 beta"}
    /// ```
    ///
    /// ## How to fix
    /// `1.0_beta`, `1.0~beta`.
    ///
    /// ## Source
    /// Agent logs in public threads (`downloader.py`); Cloudera's own names hold nothing else.
    "N105" "awkward-name" Warning [ParcelJson] => awkward_name;

    /// The directory is not called NAME-VERSION.
    ///
    /// ## What it checks
    /// That the one directory in the parcel is `name` and `version` of `parcel.json` joined by a
    /// dash, and that the file is called after it.
    ///
    /// ## Why it matters
    /// Cloudera Manager marks the parcel invalid after distributing it; activation links to a
    /// directory that is not there.
    ///
    /// ## Example
    /// `ANALYTICS-1.0-el8.parcel` that holds `ANALYTICS-1.0.0/`.
    ///
    /// ## How to fix
    /// Rename the directory or the file, or change `parcel.json`, so that all three agree.
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel.json file"; `ParcelDirectoryRunner` of its validator.
    "N106" "directory-name" Error [] => directory_name;

    /// extraVersionInfo disagrees with the version.
    ///
    /// ## What it checks
    /// That `fullVersion` is `VERSION-DISTRO` (or `VERSION` where the distro is not known) and that
    /// `baseVersion` occurs in the version.
    ///
    /// ## Why it matters
    /// Cloudera Manager shows these values; with a wrong one people cannot tell which parcel runs.
    /// The usual cause is a release that changed one of the two.
    ///
    /// ## Example
    /// ```json
    /// {"version": "1.1", "extraVersionInfo": {"fullVersion": "1.0-el8"}}
    /// ```
    ///
    /// ## How to fix
    /// Write the values that the version and the file name give, or leave `extraVersionInfo` out.
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel.json file".
    "N107" "version-info-disagrees" Warning [ParcelJson] => version_info;
}

fn file_name(context: &Context<'_>, found: &mut Findings<'_>) {
    const HINT: &str = "a parcel is called like ANALYTICS-1.0-el8.parcel";
    let message = |name: &str| format!("{} is not PRODUCT-VERSION-DISTRO.parcel", shorten(name));
    if let Some(name) = &context.file_name
        && name.parts.is_none()
    {
        found.report(message(&name.whole)).hint(HINT);
    }
    let parcels = context.folder.map(|folder| folder.parcels.as_slice());
    for parcel in parcels.unwrap_or_default() {
        if FileName::of(&parcel.name).parts.is_none() {
            found
                .report(message(&parcel.name))
                .file(&parcel.name)
                .hint(HINT);
        }
    }
}

fn unknown_distro(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(suffix) = context.distro() else {
        return;
    };
    if distro::lookup(suffix).is_some() {
        return;
    }
    let message = format!("{} is not a known distro suffix", shorten(suffix));
    let finding = found.report(message);
    let lower = suffix
        .to_lowercase()
        .replace("rhel", "el")
        .replace("centos", "el");
    if distro::lookup(&lower).is_some() {
        finding.hint(format!("did you mean {lower}?"));
    } else {
        let known: Vec<&str> = distro::TABLE.iter().map(|row| row.suffix).collect();
        finding.hint(format!("known in {}: {}", distro::AS_OF, known.join(" ")));
    }
}

fn name_has_dash(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(place) = context.parcel_json().and_then(|doc| doc.get("name")) else {
        return;
    };
    let Some(name) = place.text().filter(|name| name.contains('-')) else {
        return;
    };
    found
        .report(format!("name {} has a dash", shorten(&name)))
        .at(&place)
        .hint(format!("use {}", shorten(&name.replace('-', "_"))));
}

/// `name` and `version` of `parcel.json`, where they are texts.
fn names<'d>(context: &'d Context<'_>) -> Vec<(&'static str, Place<'d>, String)> {
    let Some(document) = context.parcel_json() else {
        return Vec::new();
    };
    ["name", "version"]
        .into_iter()
        .filter_map(|key| {
            let place = document.get(key)?;
            let text = place.text()?.into_owned();
            Some((key, place, text))
        })
        .collect()
}

/// Line ends include those that Java counts as such beside the ones of ASCII.
fn is_unusable(character: char) -> bool {
    character == '/' || character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

fn unusable_name(context: &Context<'_>, found: &mut Findings<'_>) {
    for (key, place, text) in names(context) {
        if let Some(character) = text.chars().find(|&c| is_unusable(c)) {
            found
                .report(format!(
                    "{key} {} has the character {character:?}",
                    shorten(&text)
                ))
                .at(&place)
                .hint("the name and the version make the name of a directory");
        } else if text == "." || text == ".." {
            found
                .report(format!("{key} \"{text}\" is no name"))
                .at(&place);
        }
    }
}

fn awkward_name(context: &Context<'_>, found: &mut Findings<'_>) {
    for (key, place, text) in names(context) {
        if text.chars().any(is_unusable) || placeholder::find(&text).is_some() {
            continue;
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || NAME_MARKS.contains(c);
        if let Some(character) = text.chars().find(|&c| !plain(c)) {
            found
                .report(format!(
                    "{key} {} has the character {character:?}",
                    shorten(&text)
                ))
                .at(&place)
                .hint("use ASCII letters, digits and the marks . _ + ~");
        }
    }
}

fn directory_name(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(index) = context.index.as_ref().filter(|index| !index.top.is_empty()) else {
        return;
    };
    let top = &index.top;
    let parts = context
        .file_name
        .as_ref()
        .and_then(|name| name.parts.as_ref());
    if let Some((product, version, _)) = parts {
        let wanted = format!("{product}-{version}");
        if *top != wanted {
            let finding = found.report(format!(
                "the directory is {top}, but the file's name asks for {wanted}"
            ));
            // Without a dash, as in the "." of an archive of the directory's content, no file could
            // be called after it.
            if top.contains('-') {
                finding.hint(format!(
                    "rename one of them; the file would be {top}-DISTRO.parcel"
                ));
            }
        }
    }
    let Some(document) = context.parcel_json() else {
        return;
    };
    let (Some(name), Some(version)) = (document.text("name"), document.text("version")) else {
        return;
    };
    let wanted = format!("{name}-{version}");
    if *top != wanted {
        let message = format!("the directory is {top}, but parcel.json asks for {wanted}");
        let finding = found.report(message);
        let key = match top.strip_prefix(&format!("{name}-")) {
            Some(_) => "version",
            None => "name",
        };
        if let Some(place) = document.get(key) {
            finding.at(&place);
        }
        finding.hint(
            "the directory must be called NAME-VERSION, or Cloudera Manager refuses the parcel",
        );
    }
}

fn version_info(context: &Context<'_>, found: &mut Findings<'_>) {
    let Some(document) = context.parcel_json() else {
        return;
    };
    let (Some(info), Some(version)) = (document.get("extraVersionInfo"), document.text("version"))
    else {
        return;
    };
    let text = |key: &str| {
        let place = info.get(key)?;
        let text = place.text()?.into_owned();
        // What a build has yet to fill in agrees with nothing; that has a rule of its own.
        let open = placeholder::find(&text)
            .or_else(|| placeholder::find(&version))
            .is_some();
        (!open && !text.is_empty()).then_some((place, text))
    };
    if let Some((place, full)) = text("fullVersion") {
        let rest = full.strip_prefix(&*version);
        let rest = rest.and_then(|rest| rest.strip_prefix('-'));
        let agrees =
            full == version || rest.is_some_and(|rest| context.distro().is_none_or(|d| d == rest));
        let wanted = format!("{version}-{}", context.distro().unwrap_or("DISTRO"));
        if !agrees {
            found
                .report(format!("fullVersion is {}, not {wanted}", shorten(&full)))
                .at(&place)
                .hint("write the version and the distro of the file's name");
        }
    }
    if let Some((place, base)) = text("baseVersion")
        && !version.contains(&*base)
    {
        found
            .report(format!(
                "baseVersion {} does not occur in the version {}",
                shorten(&base),
                shorten(&version)
            ))
            .at(&place);
    }
}
