//! Validation stands beside the flow: it looks at a subject and reports what is wrong with it.
//!
//! In comes a path, or a listing whose content was inspected while it was made; out goes a
//! [`SubjectReport`] with every finding, in a stable order. A wrong parcel is an `Ok` with
//! findings; an unreadable disk is an `Err`. The builder runs the same rules as a gate before it
//! writes anything.
//!
//! What a rule *means* is a doc comment above it in `rules/`; [`explain`] gives that text.

mod context;
mod document;
mod index;
mod instant;
mod json;
mod owner;
mod placeholder;
mod policy;
mod relation;
mod report;
mod repository;
mod rule;
mod rules;
mod schema;
mod shell;
mod subject;

use std::path::Path;
use std::sync::LazyLock;

pub use policy::{Level, Policy, UnknownRule};
pub use report::{Excerpt, Finding, Report, Severity, SubjectKind, SubjectReport};
pub use rule::{HEADINGS, Rule};
pub use subject::detect;

use crate::listing::{DOCUMENT_LIMIT_BYTES, Documents, Listing, ListingError, Observers, Scan};
use crate::name::ParcelName;
use crate::progress::Progress;
use context::{Context, Slot};
use document::{DocKind, Document};
use repository::Folder;
use rule::Findings;

/// All rules, by their code.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    static SORTED: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
        let mut rules: Vec<&Rule> = TABLES.iter().copied().flatten().collect();
        rules.sort_by_key(|rule| rule.code);
        rules
    });
    SORTED.iter().copied()
}

/// The rule of a code (`J101`) or a name (`invalid-json`).
///
/// ```
/// let rule = parcel::validate::explain("T102").unwrap();
/// assert_eq!(rule.name, "truncated");
/// assert!(rule.explanation().contains("## How to fix"));
/// ```
pub fn explain(rule: &str) -> Option<&'static Rule> {
    rules().find(|known| known.code.eq_ignore_ascii_case(rule) || known.name == rule)
}

/// What the rules must see of a parcel's content, gathered in the one pass that makes its listing.
#[derive(Default)]
pub struct Inspection {
    documents: Documents,
    scan: Scan,
}

impl Inspection {
    /// Those who look while the listing is made.
    pub fn observers(&mut self) -> Vec<&mut dyn crate::listing::Observer> {
        vec![&mut self.documents, &mut self.scan]
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
        let context = Context::of_content(listing, kind, path, name, &self.documents, &self.scan);
        judge(&context, kind, path, policy)
    }
}

/// Runs all rules over a subject.
fn judge(context: &Context<'_>, kind: SubjectKind, path: &Path, policy: &Policy) -> SubjectReport {
    let mut findings = Vec::new();
    let mut skipped = Vec::new();
    for rule in rules() {
        let Some(severity) = policy.severity(rule) else {
            continue;
        };
        if rule.needs.iter().any(|&need| context.is_broken(need)) {
            skipped.push(rule.code);
            continue;
        }
        let mut found = Findings::new(rule, severity, &mut findings);
        (rule.check)(context, &mut found);
        found.finish();
    }
    let file = |finding: &Finding| finding.file.clone().unwrap_or_default();
    findings.sort_by_cached_key(|finding| {
        let place = (finding.line, finding.column, finding.pointer.clone());
        (file(finding), place, finding.code)
    });
    SubjectReport {
        path: path.to_owned(),
        kind,
        findings,
        skipped,
    }
}

/// Validates whatever lies at a path. Without a kind, the path tells ([`detect`]).
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
    let unknown = || ListingError::WrongKind {
        path: path.to_owned(),
        expected: "parcel, parcel directory, repository or one of their documents",
    };
    let kind = match kind {
        Some(kind) => kind,
        None => detect(path)?.ok_or_else(unknown)?,
    };
    let mut inspection = Inspection::default();
    match kind {
        SubjectKind::Directory => {
            let mut observers = Observers::new(inspection.observers());
            let listing = Listing::of_directory(path, &mut observers, progress)?;
            Ok(inspection.judge(&listing, kind, path, None, policy))
        }
        SubjectKind::Parcel => {
            let mut observers = Observers::new(inspection.observers());
            let listing = Listing::of_archive(path, &mut observers, progress)?;
            Ok(inspection.judge(&listing, kind, path, None, policy))
        }
        SubjectKind::Repository => {
            let (folder, manifest) = Folder::read(path, progress)?;
            let context = Context::of_folder(&folder, manifest);
            Ok(judge(&context, kind, path, policy))
        }
        _ => {
            let doc_kind = DocKind::of_subject(kind).ok_or_else(unknown)?;
            let slot = load(path, doc_kind)?;
            Ok(judge(
                &Context::of_document(slot, doc_kind),
                kind,
                path,
                policy,
            ))
        }
    }
}

/// Reads a document that is a subject of its own.
fn load(path: &Path, kind: DocKind) -> Result<Slot, ListingError> {
    let metadata = fs_err::metadata(path)?;
    // Before opening: a named pipe would block for ever.
    if !metadata.is_file() {
        return Err(ListingError::WrongKind {
            path: path.to_owned(),
            expected: "file",
        });
    }
    if metadata.len() > DOCUMENT_LIMIT_BYTES {
        return Ok(Slot::TooLarge {
            size_bytes: metadata.len(),
        });
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let bytes = fs_err::read(path)?;
    Ok(Slot::Met(Document::read(kind, name.into_owned(), &bytes)))
}

/// Judges a document in memory, for fuzzing and for those who have no file.
pub fn validate_bytes(
    path: &Path,
    kind: SubjectKind,
    bytes: &[u8],
    policy: &Policy,
) -> Option<SubjectReport> {
    let doc_kind = DocKind::of_subject(kind)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let document = Document::read(doc_kind, name.into_owned(), bytes);
    let context = Context::of_document(Slot::Met(document), doc_kind);
    Some(judge(&context, kind, path, policy))
}

/// The one table: every rule of every subject.
const TABLES: &[&[Rule]] = &[
    rules::alternatives::RULES,
    rules::content::RULES,
    rules::document::RULES,
    rules::entry::RULES,
    rules::json::RULES,
    rules::link::RULES,
    rules::mode::RULES,
    rules::permissions::RULES,
    rules::name::RULES,
    rules::parcel_json::RULES,
    rules::manifest::RULES,
    rules::repository::RULES,
    rules::script::RULES,
    rules::archive::RULES,
    rules::relation::RULES,
];
