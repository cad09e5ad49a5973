//! What validation found, for people and for programs.

use std::fmt::Write as _;

use parcel::listing::Found;
use parcel::validate::{Finding, Report, Severity, SubjectReport};
use serde::Serialize;

use crate::output::{ERROR, NOTE, WARNING};

/// The report of `validate --format json`, version 1.
#[derive(Serialize)]
struct JsonReport<'a> {
    version: u32,
    subjects: Vec<JsonSubject<'a>>,
}

#[derive(Serialize)]
struct JsonSubject<'a> {
    path: String,
    kind: parcel::validate::SubjectKind,
    verdict: &'static str,
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    skipped: &'a [&'static str],
}

fn verdict(subject: &SubjectReport) -> &'static str {
    if subject.passes() { "pass" } else { "fail" }
}

/// The report as one JSON object.
pub(crate) fn json(report: &Report) -> anyhow::Result<String> {
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
    Ok(serde_json::to_string_pretty(&JsonReport {
        version: 1,
        subjects,
    })?)
}

/// The report for people: findings, then one line for each subject.
pub(crate) fn human(report: &Report) -> String {
    let mut text = String::new();
    for subject in &report.subjects {
        text.push_str(&findings(subject));
        let style = if subject.passes() { NOTE } else { ERROR };
        let _ = writeln!(
            text,
            "{}: {style}{}{style:#}",
            subject.path.display(),
            verdict(subject)
        );
    }
    text.truncate(text.trim_end().len());
    text
}

/// The findings of one subject, each with its place and its hint.
pub(crate) fn findings(subject: &SubjectReport) -> String {
    let mut text = String::new();
    for finding in &subject.findings {
        let (style, severity) = match finding.severity {
            Severity::Error => (ERROR, "error"),
            Severity::Warning => (WARNING, "warning"),
            Severity::Note => (NOTE, "note"),
        };
        let _ = writeln!(
            text,
            "{style}{severity}[{}]{style:#}: {} ({})",
            finding.code, finding.message, finding.rule
        );
        let mut place = subject.path.display().to_string();
        if let Some(file) = &finding.file {
            let _ = write!(place, ": {file}");
        }
        if let Some(line) = finding.line {
            let _ = write!(place, ":{line}");
        }
        if let Some(column) = finding.column {
            let _ = write!(place, ":{column}");
        }
        if let Some(pointer) = finding
            .pointer
            .as_ref()
            .filter(|pointer| !pointer.is_empty())
        {
            let _ = write!(place, " ({pointer})");
        }
        let _ = writeln!(text, "  --> {place}");
        if let Some(hint) = &finding.hint {
            let _ = writeln!(text, "  hint: {hint}");
        }
    }
    text
}

/// Paths of the build machine that were found in files; the first of them.
pub(crate) fn leftovers(found: &[Found]) -> String {
    const SHOWN: usize = 10;
    let mut text = String::new();
    for found in found.iter().take(SHOWN) {
        let _ = writeln!(
            text,
            "  {} at byte {}: {} ({})",
            String::from_utf8_lossy(&found.name),
            found.offset,
            String::from_utf8_lossy(&found.needle.bytes),
            found.needle.meaning
        );
    }
    if found.len() > SHOWN {
        let _ = writeln!(text, "  and {} more", found.len() - SHOWN);
    }
    text.truncate(text.trim_end().len());
    text
}
