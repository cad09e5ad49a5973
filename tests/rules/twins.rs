//! Every rule has a bad twin that yields its code and nothing else, and a good one that yields
//! nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use parcel::progress::Silent;
use parcel::validate::{Policy, Rule, SubjectReport, rules, validate};

use super::made;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/rules")
}

fn folder_of(rule: &Rule) -> PathBuf {
    fixtures().join(format!("{}-{}", rule.code, rule.name))
}

/// Copies files with the modes that they are meant to have, whatever the checkout gave them.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs_err::create_dir_all(to).unwrap();
        set_mode(to, 0o755);
        for entry in fs_err::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs_err::copy(from, to).unwrap();
        let executable = from.metadata().unwrap().permissions().mode() & 0o100 != 0;
        set_mode(to, if executable { 0o755 } else { 0o644 });
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The one thing in a folder.
fn only_entry(folder: &Path) -> PathBuf {
    let entries: Vec<_> = fs_err::read_dir(folder).unwrap().collect();
    assert_eq!(entries.len(), 1, "{}", folder.display());
    entries.into_iter().next().unwrap().unwrap().path()
}

/// Validates a twin of a rule; `None` where there is none.
fn report(rule: &Rule, which: &str) -> Option<SubjectReport> {
    let scratch = tempfile::tempdir().unwrap();
    let kept = folder_of(rule).join(which);
    let subject = if kept.is_dir() {
        let subject = only_entry(&kept);
        let copied = scratch.path().join(subject.file_name().unwrap());
        copy(&subject, &copied);
        copied
    } else {
        made::make(rule.code, which == "bad", scratch.path())?
    };
    Some(validate(&subject, None, &Policy::default(), &Silent).unwrap())
}

#[test]
fn every_rule_has_twins() {
    let mut wrong = Vec::new();
    for rule in rules() {
        let (Some(bad), Some(good)) = (report(rule, "bad"), report(rule, "good")) else {
            wrong.push(format!("{}: no twins", rule.code));
            continue;
        };
        let codes: BTreeSet<&str> = bad.findings.iter().map(|finding| finding.code).collect();
        if codes != BTreeSet::from([rule.code]) {
            wrong.push(format!("{} bad: {:#?}", rule.code, bad.findings));
        }
        if !good.findings.is_empty() {
            wrong.push(format!("{} good: {:#?}", rule.code, good.findings));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_folder_is_without_a_rule() {
    let known: BTreeSet<PathBuf> = rules().map(folder_of).collect();
    for entry in fs_err::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        assert!(
            known.contains(&path) || path.is_file(),
            "{}",
            path.display()
        );
    }
}

/// What the reports on all bad twins say, so that a changed message is seen when it changes.
#[test]
fn findings_say_where_and_how() {
    let mut text = String::new();
    for rule in rules() {
        let Some(report) = report(rule, "bad") else {
            continue;
        };
        for finding in &report.findings {
            let place = [
                finding.file.clone(),
                finding.pointer.clone(),
                finding.line.map(|line| line.to_string()),
                finding.column.map(|column| column.to_string()),
            ];
            let place: Vec<String> = place.into_iter().flatten().collect();
            writeln!(text, "{} {}", finding.code, finding.message).unwrap();
            if !place.is_empty() {
                writeln!(text, "     at {}", place.join(" : ")).unwrap();
            }
            if let Some(hint) = &finding.hint {
                writeln!(text, "     hint: {hint}").unwrap();
            }
        }
        if !report.skipped.is_empty() {
            writeln!(text, "     skipped: {}", report.skipped.join(" ")).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}
