//! For programs: one JSON object. Its `version` changes when a reader would have to.

use parcel::validate::{Finding, Report, SubjectKind};
use serde::Serialize;

use super::verdict;

#[derive(Serialize)]
struct JsonReport<'a> {
    version: u32,
    subjects: Vec<JsonSubject<'a>>,
}

#[derive(Serialize)]
struct JsonSubject<'a> {
    path: String,
    kind: SubjectKind,
    verdict: &'static str,
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    skipped: &'a [&'static str],
}

/// The report as one JSON object, version 1.
pub(crate) fn json(report: &Report) -> serde_json::Result<String> {
    let subjects = report
        .subjects
        .iter()
        .map(|subject| JsonSubject {
            path: subject.path.display().to_string(),
            kind: subject.kind,
            verdict: verdict(subject),
            findings: &subject.findings,
            skipped: &subject.skipped,
        })
        .collect();
    serde_json::to_string_pretty(&JsonReport {
        version: 1,
        subjects,
    })
}
