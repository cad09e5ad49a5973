//! For people: each finding with its line and a caret under the place, as compilers show it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use parcel::listing::Found;
use parcel::validate::{Finding, Report, Severity, SubjectReport};

use super::{count, verdict};
use crate::output::{ERROR, NOTE, WARNING};

/// Line numbers and the marks that tie a finding together.
const FRAME: Style = AnsiColor::Blue.on_default().bold();

/// All findings, then one line for each subject, then a summary where there is more than one.
pub(crate) fn human(report: &Report) -> String {
    let mut text = String::new();
    for subject in &report.subjects {
        text.push_str(&findings(subject));
        let style = if subject.passes() { NOTE } else { ERROR };
        let _ = write!(
            text,
            "{}: {style}{}{style:#}",
            subject.path.display(),
            verdict(subject)
        );
        if !subject.skipped.is_empty() {
            let _ = write!(text, " (rules not run: {})", subject.skipped.join(" "));
        }
        text.push('\n');
    }
    if report.subjects.len() > 1 {
        let failed = report
            .subjects
            .iter()
            .filter(|subject| !subject.passes())
            .count();
        let _ = writeln!(
            text,
            "{} checked, {failed} failed: {} errors, {} warnings, {} notes",
            report.subjects.len(),
            count(report, Severity::Error),
            count(report, Severity::Warning),
            count(report, Severity::Note),
        );
    }
    text.truncate(text.trim_end().len());
    text
}

/// The findings of one subject.
pub(crate) fn findings(subject: &SubjectReport) -> String {
    let mut text = String::new();
    for finding in &subject.findings {
        show(&mut text, subject, finding);
    }
    text
}

fn show(text: &mut String, subject: &SubjectReport, finding: &Finding) {
    let (style, severity) = match finding.severity {
        Severity::Error => (ERROR, "error"),
        Severity::Warning => (WARNING, "warning"),
        Severity::Note => (NOTE, "note"),
    };
    let (code, rule, message) = (finding.code, finding.rule, &finding.message);
    let _ = writeln!(
        text,
        "{style}{severity}[{code}]{style:#}: {message} ({rule})"
    );
    let line = finding
        .line
        .map(|line| line.to_string())
        .unwrap_or_default();
    let margin = " ".repeat(line.len());
    let _ = writeln!(
        text,
        "{margin} {FRAME}-->{FRAME:#} {}",
        place(subject, finding)
    );
    let mut framed = false;
    if let Some(excerpt) = &finding.excerpt {
        let (before, length) = (excerpt.before as usize, excerpt.length as usize);
        let caret = format!("{}{}", " ".repeat(before), "^".repeat(length));
        let _ = writeln!(text, "{margin} {FRAME}|{FRAME:#}");
        let _ = writeln!(text, "{FRAME}{line} |{FRAME:#} {}", excerpt.text);
        let _ = writeln!(text, "{margin} {FRAME}|{FRAME:#} {style}{caret}{style:#}");
        framed = true;
    }
    if let Some(hint) = &finding.hint {
        let mark = if framed { "=" } else { " " };
        let _ = writeln!(text, "{margin} {FRAME}{mark}{FRAME:#} hint: {hint}");
    }
    text.push('\n');
}

/// `PATH: FILE:LINE:COLUMN (POINTER)`, as far as it is known.
fn place(subject: &SubjectReport, finding: &Finding) -> String {
    let mut place = subject.path.display().to_string();
    let is_itself = finding
        .file
        .as_ref()
        .is_some_and(|file| subject.path.ends_with(file));
    if let Some(file) = finding.file.as_ref().filter(|_| !is_itself) {
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
    place
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
