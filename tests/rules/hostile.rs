//! Input made to break whoever reads it: always a finding or a clear error, in bounded time.

use std::io::Read as _;
use std::path::Path;

use parcel::progress::Silent;
use parcel::validate::{Policy, SubjectKind, SubjectReport, validate};

use super::archive::{Archive, FILE_NAME, save};
use super::made;

fn codes(report: &SubjectReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

fn judge(path: &Path) -> SubjectReport {
    validate(path, None, &Policy::default(), &Silent).unwrap()
}

#[test]
fn a_parcel_cut_anywhere_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Archive::good().gzip();
    for end in 0..whole.len() {
        let path = save(folder.path(), FILE_NAME, &whole[..end]);
        assert!(!judge(&path).passes(), "cut at {end} of {}", whole.len());
    }
}

/// What a gzip file unpacks to, where it does.
fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(bytes);
    decoder.read_to_end(&mut unpacked).ok().map(|_| unpacked)
}

#[test]
fn a_flipped_bit_is_a_finding_or_changes_nothing_that_is_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Archive::good().gzip();
    let content = unpack(&whole);
    for at in 0..whole.len() {
        let bit = at % 8;
        let mut changed = whole.clone();
        changed[at] ^= 1 << bit;
        let path = save(folder.path(), FILE_NAME, &changed);
        // A time in the header, or another way to write the same run of zeros.
        let same = unpack(&changed) == content;
        assert!(!judge(&path).passes() || same, "bit {bit} of byte {at}");
    }
}

#[test]
fn a_named_pipe_is_a_clear_error_and_does_not_block() {
    let folder = tempfile::tempdir().unwrap();
    for name in [FILE_NAME, "parcel.json"] {
        let path = folder.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let error = validate(&path, None, &Policy::default(), &Silent).unwrap_err();
        assert!(error.to_string().ends_with("is not a file"), "{error}");
    }
    // In a repository it is a finding about that one parcel.
    let report = validate(
        folder.path(),
        Some(SubjectKind::Repository),
        &Policy::default(),
        &Silent,
    )
    .unwrap();
    assert_eq!(codes(&report), ["R209", "R201"]);
}

#[test]
fn what_is_not_there_is_a_clear_error() {
    let error = validate(
        Path::new("/nowhere/A-1.0-el8.parcel"),
        None,
        &Policy::default(),
        &Silent,
    )
    .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert!(
        cause.to_string().contains("/nowhere/A-1.0-el8.parcel"),
        "{cause}"
    );
}

#[test]
fn a_million_mistakes_of_one_kind_are_counted() {
    let mut archive = Archive::good();
    for index in 0..1000 {
        archive = archive.file(&format!("DEMO-1.0/../{index}"), "x");
    }
    let folder = tempfile::tempdir().unwrap();
    let report = judge(&archive.save(folder.path()));
    assert_eq!(report.findings.len(), 101);
    let last = report
        .findings
        .iter()
        .find(|finding| finding.file.is_none())
        .unwrap();
    assert_eq!(last.message, "900 more findings of this rule are not shown");
}

#[test]
fn a_broken_document_is_one_finding_and_names_the_rules_that_were_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), "parcel.json", b"{\"name\": \"A-B\",}");
    let report = judge(&path);
    assert_eq!(codes(&report), ["J101"]);
    assert!(report.skipped.contains(&"N103"), "{:?}", report.skipped);
    assert!(!report.skipped.contains(&"A101"), "{:?}", report.skipped);
}

/// Ten gibibytes take minutes without optimization; the release build does them in seconds.
#[test]
#[ignore = "takes long without optimization"]
fn a_bomb_of_ten_gibibytes_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), FILE_NAME, &made::bomb(10 << 30));
    let started = std::time::Instant::now();
    assert_eq!(codes(&judge(&path)), ["T110"]);
    println!("ten gibibytes of zeros in {:?}", started.elapsed());
}

#[test]
fn an_archive_of_the_content_alone_is_not_told_to_be_called_after_its_dot() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::new()
        .directory("./")
        .directory("./meta/")
        .file("./meta/parcel.json", super::archive::PARCEL_JSON)
        .file("./meta/demo_env.sh", "export DEMO=1\n");
    let report = judge(&archive.save(folder.path()));
    assert!(codes(&report).contains(&"E103"), "{:?}", codes(&report));
    for finding in &report.findings {
        let hint = finding.hint.as_deref().unwrap_or_default();
        assert!(!hint.contains("-DISTRO.parcel"), "{hint}");
    }
}
