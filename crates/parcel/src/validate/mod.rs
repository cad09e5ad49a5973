//! Validation stands beside the flow: it looks at a subject and reports what is wrong with it.
//!
//! A wrong parcel is an `Ok` with findings; an unreadable disk is an `Err`. The builder runs the
//! same rules as a gate before it writes anything.

mod report;

use std::path::Path;

pub use report::{Finding, Report, Severity, SubjectKind, SubjectReport};

use crate::listing::{Documents, Listing, ListingError, Observers};
use crate::name::ParcelName;
use crate::progress::Progress;
use crate::tree::Tree;

/// Which severity each rule has, where it is not the rule's own. The one place for overrides.
#[derive(Debug, Clone, Default)]
pub struct Policy {}

/// What the rules must see of a parcel's content, gathered in the one pass that makes its listing.
#[derive(Default)]
pub struct Inspection {
    documents: Documents,
}

impl Inspection {
    /// Those who look while the listing is made.
    pub fn observers(&mut self) -> Vec<&mut dyn crate::listing::Observer> {
        vec![&mut self.documents]
    }

    /// The documents that were met.
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// Runs the rules over what was gathered.
    ///
    /// `name` is what the parcel's file is or will be called, where that is known.
    pub fn judge(
        &self,
        listing: &Listing,
        kind: SubjectKind,
        path: &Path,
        name: Option<&ParcelName>,
        policy: &Policy,
    ) -> SubjectReport {
        let _ = (name, policy);
        let mut findings = Vec::new();
        if let Err(error) = Tree::try_from(listing) {
            findings.push(Finding {
                code: "P100",
                rule: "unsafe-entry",
                severity: Severity::Error,
                message: error.to_string(),
                file: None,
                pointer: None,
                line: None,
                column: None,
                hint: error.hint(),
            });
        }
        if let Err(error) = crate::meta::Meta::from_documents(&self.documents) {
            findings.push(Finding {
                code: "M100",
                rule: "unreadable-document",
                severity: Severity::Error,
                message: error.to_string(),
                file: None,
                pointer: None,
                line: None,
                column: None,
                hint: None,
            });
        }
        SubjectReport {
            path: path.to_owned(),
            kind,
            findings,
            skipped: Vec::new(),
        }
    }
}

/// Validates whatever lies at a path.
///
/// # Errors
///
/// [`ListingError`] when it could not be looked at.
pub fn validate(
    path: &Path,
    kind: Option<SubjectKind>,
    policy: &Policy,
    progress: &dyn Progress,
) -> Result<SubjectReport, ListingError> {
    let kind = kind.unwrap_or(SubjectKind::Parcel);
    let mut inspection = Inspection::default();
    let listing = match kind {
        SubjectKind::Directory => {
            Listing::of_directory(path, &mut Observers::new(inspection.observers()), progress)?
        }
        _ => Listing::of_archive(path, &mut Observers::new(inspection.observers()), progress)?,
    };
    let name = path
        .file_name()
        .and_then(|name| name.to_str()?.parse().ok());
    Ok(inspection.judge(&listing, kind, path, name.as_ref(), policy))
}
