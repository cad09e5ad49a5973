//! R1xx: what a `manifest.json` says, beyond its shape.

use crate::digest::Sha1Hex;
use crate::validate::context::{Context, FileName};
use crate::validate::document::{DocKind, Place, is_blank};
use crate::validate::json::{Node, shorten};
use crate::validate::rule::{Findings, rules};

rules! {
    /// The hash of a manifest's entry is not a SHA-1.
    ///
    /// ## What it checks
    /// That `hash` is 40 hexadecimal digits.
    ///
    /// ## Why it matters
    /// Cloudera Manager computes the SHA-1 of what it downloaded and compares. Anything else never
    /// matches: "hash verification failed", after the download.
    ///
    /// ## Example
    /// A SHA-256, which has 64 digits.
    ///
    /// ## How to fix
    /// `parcelctl repo index DIR`, or `sha1sum X.parcel`.
    ///
    /// ## Source
    /// `make_manifest.py`. Cloudera's validator accepts any text.
    "R101" "manifest-hash-form" Error [Manifest] => hash_form;

    /// An entry's parcelName is not the name of a parcel's file.
    ///
    /// ## What it checks
    /// That `parcelName` is `PRODUCT-VERSION-DISTRO.parcel`, without a slash.
    ///
    /// ## Why it matters
    /// Cloudera Manager learns product, version and distro from it and appends it to the repository's
    /// URL.
    ///
    /// ## Example
    /// `"parcelName": "el8/ANALYTICS-1.0-el8.parcel"`
    ///
    /// ## How to fix
    /// Put the parcel beside the manifest and write its bare name; `parcelctl repo index` does.
    ///
    /// ## Source
    /// Cloudera's wiki, "The parcel repository format". Its validator accepts any text.
    "R102" "manifest-parcel-name" Error [Manifest] => parcel_name;

    /// lastUpdated is not in milliseconds.
    ///
    /// ## What it checks
    /// That `lastUpdated` lies between 1973 and 2286 when it is taken for milliseconds since 1970.
    ///
    /// ## Why it matters
    /// Cloudera Manager reads a manifest anew when this number grows. Seconds are a thousand times
    /// smaller, so after a manifest in milliseconds they are never newer, and nothing is offered.
    ///
    /// ## Example
    /// `"lastUpdated": 1392073012`
    ///
    /// ## How to fix
    /// Multiply by 1000; `parcelctl repo index` writes milliseconds.
    ///
    /// ## Source
    /// `make_manifest.py` writes milliseconds; the test data of Cloudera's validator and a public
    /// repository have seconds.
    "R103" "last-updated-unit" Warning [Manifest] => last_updated;
}

/// The entries of the manifest.
pub(super) fn entries<'d>(context: &'d Context<'_>) -> Vec<Place<'d>> {
    let parcels = context
        .document(DocKind::Manifest)
        .and_then(|doc| doc.get("parcels"));
    parcels.map(|parcels| parcels.items()).unwrap_or_default()
}

fn hash_form(context: &Context<'_>, found: &mut Findings<'_>) {
    for entry in entries(context) {
        let Some(place) = entry.get("hash") else {
            continue;
        };
        let Some(text) = place.text().filter(|text| !is_blank(text)) else {
            continue;
        };
        if text.parse::<Sha1Hex>().is_ok() {
            continue;
        }
        let message = match digits(&text) {
            Some(64) => {
                "hash is a SHA-256 (64 digits); Cloudera Manager expects SHA-1 (40)".to_owned()
            }
            Some(count) => format!("hash has {count} digits; Cloudera Manager expects SHA-1 (40)"),
            None => format!("hash {} is not a SHA-1", shorten(&text)),
        };
        found
            .report(message)
            .at(&place)
            .hint("parcelctl repo index writes the manifest anew");
    }
}

/// How many digits a text in hexadecimal has.
pub(super) fn digits(text: &str) -> Option<usize> {
    let hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then_some(text.len())
}

fn parcel_name(context: &Context<'_>, found: &mut Findings<'_>) {
    for entry in entries(context) {
        let Some(place) = entry.get("parcelName") else {
            continue;
        };
        let Some(text) = place.text().filter(|text| !is_blank(text)) else {
            continue;
        };
        let strange = text.contains(|c: char| c == '/' || c.is_control());
        if strange || FileName::of(&text).parts.is_none() {
            found
                .report(format!(
                    "parcelName {} is not PRODUCT-VERSION-DISTRO.parcel",
                    shorten(&text)
                ))
                .at(&place);
        }
    }
}

fn last_updated(context: &Context<'_>, found: &mut Findings<'_>) {
    /// 1973-03-03 and 2286-11-20.
    const PLAUSIBLE: std::ops::Range<i64> = 100_000_000_000..10_000_000_000_000;
    let Some(place) = context
        .document(DocKind::Manifest)
        .and_then(|doc| doc.get("lastUpdated"))
    else {
        return;
    };
    let Node::Number(text) = &place.value.node else {
        return;
    };
    let Ok(number) = text.parse::<i64>() else {
        return;
    };
    if PLAUSIBLE.contains(&number) {
        return;
    }
    let seconds = (PLAUSIBLE.start / 1000..PLAUSIBLE.end / 1000).contains(&number);
    if seconds {
        found
            .report(format!(
                "lastUpdated {number} is in seconds, not milliseconds"
            ))
            .at(&place)
            .hint(format!("write {number}000"));
    } else {
        found
            .report(format!(
                "lastUpdated {number} is no time in milliseconds since 1970"
            ))
            .at(&place);
    }
}
