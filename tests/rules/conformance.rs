//! Verdicts beside those of Cloudera's validator, on documents made for the purpose (committed) and
//! on those of real parcels (not ours, so only where they are at hand).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use parcel::progress::Silent;
use parcel::validate::{Policy, Severity, SubjectKind, SubjectReport, validate};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The reference's mode, as a kind of subject.
fn kind(mode: &str) -> SubjectKind {
    match mode {
        "-p" => SubjectKind::ParcelJson,
        "-a" => SubjectKind::AlternativesJson,
        "-r" => SubjectKind::PermissionsJson,
        "-m" => SubjectKind::ManifestJson,
        "-f" => SubjectKind::Parcel,
        "-d" => SubjectKind::Directory,
        other => panic!("an unknown mode {other}"),
    }
}

/// The codes that a page lists: cells of its table that begin with one in backticks.
fn listed(page: &str) -> BTreeSet<String> {
    let text = fs_err::read_to_string(root().join("docs").join(page)).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .map(str::to_owned)
        .collect()
}

fn errors(report: &SubjectReport) -> BTreeSet<&'static str> {
    report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.code)
        .collect()
}

fn notes(report: &SubjectReport) -> BTreeSet<&'static str> {
    report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Note)
        .map(|finding| finding.code)
        .collect()
}

/// How our verdicts lie beside the reference's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Both reject.
    rejected: usize,
    /// Both accept.
    accepted: usize,
    /// It rejects and we accept, for a reason in `docs/looser.md`.
    looser: usize,
    /// It accepts and we reject, for reasons in `docs/stricter.md`, by code.
    stricter: BTreeMap<&'static str, usize>,
    /// What no page explains.
    unexplained: Vec<String>,
}

fn tally(cases: impl Iterator<Item = (String, PathBuf, bool)>) -> Tally {
    let (looser, stricter) = (listed("looser.md"), listed("stricter.md"));
    let mut tally = Tally::default();
    for (mode, path, accepted) in cases {
        let report = validate(&path, Some(kind(&mode)), &Policy::default(), &Silent).unwrap();
        let errors = errors(&report);
        match (accepted, report.passes()) {
            (true, true) => tally.accepted += 1,
            (false, false) => tally.rejected += 1,
            (false, true) => {
                if notes(&report).iter().any(|code| looser.contains(*code)) {
                    tally.looser += 1;
                } else {
                    tally.unexplained.push(format!(
                        "accepted, though the reference rejects it: {}",
                        path.display()
                    ));
                }
            }
            (true, false) => {
                for code in &errors {
                    *tally.stricter.entry(code).or_default() += 1;
                }
                if !errors.iter().any(|code| stricter.contains(*code)) {
                    tally.unexplained.push(format!(
                        "rejected ({errors:?}), though the reference accepts it: {}",
                        path.display()
                    ));
                }
            }
        }
    }
    tally
}

#[test]
fn never_accepts_what_the_reference_rejects() {
    let folder = root().join("fixtures/conformance");
    let verdicts = fs_err::read_to_string(folder.join("verdicts.jsonl")).unwrap();
    let cases = verdicts.lines().map(|line| {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| case[key].as_str().unwrap().to_owned();
        (
            text("mode"),
            folder.join(text("path")),
            text("verdict") == "ok",
        )
    });
    let tally = tally(cases);
    let strict: usize = verdicts.lines().count() - tally.rejected - tally.accepted - tally.looser;
    println!(
        "conformance: {} rejected by both, {} accepted by both, {} looser, {strict} stricter {:?}",
        tally.rejected, tally.accepted, tally.looser, tally.stricter
    );
    assert_eq!(tally.unexplained, Vec::<String>::new());
    // Change them knowingly: each step from one to another is a changed verdict.
    let numbers = (tally.rejected, tally.accepted, tally.looser, strict);
    assert_eq!(numbers, (337, 189, 0, 26));
}

#[test]
fn agrees_on_real_parcels() {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told by the environment"
    )]
    let folder = std::env::var_os("PARCEL_REALWORLD")
        .map_or_else(|| root().join("../shared/realworld"), PathBuf::from);
    let Ok(verdicts) = fs_err::read_to_string(folder.join("verdicts.tsv")) else {
        println!("realworld: skipped, {} is not here", folder.display());
        return;
    };
    let cases = verdicts.lines().map(|line| {
        let mut cells = line.split('\t').map(str::to_owned);
        let (mode, path) = (cells.next().unwrap(), cells.next().unwrap());
        (mode, folder.join(path), cells.next().unwrap() == "ok")
    });
    let tally = tally(cases);
    println!(
        "realworld: {} rejected by both, {} accepted by both, {} looser, stricter {:?}",
        tally.rejected, tally.accepted, tally.looser, tally.stricter
    );
    assert_eq!(tally.unexplained, Vec::<String>::new());
    let strict: usize = verdicts.lines().count() - tally.rejected - tally.accepted - tally.looser;
    let numbers = (tally.rejected, tally.accepted, tally.looser, strict);
    assert_eq!(numbers, (5, 17, 0, 1));
}
