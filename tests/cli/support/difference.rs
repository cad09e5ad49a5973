//! Two parcels that should be the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use parcel::Listing;
use parcel::listing::{ContentHashes, Observers};
use parcel::progress::Silent;

/// What there is to say of each entry of a parcel, by its name.
fn entries(parcel: &Path) -> BTreeMap<String, String> {
    let mut hashes = ContentHashes::default();
    let mut observers = Observers::new(vec![&mut hashes]);
    let listing = Listing::of_archive(parcel, &mut observers, &Silent).unwrap();
    let describe = |(place, entry): (usize, &parcel::listing::RawEntry)| {
        let hash = hashes
            .get(&entry.name)
            .map(|hash| hash.to_string())
            .unwrap_or_default();
        let link = entry.link.as_deref().map(String::from_utf8_lossy);
        let text = format!(
            "entry {place}: {}, mode {:o}, {} bytes, time {}, link {link:?}, content {hash}",
            entry.kind, entry.mode, entry.size_bytes, entry.mtime,
        );
        (entry.display_name(), text)
    };
    listing.entries.iter().enumerate().map(describe).collect()
}

/// Fails with the names of the entries that differ.
#[track_caller]
pub(crate) fn assert_same(first: &Path, second: &Path) {
    if fs_err::read(first).unwrap() == fs_err::read(second).unwrap() {
        return;
    }
    let (a, b) = (entries(first), entries(second));
    let mut differences = Vec::new();
    for name in a
        .keys()
        .chain(b.keys().filter(|name| !a.contains_key(*name)))
    {
        if a.get(name) != b.get(name) {
            let side = |entry: Option<&String>| entry.cloned().unwrap_or("absent".to_owned());
            let (a, b) = (side(a.get(name)), side(b.get(name)));
            differences.push(format!("{name}\n  {a}\n  {b}"));
        }
    }
    let count = differences.len();
    differences.truncate(20);
    if count == 0 {
        differences.push("no entry: the compression".to_owned());
    }
    panic!(
        "{} and {} differ in {count} entries:\n{}",
        first.display(),
        second.display(),
        differences.join("\n")
    );
}
