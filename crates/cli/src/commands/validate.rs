//! `parcelctl validate`

use parcel::validate::{Policy, Report, SubjectKind, validate};

use crate::args::{Format, Kind, ValidateArgs};
use crate::failure::Failure;
use crate::output::{ExitStatus, Printer};
use crate::progress::Bars;
use crate::report;

pub(crate) fn run(args: &ValidateArgs, printer: &Printer) -> Result<ExitStatus, Failure> {
    let kind = args.kind.map(SubjectKind::from);
    let mut report = Report::default();
    for path in &args.paths {
        let bars = Bars::new(printer);
        let subject = validate(path, kind, &Policy::default(), &bars).map_err(|error| {
            let error = anyhow::Error::from(error);
            Failure::could_not_run(error.context(format!("cannot validate {}", path.display())))
        })?;
        report.subjects.push(subject);
    }
    match args.format {
        Format::Human => printer.data(&report::human(&report))?,
        Format::Json => {
            printer.data(&report::json(&report).map_err(Failure::could_not_run)?)?;
        }
    }
    Ok(if report.passes() {
        ExitStatus::Done
    } else {
        ExitStatus::FoundErrors
    })
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
