//! What validation found, in the forms that people and CI systems read.
//!
//! The same data goes into every form; none of them knows a rule.

mod github;
mod human;
mod json;
mod sarif;

use parcel::validate::{Finding, Report, Severity, SubjectKind, SubjectReport};

pub(crate) use github::github;
pub(crate) use human::{findings, human, leftovers};
pub(crate) use json::json;
pub(crate) use sarif::sarif;

/// `pass`, or `fail` where there is at least one error.
fn verdict(subject: &SubjectReport) -> &'static str {
    if subject.passes() { "pass" } else { "fail" }
}

/// The file on disk that a finding is about: a document inside a directory has a path of its own,
/// one inside a parcel does not.
fn file_on_disk(subject: &SubjectReport, finding: &Finding) -> String {
    let is_folder = matches!(
        subject.kind,
        SubjectKind::Directory | SubjectKind::Repository
    );
    match &finding.file {
        Some(file) if is_folder => subject.path.join(file).display().to_string(),
        _ => subject.path.display().to_string(),
    }
}

/// How many findings of a severity there are.
fn count(report: &Report, severity: Severity) -> usize {
    let findings = report.subjects.iter().flat_map(|subject| &subject.findings);
    findings
        .filter(|finding| finding.severity == severity)
        .count()
}
