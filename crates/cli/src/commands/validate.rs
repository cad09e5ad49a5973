//! `parcelctl validate`

use parcel::validate::{Level, Policy, Report, SubjectKind, UnknownRule, validate};

use crate::args::{Kind, ReportFormat, ValidateArgs};
use crate::failure::Failure;
use crate::output::{ExitStatus, Printer};
use crate::progress::Bars;
use crate::report;

pub(crate) fn run(args: &ValidateArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    let policy = policy(args)?;
    let kind = args.kind.map(SubjectKind::from);
    let mut report = Report::default();
    let mut failure = None;
    for path in &args.paths {
        let bars = Bars::new(printer);
        match validate(path, kind, &policy, &bars) {
            Ok(subject) => report.subjects.push(subject),
            Err(error) => {
                let context = format!("cannot validate {}", path.display());
                let error = anyhow::Error::from(error).context(context);
                let error = Failure::could_not_run(error);
                // The others are looked at all the same; the first that could not be is told last.
                match &failure {
                    None => failure = Some(error),
                    Some(_) => printer.failure(&error),
                }
            }
        }
    }
    let text = match args.format {
        ReportFormat::Human => report::human(&report),
        ReportFormat::Json => report::json(&report).map_err(Failure::could_not_run)?,
        ReportFormat::Sarif => report::sarif(&report).map_err(Failure::could_not_run)?,
        ReportFormat::Github => report::github(&report),
    };
    if !text.is_empty() && !report.subjects.is_empty() {
        printer.data(&text)?;
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    Ok(if report.passes() {
        ExitStatus::Done
    } else {
        ExitStatus::FoundErrors
    })
}

/// The severities that were asked for. Where a rule is given twice, the stricter one counts.
fn policy(args: &ValidateArgs) -> Result<Policy, Failure> {
    let mut policy = Policy::default();
    let levels = [
        (&args.allow, Level::Allow),
        (&args.warn, Level::Warning),
        (&args.error, Level::Error),
    ];
    for (rules, level) in levels {
        for rule in rules {
            policy.set(rule, level).map_err(unknown)?;
        }
    }
    Ok(policy)
}

fn unknown(error: UnknownRule) -> Failure {
    Failure::could_not_run(error).hint(Some("See the list: parcelctl rules".to_owned()))
}

impl From<Kind> for SubjectKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::ParcelJson => Self::ParcelJson,
            Kind::AlternativesJson => Self::AlternativesJson,
            Kind::PermissionsJson => Self::PermissionsJson,
            Kind::ManifestJson => Self::ManifestJson,
            Kind::Parcel => Self::Parcel,
            Kind::Directory => Self::Directory,
            Kind::Repository => Self::Repository,
        }
    }
}
