//! For GitHub: workflow commands, which it shows beside the lines of a pull request.
//!
//! Source: "Workflow commands for GitHub Actions", annotations and their escapes.

use std::fmt::Write as _;

use parcel::validate::{Report, Severity};

use super::file_on_disk;

/// One line for each finding.
pub(crate) fn github(report: &Report) -> String {
    let mut text = String::new();
    for subject in &report.subjects {
        for finding in &subject.findings {
            let command = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let _ = write!(
                text,
                "::{command} file={}",
                property(&file_on_disk(subject, finding))
            );
            if let Some(line) = finding.line {
                let _ = write!(text, ",line={line}");
            }
            if let Some(column) = finding.column {
                let _ = write!(text, ",col={column}");
            }
            let title = format!("{} {}", finding.code, finding.rule);
            let _ = write!(
                text,
                ",title={}::{}",
                property(&title),
                data(&finding.message)
            );
            if let Some(hint) = &finding.hint {
                let _ = write!(text, "{}", data(&format!("\nhint: {hint}")));
            }
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
        assert_eq!(data("a:b,c%\r\n"), "a:b,c%25%0D%0A");
    }
}
