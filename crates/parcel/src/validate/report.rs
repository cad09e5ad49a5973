//! What validation found: data until the last moment.

use std::path::PathBuf;

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Taste, or reproducibility.
    Note,
    /// Works, but will hurt.
    Warning,
    /// Cloudera Manager will refuse it, or a host will break.
    Error,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A `parcel.json`.
    ParcelJson,
    /// An `alternatives.json`.
    AlternativesJson,
    /// A `permissions.json`.
    PermissionsJson,
    /// A repository's `manifest.json`.
    ManifestJson,
    /// A `.parcel` file.
    Parcel,
    /// A directory `NAME-VERSION` with `meta/`.
    Directory,
    /// A folder of parcels.
    Repository,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's code: a letter and three digits.
    pub code: &'static str,
    /// The rule's name.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// The file inside the subject: `meta/parcel.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Where in a JSON document, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column, from 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The line it is about, for those who show it with a caret.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// The line of text that a finding is about, short enough to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, or the part of a very long one that matters; no control characters.
    pub text: String,
    /// How many characters of it come before the place.
    pub before: u32,
    /// How many characters the place is long, at least 1, and within the line.
    pub length: u32,
}

/// Longer lines are cut around the place.
const EXCERPT_CHARS: usize = 160;

impl Excerpt {
    /// Cuts what matters from a line: `before` characters lie before a place of `length`.
    pub(crate) fn of_line(line: &str, before: u32, length: u32) -> Self {
        let line = line.trim_end_matches(['\r', '\n']);
        let before = before as usize;
        let skip = if before > EXCERPT_CHARS * 3 / 4 {
            before - EXCERPT_CHARS / 4
        } else {
            0
        };
        let text: String = line
            .chars()
            .skip(skip)
            .take(EXCERPT_CHARS)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let room = text.chars().count().saturating_sub(before - skip);
        let length = (length as usize).clamp(1, room.max(1));
        Self {
            text,
            before: u32::try_from(before - skip).unwrap_or(0),
            length: u32::try_from(length).unwrap_or(1),
        }
    }
}

/// What was found in one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectReport {
    /// The subject, as it was given.
    pub path: PathBuf,
    /// What it was looked at as.
    pub kind: SubjectKind,
    /// All findings, in a stable order.
    pub findings: Vec<Finding>,
    /// Rules that could not run, because a document they need could not be read.
    pub skipped: Vec<&'static str>,
}

impl SubjectReport {
    /// Whether there is no error among the findings.
    pub fn passes(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity < Severity::Error)
    }
}

/// What was found in all subjects, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The subjects.
    pub subjects: Vec<SubjectReport>,
}

impl Report {
    /// Whether every subject passes.
    pub fn passes(&self) -> bool {
        self.subjects.iter().all(SubjectReport::passes)
    }
}
