//! `parcelctl rules` and `parcelctl explain`

use std::fmt::Write as _;

use parcel::validate::{Severity, explain, rules};
use serde::Serialize;

use crate::args::{ExplainArgs, Format, RulesArgs};
use crate::failure::Failure;
use crate::output::{ExitStatus, Printer};

/// The list of `rules --format json`, version 1.
#[derive(Serialize)]
struct JsonRules {
    version: u32,
    rules: Vec<JsonRule>,
}

#[derive(Serialize)]
struct JsonRule {
    code: &'static str,
    name: &'static str,
    severity: Severity,
    summary: String,
}

pub(crate) fn list(args: &RulesArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    let all: Vec<JsonRule> = rules()
        .map(|rule| JsonRule {
            code: rule.code,
            name: rule.name,
            severity: rule.severity,
            summary: rule.summary(),
        })
        .collect();
    let text = match args.format {
        Format::Human => human(&all),
        Format::Json => serde_json::to_string_pretty(&JsonRules {
            version: 1,
            rules: all,
        })
        .map_err(Failure::could_not_run)?,
    };
    printer.data(&text)?;
    Ok(ExitStatus::Done)
}

fn human(rules: &[JsonRule]) -> String {
    let widest = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        let severity = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let _ = writeln!(
            text,
            "{} {severity:<7} {:widest$}  {}",
            rule.code, rule.name, rule.summary
        );
    }
    text.truncate(text.trim_end().len());
    text
}

pub(crate) fn explain_rule(args: &ExplainArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    let Some(rule) = explain(&args.rule) else {
        let error = anyhow::anyhow!("there is no rule \"{}\"", args.rule);
        let hint = "See the list: parcelctl rules".to_owned();
        return Err(Failure::could_not_run(error).hint(Some(hint)));
    };
    printer.data(&format!(
        "# {} {}\n\n{}",
        rule.code,
        rule.name,
        rule.explanation().trim_end()
    ))?;
    Ok(ExitStatus::Done)
}
