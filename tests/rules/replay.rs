//! What the fuzz targets do with their bytes. The targets in `fuzz/` include this file; the test
//! replays in `fixtures/fuzz/` what they once found.

#![allow(dead_code, reason = "each fuzz target uses one function")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use parcel::listing::{RawEntry, RawKind};
use parcel::progress::Silent;
use parcel::validate::{
    Inspection, Policy, Severity, SubjectKind, SubjectReport, validate, validate_bytes,
};
use parcel::{Listing, Tree};

/// What holds of every report.
fn check(report: &SubjectReport) {
    // A hundred of each rule and the count of the rest, and there are not that many rules.
    assert!(report.findings.len() < 20_000);
    for finding in &report.findings {
        assert!(!finding.message.is_empty());
        let excerpt = finding.excerpt.as_ref();
        assert!(excerpt.is_none_or(|excerpt| excerpt.length > 0));
    }
}

/// Any bytes as each of the four documents.
pub(crate) fn documents(bytes: &[u8]) {
    for kind in [
        SubjectKind::ParcelJson,
        SubjectKind::AlternativesJson,
        SubjectKind::PermissionsJson,
        SubjectKind::ManifestJson,
    ] {
        let report = validate_bytes(Path::new("x.json"), kind, bytes, &Policy::default());
        check(&report.expect("all of these are documents"));
    }
}

/// Any text as an expression, a date, a name, a mode.
pub(crate) fn relations(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // A text that JSON would have to escape is for the other target.
    if !text.chars().all(|c| c >= ' ' && c != '"' && c != '\\') {
        return;
    }
    let quoted = format!("\"{text}\"");
    let parcel = format!(
        r#"{{"name": "DEMO", "version": {quoted}, "depends": {quoted}, "conflicts": {quoted},
        "scripts": {{"defines": {quoted}}}, "extraVersionInfo": {{"fullVersion": {quoted}}}}}"#
    );
    let manifest = format!(
        r#"{{"lastUpdated": {quoted}, "parcels": [{{"parcelName": {quoted}, "released": {quoted}}}]}}"#
    );
    let permissions = format!(r#"{{{quoted}: {{"permissions": {quoted}}}}}"#);
    for (kind, text) in [
        (SubjectKind::ParcelJson, parcel),
        (SubjectKind::ManifestJson, manifest),
        (SubjectKind::PermissionsJson, permissions),
    ] {
        let path = Path::new("x.json");
        let report = validate_bytes(path, kind, text.as_bytes(), &Policy::default());
        let report = report.expect("all of these are documents");
        assert!(report.skipped.is_empty());
        check(&report);
    }
    let _ = text.parse::<parcel::ParcelName>();
}

const PARCEL_JSON: &[u8] = br#"{"schema_version": 1, "name": "DEMO", "version": "1.0",
"extraVersionInfo": {"fullVersion": "1.0-el8"}, "setActiveSymlink": true,
"scripts": {"defines": "env.sh"}, "packages": [], "components": [], "users": {}, "groups": []}"#;

/// Any bytes as the defines script, as a script and as a program of a parcel.
pub(crate) fn contents(bytes: &[u8]) {
    let mut inspection = Inspection::default();
    let mut entries = Vec::new();
    // The first byte says how the content is cut, as a slow reader would cut it.
    let (cut, content) = bytes.split_first().unwrap_or((&0, bytes));
    let program = [b"\x7fELF", content].concat();
    for (name, content) in [
        ("DEMO-1.0/meta/parcel.json", PARCEL_JSON),
        ("DEMO-1.0/meta/env.sh", content),
        ("DEMO-1.0/bin/script", content),
        ("DEMO-1.0/bin/program", &program),
    ] {
        let entry = RawEntry {
            name: name.into(),
            kind: RawKind::File,
            mode: 0o755,
            size_bytes: content.len() as u64,
            link: None,
            mtime: 0,
        };
        for observer in inspection.observers() {
            if observer.begin(&entry) {
                for chunk in content.chunks(usize::from(*cut).max(1) * 16) {
                    observer.chunk(chunk);
                }
                observer.end();
            }
        }
        entries.push(entry);
    }
    judge(&inspection, entries);
}

fn judge(inspection: &Inspection, entries: Vec<RawEntry>) -> (Listing, SubjectReport) {
    let listing = Listing {
        entries,
        archive: None,
    };
    let path = Path::new("DEMO-1.0");
    let policy = Policy::default();
    let report = inspection.judge(&listing, SubjectKind::Directory, path, None, &policy);
    check(&report);
    (listing, report)
}

const KINDS: [RawKind; 6] = [
    RawKind::File,
    RawKind::Directory,
    RawKind::Symlink,
    RawKind::HardLink,
    RawKind::Fifo,
    RawKind::Other(b'S'),
];

/// Any entries: names, kinds, modes and links as an archive could have them.
pub(crate) fn listings(bytes: &[u8]) {
    // One entry per line: a byte for the kind, a byte for the mode, the name, a blank, the link.
    let entries = bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| line.len() > 2)
        .map(|line| {
            let mut parts = line[2..].splitn(2, |&byte| byte == b' ');
            RawEntry {
                name: parts.next().unwrap_or_default().to_vec(),
                kind: KINDS[usize::from(line[0]) % KINDS.len()],
                mode: u32::from(line[1]) << 4 | 0o4,
                size_bytes: 0,
                link: parts.next().map(<[u8]>::to_vec),
                mtime: 0,
            }
        })
        .collect();
    let (listing, report) = judge(&Inspection::default(), entries);
    // What cannot be a tree is never without an error among the entries' rules.
    if listing.entries.is_empty() {
        return;
    }
    if let Err(error) = Tree::try_from(&listing) {
        let told = report
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error && finding.code.starts_with('E'));
        assert!(told, "{error:?}");
    }
}

/// Any bytes as a parcel: as they are, and compressed, so that the tar is reached too.
pub(crate) fn archives(bytes: &[u8]) {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        // In memory where there is such a place, so that the disk is not worn out.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            memory
        } else {
            Path::new("/tmp")
        };
        folder.join(format!("FUZZ-{}-el8.parcel", std::process::id()))
    });
    let Some((&how, bytes)) = bytes.split_first() else {
        return;
    };
    let content = if how & 1 == 0 {
        bytes.to_vec()
    } else {
        stored(bytes)
    };
    fs_err::write(path, content).expect("the folder can be written to");
    let report = validate(path, Some(SubjectKind::Parcel), &Policy::default(), &Silent);
    check(&report.expect("the file can be read"));
}

/// A gzip file with the bytes in blocks that are not compressed.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for chunk in bytes.chunks(0xffff) {
        let length = u16::try_from(chunk.len()).expect("chunks are that short");
        out.push(0);
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(chunk);
    }
    out.extend([1, 0, 0, 0xff, 0xff]);
    let crc = bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    out.extend((!crc).to_le_bytes());
    let length = u32::try_from(bytes.len()).expect("targets get less than that");
    out.extend(length.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    type Target = fn(&[u8]);

    #[test]
    fn what_fuzzing_found_stays_mended() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fuzz");
        let targets: [(&str, Target); 5] = [
            ("archives", archives),
            ("contents", contents),
            ("documents", documents),
            ("listings", listings),
            ("relations", relations),
        ];
        let mut replayed = 0;
        for (target, run) in targets {
            let Ok(files) = fs_err::read_dir(folder.join(target)) else {
                continue;
            };
            for file in files {
                run(&fs_err::read(file.unwrap().path()).unwrap());
                replayed += 1;
            }
        }
        println!("replayed {replayed} finds of the fuzz targets");
        assert!(replayed > 0);
    }
}
