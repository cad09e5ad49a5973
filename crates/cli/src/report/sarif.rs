//! For code scanning: SARIF 2.1.0.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".

use std::collections::BTreeMap;
use std::fmt::Write as _;

use parcel::validate::{Finding, Report, Severity, SubjectReport, rules};
use serde_json::{Value, json};

use super::file_on_disk;

/// The report as one SARIF log with one run.
pub(crate) fn sarif(report: &Report) -> serde_json::Result<String> {
    let all: Vec<_> = rules().collect();
    let index: BTreeMap<&str, usize> = all
        .iter()
        .enumerate()
        .map(|(index, rule)| (rule.code, index))
        .collect();
    let descriptors: Vec<Value> = all
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "name": rule.name,
                "shortDescription": { "text": rule.summary() },
                "fullDescription": { "text": rule.summary() },
                "help": { "text": rule.explanation(), "markdown": rule.explanation() },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    let results: Vec<Value> = report
        .subjects
        .iter()
        .flat_map(|subject| {
            subject
                .findings
                .iter()
                .map(move |finding| (subject, finding))
        })
        .map(|(subject, finding)| result(subject, finding, index.get(finding.code).copied()))
        .collect();
    serde_json::to_string_pretty(&json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": { "driver": {
                "name": "parcelctl",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": descriptors,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(subject: &SubjectReport, finding: &Finding, rule: Option<usize>) -> Value {
    let text = match &finding.hint {
        Some(hint) => format!("{}. Hint: {hint}", finding.message),
        None => finding.message.clone(),
    };
    let mut physical = json!({
        "artifactLocation": { "uri": uri(&file_on_disk(subject, finding)) },
    });
    if let Some(line) = finding.line {
        let mut region = json!({ "startLine": line });
        if let Some(column) = finding.column {
            region["startColumn"] = json!(column);
        }
        physical["region"] = region;
    }
    let mut location = json!({ "physicalLocation": physical });
    // Inside a parcel a file has no place on disk, but a name.
    if let Some(file) = &finding.file {
        let pointer = finding
            .pointer
            .as_deref()
            .filter(|pointer| !pointer.is_empty());
        let name = pointer.map_or_else(|| file.clone(), |pointer| format!("{file}#{pointer}"));
        location["logicalLocations"] = json!([{ "fullyQualifiedName": name }]);
    }
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [location],
    });
    if let Some(rule) = rule {
        result["ruleIndex"] = json!(rule);
    }
    result
}

/// A path as a URI reference: what a URI may not hold is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~+@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    if path.starts_with('/') {
        format!("file://{uri}")
    } else {
        uri
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri_reference() {
        assert_eq!(uri("out/A 1.parcel"), "out/A%201.parcel");
        assert_eq!(uri("/tmp/a:b"), "file:///tmp/a%3Ab");
    }
}
